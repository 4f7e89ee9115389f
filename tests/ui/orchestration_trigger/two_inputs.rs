use durable_functions::prelude::*;

#[orchestration_trigger]
async fn add(_ctx: OrchestrationContext, _a: i64, _b: i64) {}

fn main() {}
