use durable_functions::prelude::*;

use durable_functions::uuid::Uuid;

#[orchestration_trigger]
async fn draws(_ctx: OrchestrationContext) -> String {
    Uuid::new_v4().to_string()
}

fn main() {}
