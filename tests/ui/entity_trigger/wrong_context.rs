use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub async fn add(&mut self, _ctx: OrchestrationContext) {}
    pub async fn subtract(&mut self, _ctx: &ActivityContext) {}
}

fn main() {}
