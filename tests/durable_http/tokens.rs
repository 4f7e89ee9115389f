//! Tokens are in the requests and nowhere else (vector 80).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_functions::chrono::Utc;
use durable_functions::futures::FutureExt;
use durable_functions::futures::future::BoxFuture;
use durable_functions::prelude::*;
use durable_functions::{AccessToken, TokenProvider};

use crate::host::{Caller, TOKEN};
use crate::polls::escaped;
use crate::server::Server;

/// Gives `{name}-t0k3n-{n}`, another one each time.
struct Vault {
    name: &'static str,
    asked: Arc<AtomicU32>,
}

impl TokenProvider for Vault {
    fn token<'a>(&'a self, source: &'a TokenSource) -> BoxFuture<'a, Result<AccessToken>> {
        async move {
            if source.resource() == "closed" {
                return Err(Error::msg("the vault is closed"));
            }
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            Ok(AccessToken {
                token: format!("{}-{TOKEN}-{number}", self.name),
                expires_on: Utc::now() + Duration::from_secs(3600),
            })
        }
        .boxed()
    }
}

async fn with_vault(name: &'static str) -> (Caller, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let vault = Vault {
        name,
        asked: Arc::clone(&asked),
    };
    (
        Caller::with(|host| host.with_token_provider(vault)).await,
        asked,
    )
}

fn bearers(server: &Server) -> Vec<Option<String>> {
    let seen = server.seen();
    seen.iter()
        .map(|seen| seen.header("authorization").map(str::to_owned))
        .collect()
}

fn bearer(token: &str) -> Option<String> {
    Some(format!("Bearer {token}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_is_sent_and_kept_nowhere_even_if_the_server_sends_it_back() {
    let ((caller, asked), home, away) = (
        with_vault("own").await,
        Server::start().await,
        Server::start().await,
    );
    let source = TokenSource::custom("vault", "jobs");
    let request = |url: String| {
        DurableHttpRequest::get(url)
            .with_header("Authorization", "Basic x")
            .with_token_source(source.clone())
    };
    let echo = caller.call(request(home.url("/echo"))).await.answer();
    assert!(echo.content.contains("Bearer ****"), "{}", echo.content);
    caller.call(request(home.url("/job/1"))).await.answer();
    caller
        .call(request(home.url(&format!(
            "/redirect/302?to={}",
            escaped(&away.url("/ok"))
        ))))
        .await
        .answer();
    caller
        .call(request(
            home.url(&format!("/accepted?to={}", escaped(&away.url("/ok")))),
        ))
        .await
        .answer();
    assert!(
        bearers(&home)
            .iter()
            .all(|sent| *sent == bearer("own-t0k3n-0")),
        "{:?}",
        bearers(&home)
    );
    assert_eq!(bearers(&away), [None, None]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let failure = caller
        .call(request("http://no-such-host.invalid/".into()))
        .await
        .failure();
    assert_eq!(failure.properties["kind"], "dns");
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_token_is_renewed_once() {
    let ((caller, asked), server) = (with_vault("renewed").await, Server::start().await);
    let source = TokenSource::custom("vault", "jobs");
    let request =
        |path: &str| DurableHttpRequest::get(server.url(path)).with_token_source(source.clone());
    assert_eq!(caller.call(request("/only/1")).await.answer().status, 200);
    assert_eq!(
        bearers(&server),
        [bearer("renewed-t0k3n-0"), bearer("renewed-t0k3n-1")]
    );
    assert_eq!(
        caller.call(request("/only/nobody")).await.answer().status,
        401
    );
    assert_eq!(
        (bearers(&server).len(), asked.load(Ordering::SeqCst)),
        (4, 3)
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_tokens_fail_with_their_reason_and_are_retried() {
    let ((caller, _), server) = (with_vault("closed").await, Server::start().await);
    let closed = TokenSource::custom("vault", "closed");
    let request = DurableHttpRequest::get(server.url("/ok"))
        .with_token_source(closed)
        .with_retry(HttpRetryPolicy::new(2, Duration::from_millis(1)));
    let (id, outcome) = caller.called(request).await;
    let failure = outcome.failure();
    assert_eq!(
        (failure.error_type.as_str(), &failure.properties["kind"]),
        ("TokenException", &json!("token"))
    );
    assert!(
        failure.message.contains("the vault is closed"),
        "{failure:?}"
    );
    let history = caller.history(&id).await;
    assert_eq!(
        history
            .iter()
            .filter(|row| row["EventType"] == "TaskFailed")
            .count(),
        2
    );
    assert!(server.seen().is_empty());
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn app_service_gives_its_identity() {
    let server = Server::start().await;
    let caller = Caller::with(|host| {
        host.with_setting("IDENTITY_ENDPOINT", server.url("/identity"))
            .with_setting("IDENTITY_HEADER", "its-header")
    })
    .await;
    let source = TokenSource::managed_identity("https://management.core.windows.net/");
    let request = DurableHttpRequest::get(server.url("/ok")).with_token_source(source);
    caller.call(request.clone()).await.answer();
    caller.call(request).await.answer();
    let seen = server.seen();
    assert_eq!(server.paths(), ["/identity", "/ok", "/ok"]);
    assert_eq!(
        seen[0].query["resource"],
        "https://management.core.windows.net"
    );
    let token = "mi-httpsmanagementcorewindowsnet-t0k3n-1";
    assert!(
        seen[1..]
            .iter()
            .all(|seen| seen.header("authorization") == bearer(token).as_deref())
    );
    let unknown = DurableHttpRequest::get(server.url("/ok"))
        .with_token_source(TokenSource::managed_identity("unknown"));
    let failure = caller.call(unknown).await.failure();
    assert!(
        failure
            .message
            .contains("invalid_resource: nobody knows it"),
        "{failure:?}"
    );
    assert!(
        !crate::logs::contain("its-header"),
        "the endpoint's header was logged"
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machine_gives_its_identity_even_where_private_addresses_are_denied() {
    let server = Server::start().await;
    let deny = "AzureFunctionsJobHost__extensions__durableTask__httpSettings__denyPrivateAddresses";
    let caller = Caller::with(|host| {
        host.with_setting("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url(""))
            .with_setting("AZURE_CLIENT_ID", "which")
            .with_setting(deny, "true")
    })
    .await;
    let source = TokenSource::managed_identity("https://vault.azure.net");
    let request = DurableHttpRequest::get(server.url("/ok")).with_token_source(source);
    let failure = caller.call(request).await.failure();
    assert!(
        failure.message.contains("denyPrivateAddresses"),
        "{failure:?}"
    );
    let seen = server.seen();
    assert_eq!(server.paths(), ["/metadata/identity/oauth2/token"]);
    assert_eq!(
        (&*seen[0].query["resource"], &*seen[0].query["client_id"]),
        ("https://vault.azure.net", "which")
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workload_exchanges_its_service_account() {
    let server = Server::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "assertion-s3cret\n").unwrap();
    let caller = Caller::with(|host| {
        host.with_setting("AZURE_FEDERATED_TOKEN_FILE", file.path().to_str().unwrap())
            .with_setting("AZURE_CLIENT_ID", "workload")
            .with_setting("AZURE_TENANT_ID", "tenant")
            .with_setting("AZURE_AUTHORITY_HOST", server.url("/"))
    })
    .await;
    let source = TokenSource::managed_identity("api://app");
    for source in [source.clone(), source.with_tenant("other")] {
        caller
            .call(DurableHttpRequest::get(server.url("/ok")).with_token_source(source))
            .await
            .answer();
    }
    let seen = server.seen();
    assert_eq!(
        server.paths(),
        [
            "/tenant/oauth2/v2.0/token",
            "/ok",
            "/other/oauth2/v2.0/token",
            "/ok"
        ]
    );
    for part in [
        "grant_type=client_credentials",
        "client_id=workload",
        "scope=api%3A%2F%2Fapp%2F.default",
        "client_assertion=assertion-s3cret",
    ] {
        assert!(
            seen[0].body.split('&').any(|found| found == part),
            "{part}: {}",
            seen[0].body
        );
    }
    assert_eq!(
        seen[1].header("authorization"),
        bearer("tenant-wl-t0k3n").as_deref()
    );
    assert_eq!(
        seen[3].header("authorization"),
        bearer("other-wl-t0k3n").as_deref()
    );
    assert!(
        !crate::logs::contain("assertion-s3cret"),
        "the assertion was logged"
    );
    caller.stop().await;
}
