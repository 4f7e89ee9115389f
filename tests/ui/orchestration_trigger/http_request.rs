use durable_functions::prelude::*;

#[orchestration_trigger]
async fn requests(_ctx: OrchestrationContext) {
    drop(reqwest::get("http://localhost").await);
    drop(reqwest::Client::new());
}

fn main() {}
