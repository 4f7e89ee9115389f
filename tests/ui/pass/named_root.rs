//! `crate = path` on every attribute, with the crate under another name.
extern crate durable_functions as engine;

mod inner {
    pub(crate) use ::engine;
}

use engine::prelude::*;

#[activity_trigger(crate = engine)]
async fn bare() {}

#[activity_trigger(crate = crate::inner::engine)]
async fn nested(#[durable_client(crate = ::durable_functions)] client: DurableClient) {
    drop(client);
}

#[orchestration_trigger(crate = ::durable_functions)]
async fn orchestrator(_ctx: OrchestrationContext) {}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter;

#[entity_trigger(crate = engine)]
impl Counter {
    pub fn touch(&mut self) {}
}

#[entity_trigger(crate = crate::inner::engine)]
async fn relay(_ctx: &mut EntityContext) {}

#[http_trigger(crate = inner::engine)]
async fn handler() {}

#[timer_trigger(crate = engine, schedule = "0 0 * * * *")]
async fn hourly() {}

fn main() {
    let _ = (bare {}, nested {}, orchestrator {}, relay {}, Counter);
}
