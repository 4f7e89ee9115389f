//! What arrives, and what is sent (vectors 73, 74, 79).

use std::time::Duration;

use durable_functions::prelude::*;
use serde_json::json;

use crate::host::Caller;
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_headers_and_body_arrive_whole() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let answer = caller
        .call(DurableHttpRequest::get(server.url("/ok")))
        .await
        .answer();
    assert_eq!((answer.status, answer.content.as_str()), (200, "fine"));
    assert_eq!(
        answer.headers.get_all("x-MANY").collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    for (path, status, content) in [
        ("/status/204", 204, ""),
        ("/status/304", 304, ""),
        ("/status/404", 404, ""),
        ("/status/500", 500, ""),
        ("/redirect/300?to=/ok", 300, "elsewhere"),
        ("/redirect/302?to=ftp://h/", 302, "elsewhere"),
        ("/gzip", 200, "zipped"),
        ("/latin", 200, "café"),
        ("/too-long", 200, "fine"),
        ("/slow/50", 200, "late"),
    ] {
        let answer = caller
            .call(DurableHttpRequest::get(server.url(path)))
            .await
            .answer();
        assert_eq!(
            (answer.status, answer.content.as_str()),
            (status, content),
            "{path}"
        );
    }
    let head = caller
        .call(DurableHttpRequest::new("HEAD", server.url("/head")))
        .await
        .answer();
    assert_eq!(
        (
            head.status,
            head.header("content-length"),
            head.content.as_str()
        ),
        (200, Some("1000"), "")
    );
    let binary = caller
        .call(DurableHttpRequest::get(server.url("/binary")))
        .await
        .answer();
    assert!(binary.is_binary());
    assert_eq!(binary.bytes().unwrap(), [0x89, b'P', 0xff, 0]);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_sent_as_they_are_written() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let url = server.url("/echo");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let form = "application/x-www-form-urlencoded";
    for request in [
        DurableHttpRequest::post(&url)
            .with_header("x-a", "1")
            .with_header("X-A", "2")
            .with_text("text"),
        DurableHttpRequest::put(&url)
            .with_json(&json!({ "a": 1 }))
            .unwrap(),
        DurableHttpRequest::patch(&url)
            .with_header("content-type", form)
            .with_text("a=1"),
        DurableHttpRequest::delete(&url).with_header("User-Agent", "mine"),
        DurableHttpRequest::new("options", &url).with_header("traceparent", parent),
        DurableHttpRequest::get(server.url("/echo").replace("//", "//me:pw@")),
    ] {
        caller.call(request).await.answer();
    }
    let seen = server.seen();
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(
        methods,
        ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"]
    );
    let bodies: Vec<&str> = seen.iter().map(|seen| seen.body.as_str()).collect();
    assert_eq!(bodies, ["text", r#"{"a":1}"#, "a=1", "", "", ""]);
    let types: Vec<Option<&str>> = seen
        .iter()
        .map(|seen| seen.header("content-type"))
        .collect();
    let plain = "text/plain; charset=utf-8";
    assert_eq!(
        types,
        [
            Some(plain),
            Some("application/json"),
            Some(form),
            None,
            None,
            None
        ]
    );
    let values = seen[0]
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-a"));
    assert_eq!(
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    let agent = concat!("durable-functions/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (seen[0].header("user-agent"), seen[3].header("user-agent")),
        (Some(agent), Some("mine"))
    );
    assert_eq!(seen[4].header("traceparent"), Some(parent));
    assert_eq!(seen[5].header("authorization"), Some("Basic bWU6cHc="));
    let keyed: Vec<bool> = seen
        .iter()
        .map(|seen| seen.header("idempotency-key").is_some())
        .collect();
    assert_eq!(keyed, [true, false, true, false, false, false]);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_length_is_said_once() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let url = server.url("/ok");
    for (request, length) in [
        (DurableHttpRequest::post(&url), Some("0")),
        (DurableHttpRequest::post(&url).with_text(""), Some("0")),
        (DurableHttpRequest::put(&url), Some("0")),
        (DurableHttpRequest::patch(&url), Some("0")),
        (DurableHttpRequest::post(&url).with_text("text"), Some("4")),
        (
            DurableHttpRequest::post(server.url("/redirect/307?to=/ok")),
            Some("0"),
        ),
        (
            DurableHttpRequest::post(server.url("/redirect/303?to=/ok")),
            None,
        ),
        (DurableHttpRequest::get(&url), None),
        (DurableHttpRequest::delete(&url), None),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(caller.call(request).await.answer().status, 200);
        let last = server.seen().pop().unwrap();
        let lengths = last
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map(|(_, value)| value.as_str());
        assert_eq!(
            lengths.collect::<Vec<_>>(),
            Vec::from_iter(length),
            "{shown}"
        );
    }
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listed_statuses_are_retried_under_one_key() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let policy = HttpRetryPolicy::new(3, Duration::from_millis(1)).with_status_codes([503]);
    let post = |path: &str| DurableHttpRequest::post(server.url(path)).with_retry(policy.clone());
    assert_eq!(caller.call(post("/flaky/a/2")).await.answer().status, 200);
    let keys: Vec<Option<String>> = server
        .seen()
        .iter()
        .map(|seen| seen.header("idempotency-key").map(str::to_owned))
        .collect();
    assert!(
        keys.len() == 3 && keys[0].is_some() && keys.iter().all(|key| *key == keys[0]),
        "{keys:?}"
    );
    let failure = caller.call(post("/flaky/b/9")).await.failure();
    assert_eq!(
        (
            failure.error_type.as_str(),
            &failure.properties["statusCode"]
        ),
        ("HttpRequestException", &json!(503))
    );
    assert_eq!(caller.call(post("/status/404")).await.answer().status, 404);
    assert_eq!(server.seen().len(), 7);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_client_sends_and_keys_can_be_switched_off() {
    let server = Server::start().await;
    let setting = "AzureFunctionsJobHost__extensions__durableTask__httpSettings__idempotencyKeys";
    let caller = Caller::with(|host| {
        host.with_http_client_factory(|| {
            durable_functions::reqwest::Client::builder().user_agent("bank")
        })
        .with_setting(setting, "false")
    })
    .await;
    caller
        .call(DurableHttpRequest::post(server.url("/redirect/307?to=/ok")).with_text("x"))
        .await
        .answer();
    let seen = server.seen();
    assert_eq!(server.paths(), ["/redirect/307", "/ok"]);
    assert!(
        seen.iter()
            .all(|seen| seen.header("user-agent") == Some("bank")
                && seen.header("idempotency-key").is_none()
                && seen.body == "x")
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_calls_go_sixteen_at_a_time_over_connections_that_are_kept() {
    let server = Server::start().await;
    let setting =
        "AzureFunctionsJobHost__extensions__durableTask__httpSettings__maxConcurrentRequests";
    let caller = Caller::with(|host| host.with_setting(setting, "16")).await;
    let urls: Vec<String> = (0..1_000)
        .map(|n| server.url(&format!("/slow/{}", n % 3)))
        .collect();
    let client = caller.host.client();
    let id = client
        .start_new::<crate::host::fan_out>(urls)
        .await
        .unwrap();
    let end = client
        .wait_for_completion(&id, Duration::from_secs(120))
        .await
        .unwrap();
    assert_eq!(end.output, Some(json!(1_000)));
    let (at_one_time, connections) = server.load();
    // A connection on its way back to the pool is not there yet for the next request, which then opens one more.
    assert!(
        at_one_time <= 16 && connections <= 48,
        "{at_one_time} at one time, {connections} connections"
    );
    assert_eq!(server.seen().len(), 1_000);
    caller.stop().await;
}
