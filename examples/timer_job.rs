//! A job that starts by itself: a timer function starts an orchestration every ten seconds.
//!
//! ```console
//! $ cargo run --example timer_job
//!   count_stock: orchestrationTrigger
//!   look_at_shelf: activityTrigger
//!   every_ten_seconds: timerTrigger [*/10 * * * * *] (next: 2026-01-01T12:00:10Z)
//! stock of 12:00:10: 42
//! stock of 12:00:20: 42
//! ```
//!
//! Stop it with ctrl-C and start it again half a minute later: one line says `made up for ..`, and only one. `-- functions list` shows the
//! schedule; with `env AzureWebJobs.every_ten_seconds.Disabled=1` in front it does not run.

use durable_functions::chrono::{DateTime, Utc};
use durable_functions::prelude::*;

#[timer_trigger(schedule = "*/10 * * * * *")]
async fn every_ten_seconds(
    timer: TimerInfo,
    #[durable_client] client: DurableClient,
) -> Result<()> {
    if timer.is_past_due {
        println!("made up for {}", timer.scheduled);
    }
    // The id makes it one job for each instant, even if a crash has this run twice.
    let id = format!("stock-{}", timer.scheduled.format("%Y%m%dT%H%M%S"));
    match client
        .start_new::<count_stock>(timer.scheduled)
        .with_instance_id(id)
        .await
    {
        Ok(_) | Err(ClientError::AlreadyExists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[orchestration_trigger]
async fn count_stock(ctx: OrchestrationContext, at: DateTime<Utc>) -> Result<u32> {
    Ok(ctx.call_activity::<look_at_shelf>(at).await?)
}

#[activity_trigger]
async fn look_at_shelf(at: DateTime<Utc>) -> u32 {
    let stock = 42;
    println!("stock of {}: {stock}", at.format("%H:%M:%S"));
    stock
}

durable_functions::main!();
