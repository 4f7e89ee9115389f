//! Instances whose history is longer than what is read in one go.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_macros::{activity_trigger, orchestration_trigger};

use super::*;
use crate::RuntimeStatus;

const STEPS: u32 = 1_100;

#[activity_trigger(crate = crate)]
async fn count(n: u32) -> u32 {
    n + 1
}

/// The code that wrote the history is not the code that replays it.
static CHANGED: AtomicBool = AtomicBool::new(false);

#[orchestration_trigger(crate = crate)]
async fn counts(ctx: OrchestrationContext) -> Result<u32> {
    let mut n = 0;
    while n < STEPS {
        if n == STEPS - 10 && CHANGED.load(Ordering::SeqCst) {
            ctx.create_timer(Duration::from_secs(1)).await;
        }
        n = ctx.call_activity::<count>(n).await?;
    }
    Ok(n + ctx.wait_for_external_event::<u32>("go").await?)
}

/// Two instances with a long history each, left to another hub.
async fn left(folder: &tempfile::TempDir) {
    let hub = hub_on(Arc::new(store(folder)), PATIENCE);
    let client = hub.client();
    for id in ["a", "b"] {
        let start = client.start_new::<counts>(());
        start.with_instance_id(id).await.unwrap();
    }
    hub.engine.busy.quiet().await;
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_replayed_in_parts_and_judged_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    left(&folder).await;
    let journal = Arc::new(store(&folder));
    let first = journal.take_up("a").await.unwrap().unwrap();
    let rest = journal.history(first.rest.unwrap()).await.unwrap();
    assert_eq!(rest.rest, None);
    let turns = first.loaded.history.len() + rest.turns.len();
    assert!(turns > STEPS as usize, "{turns}");

    let hub = hub_on(journal, PATIENCE);
    let client = hub.client();
    client.raise_event("a", "go", 1).await.unwrap();
    let end = client.wait_for_completion("a", PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!(STEPS + 1)), "{end:?}");
    CHANGED.store(true, Ordering::SeqCst);
    client.raise_event("b", "go", 1).await.unwrap();
    let end = client.wait_for_completion("b", PATIENCE).await.unwrap();
    assert_eq!(end.runtime_status, RuntimeStatus::Failed, "{end:?}");
    let said = end.output.unwrap().to_string();
    assert!(said.contains("asks for #1090 TimerCreated"), "{said}");
    hub.shutdown().await;
}
