//! A host without HTTP of its own, in a folder of its own.

use std::path::Path;
use std::time::Duration;

use durable_functions::RunningHost;
use durable_functions::prelude::*;
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
        .map(|url| ctx.call_http(DurableHttpRequest::get(url)));
    let answers = ctx.when_all(calls).await?;
    Ok(answers.iter().filter(|answer| answer.status == 200).count())
}

pub struct Caller {
    pub host: RunningHost,
    folder: tempfile::TempDir,
}

impl Caller {
    pub async fn start() -> Self {
        Self::with(|host| host).await
    }

    pub async fn with(change: impl FnOnce(Host) -> Host) -> Self {
        logs::capture();
        let folder = tempfile::tempdir().unwrap();
        let host = change(Host::new().without_http().with_script_root(folder.path()));
        let host = host.start().await.unwrap();
        Self { host, folder }
    }

    /// Stops, and starts again in the same folder.
    pub async fn restart(self) -> Self {
        let Self { host, folder } = self;
        host.shutdown().await.unwrap();
        let host = Host::new().without_http().with_script_root(folder.path());
        let host = host.start().await.unwrap();
        Self { host, folder }
    }

    pub async fn call(&self, request: DurableHttpRequest) -> Outcome {
        let (_, outcome) = self.called(request).await;
        outcome
    }

    /// The instance's id too.
    pub async fn called(&self, request: DurableHttpRequest) -> (String, Outcome) {
        let client = self.host.client();
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

    /// Stops it and looks for the text in all that it wrote, and in all that was logged at any level.
    pub async fn assert_nowhere(self, secret: &str) {
        let Self { host, folder } = self;
        host.shutdown().await.unwrap();
        let found = files_with(folder.path(), secret.as_bytes());
        assert!(found.is_empty(), "the secret is in {found:?}");
        assert!(logs::contain("call_http"), "nothing is logged at all");
        assert!(!logs::contain(secret), "the secret was logged");
    }
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
