use durable_functions::prelude::*;

#[orchestration_trigger(version = "")]
async fn none(_ctx: OrchestrationContext) {}

fn main() {}
