//! What the child runs. Every activity leaves a line in a file, so that each of its runs can be seen from outside.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use durable_functions::prelude::*;
use futures::future::try_join3;

/// The folder that parent and child share.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("CRASH_DIR").map(PathBuf::from)
}

/// One line, in one write.
pub(crate) fn append(file: &str, line: &str) -> std::io::Result<()> {
    let folder = folder().ok_or_else(|| std::io::Error::other("CRASH_DIR is not set"))?;
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(folder.join(file))?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[activity_trigger]
pub(crate) async fn effect(n: u64, ctx: ActivityContext) -> Result<u64> {
    append("effects", ctx.idempotency_key())?;
    tokio::time::sleep(Duration::from_millis(n % 4)).await;
    Ok(n + 1)
}

#[orchestration_trigger]
pub(crate) async fn chain(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let mut value = n;
    for _ in 0..5 {
        value = ctx.call_activity::<effect>(value).await?;
    }
    Ok(value)
}

#[orchestration_trigger]
pub(crate) async fn fan_out(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let all = ctx
        .when_all((0..20).map(|i| ctx.call_activity::<effect>(n + i)))
        .await?;
    Ok(all.iter().sum())
}

#[orchestration_trigger]
pub(crate) async fn timers(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    ctx.create_timer(Duration::from_millis(20)).await;
    let value = ctx.call_activity::<effect>(n).await?;
    let long = ctx.create_timer(Duration::from_millis(60));
    ctx.create_timer(Duration::from_millis(40)).await;
    let value = ctx.call_activity::<effect>(value).await?;
    long.await;
    Ok(value)
}

/// Names of the events that [`events`] waits for; the data of each is its index.
pub(crate) const EVENTS: [&str; 3] = ["first", "second", "third"];

#[orchestration_trigger]
pub(crate) async fn events(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let third = ctx.wait_for_external_event::<u64>(EVENTS[2]).await?;
    let value = ctx.call_activity::<effect>(n).await?;
    let first = ctx.wait_for_external_event::<u64>(EVENTS[0]);
    let second = ctx.wait_for_external_event::<u64>(EVENTS[1]);
    Ok(value + 100 * third + 10 * second.await? + first.await?)
}

#[orchestration_trigger]
pub(crate) async fn parent(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let named = format!("{}-child", ctx.instance_id());
    let one = ctx.call_sub_orchestrator::<chain>(n);
    let two = ctx
        .call_sub_orchestrator::<timers>(n)
        .with_instance_id(named);
    let (one, two, own) = try_join3(one, two, ctx.call_activity::<effect>(n)).await?;
    Ok(one + two + own)
}

/// Is suspended and resumed while it runs.
#[orchestration_trigger]
pub(crate) async fn paused(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let value = ctx.call_activity::<effect>(n).await?;
    let first = ctx.wait_for_external_event::<u64>(EVENTS[0]).await?;
    let all = (0..3).map(|i| ctx.call_activity::<effect>(value + i));
    Ok(ctx.when_all(all).await?.iter().sum::<u64>() + first)
}

/// Where [`polls`] has its work done: the parent says so, and answers there.
fn server() -> String {
    std::env::var("CRASH_SERVER").unwrap_or_default()
}

/// Answers of [`polls`]' server before the last: all of them say 202.
pub(crate) const ACCEPTED: u64 = 3;

#[orchestration_trigger]
pub(crate) async fn polls(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let value = ctx.call_activity::<effect>(n).await?;
    let url = format!("{}/jobs/{ACCEPTED}/{value}", server());
    let answer = ctx.call_http(DurableHttpRequest::post(url)).await?;
    answer.json()
}

/// Generations after the first of [`generations`], whose input is `(left, value)`.
pub(crate) const GENERATIONS: u64 = 5;

#[orchestration_trigger]
pub(crate) async fn generations(ctx: OrchestrationContext, state: (u64, u64)) -> Result<u64> {
    let (left, value) = state;
    let value = ctx.call_activity::<effect>(value).await?;
    if left == 0 {
        Ok(value)
    } else {
        ctx.continue_as_new((left - 1, value))
    }
}

/// Accounts between which [`transfer`] moves money; what they hold adds up to nothing.
pub(crate) const ACCOUNTS: u64 = 3;

#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: i64,
}

#[entity_trigger]
impl Account {
    pub fn add(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    pub fn balance(&self) -> i64 {
        self.balance
    }
}

/// Moves money under two locks, and has it counted: at once, and a moment later.
#[orchestration_trigger]
pub(crate) async fn transfer(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let (from, to) = (
        format!("a{}", n % ACCOUNTS),
        format!("a{}", (n + 1) % ACCOUNTS),
    );
    let both = [EntityId::of::<Account>(&from), EntityId::of::<Account>(&to)];
    let amount = 1 + (n % 7) as i64;
    let lock = ctx.lock_entities(both).await?;
    let before = ctx.entity::<Account>(&from).balance().await?;
    let value = ctx.call_activity::<effect>(n).await?;
    let after = ctx.entity::<Account>(&from).add(-amount).await?;
    ctx.entity::<Account>(&to).add(amount).await?;
    lock.release();
    if after != before - amount {
        return Err(Error::msg(format!("{before} became {after} under a lock")));
    }
    ctx.entity::<Account>("moved").signal().add(1);
    let soon = ctx.current_utc_datetime() + Duration::from_millis(30);
    ctx.entity::<Account>("moved later")
        .signal()
        .add(1)
        .at(soon);
    Ok(value)
}

/// What the function of that name returns for `n`.
pub(crate) fn expected(function: &str, n: u64) -> u64 {
    match function {
        "chain" => n + 5,
        "fan_out" => (0..20).map(|i| n + i + 1).sum(),
        "timers" => n + 2,
        "events" => n + 1 + 210,
        "parent" => 3 * n + 5 + 2 + 1,
        "paused" => 3 * (n + 2) + 3,
        "transfer" | "polls" => n + 1,
        "generations" => n + 1 + GENERATIONS,
        other => panic!("no function {other}"),
    }
}
