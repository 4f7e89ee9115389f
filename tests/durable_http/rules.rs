//! Where requests may go.

use durable_functions::prelude::*;
use durable_functions::reqwest::Client;

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
    caller.stop().await;
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
        let why =
            "is not asked: its address is private, and `httpSettings.denyPrivateAddresses` is set";
        assert!(failure.message.ends_with(why), "{url}: {failure:?}");
        assert_eq!(failure.properties["kind"], "invalid", "{url}");
    }
    assert!(server.seen().is_empty());
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_denied_where_a_public_host_points() {
    let server = Server::start().await;
    let (port, address) = (server.port(), server.address());
    // What the application's own client says of a name is not looked at, so this one is as good as public.
    let caller = Caller::with(|host| {
        host.with_http_client_factory(move || Client::builder().resolve("public.example", address))
            .with_setting(format!("{SETTINGS}denyPrivateAddresses"), "true")
    })
    .await;
    let public = |path: &str| format!("http://public.example:{port}{path}");
    let ask = |path: &str| caller.call(DurableHttpRequest::get(public(path)));
    assert_eq!(ask("/ok").await.answer().content, "fine");
    let through = escaped(&public("/redirect/302?to=/ok"));
    let answer = ask(&format!("/accepted?to={through}")).await.answer();
    assert_eq!(answer.content, "fine");
    let private = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0x7f.1",
        "[::ffff:7f00:1]",
    ];
    for url in private.map(|host| format!("http://{host}:{port}/inside")) {
        let once = escaped(&url);
        let twice = escaped(&public(&format!("/redirect/307?to={once}")));
        for path in [
            format!("/redirect/302?to={once}"),
            format!("/redirect/307?to={twice}"),
            format!("/accepted?to={once}"),
            format!("/accepted?to={twice}"),
        ] {
            let failure = ask(&path).await.failure();
            assert!(
                failure.message.contains("denyPrivateAddresses") && failure.is_non_retriable,
                "{path}: {failure:?}"
            );
            assert_eq!(failure.properties["kind"], "invalid", "{path}");
        }
    }
    assert!(!server.paths().contains(&"/inside".to_owned()));
    caller.stop().await;
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
