//! What is no answer, by kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_functions::prelude::*;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::host::Caller;
use crate::server::Server;

const SETTINGS: &str = "AzureFunctionsJobHost__extensions__durableTask__httpSettings__";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_say_what_happened() {
    let server = Server::start().await;
    let caller = Caller::with(|host| {
        host.with_setting(format!("{SETTINGS}maxResponseBytes"), "100000")
            .with_setting(format!("{SETTINGS}maxRedirects"), "3")
    })
    .await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for (url, kind, error_type) in [
        (
            "http://no-such-host.invalid/".to_owned(),
            "dns",
            "HttpRequestException",
        ),
        (format!("http://{free}/"), "connect", "HttpRequestException"),
        (
            server.url("/ok").replace("http:", "https:"),
            "tls",
            "HttpRequestException",
        ),
        (server.url("/reset"), "reset", "HttpRequestException"),
        (server.url("/half"), "reset", "HttpRequestException"),
        (server.url("/half-chunk"), "reset", "HttpRequestException"),
        (server.url("/endless"), "too_large", "HttpRequestException"),
        (
            server.url("/announced"),
            "too_large",
            "HttpRequestException",
        ),
        (server.url("/loop"), "redirects", "HttpRequestException"),
        (server.url("/garbage"), "invalid", "HttpRequestException"),
        (server.url("/no-gzip"), "invalid", "HttpRequestException"),
        ("mailto:me".to_owned(), "invalid", "HttpRequestException"),
    ] {
        let failure = caller.call(DurableHttpRequest::get(&url)).await.failure();
        assert_eq!(failure.properties["kind"], kind, "{url}: {failure:?}");
        assert_eq!(failure.error_type, error_type, "{url}");
    }
    assert_eq!(
        server
            .paths()
            .iter()
            .filter(|path| *path == "/loop")
            .count(),
        4
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_outs_name_their_span() {
    let server = Server::start().await;
    let caller =
        Caller::with(|host| host.with_setting(format!("{SETTINGS}requestTimeout"), "00:00:00.3"))
            .await;
    for path in ["/never", "/drip", "/slow/60000"] {
        let request =
            DurableHttpRequest::get(server.url(path)).with_timeout(Duration::from_secs(1));
        let began = Instant::now();
        let failure = caller.call(request).await.failure();
        assert!(began.elapsed() >= Duration::from_secs(1), "{path}");
        assert_eq!(
            (failure.error_type.as_str(), &failure.properties["kind"]),
            ("TimeoutException", &json!("timeout"))
        );
        assert!(
            failure
                .message
                .ends_with("Reached user specified timeout: 00:00:01."),
            "{failure:?}"
        );
    }
    let failure = caller
        .call(DurableHttpRequest::get(server.url("/never")))
        .await
        .failure();
    assert!(
        failure
            .message
            .ends_with("`httpSettings.requestTimeout`: 00:00:00.3000000."),
        "{failure:?}"
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_poll_has_the_time_of_a_request() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let url = server.url("/accepted?to=/never");
    let request = DurableHttpRequest::get(url).with_timeout(Duration::from_millis(300));
    let failure = caller.call(request).await.failure();
    assert_eq!(failure.error_type, "TimeoutException");
    assert_eq!(server.paths(), ["/accepted", "/never"]);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_of_urls_are_in_no_failure_and_no_log() {
    let caller = Caller::start().await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://me:url-s3cret-1@{free}/?code=url-s3cret-2&x=1");
    let (id, outcome) = caller.called(DurableHttpRequest::get(url)).await;
    let failure = outcome.failure();
    assert!(
        failure.message.contains("x=1") && !failure.message.contains("s3cret"),
        "{failure:?}"
    );
    let history = caller.history(&id).await;
    let row = history
        .iter()
        .find(|row| row["FunctionName"] == "BuiltIn::HttpActivity")
        .unwrap();
    assert!(!row.to_string().contains("s3cret"), "{row}");
    for secret in ["url-s3cret-1", "url-s3cret-2"] {
        assert!(!crate::logs::contain(secret), "{secret} was logged");
    }
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn host_that_stops_does_not_wait_for_a_slow_server_and_sends_again() {
    let server = Server::start().await;
    let caller = Caller::with(|host| {
        host.with_setting(
            "AzureFunctionsJobHost__extensions__durableTask__gracePeriodInSeconds",
            "0",
        )
    })
    .await;
    let client = caller.host.client();
    let request = DurableHttpRequest::get(server.url("/never"));
    let id = client
        .start_new::<crate::host::proxy>(request)
        .await
        .unwrap();
    while server.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let caller = caller.restart().await;
    while server.seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    let status = caller.host.client().get_status(&id).await.unwrap().unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Running);
    drop(server);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_authority_is_trusted_by_the_client_that_knows_it() {
    let stranger = Caller::start().await;
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let server = Server::secure(TlsAcceptor::from(Arc::new(config))).await;
    let url = format!("https://localhost:{}/ok", server.port());
    let failure = stranger.call(DurableHttpRequest::get(&url)).await.failure();
    assert_eq!(failure.properties["kind"], "tls", "{failure:?}");
    let pem = own.cert.pem();
    let friend = Caller::with(|host| {
        host.with_http_client_factory(move || {
            let authority = durable_functions::reqwest::Certificate::from_pem(pem.as_bytes());
            durable_functions::reqwest::Client::builder().tls_certs_only(authority)
        })
    })
    .await;
    let answer = friend.call(DurableHttpRequest::get(&url)).await.answer();
    assert_eq!(answer.content, "fine");
    let by_number = url.replace("localhost", "127.0.0.1");
    let failure = friend
        .call(DurableHttpRequest::get(by_number))
        .await
        .failure();
    assert_eq!(failure.properties["kind"], "tls", "{failure:?}");
    stranger.stop().await;
    friend.stop().await;
}
