//! What only the inside of a hub shows: how much of it is in memory.

mod ahead;
mod crowded;
mod ends;
mod held;
mod horizon;
mod idle;
mod inbox;
mod long;
mod reads;
mod slow;
mod speculation;

use std::sync::Arc;
use std::time::Duration;

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::{Hub, Options, Settings};
use crate::store::Store;
use crate::store::sqlite::{Options as SqliteOptions, SqliteStore};
use crate::{DurableClient, OrchestrationContext, Registry, Result, States};

const PATIENCE: Duration = Duration::from_secs(60);

fn store(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(folder.path().join("hub.db"))).unwrap()
}

fn hub_on(store: Arc<dyn Store>, idle_timeout: Duration) -> Hub {
    let settings = Settings {
        idle_timeout,
        ..Settings::default()
    };
    hub_with(store, settings)
}

fn hub_with(store: Arc<dyn Store>, settings: Settings) -> Hub {
    Hub::start(options(store, settings), &DurableClient::unbound()).unwrap()
}

fn options(store: Arc<dyn Store>, settings: Settings) -> Options {
    Options {
        registry: Registry::collect().unwrap(),
        states: Arc::new(States::default()),
        store,
        settings,
    }
}

#[orchestration_trigger(crate = crate)]
async fn told_to_go(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.wait_for_external_event::<u32>("go").await?)
}

#[orchestration_trigger(crate = crate)]
async fn patient(ctx: OrchestrationContext, left: u32) -> Result<String> {
    let tomorrow = Duration::from_secs(86_400);
    let kept = ctx.create_timer(tomorrow);
    let wait = ctx.wait_for_external_event::<u32>("go");
    wait.with_timeout(tomorrow).await?;
    // Asked for and given up in one turn.
    let glance = ctx.create_timer(tomorrow);
    futures::future::select(glance, std::future::ready(())).await;
    drop(kept);
    if left == 0 {
        return Ok("done".into());
    }
    ctx.continue_as_new(left - 1)
}

/// Vectors 31 and 33: a generation's timers leave memory with it, however far away they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_of_earlier_generations_leave_memory() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_on(Arc::new(store(&folder)), PATIENCE);
    let client = hub.client();
    let id = client.start_new::<patient>(100u32).await.unwrap();
    for n in 0..=100u32 {
        client.raise_event(&id, "go", n).await.unwrap();
    }
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!("done")));
    assert_eq!(hub.engine.timers.len(), 0);
    assert_eq!(hub.engine.cells.len(), 0);
    hub.shutdown().await;
}
