use durable_functions::prelude::*;

#[orchestration_trigger]
async fn marked(_ctx: OrchestrationContext, #[durable_client] _client: DurableClient) {}

#[orchestration_trigger]
async fn unmarked(_ctx: OrchestrationContext, _client: DurableClient) {}

#[orchestration_trigger]
#[durable_client]
async fn on_function(_ctx: OrchestrationContext, _client: DurableClient) {}

fn main() {}
