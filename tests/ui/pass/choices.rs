//! `select!` of both crates in all its forms, inside an orchestrator.
use durable_functions::futures::FutureExt;
use durable_functions::prelude::*;

#[orchestration_trigger]
async fn chooses(_ctx: OrchestrationContext) -> u32 {
    let ready = std::future::ready::<u32>;
    let first = tokio::select! {
        n = ready(1), if true => n,
        n = ready(2) => n,
        else => 0,
    };
    let second = tokio::select! { biased; n = ready(first) => n, };
    let (mut a, mut b) = (ready(second).fuse(), ready(2).fuse());
    let third = futures::select! {
        n = a => n,
        _ = b => { futures::select! { n = a => n, complete => 0 } }
    };
    durable_functions::futures::select! { n = ready(third).fuse() => n, default => 0 }
}

fn main() {
    let _ = chooses {};
}
