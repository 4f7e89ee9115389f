use durable_functions::prelude::*;

#[orchestration_trigger]
async fn waits(_ctx: OrchestrationContext) {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
