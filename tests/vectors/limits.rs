//! What is too long, too late, too many.

use std::time::Duration;

use durable_functions::reqwest::StatusCode;
use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::host::Fixture;
use crate::table;

const LIMIT: &str = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";
const HTTP: &str = "AzureFunctionsJobHost__extensions__http__";

/// Sends the text as it is, and returns the first line of the answer.
async fn raw(fixture: &Fixture, text: &str) -> String {
    let mut stream = TcpStream::connect(fixture.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn vector_96_a_hundred_megabytes_and_not_a_byte_more() {
    let fixture = Fixture::start(&[]).await;
    let url = format!("{}/api/length", fixture.base());
    let whole = fixture.http.post(&url).body(vec![0; 104_857_600]);
    let answer = whole.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "104857600");
    // Refused by what it says of itself: nothing of it need be sent.
    let said = "POST /api/deaf HTTP/1.1\r\nHost: h\r\nContent-Length: 104857601\r\n\r\n";
    assert!(raw(&fixture, said).await.contains("413"));
    fixture.stop().await;
}

#[tokio::test]
async fn vector_97_the_limit_is_a_setting() {
    let fixture = Fixture::start(&[(LIMIT, "1000")]).await;
    let url = format!("{}/api/length", fixture.base());
    for (bytes, expected) in [(1000, 200), (1001, 413)] {
        let answer = fixture.http.post(&url).body(vec![0; bytes]).send();
        assert_eq!(answer.await.unwrap().status(), expected, "{bytes}");
    }
    let long = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    for path in ["length", "item"] {
        let head =
            format!("POST /api/{path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        let line = raw(&fixture, &(head + &long)).await;
        assert!(line.contains("413"), "{path}: {line}");
    }
    let management = "/runtime/webhooks/durabletask/orchestrators/E1?code=sk-dt";
    let big = fixture.http.post(fixture.base() + management);
    let big = big.body(format!("\"{}\"", "x".repeat(1001)));
    assert_eq!(big.send().await.unwrap().status(), 413);
    fixture.stop().await;
    let fixture = Fixture::start(&[(LIMIT, "abc")]).await;
    let answer = fixture.http.post(format!("{}/api/length", fixture.base()));
    assert_eq!(
        answer.body(vec![0; 1001]).send().await.unwrap().status(),
        200
    );
    fixture.stop().await;
}

#[tokio::test]
async fn vector_98_a_target_of_4096_bytes() {
    let fixture = Fixture::start(&[]).await;
    for (length, expected) in [(4096, 200), (4097, 414)] {
        let path = "/api/says?x=";
        let target = format!("{path}{}", "y".repeat(length - path.len()));
        let answer = fixture.http.get(fixture.base() + &target).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), expected, "{length}");
        let body = answer.text().await.unwrap();
        assert!(expected == 200 || body.is_empty(), "{body}");
    }
    fixture.stop().await;
}

#[tokio::test]
async fn vector_99_a_late_answer_is_502_and_the_function_goes_on() {
    let timeout = format!("{HTTP}responseTimeout");
    let fixture = Fixture::start(&[(&timeout, "00:00:01")]).await;
    let answer = fixture.http.get(fixture.base() + "/api/slow").send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.text().await.unwrap(), "");
    let waits = fixture.gate.arrived.acquire().await.unwrap();
    assert_eq!(fixture.gate.open.available_permits(), 0);
    fixture.gate.open.add_permits(1);
    // It takes its permit although nobody waits for its answer.
    let taken = async {
        while fixture.gate.open.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken)
        .await
        .unwrap();
    drop(waits);
    fixture.stop().await;
}

#[tokio::test]
async fn vector_100_a_function_over_its_time_is_500() {
    let fixture = Fixture::start(&[("AzureFunctionsJobHost__functionTimeout", "00:00:01")]).await;
    let answer = fixture.http.get(fixture.base() + "/api/sleeps").send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "");
    fixture.stop().await;
}

#[tokio::test]
async fn vectors_179_to_181_too_many_are_turned_away_before_their_keys_are_looked_at() {
    let max = format!("{HTTP}maxOutstandingRequests");
    let fixture = Fixture::start(&[(&max, "10")]).await;
    let url = fixture.base() + "/api/slow";
    let accepted: Vec<_> = (0..10)
        .map(|_| tokio::spawn(fixture.http.get(&url).send()))
        .collect();
    let arrived = fixture.gate.arrived.acquire_many(10).await.unwrap();
    let others = join_all((0..15).map(|_| fixture.http.get(&url).send())).await;
    for answer in others {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["x-function-scaleout"], "1");
        assert!(answer.headers().get("retry-after").is_none());
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let lines = "\
        180 | GET /admin/host/keys | H:m-1234 | 200 | *\n\
        181 | GET /api/slowguarded?code=wrong | | 429\n\
        179 | GET / | | 200 | *\n\
        179 | GET /runtime/webhooks/durabletask/instances | | 429";
    table::run(&fixture, lines).await;
    fixture.gate.open.add_permits(10);
    for answer in accepted {
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    drop(arrived);
    fixture.stop().await;
}

#[tokio::test]
async fn vector_182_those_over_the_parallel_ones_wait() {
    let max = format!("{HTTP}maxConcurrentRequests");
    let fixture = Fixture::start(&[(&max, "2")]).await;
    let url = fixture.base() + "/api/slow";
    let all: Vec<_> = (0..5)
        .map(|_| tokio::spawn(fixture.http.get(&url).send()))
        .collect();
    for _ in 0..5 {
        fixture.gate.arrived.acquire().await.unwrap().forget();
        assert!(fixture.gate.arrived.available_permits() <= 1, "two at most");
        fixture.gate.open.add_permits(1);
    }
    for answer in all {
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    fixture.stop().await;
}

#[tokio::test]
async fn a_function_run_by_hand_takes_no_more_than_the_hub_keeps() {
    let limit = "AzureFunctionsJobHost__extensions__durableTask__limits__payloadBytes";
    let fixture = Fixture::start(&[(limit, "1024")]).await;
    let url = format!("{}/admin/functions/E1?code=m-1234", fixture.base());
    for (letters, expected) in [(1022, 202), (1023, 413)] {
        let body = serde_json::json!({ "input": "x".repeat(letters) });
        let answer = fixture.http.post(&url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{letters}");
        let text = answer.text().await.unwrap();
        assert!(
            expected == 202 || text.contains("found 1025; keep large data elsewhere"),
            "{text}"
        );
    }
    fixture.stop().await;
}
