use durable_functions::prelude::*;

#[orchestration_trigger]
async fn second(_name: String, _ctx: OrchestrationContext) {}

fn main() {}
