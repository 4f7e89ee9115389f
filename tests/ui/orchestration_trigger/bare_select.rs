use durable_functions::prelude::*;

use futures::FutureExt;
use futures::select;
use tokio::select as pick;

#[orchestration_trigger]
async fn bare(_ctx: OrchestrationContext) -> u32 {
    let (mut a, mut b) = (std::future::ready(1).fuse(), std::future::ready(2).fuse());
    select! { n = a => n, n = b => n }
}

#[orchestration_trigger]
async fn renamed(_ctx: OrchestrationContext) -> u32 {
    pick! {
        n = std::future::ready(1) => n,
        n = std::future::ready(2) => n,
    }
}

fn main() {}
