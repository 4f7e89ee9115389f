use durable_functions::prelude::*;

use std::time::Duration;
use tokio::time;

#[orchestration_trigger]
async fn sleeps(_ctx: OrchestrationContext) {
    tokio::time::sleep(Duration::ZERO).await;
    time::sleep_until(time::Instant::now()).await;
    let _ = ::tokio::time::interval(Duration::ZERO);
    std::thread::sleep(Duration::ZERO);
    let _ = tokio::time::timeout(Duration::ZERO, std::future::ready(())).await;
}

fn main() {}
