//! A hub on a file of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use durable_runtime::durable_http::HttpExecutor;
use durable_runtime::hub::{Hub, Options, Settings};
use durable_runtime::store::sqlite::{Options as SqliteOptions, SqliteStore};
use durable_runtime::{DurableClient, OrchestrationStatus, Registry, States};

use crate::http::Scripted;

pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Host {
    pub hub: Hub,
    pub client: DurableClient,
    pub http: Arc<Scripted>,
    folder: tempfile::TempDir,
}

/// How long idle instances stay: the two ways every scenario is run.
#[derive(Clone, Copy, Debug)]
pub enum Residency {
    Resident,
    Evicted,
}

pub fn open(path: &Path, residency: Residency, http: &Arc<Scripted>) -> (Hub, DurableClient) {
    let store = SqliteStore::open(SqliteOptions::new(path.join("hub.db"))).unwrap();
    let mut settings = Settings::default();
    settings.grace_period = Duration::from_secs(5);
    settings.max_actions = 20_000;
    settings.http.executor = Some(Arc::clone(http) as Arc<dyn HttpExecutor>);
    settings.idle_timeout = match residency {
        Residency::Resident => Duration::from_secs(3600),
        Residency::Evicted => Duration::ZERO,
    };
    let client = DurableClient::unbound();
    let options = Options {
        registry: Registry::collect().unwrap(),
        states: Arc::new(States::default()),
        store: Arc::new(store),
        settings,
    };
    (Hub::start(options, &client).unwrap(), client)
}

impl Host {
    pub fn new(residency: Residency) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = Arc::default();
        let (hub, client) = open(folder.path(), residency, &http);
        Self {
            hub,
            client,
            http,
            folder,
        }
    }

    /// Stops, and starts again on the same file.
    pub async fn restart(self, residency: Residency) -> Self {
        self.hub.shutdown().await;
        let Self {
            hub, http, folder, ..
        } = self;
        drop(hub);
        let (hub, client) = open(folder.path(), residency, &http);
        Self {
            hub,
            client,
            http,
            folder,
        }
    }

    pub async fn end(&self, id: &str) -> OrchestrationStatus {
        match self.client.wait_for_completion(id, PATIENCE).await {
            Ok(status) => status,
            Err(error) => {
                let now = self.client.get_status(id).await;
                panic!("{id}: {error}; {now:?}")
            }
        }
    }

    /// Kinds of the events of an instance, without those that open and close turns.
    pub async fn kinds(&self, id: &str) -> Vec<&'static str> {
        let turns = self.client.events(id).await.unwrap().unwrap();
        let kinds = turns
            .iter()
            .flatten()
            .map(durable_runtime::model::HistoryEvent::kind);
        kinds
            .filter(|kind| !kind.starts_with("Orchestrator"))
            .collect()
    }
}
