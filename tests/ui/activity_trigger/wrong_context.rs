use durable_functions::prelude::*;

#[activity_trigger]
async fn orchestrates(_ctx: OrchestrationContext) {}

fn main() {}
