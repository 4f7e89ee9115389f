//! A host without HTTP of its own, in a folder of its own.

use std::path::Path;
use std::time::Duration;

use durable_functions::chrono::Utc;
use durable_functions::futures::FutureExt;
use durable_functions::futures::future::BoxFuture;
use durable_functions::prelude::*;
use durable_functions::{AccessToken, RunningHost, TokenProvider};
use serde::{Deserialize, Serialize};

use crate::logs;

const PATIENCE: Duration = Duration::from_secs(60);

/// What a call came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    Answer(DurableHttpResponse),
    Failure(FailureDetails),
}

impl Outcome {
    pub fn answer(self) -> DurableHttpResponse {
        match self {
            Self::Answer(answer) => answer,
            Self::Failure(failure) => panic!("failed: {failure:?}"),
        }
    }

    pub fn failure(self) -> FailureDetails {
        match self {
            Self::Failure(failure) => failure,
            Self::Answer(answer) => panic!("answered: {answer:?}"),
        }
    }
}

#[orchestration_trigger]
pub async fn proxy(ctx: OrchestrationContext, request: DurableHttpRequest) -> Result<Outcome> {
    match ctx.call_http(request).await {
        Ok(answer) => Ok(Outcome::Answer(answer)),
        Err(TaskError::Failed(failure)) => Ok(Outcome::Failure(failure)),
        Err(other) => Err(other.into()),
    }
}

#[orchestration_trigger]
pub async fn fan_out(ctx: OrchestrationContext, urls: Vec<String>) -> Result<usize> {
    let calls = urls
        .into_iter()
        .map(|url| ctx.call_http(with_token(DurableHttpRequest::get(url))));
    let answers = ctx.when_all(calls).await?;
    Ok(answers.iter().filter(|answer| answer.status == 200).count())
}

/// Part of every token that is sent in these tests.
pub const TOKEN: &str = "t0k3n";

/// Who gives a token to every request that has no credentials of its own.
struct Vault;

impl TokenProvider for Vault {
    fn token<'a>(&'a self, source: &'a TokenSource) -> BoxFuture<'a, Result<AccessToken>> {
        let token = AccessToken {
            token: format!("{}-{TOKEN}", source.resource()),
            expires_on: Utc::now() + Duration::from_secs(3600),
        };
        async { Ok(token) }.boxed()
    }
}

fn with_token(request: DurableHttpRequest) -> DurableHttpRequest {
    let has_own = request.headers().get("authorization").is_some()
        || request.token_source().is_some()
        || request.uri().contains('@');
    match has_own {
        true => request,
        false => request.with_token_source(TokenSource::custom("vault", "every-test")),
    }
}

/// A host, which every test ends with [`Caller::stop`].
pub struct Caller {
    pub host: RunningHost,
    folder: tempfile::TempDir,
    unsearched: Unsearched,
}

/// What it wrote and logged was not searched for the token yet.
struct Unsearched;

impl Drop for Unsearched {
    fn drop(&mut self) {
        assert!(
            std::thread::panicking(),
            "the test ends without `caller.stop()`, which looks for the token"
        );
    }
}

impl Caller {
    pub async fn start() -> Self {
        Self::with(|host| host).await
    }

    pub async fn with(change: impl FnOnce(Host) -> Host) -> Self {
        logs::capture();
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path()).with_token_provider(Vault);
        let host = change(host).start().await.unwrap();
        Self {
            host,
            folder,
            unsearched: Unsearched,
        }
    }

    /// Stops, and starts again in the same folder.
    pub async fn restart(self) -> Self {
        self.host.shutdown().await.unwrap();
        let host = host(self.folder.path()).with_token_provider(Vault);
        let host = host.start().await.unwrap();
        Self { host, ..self }
    }

    pub async fn call(&self, request: DurableHttpRequest) -> Outcome {
        let (_, outcome) = self.called(request).await;
        outcome
    }

    /// The instance's id too.
    pub async fn called(&self, request: DurableHttpRequest) -> (String, Outcome) {
        let client = self.host.client();
        let request = with_token(request);
        let id = client.start_new::<proxy>(request).await.unwrap();
        let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
        (
            id,
            end.output_as()
                .unwrap_or_else(|error| panic!("{error}: {end:?}")),
        )
    }

    pub async fn history(&self, id: &str) -> Vec<Value> {
        let options = StatusOptions::new().with_history().with_history_output();
        let status = self
            .host
            .client()
            .get_status_with(id, options)
            .await
            .unwrap();
        status.unwrap().history.unwrap()
    }

    /// Stops it and looks for the token in all that it wrote, and in all that was logged at any level.
    pub async fn stop(self) {
        let Self {
            host,
            folder,
            unsearched,
        } = self;
        std::mem::forget(unsearched);
        host.shutdown().await.unwrap();
        let found = files_with(folder.path(), TOKEN.as_bytes());
        assert!(found.is_empty(), "the token is in {found:?}");
        assert!(logs::contain("call_http"), "nothing is logged at all");
        assert!(!logs::contain(TOKEN), "the token was logged");
    }
}

fn host(folder: &Path) -> Host {
    Host::new().without_http().with_script_root(folder)
}

fn files_with(folder: &Path, secret: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, secret));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(secret.len())
            .any(|bytes| bytes == secret)
        {
            found.push(path);
        }
    }
    found
}
