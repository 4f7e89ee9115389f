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

#[http_trigger(crate = inner::engine)]
async fn handler() {}

#[timer_trigger(crate = engine, schedule = "0 0 * * * *")]
async fn hourly() {}

fn main() {
    let _ = (bare {}, nested {}, orchestrator {});
}
