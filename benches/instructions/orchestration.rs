//! One orchestration of five activities in a row through the engine: its turns are made and what they commit is encoded. No store, no
//! threads.

use anyhow::ensure;
use durable_functions::prelude::*;
use durable_runtime::model::Payload;
use durable_runtime::{Registry, hub};

use crate::counted::counted;

const INSTANCES: usize = 1000;
const LENGTH: u64 = 5;

#[activity_trigger]
async fn next(n: u64) -> u64 {
    n + 1
}

#[orchestration_trigger]
async fn chain(ctx: OrchestrationContext, length: u64) -> Result<u64> {
    let mut n = 0;
    while n < length {
        n = ctx.call_activity::<next>(n).await?;
    }
    Ok(n)
}

pub(crate) fn walk() -> anyhow::Result<usize> {
    let registry = Registry::collect().map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let input = Payload::of(&LENGTH)?;
    let answer = |_: &str, input: Option<&Payload>| {
        let n: u64 = input.and_then(|input| input.read().ok()).unwrap_or(0);
        Payload::of(&(n + 1)).unwrap_or_else(|_| Payload::null())
    };
    let bytes = hub::by_hand(&registry, "chain", &input, answer).map_err(anyhow::Error::msg)?;
    ensure!(bytes > 0, "it left no history");
    let mut ended = 0;
    counted((0..INSTANCES).collect(), |_| {
        let again = hub::by_hand(&registry, "chain", &input, answer);
        ended += usize::from(again.is_ok_and(|again| again == bytes));
    });
    ensure!(ended == INSTANCES, "{ended} of {INSTANCES} ended");
    Ok(ended)
}
