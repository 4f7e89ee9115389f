//! Timers of instances that are not in memory: the nearest have an entry there, all others wait in the store, and none is missed.

use std::time::Duration;

use chrono::Utc;
use durable_macros::{activity_trigger, orchestration_trigger};
use futures::future::try_join_all;

use super::*;

const LOOKS: usize = 10;

#[orchestration_trigger(crate = crate)]
async fn sleeper(ctx: OrchestrationContext, millis: u64) -> Result<u64> {
    ctx.create_timer(Duration::from_millis(millis)).await;
    Ok(millis)
}

fn hub(folder: &tempfile::TempDir) -> Hub {
    let settings = Settings {
        idle_timeout: Duration::ZERO,
        max_looks: LOOKS,
        ..Settings::default()
    };
    hub_with(Arc::new(store(folder)), settings)
}

/// Ten times as many as memory may know of, half of them all at one instant: each is evicted, and each fires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_timers_than_memory_holds_all_fire() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&folder);
    let client = hub.client();
    let at = Utc::now() + Duration::from_millis(400);
    let starts = (0..100u64).map(async |n| {
        let start = client.start_new::<sleeper>(10 * (n % 50));
        let start = if n < 50 {
            start
        } else {
            start.scheduled_at(at)
        };
        start.await
    });
    let ids = try_join_all(starts).await.unwrap();
    let ends = ids
        .iter()
        .map(|id| client.wait_for_completion(id, PATIENCE));
    for (end, n) in try_join_all(ends).await.unwrap().iter().zip(0..) {
        assert_eq!(end.output, Some(json!(10 * (n % 50))), "{end:?}");
    }
    assert_eq!(hub.engine.timers.len(), 0);
    hub.shutdown().await;
}

/// Scheduled starts and timers: what is far away costs no entry, what is near costs one, up to the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_on_disk_costs_memory_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&folder);
    let client = hub.client();
    let (soon, late) = (Duration::from_secs(300), Duration::from_secs(7200));
    for span in [soon, late] {
        for _ in 0..2 * LOOKS {
            let start = client.start_new::<sleeper>(0u64);
            start.scheduled_at(Utc::now() + span).await.unwrap();
            let millis = u64::try_from(span.as_millis()).unwrap();
            client.start_new::<sleeper>(millis).await.unwrap();
        }
    }
    hub.engine.busy.quiet().await;
    assert!(
        hub.engine.timers.len() <= LOOKS,
        "{}",
        hub.engine.timers.len()
    );
    assert_eq!(hub.engine.cells.len(), 0);
    hub.shutdown().await;
}

#[activity_trigger(crate = crate)]
async fn dawdles() {
    std::future::pending::<()>().await;
}

#[orchestration_trigger(crate = crate)]
async fn impatient(ctx: OrchestrationContext) -> Result<bool> {
    let dawdling = ctx.call_activity::<dawdles>(());
    let outcome = dawdling.with_timeout(Duration::from_millis(50)).await;
    Ok(outcome.is_err())
}

/// While an activity runs the store says `now` of the instance, not when its timer is due: memory must know, although it keeps no looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_beside_a_running_activity_fires_after_eviction() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        idle_timeout: Duration::ZERO,
        max_looks: 0,
        ..Settings::default()
    };
    let hub = hub_with(Arc::new(store(&folder)), settings);
    let client = hub.client();
    let id = client.start_new::<impatient>(()).await.unwrap();
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!(true)));
    // The activity never ends by itself.
    drop(hub);
}
