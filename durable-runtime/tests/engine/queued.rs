//! Activities that have not begun say what they wait for.

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{ActivityContext, OrchestrationContext, QueuedFor, Result};

use crate::functions::until_cancelled;
use crate::host::{Host, Residency};

#[activity_trigger(max_concurrency = 1)]
async fn one_at_a_time(ctx: ActivityContext) {
    ctx.cancellation_token().cancelled().await;
}

#[activity_trigger(rate = "1/d")]
async fn one_a_day() {}

#[orchestration_trigger]
async fn calls_two_at_once(ctx: OrchestrationContext) -> Result<()> {
    let calls = [
        ctx.call_activity::<one_at_a_time>(()),
        ctx.call_activity::<one_at_a_time>(()),
    ];
    ctx.when_all(calls).await?;
    Ok(())
}

#[orchestration_trigger]
async fn calls_two_a_day(ctx: OrchestrationContext) -> Result<()> {
    ctx.call_activity::<one_a_day>(()).await?;
    ctx.call_activity::<one_a_day>(()).await?;
    Ok(())
}

#[orchestration_trigger]
async fn calls_two_that_take_their_time(ctx: OrchestrationContext) -> Result<()> {
    let calls = [
        ctx.call_activity::<until_cancelled>(()),
        ctx.call_activity::<until_cancelled>(()),
    ];
    ctx.when_all(calls).await?;
    Ok(())
}

impl Host {
    /// Waits until the activities of the instance stand so.
    async fn stand(&self, id: &str, expected: &[(u32, Option<QueuedFor>)]) {
        loop {
            let pending = self.client.pending_work(id).await.unwrap().unwrap();
            let now = pending.activities.iter();
            let now: Vec<_> = now.map(|a| (a.delivery, a.queued_for)).collect();
            if now == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_says_whether_it_waits_for_a_slot_its_concurrency_or_its_rate() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.max_concurrent_activities = 2;
    });
    let client = &host.client;
    let daily = client.start_new::<calls_two_a_day>(()).await.unwrap();
    host.stand(&daily, &[(0, Some(QueuedFor::Rate))]).await;
    let single = client.start_new::<calls_two_at_once>(()).await.unwrap();
    let begun = (1, None);
    host.stand(&single, &[begun, (0, Some(QueuedFor::MaxConcurrency))])
        .await;
    // One of the two slots is left.
    let others = client
        .start_new::<calls_two_that_take_their_time>(())
        .await
        .unwrap();
    host.stand(&others, &[begun, (0, Some(QueuedFor::Slot))])
        .await;
    client.pause_functions(true).await.unwrap();
    let paused = (0, Some(QueuedFor::Paused));
    host.stand(&others, &[begun, paused]).await;
    let shown = client.pending_work(&others).await.unwrap().unwrap();
    let shown = serde_json::to_value(&shown.activities).unwrap();
    assert_eq!(
        (&shown[1]["queuedFor"], &shown[1]["delivery"]),
        (&"paused".into(), &0.into())
    );
    assert!(shown[0].get("queuedFor").is_none(), "{shown}");
    for id in [&single, &others] {
        client.terminate(id, "enough").await.unwrap();
    }
    host.hub.shutdown().await;
}
