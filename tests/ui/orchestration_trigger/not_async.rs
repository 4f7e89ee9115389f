use durable_functions::prelude::*;

#[orchestration_trigger]
fn blocks(_ctx: OrchestrationContext) {}

fn main() {}
