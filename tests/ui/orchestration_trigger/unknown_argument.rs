use durable_functions::prelude::*;

#[orchestration_trigger(vers = "1.0")]
async fn near(_ctx: OrchestrationContext) {}

fn main() {}
