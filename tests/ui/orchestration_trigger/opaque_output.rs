use durable_functions::prelude::*;

#[orchestration_trigger]
async fn opaque(_ctx: OrchestrationContext) -> impl Sized {}

fn main() {}
