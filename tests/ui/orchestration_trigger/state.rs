use durable_functions::prelude::*;

#[orchestration_trigger]
async fn stateful(_ctx: OrchestrationContext, _limit: State<u32>) {}

fn main() {}
