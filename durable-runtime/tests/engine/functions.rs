//! The functions that the scenarios run.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{
    ActivityContext, Error, OrchestrationContext, Result, RetryPolicy, TaskError,
};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

#[activity_trigger]
pub async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity_trigger]
pub async fn echo(value: Value) -> Value {
    value
}

#[activity_trigger]
pub fn square(n: u64) -> u64 {
    n * n
}

#[activity_trigger]
pub async fn boom(text: String) -> Result<String> {
    Err(Error::msg(text).with_type("Boom"))
}

#[activity_trigger]
pub async fn fails_until(last: u32, ctx: ActivityContext) -> Result<u32> {
    if ctx.attempt() < last {
        Err(Error::msg("not yet"))
    } else {
        Ok(ctx.attempt())
    }
}

/// The instances whose activity was told.
pub static CANCELLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[activity_trigger]
pub async fn until_cancelled(ctx: ActivityContext) -> String {
    ctx.cancellation_token().cancelled().await;
    let id = ctx.instance_id().to_owned();
    CANCELLED.lock().unwrap().insert(id);
    "cancelled".to_owned()
}

#[activity_trigger(timeout = "50ms")]
pub async fn hangs() -> Result<()> {
    std::future::pending().await
}

#[orchestration_trigger]
pub async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call_activity::<say_hello>(city).await?);
    }
    Ok(greetings)
}

#[orchestration_trigger]
pub async fn empty(_ctx: OrchestrationContext) {}

#[orchestration_trigger]
pub async fn round_trip(ctx: OrchestrationContext, values: Vec<Value>) -> Result<Vec<Value>> {
    let mut back = Vec::new();
    for value in values {
        back.push(ctx.call_activity::<echo>(value).await?);
    }
    Ok(back)
}

#[orchestration_trigger]
pub async fn fan_out(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let all = ctx
        .when_all((0..n).map(|i| ctx.call_activity::<square>(i)))
        .await?;
    let in_order = all
        .iter()
        .enumerate()
        .all(|(i, value)| *value == (i * i) as u64);
    if in_order {
        Ok(all.iter().sum())
    } else {
        Err(Error::msg("out of order"))
    }
}

#[orchestration_trigger]
pub async fn unordered(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    let mut pool: FuturesUnordered<_> = (0..n).map(|i| ctx.call_activity::<square>(i)).collect();
    let mut sum = 0;
    while let Some(result) = pool.next().await {
        sum += result?;
    }
    Ok(sum)
}

/// Counts the events `incr` until `done` comes, then those that are left over.
#[orchestration_trigger]
pub async fn counts(ctx: OrchestrationContext, expected: u32) -> Result<u32> {
    let mut count = 0;
    while count < expected {
        ctx.wait_for_external_event::<()>("incr").await?;
        count += 1;
    }
    ctx.wait_for_external_event::<()>("done").await?;
    while ctx
        .wait_for_external_event::<()>("incr")
        .with_timeout(Duration::ZERO)
        .await
        .is_ok()
    {
        count += 1;
    }
    Ok(count)
}

#[orchestration_trigger]
pub async fn fails(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_activity::<boom>("kaboom").await?)
}

#[orchestration_trigger]
pub async fn parent_of_fails(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_sub_orchestrator::<fails>(()).await?)
}

#[orchestration_trigger]
pub async fn retries(ctx: OrchestrationContext) -> Result<u32> {
    let policy = RetryPolicy::new(5, Duration::from_millis(10)).with_backoff_coefficient(2.0);
    Ok(ctx
        .call_activity::<fails_until>(3)
        .with_retry(policy)
        .await?)
}

#[orchestration_trigger]
pub async fn counter(ctx: OrchestrationContext, value: i32) -> Result<i32> {
    ctx.set_custom_status(&value);
    let next = tokio::select! {
        up = ctx.wait_for_external_event::<Value>("incr") => up.map(|_| value + 1)?,
        down = ctx.wait_for_external_event::<Value>("decr") => down.map(|_| value - 1)?,
        end = ctx.wait_for_external_event::<Value>("end") => {
            end?;
            return Ok(value);
        }
    };
    ctx.continue_as_new(next)
}

#[orchestration_trigger]
pub async fn approval(ctx: OrchestrationContext, millis: u64) -> Result<String> {
    let wait = ctx.wait_for_external_event::<bool>("approval");
    match wait.with_timeout(Duration::from_millis(millis)).await {
        Ok(true) => Ok("approved".into()),
        Ok(false) => Ok("refused".into()),
        Err(TaskError::Timeout) => Ok("escalated".into()),
        Err(e) => Err(e.into()),
    }
}

#[orchestration_trigger]
pub async fn sum_of_events(ctx: OrchestrationContext, n: usize) -> Result<i64> {
    ctx.create_timer(Duration::from_millis(50)).await;
    let mut folded = 0;
    for _ in 0..n {
        folded = folded * 2 + ctx.wait_for_external_event::<i64>("ADD").await?;
    }
    Ok(folded)
}

#[orchestration_trigger]
pub async fn child(ctx: OrchestrationContext, n: u64) -> Result<Value> {
    let squared = ctx.call_activity::<square>(n).await?;
    Ok(json!({ "squared": squared, "parent": ctx.parent_instance_id() }))
}

#[orchestration_trigger]
pub async fn parent(ctx: OrchestrationContext) -> Result<Vec<Value>> {
    let one = ctx.call_sub_orchestrator::<child>(3);
    let two = ctx
        .call_sub_orchestrator::<child>(4)
        .with_instance_id(format!("{}-b", ctx.instance_id()));
    Ok(ctx.when_all([one, two]).await?)
}

#[orchestration_trigger]
pub async fn taken_child(ctx: OrchestrationContext, id: String) -> Result<String> {
    match ctx
        .call_sub_orchestrator_by_name::<Value>("child", 1)
        .with_instance_id(id)
        .await
    {
        Ok(_) => Ok("started".into()),
        Err(e) => Ok(e.to_string()),
    }
}

#[orchestration_trigger]
pub async fn gives_up_on_activity(ctx: OrchestrationContext) -> Result<String> {
    let call = ctx.call_activity::<until_cancelled>(());
    match call.with_timeout(Duration::from_millis(50)).await {
        Err(TaskError::Timeout) => Ok("timed out".into()),
        other => Ok(format!("{other:?}")),
    }
}

#[orchestration_trigger]
pub async fn calls_a_hanging_activity(ctx: OrchestrationContext) -> Result<String> {
    let failure = ctx.call_activity::<hangs>(()).await.unwrap_err();
    Ok(failure
        .failure()
        .map(|f| f.error_type.clone())
        .unwrap_or_default())
}

#[orchestration_trigger]
pub async fn waits_for_nothing_durable(_ctx: OrchestrationContext) -> Result<()> {
    let (sender, receiver) = futures::channel::oneshot::channel::<()>();
    std::mem::forget(sender);
    receiver.await?;
    Ok(())
}

#[orchestration_trigger]
pub async fn panics(_ctx: OrchestrationContext) -> Result<()> {
    panic!("out of cheese")
}

#[orchestration_trigger]
pub async fn unknown_activity(ctx: OrchestrationContext) -> Result<String> {
    match ctx.call_activity_by_name::<Value>("nope", ()).await {
        Err(e) => Ok(e.to_string()),
        Ok(_) => Err(Error::msg("it exists?")),
    }
}

#[orchestration_trigger]
pub async fn too_much_status(ctx: OrchestrationContext, chars: usize) -> Result<()> {
    ctx.set_custom_status(&"x".repeat(chars));
    Ok(())
}

#[orchestration_trigger]
pub async fn deterministic(ctx: OrchestrationContext) -> Result<(String, String, bool)> {
    let first = ctx.new_guid().to_string();
    ctx.create_timer(Duration::from_millis(1)).await;
    let second = ctx.new_guid().to_string();
    ctx.create_timer(Duration::from_millis(1)).await;
    Ok((first, second, ctx.is_replaying()))
}

#[orchestration_trigger]
pub async fn generations(ctx: OrchestrationContext, left: u32) -> Result<String> {
    if left == 0 {
        return Ok("done".into());
    }
    ctx.continue_as_new(left - 1)
}

#[orchestration_trigger]
pub async fn starts_another(ctx: OrchestrationContext) -> Result<String> {
    let begun = ctx.start_orchestration::<approval>(60_000u64);
    ctx.send_event(begun.id(), "Approval", true);
    Ok(begun.id().to_owned())
}
