//! A host without functions of its own, for the tests of this crate.

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::web;
use durable_runtime::__private::{
    EntityInvocation, EntitySpec, Kind, OrchestratorSpec, Registration,
};
use durable_runtime::hub::{self, Hub};
use durable_runtime::model::Payload;
use durable_runtime::store::Store;
use durable_runtime::store::sqlite::SqliteStore;
use durable_runtime::{DurableClient, Error, OrchestrationContext, Registry, States};
use futures::future::BoxFuture;

use crate::host::{Settings, Shared};
use crate::keys::{Cipher, Keys};

/// What handlers share, with keys for these functions; it asks for keys. No hub is behind its client.
pub(crate) async fn shared(functions: &[&str]) -> web::Data<Shared> {
    shared_with(functions, |_| ()).await
}

/// The same with other settings.
pub(crate) async fn shared_with(
    functions: &[&str],
    change: impl FnOnce(&mut Settings),
) -> web::Data<Shared> {
    serving(DurableClient::unbound(), store(), functions, change).await
}

/// A host whose hub runs.
pub(crate) struct Running {
    pub(crate) shared: web::Data<Shared>,
    hub: Hub,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.hub.shutdown().await;
    }
}

/// Starts a host with the orchestrators `Echo` (returns its input), `E1` (waits for the event `go`, returns its data) and
/// `Boom` (fails), and the entity `Counter` (keeps what it is told).
pub(crate) async fn running() -> Running {
    running_with(|_| ()).await
}

/// The same whose hub has other settings.
pub(crate) async fn running_with(change: impl FnOnce(&mut hub::Settings)) -> Running {
    let (client, store) = (DurableClient::unbound(), store());
    let mut settings = hub::Settings::default();
    change(&mut settings);
    let options = hub::Options {
        registry: Registry::of(ORCHESTRATORS.iter()).unwrap(),
        states: Arc::new(States::default()),
        store: Arc::clone(&store),
        settings,
    };
    let hub = Hub::start(options, &client).unwrap();
    let shared = serving(client, store, &[], |_| ()).await;
    Running { shared, hub }
}

fn store() -> Arc<dyn Store> {
    Arc::new(SqliteStore::in_memory().unwrap())
}

async fn serving(
    client: DurableClient,
    store: Arc<dyn Store>,
    functions: &[&str],
    change: impl FnOnce(&mut Settings),
) -> web::Data<Shared> {
    let cipher = Cipher::new(Some(&"ab".repeat(32)), PathBuf::new()).unwrap();
    let functions: Vec<String> = functions.iter().map(|&name| name.into()).collect();
    let keys = Keys::load(store, cipher, &functions, &["Clock".to_owned()])
        .await
        .unwrap();
    let mut settings = Settings {
        max_body: 1 << 20,
        ..Settings::default()
    };
    change(&mut settings);
    web::Data::new(Shared::without_functions(client, keys, settings))
}

static ORCHESTRATORS: [Registration; 4] = [
    Registration {
        name: "Counter",
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind: Kind::Entity(EntitySpec {
            operations: &[],
            states: &[],
            run: keeps,
        }),
    },
    orchestrator("Echo", echo),
    orchestrator("E1", waits),
    orchestrator("Boom", fails),
];

type Run = fn(OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>>;

const fn orchestrator(name: &'static str, run: Run) -> Registration {
    Registration {
        name,
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind: Kind::Orchestrator(OrchestratorSpec { version: None, run }),
    }
}

fn echo(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    Box::pin(async move { ctx.__input::<Payload>() })
}

fn waits(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    Box::pin(async move { Ok(ctx.wait_for_external_event::<Payload>("go").await?) })
}

/// Keeps what `set` gives it, and what it was last told.
fn keeps(invocation: EntityInvocation) -> BoxFuture<'static, Result<Payload, Error>> {
    Box::pin(async move {
        let ctx = invocation.context();
        let told = (ctx.operation(), ctx.input::<Option<Payload>>()?);
        match told {
            ("set", Some(state)) => ctx.set_state(&state)?,
            ("delete", _) => ctx.delete_state(),
            told => ctx.set_state(&told)?,
        }
        Ok(Payload::null())
    })
}

fn fails(_: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    Box::pin(async { Err(Error::msg("it broke")) })
}
