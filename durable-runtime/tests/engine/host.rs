//! A hub on a file of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::{Connection, RunQueryDsl, SqliteConnection};
use durable_runtime::durable_http::HttpExecutor;
use durable_runtime::hub::{Hub, Options, Settings};
use durable_runtime::store::Store;
use durable_runtime::store::sqlite::{Options as SqliteOptions, SqliteStore};
use durable_runtime::{DurableClient, OrchestrationStatus, Registry, States};

use crate::http::Scripted;
use crate::mortal::{Client, Mortals};

pub const PATIENCE: Duration = Duration::from_secs(240);

pub struct Host {
    pub hub: Hub,
    pub client: Client,
    pub http: Arc<Scripted>,
    residency: Residency,
    mortals: Option<Mortals>,
    folder: tempfile::TempDir,
}

/// The three ways in which every scenario is run.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    Resident,
    Evicted,
    Mortal,
}

/// How long idle instances stay.
#[derive(Clone, Copy, Debug)]
pub enum Residency {
    Resident,
    Evicted,
}

pub fn open(
    path: &Path,
    residency: Residency,
    http: &Arc<Scripted>,
    adjust: impl FnOnce(&mut Settings),
) -> (Hub, DurableClient) {
    open_on(Arc::new(open_store(path)), residency, http, adjust)
}

pub fn open_store(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path.join("hub.db"))).unwrap()
}

pub fn open_on(
    store: Arc<dyn Store>,
    residency: Residency,
    http: &Arc<Scripted>,
    adjust: impl FnOnce(&mut Settings),
) -> (Hub, DurableClient) {
    let client = DurableClient::unbound();
    (start_on(store, residency, http, adjust, &client), client)
}

/// For a client that waits for it.
pub fn start_on(
    store: Arc<dyn Store>,
    residency: Residency,
    http: &Arc<Scripted>,
    adjust: impl FnOnce(&mut Settings),
    client: &DurableClient,
) -> Hub {
    let mut settings = Settings::default();
    settings.grace_period = Duration::from_secs(5);
    settings.max_actions = 20_000;
    settings.http.executor = Some(Arc::clone(http) as Arc<dyn HttpExecutor>);
    settings.idle_timeout = match residency {
        Residency::Resident => Duration::from_secs(3600),
        Residency::Evicted => Duration::ZERO,
    };
    adjust(&mut settings);
    let options = Options {
        registry: Registry::collect().unwrap(),
        states: Arc::new(States::default()),
        store,
        settings,
    };
    Hub::start(options, client).unwrap()
}

impl Host {
    pub fn new(residency: Residency) -> Self {
        Self::with(residency, |_| ())
    }

    /// With settings of its own.
    pub fn with(residency: Residency, adjust: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = Arc::default();
        let (hub, client) = open(folder.path(), residency, &http, adjust);
        Self {
            hub,
            client: Client::of(client),
            http,
            residency,
            mortals: None,
            folder,
        }
    }

    pub fn in_mode(mode: Mode, adjust: fn(&mut Settings)) -> Self {
        match mode {
            Mode::Resident => Self::with(Residency::Resident, adjust),
            Mode::Evicted => Self::with(Residency::Evicted, adjust),
            Mode::Mortal => Self::mortal(adjust),
        }
    }

    /// Whose process is gone after each commit.
    pub fn mortal(adjust: fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = Arc::default();
        let (mortals, hub, client) = Mortals::start(open_store(folder.path()), &http, adjust);
        Self {
            hub,
            client,
            http,
            residency: Residency::Resident,
            mortals: Some(mortals),
            folder,
        }
    }

    /// Whether one process sees all of the scenario: then it can say what it was told, and count.
    pub fn is_one_process(&self) -> bool {
        self.mortals.is_none()
    }

    /// How often its process was gone.
    pub fn deaths(&self) -> impl Fn() -> usize + use<> {
        let deaths = self.mortals.as_ref().map(Mortals::deaths);
        move || deaths.as_ref().map_or(0, |deaths| deaths())
    }

    /// Bytes of the database and what belongs to it.
    pub fn file_size(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum()
    }

    /// Stops, and starts again on the same file.
    pub async fn restart(self, residency: Residency) -> Self {
        self.restart_with(residency, |_| ()).await
    }

    /// As [`Self::restart`] in the same mode, but a mortal one is killed now.
    pub async fn interrupt(self) -> Self {
        match &self.mortals {
            Some(mortals) => mortals.kill().await,
            None => {
                let residency = self.residency;
                return self.restart(residency).await;
            }
        }
        self
    }

    /// Halts functions or lets them go on; a process that comes after this one does the same.
    pub async fn pause(&self, paused: bool) {
        if let Some(mortals) = &self.mortals {
            mortals.pause(paused);
        }
        self.client.pause_functions(paused).await.unwrap();
    }

    /// Stops, and starts again on the same file with other settings.
    pub async fn restart_with(
        self,
        residency: Residency,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        assert!(self.is_one_process(), "a mortal one is interrupted");
        self.hub.shutdown().await;
        let Self {
            hub, http, folder, ..
        } = self;
        drop(hub);
        let (hub, client) = open(folder.path(), residency, &http, adjust);
        Self {
            hub,
            client: Client::of(client),
            http,
            residency,
            mortals: None,
            folder,
        }
    }

    /// Stops, and starts again on the same file, from which the row of that instance was taken.
    pub async fn restart_without(self, id: &str) -> Self {
        self.hub.shutdown().await;
        let Self {
            hub,
            http,
            residency,
            folder,
            ..
        } = self;
        drop(hub);
        let file = folder.path().join("hub.db");
        let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        let taken = diesel::sql_query("DELETE FROM instances WHERE id = ?")
            .bind::<diesel::sql_types::Text, _>(id)
            .execute(&mut database);
        assert_eq!(taken, Ok(1));
        drop(database);
        let (hub, client) = open(folder.path(), residency, &http, |_| ());
        Self {
            hub,
            client: Client::of(client),
            http,
            residency,
            mortals: None,
            folder,
        }
    }

    pub async fn end(&self, id: &str) -> OrchestrationStatus {
        let end = match &self.mortals {
            Some(mortals) => mortals.end(id).await,
            None => self.client.wait_for_completion(id, PATIENCE).await,
        };
        match end {
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
