//! `rate` and `max_concurrency` make calls wait, and none waits for ever.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{OrchestrationContext, Result};
use tokio::sync::Barrier;

use crate::host::{Host, Residency};

static NOW: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);
static BOTH: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

#[activity_trigger(rate = "20/s")]
async fn twenty_a_second(n: u32) -> u32 {
    n
}

#[activity_trigger(max_concurrency = 2)]
async fn two_at_a_time(n: u32) -> u32 {
    let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(now, Ordering::SeqCst);
    // Each runs beside another, however the machine schedules them; a third would be seen while they meet.
    BOTH.wait().await;
    NOW.fetch_sub(1, Ordering::SeqCst);
    n
}

#[orchestration_trigger]
async fn calls(ctx: OrchestrationContext, (function, count): (String, u32)) -> Result<usize> {
    let all = (0..count).map(|n| ctx.call_activity_by_name::<u32>(&function, n));
    Ok(ctx.when_all(all).await?.len())
}

async fn outcome(function: &str, count: u32) -> usize {
    let host = Host::new(Residency::Resident);
    let start = host.client.start_new::<calls>((function.to_owned(), count));
    let id = start.await.unwrap();
    let outcome = host.end(&id).await.output_as().unwrap();
    host.hub.shutdown().await;
    outcome
}

/// With nothing else to run that would have the queue looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_several_spans_of_a_rate_all_run() {
    assert_eq!(outcome("twenty_a_second", 61).await, 61);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_run_at_one_time_than_the_function_allows() {
    assert_eq!(outcome("two_at_a_time", 200).await, 200);
    assert_eq!(MOST.load(Ordering::SeqCst), 2);
}
