//! HTTPS with a certificate of one's own, over HTTP/2 and HTTP/1.1.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use durable_functions::prelude::*;
use durable_functions::reqwest;
use reqwest::{Certificate, Client, Version};
use tempfile::TempDir;

#[http_trigger(auth = "anonymous")]
async fn hello(req: HttpRequest) -> String {
    format!("{:?}", req.version())
}

#[orchestration_trigger]
async fn nothing(_ctx: OrchestrationContext) {}

#[orchestration_trigger]
async fn asks(ctx: OrchestrationContext, url: String) -> Result<String> {
    Ok(ctx.call_http(DurableHttpRequest::get(url)).await?.content)
}

#[http_trigger(auth = "anonymous")]
async fn links(req: HttpRequest, #[durable_client] client: DurableClient) -> Result<HttpResponse> {
    let id = client.start_new::<nothing>(()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

/// A folder with `cert.pem` and `key.pem`, and the certificate.
fn certificate() -> (TempDir, Certificate) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(
        folder.path().join("key.pem"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    let certificate = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    (folder, certificate)
}

fn host(folder: &TempDir, key: &str) -> Host {
    Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_tls(folder.path().join("cert.pem"), folder.path().join(key))
}

#[tokio::test]
async fn it_speaks_both_versions_and_links_lead_to_https() {
    let (folder, certificate) = certificate();
    let host = host(&folder, "key.pem").start().await.unwrap();
    let base = host.url().unwrap();
    assert_eq!(base.scheme(), "https");
    let client = || Client::builder().add_root_certificate(certificate.clone());
    let second = client().build().unwrap();
    let answer = second
        .get(base.join("api/hello").unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "HTTP/2.0");
    let first = client().http1_only().build().unwrap();
    let answer = first
        .get(base.join("api/hello").unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "HTTP/1.1");
    for client in [first, second] {
        let answer = client
            .get(base.join("api/links").unwrap())
            .send()
            .await
            .unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        assert!(location.starts_with(base.as_str()), "{location}");
        assert_eq!(
            client
                .get(&location)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
                / 100,
            2
        );
    }
    let own = host.client().create_http_management_payload_for("x");
    assert!(
        own.status_query_get_uri.starts_with("https://localhost:"),
        "{}",
        own.status_query_get_uri
    );
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn call_http_speaks_the_second_version_where_the_server_does() {
    let (folder, certificate) = certificate();
    let server = host(&folder, "key.pem").start().await.unwrap();
    let own_authority = move || Client::builder().add_root_certificate(certificate.clone());
    let beside = tempfile::tempdir().unwrap();
    let caller = Host::new()
        .without_http()
        .with_script_root(beside.path())
        .with_http_client_factory(own_authority);
    let caller = caller.start().await.unwrap();
    let url = server.url().unwrap().join("api/hello").unwrap();
    let client = caller.client();
    let id = client.start_new::<asks>(String::from(url)).await.unwrap();
    let patience = std::time::Duration::from_secs(60);
    let end = client.wait_for_completion(&id, patience).await.unwrap();
    assert_eq!(end.output, Some(json!("HTTP/2.0")), "{end:?}");
    // The caller keeps its connection, which the server does not wait for.
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(20), server.shutdown());
    stopped.await.expect("it stops").unwrap();
    caller.shutdown().await.unwrap();
}

#[tokio::test]
async fn files_that_do_not_do_are_named() {
    let (folder, _) = certificate();
    std::fs::write(folder.path().join("other.pem"), "nothing").unwrap();
    for (key, named) in [
        ("missing.pem", "missing.pem"),
        ("other.pem", "other.pem"),
        ("cert.pem", "cert.pem"),
    ] {
        let error = host(&folder, key).start().await.unwrap_err().to_string();
        assert!(
            error.contains(named) && error.contains("private key"),
            "{error}"
        );
    }
}
