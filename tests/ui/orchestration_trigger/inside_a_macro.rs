use durable_functions::prelude::*;

#[orchestration_trigger]
async fn nested(ctx: OrchestrationContext) -> usize {
    let all = vec![tokio::time::sleep(std::time::Duration::ZERO)];
    tokio::select! {
        () = std::future::ready(()) => drop(ctx),
        () = tokio::time::sleep(std::time::Duration::ZERO) => {}
    }
    all.len()
}

fn main() {}
