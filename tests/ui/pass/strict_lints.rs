//! What is generated breaks no lint of a strict crate, and no import of an attribute is unused.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused_qualifications
)]
#![forbid(unsafe_code)]

use durable_functions::prelude::{DurableClient, OrchestrationContext, State, TimerInfo};
use durable_functions::{
    activity_trigger, allow_nondeterminism, durable_client, http_trigger, orchestration_trigger,
    timer_trigger,
};

/// Every kind of parameter.
#[activity_trigger(name = "All-of-them")]
pub async fn all(
    #[durable_client(task_hub = "Other")] client: DurableClient,
    (a, b): (i64, i64),
    mut limit: State<u32>,
) -> durable_functions::Result<i64> {
    let _ = (client, &mut limit);
    Ok(a + b)
}

#[durable_client]
#[activity_trigger]
async fn above(client: DurableClient) {
    drop(client);
}

#[activity_trigger]
#[durable_client]
async fn below(client: DurableClient) {
    drop(client);
}

#[activity_trigger]
#[deprecated]
fn old() {}

#[orchestration_trigger]
async fn lifted(_ctx: OrchestrationContext) -> bool {
    #[allow_nondeterminism]
    let now = std::time::SystemTime::now();
    now.elapsed().is_ok()
}

#[http_trigger]
fn silent() {}

/// Runs at nine.
#[timer_trigger(schedule = "0 0 9 * * *", run_on_startup)]
pub async fn at_nine(
    mut timer: TimerInfo,
    limit: State<u32>,
    #[durable_client] client: DurableClient,
) -> durable_functions::Result<()> {
    let _ = (&mut timer, limit, client);
    Ok(())
}

#[timer_trigger(schedule = "%SOME%", run_on_startup = false)]
fn some_time() {}

/// Functions inside functions are registered too.
pub fn outer() {
    #[activity_trigger]
    async fn inner() {}
}

fn main() {}
