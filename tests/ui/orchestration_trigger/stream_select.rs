use durable_functions::prelude::*;
use futures::stream::{empty, once};

#[orchestration_trigger]
async fn first_of_both(_ctx: OrchestrationContext) {
    let (a, b) = (once(std::future::ready(1)), empty::<i32>());
    drop(futures::stream_select!(a, b));
}

fn main() {}
