//! Instances that no table can make: pending ones, ones that end while somebody waits, ones of a hub with settings of its own.

use std::time::Duration;

use durable_functions::chrono::{NaiveDateTime, Utc};
use durable_functions::prelude::*;
use durable_functions::reqwest;

use crate::functions::Gate;
use crate::host::{Fixture, builder};
use crate::table;

const D: &str = "/runtime/webhooks/durabletask";
const TASKS: &str = "AzureFunctionsJobHost__extensions__durableTask__";

/// Vectors 52, 58, 64, 88 and 91 of the webhooks.
#[tokio::test]
async fn an_instance_whose_time_has_not_come_is_pending() {
    let fixture = Fixture::start(&[]).await;
    let client = fixture.host.client();
    let start = client
        .start_new_by_name("E1", "early")
        .with_instance_id("pending");
    let tomorrow = Utc::now() + Duration::from_secs(86_400);
    start.scheduled_at(tomorrow).await.unwrap();
    let status = format!("{D}/instances/pending?code=sk-dt");
    let shown = fixture.http.get(fixture.base() + &status).send().await;
    let shown: Value = shown.unwrap().json().await.unwrap();
    let created = shown["createdTime"].as_str().unwrap();
    let whole_seconds = NaiveDateTime::parse_from_str(created, "%Y-%m-%dT%H:%M:%SZ");
    assert!(whole_seconds.is_ok(), "{created}");
    let lines = "\
        52 | GET D/pending?K | | 202 | /runtimeStatus=\"Pending\" && retry-after:5 && location:/instances/pending
        64 | GET D/pending?showHistory=true&K | | 202 | !/historyEvents && /input=\"early\"
        88 | POST D/pending/raiseEvent/go?K | CT:application/json << 1 | 202
        91 | POST D/pending/terminate?reason=x&K | | 202
        91 | GET D/pending?K | | ?200 | /runtimeStatus=\"Terminated\"";
    let lines = lines.replace("D/", &format!("{D}/instances/"));
    table::run(
        &fixture,
        &lines
            .replace("?K", "?code=sk-dt")
            .replace("&K", "&code=sk-dt"),
    )
    .await;
    fixture.stop().await;
}

/// Vector 38 of the webhooks.
#[tokio::test]
async fn who_waits_is_told_of_a_termination() {
    let fixture = Fixture::start(&[]).await;
    let wait = format!("{D}/orchestrators/E1/ended?timeout=60&pollingInterval=1&code=sk-dt");
    let wait = fixture.http.post(fixture.base() + &wait).body("1").send();
    let wait = tokio::spawn(wait);
    let client = fixture.host.client();
    while client.get_status("ended").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    client.terminate("ended", "enough").await.unwrap();
    let answer = wait.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let status: Value = answer.json().await.unwrap();
    assert_eq!(
        (&status["runtimeStatus"], &status["output"]),
        (&json!("Terminated"), &json!("enough"))
    );
    fixture.stop().await;
}

/// Vector 31 of the webhooks.
#[tokio::test]
async fn any_instance_may_be_replaced_where_a_setting_says_so() {
    let reuse = format!("{TASKS}overridableExistingInstanceStates");
    let fixture = Fixture::start(&[(&reuse, "AnyState")]).await;
    let start = format!(
        "31 | POST {D}/orchestrators/E1/again?code=sk-dt | << INPUT | 202 | /id=\"again\"\n"
    );
    let get = format!(
        "31 | GET {D}/instances/again?code=sk-dt | | ?202 | /input=INPUT && /runtimeStatus=\"Running\"\n"
    );
    let lines: String = ["1", "2"]
        .into_iter()
        .map(|input| (start.clone() + &get).replace("INPUT", input))
        .collect();
    table::run(&fixture, &lines).await;
    fixture.stop().await;
}

/// Vectors 43, 44 and 47 of the webhooks, 173 of the host.
#[tokio::test]
async fn links_name_the_hub_the_connection_and_the_host_as_settings_do() {
    let hub = format!("{TASKS}hubName");
    let connection = format!("{TASKS}storageProvider__connectionName");
    let settings = [
        (&*hub, "MyHub"),
        (&*connection, "TestConnection"),
        ("TestConnection", "sqlite://.durable/own.db"),
        ("WEBSITE_HOSTNAME", "app.example.com"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let host = builder(&folder, &Gate::new(), &settings).with_auth(false);
    let host = host.start().await.unwrap();
    let of_request = host
        .url()
        .unwrap()
        .join(&format!("{D}/orchestrators/E1/x"))
        .unwrap();
    let http = reqwest::Client::new();
    let payload: Value = http
        .post(of_request)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let base = host.url().unwrap();
    let base = base.as_str().trim_end_matches('/');
    let link = payload["statusQueryGetUri"].as_str().unwrap();
    let start = format!("{base}{D}/instances/x?taskHub=MyHub&connection=TestConnection&code=");
    assert!(link.starts_with(&start), "{link}");
    let own = host
        .client()
        .create_http_management_payload_for("x")
        .status_query_get_uri;
    assert_eq!(own, link.replace(base, "https://app.example.com"));
    let functions = host.url().unwrap().join("admin/functions").unwrap();
    let functions: Value = http
        .get(functions)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let says = functions
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Says");
    assert_eq!(
        says.unwrap()["invoke_url_template"],
        "https://app.example.com/api/says"
    );
    host.shutdown().await.unwrap();
}

/// Vector 186 of the host: whoever comes while it starts waits, and is answered.
#[tokio::test]
async fn a_request_that_comes_while_the_host_starts_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
    let address = address.unwrap();
    let host = builder(&folder, &Gate::new(), &[]).with_address(address.to_string());
    let early = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        // The first moment at which anybody listens: the hub is not even open.
        let mut stream = loop {
            if let Ok(stream) = std::net::TcpStream::connect(address) {
                break stream;
            }
        };
        let ask = "GET /api/says HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let host = host.start().await.unwrap();
    let answer = tokio::task::spawn_blocking(|| early.join().unwrap())
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    host.shutdown().await.unwrap();
}
