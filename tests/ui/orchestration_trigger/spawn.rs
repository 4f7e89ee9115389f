use durable_functions::prelude::*;

#[orchestration_trigger]
async fn spawns(_ctx: OrchestrationContext) {
    tokio::spawn(async {});
    tokio::task::spawn_blocking(|| {});
    std::thread::spawn(|| {});
}

fn main() {}
