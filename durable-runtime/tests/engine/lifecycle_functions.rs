//! Functions whose outcome a test decides: each activity counts its runs by the key it is given, and fails as often as it is told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{ActivityContext, Error, OrchestrationContext, Result, RetryPolicy};
use serde::{Deserialize, Serialize};

#[derive(Default)]
struct Plan {
    /// What is run, and whether it fails; who is run again after a crash meets the same fate, and counts once.
    fates: BTreeMap<String, bool>,
    /// Failures to come.
    failures: u32,
}

static PLANS: Mutex<BTreeMap<String, Plan>> = Mutex::new(BTreeMap::new());

/// The next `failures` runs under this key fail.
pub fn fail_next(key: &str, failures: u32) {
    let mut plans = PLANS.lock().unwrap();
    plans.entry(key.to_owned()).or_default().failures = failures;
}

/// An id of this run of a scenario alone: the plan of what fails is one for all.
pub fn fresh(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4().simple())
}

/// How often something ran under this key.
pub fn runs(key: &str) -> usize {
    let plans = PLANS.lock().unwrap();
    plans.get(key).map_or(0, |plan| plan.fates.len())
}

/// Runs it, whose identity says which run it is, and tells whether it goes well.
fn run(key: &str, identity: &str) -> bool {
    let mut plans = PLANS.lock().unwrap();
    let Plan { fates, failures } = plans.entry(key.to_owned()).or_default();
    let fails = *fates.entry(identity.to_owned()).or_insert_with(|| {
        let fails = *failures > 0;
        *failures = failures.saturating_sub(1);
        fails
    });
    !fails
}

#[activity_trigger]
pub async fn step(key: String, ctx: ActivityContext) -> Result<String> {
    if run(&key, ctx.idempotency_key()) {
        Ok(key)
    } else {
        Err(Error::msg(format!("{key} broke")).with_type("Broken"))
    }
}

/// Stays until it is told to stop, as often as it is told to fail (each delivery is a run); then gives its delivery.
#[activity_trigger]
pub async fn lingers(key: String, ctx: ActivityContext) -> u32 {
    if !run(&key, &fresh("delivery")) {
        ctx.cancellation_token().cancelled().await;
    }
    ctx.delivery()
}

/// As [`lingers`], but within one poll: its thread does nothing else meanwhile.
#[activity_trigger]
pub async fn lingers_in_one_poll(key: String, ctx: ActivityContext) -> u32 {
    if !run(&key, &fresh("delivery")) {
        while !ctx.cancellation_token().is_cancelled() {
            std::thread::yield_now();
        }
    }
    ctx.delivery()
}

#[orchestration_trigger]
pub async fn calls_lingering_in_one_poll(ctx: OrchestrationContext) -> Result<u32> {
    let key = ctx.instance_id().to_owned();
    Ok(ctx.call_activity::<lingers_in_one_poll>(key).await?)
}

#[orchestration_trigger]
pub async fn calls_lingering(ctx: OrchestrationContext) -> Result<u32> {
    let key = ctx.instance_id().to_owned();
    Ok(ctx.call_activity::<lingers>(key).await?)
}

/// An activity, a child, a timer and an event, side by side.
#[orchestration_trigger]
pub async fn waits_for_much(ctx: OrchestrationContext) -> Result<()> {
    let key = ctx.instance_id().to_owned();
    let activity = ctx.call_activity::<lingers>(key.clone());
    let child = ctx
        .call_sub_orchestrator::<fails_by_itself>(())
        .with_instance_id(format!("{key}-child"));
    let timer = ctx.create_timer(Duration::from_secs(3600));
    let event = ctx.wait_for_external_event::<bool>("Approval");
    let (_, _, (), _) = futures::join!(activity, child, timer, event);
    Ok(())
}

/// `{id}-a`, then `{id}-b`.
#[orchestration_trigger]
pub async fn two_steps(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let key = |n: &str| format!("{}-{n}", ctx.instance_id());
    let a = ctx.call_activity::<step>(key("a")).await?;
    let b = ctx.call_activity::<step>(key("b")).await?;
    Ok(vec![a, b])
}

#[orchestration_trigger]
pub async fn side_by_side(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let calls =
        ["a", "b", "c"].map(|n| ctx.call_activity::<step>(format!("{}-{n}", ctx.instance_id())));
    Ok(ctx.when_all(calls).await?)
}

#[orchestration_trigger]
pub async fn tries_thrice(ctx: OrchestrationContext) -> Result<String> {
    let policy = RetryPolicy::new(3, Duration::from_millis(5));
    let key = format!("{}-a", ctx.instance_id());
    Ok(ctx.call_activity::<step>(key).with_retry(policy).await?)
}

/// Undoes `{id}-a` when `{id}-b` fails, and fails then.
#[orchestration_trigger]
pub async fn compensates(ctx: OrchestrationContext) -> Result<String> {
    let key = |n: &str| format!("{}-{n}", ctx.instance_id());
    ctx.call_activity::<step>(key("a")).await?;
    match ctx.call_activity::<step>(key("b")).await {
        Ok(b) => Ok(b),
        Err(error) => {
            ctx.call_activity::<step>(key("undo")).await?;
            Err(error.into())
        }
    }
}

/// Fails by itself as often as it is told under its id.
#[orchestration_trigger]
pub async fn fails_by_itself(ctx: OrchestrationContext) -> Result<String> {
    let data = ctx.wait_for_external_event::<String>("data").await?;
    // The test changes what the code does, as a new build would.
    if run(ctx.instance_id(), &fresh("turn")) {
        Ok(data)
    } else {
        Err(Error::msg("no such luck"))
    }
}

/// Fails in its first turn.
#[orchestration_trigger]
pub async fn fails_at_once(ctx: OrchestrationContext) -> Result<u8> {
    if run(ctx.instance_id(), &fresh("turn")) {
        Ok(1)
    } else {
        Err(Error::msg("no such luck"))
    }
}

/// A tree: each child is `two_steps` under `{id}-1`, `{id}-2`.
#[orchestration_trigger]
pub async fn parent_of_two(ctx: OrchestrationContext) -> Result<Vec<Vec<String>>> {
    let call = |n: u8| {
        ctx.call_sub_orchestrator::<two_steps>(())
            .with_instance_id(format!("{}-{n}", ctx.instance_id()))
    };
    Ok(ctx.when_all([call(1), call(2)]).await?)
}

#[orchestration_trigger]
pub async fn grandparent(ctx: OrchestrationContext) -> Result<Vec<Vec<String>>> {
    let id = format!("{}-p", ctx.instance_id());
    Ok(ctx
        .call_sub_orchestrator::<parent_of_two>(())
        .with_instance_id(id)
        .await?)
}

/// One child that fails at once, one that waits for the event `data`.
#[orchestration_trigger]
pub async fn impatient(ctx: OrchestrationContext) -> Result<(Vec<String>, String)> {
    let id = |n: &str| format!("{}-{n}", ctx.instance_id());
    let slow = ctx
        .call_sub_orchestrator::<fails_by_itself>(())
        .with_instance_id(id("slow"));
    let fast = ctx
        .call_sub_orchestrator::<two_steps>(())
        .with_instance_id(id("fast"))
        .await?;
    Ok((fast, slow.await?))
}

/// What a tree of orchestrations is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tree {
    pub name: String,
    pub children: Vec<Self>,
}

/// Starts its children under its own id, one level after the other, then waits for the event `end`.
#[orchestration_trigger]
pub async fn grow(ctx: OrchestrationContext, tree: Tree) -> Result<String> {
    let children: Vec<_> = tree
        .children
        .iter()
        .map(|child| {
            ctx.call_sub_orchestrator::<grow>(child.clone())
                .with_instance_id(format!("{}.{}", ctx.instance_id(), child.name))
        })
        .collect();
    ctx.wait_for_external_event::<()>("end").await?;
    ctx.when_all(children).await?;
    Ok(tree.name)
}

#[orchestration_trigger(name = "greet")]
pub async fn greet(ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("any {}", ctx.version()))
}

#[orchestration_trigger(name = "greet", version = "2.0")]
pub async fn greet_2(ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("two {}", ctx.version()))
}

#[orchestration_trigger(version = "1.0")]
pub async fn only_first(ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("first {}", ctx.version()))
}

#[orchestration_trigger]
pub async fn greets_children(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let own = ctx.call_sub_orchestrator_by_name::<String>("greet", ());
    let given = ctx
        .call_sub_orchestrator_by_name::<String>("greet", ())
        .with_version("0.5");
    let declared = ctx.call_sub_orchestrator::<greet_2>(());
    Ok(ctx.when_all([own, given, declared]).await?)
}
