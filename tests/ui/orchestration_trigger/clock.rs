use durable_functions::prelude::*;

use durable_functions::chrono::{Local, Utc};

#[orchestration_trigger]
async fn looks(_ctx: OrchestrationContext) -> String {
    let _ = (std::time::Instant::now(), std::time::SystemTime::now(), Local::now());
    let _ = None.unwrap_or_else(Utc::now);
    format!("{}", durable_functions::chrono::Utc::now())
}

fn main() {}
