//! Where requests may go.

use durable_functions::prelude::*;

use crate::host::Caller;
use crate::polls::escaped;
use crate::server::Server;

const SETTINGS: &str = "AzureFunctionsJobHost__extensions__durableTask__httpSettings__";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allowed_hosts_hold_at_every_redirect_and_poll() {
    let server = Server::start().await;
    let caller = Caller::with(|host| {
        host.with_setting(
            format!("{SETTINGS}allowedHosts"),
            r#"["127.0.0.1", "*.example.com"]"#,
        )
    })
    .await;
    assert_eq!(
        caller
            .call(DurableHttpRequest::get(server.url("/ok")))
            .await
            .answer()
            .status,
        200
    );
    let other = format!("http://localhost:{}/ok", server.port());
    for url in [
        other.clone(),
        server.url(&format!("/redirect/302?to={}", escaped(&other))),
        server.url(&format!("/accepted?to={}", escaped(&other))),
    ] {
        let failure = caller.call(DurableHttpRequest::get(&url)).await.failure();
        assert!(
            failure.message.contains("allowedHosts") && failure.is_non_retriable,
            "{url}: {failure:?}"
        );
        assert_eq!(failure.properties["kind"], "invalid");
    }
    assert_eq!(
        server.paths().iter().filter(|path| *path == "/ok").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_denied_by_name_and_by_number() {
    let server = Server::start().await;
    let caller =
        Caller::with(|host| host.with_setting(format!("{SETTINGS}denyPrivateAddresses"), "true"))
            .await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"] {
        let url = format!("http://{host}:{}/ok", server.port());
        let failure = caller.call(DurableHttpRequest::get(&url)).await.failure();
        assert!(
            failure.message.contains("denyPrivateAddresses"),
            "{url}: {failure:?}"
        );
        assert_eq!(failure.properties["kind"], "invalid", "{url}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_settings_are_told_at_start() {
    for (name, value, expected) in [
        ("allowedHosts", "https://example.com", "without scheme"),
        ("requestTimeout", "30", "00:04:00"),
        ("maxRedirects", "-1", "not negative"),
        ("denyPrivateAddresses", "yes", "true or false"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new().without_http().with_script_root(folder.path());
        let error = host
            .with_setting(format!("{SETTINGS}{name}"), value)
            .start()
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(name) && text.contains(value) && text.contains(expected),
            "{text}"
        );
    }
}
