//! What the workloads run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use durable_functions::prelude::*;
use tokio::sync::Notify;

/// Activities begun so far.
static BEGUN: AtomicU64 = AtomicU64::new(0);
/// From this one on they do not end.
static LAST: AtomicU64 = AtomicU64::new(u64::MAX);
static REACHED: Notify = Notify::const_new();
/// Counts of activities, and when the one after them began.
static WATCHED: [(AtomicU64, OnceLock<Instant>); 2] = [
    (AtomicU64::new(u64::MAX), OnceLock::new()),
    (AtomicU64::new(u64::MAX), OnceLock::new()),
];

#[activity_trigger]
async fn next(n: u64) -> u64 {
    let before = BEGUN.fetch_add(1, Ordering::Relaxed);
    for (count, when) in &WATCHED {
        if before == count.load(Ordering::Relaxed) {
            let _ = when.set(Instant::now());
        }
    }
    if before >= LAST.load(Ordering::Relaxed) {
        REACHED.notify_one();
        std::future::pending::<()>().await;
    }
    n + 1
}

#[orchestration_trigger]
pub(crate) async fn chain(ctx: OrchestrationContext, length: u64) -> Result<u64> {
    let mut n = 0;
    while n < length {
        n = ctx.call_activity::<next>(n).await?;
    }
    Ok(n)
}

#[orchestration_trigger]
pub(crate) async fn fan_out(ctx: OrchestrationContext, width: u64) -> Result<u64> {
    let all: Vec<u64> = ctx
        .when_all((0..width).map(|n| ctx.call_activity::<next>(n)))
        .await?;
    Ok(all.into_iter().sum())
}

#[orchestration_trigger]
pub(crate) async fn waits(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event::<u64>("go").await?)
}

/// Activities begun so far.
pub(crate) fn begun() -> u64 {
    BEGUN.load(Ordering::Relaxed)
}

/// So many activities may end; [`halted`] resolves at the next.
pub(crate) fn halt_after(count: u64) {
    LAST.store(count, Ordering::Relaxed);
}

pub(crate) async fn halted() {
    REACHED.notified().await;
}

/// Remembers when so many activities had ended, in a workload that runs one at a time.
pub(crate) fn watch(counts: [u64; 2]) {
    for ((watched, _), count) in WATCHED.iter().zip(counts) {
        watched.store(count, Ordering::Relaxed);
    }
}

/// When that was.
pub(crate) fn watched() -> Option<[Instant; 2]> {
    let [(_, first), (_, last)] = &WATCHED;
    Some([*first.get()?, *last.get()?])
}
