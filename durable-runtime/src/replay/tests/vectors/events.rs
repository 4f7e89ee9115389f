//! External events: buffered, first come first served, never lost.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use serde_json::{Value, json};

use super::work;
use crate::replay::tests::given::{Given, asks, done, fired, output, raised};
use crate::{OrchestrationContext, Result, TaskError};

#[orchestration_trigger(crate = crate)]
async fn after_a_day(ctx: OrchestrationContext) -> Result<u64> {
    ctx.create_timer(Duration::from_secs(86_400)).await;
    Ok(ctx.wait_for_external_event("early").await?)
}

/// Vector 22; and an event may come before anything else of its batch.
#[test]
fn event_raised_long_before_the_wait_is_there() {
    let mut given = Given::of::<after_a_day>(());
    given.start();
    assert!(given.turn([raised("EARLY", 5)]).end.is_none());
    assert_eq!(output(&given.turn([fired(0)])), json!(5));
    let mut given = Given::of::<after_a_day>(());
    given.start_with([raised("early", 6)]);
    assert_eq!(output(&given.turn([fired(0)])), json!(6));
}

#[orchestration_trigger(crate = crate)]
async fn with_default(ctx: OrchestrationContext, default: Option<u64>) -> Result<u64> {
    let wait = ctx.wait_for_external_event::<u64>("Approval");
    match (wait.with_timeout(Duration::from_secs(60)).await, default) {
        (Err(TaskError::Timeout), Some(default)) => Ok(default),
        (outcome, _) => Ok(outcome?),
    }
}

/// Vectors 24 and 25.
#[test]
fn time_limit_with_and_without_default_and_in_time() {
    for default in [None, Some(7)] {
        let mut given = Given::of::<with_default>(default);
        assert_eq!(asks(&given.start()), ["0 timer 60"]);
        let turn = given.turn([raised("approval", 1), fired(0)]);
        assert_eq!(output(&turn), json!(1));
        assert_eq!(turn.cancelled_timers.len(), 1);

        let mut given = Given::of::<with_default>(default);
        given.start();
        let turn = given.turn([fired(0), raised("approval", 1)]);
        match default {
            Some(default) => assert_eq!(output(&turn), json!(default)),
            None => {
                let failure = crate::replay::tests::given::failure(&turn);
                assert!(failure.message.contains("timed out"), "{failure:?}");
            }
        }
    }
}

#[orchestration_trigger(crate = crate)]
async fn in_order(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let mut all = Vec::new();
    for _ in 0..10 {
        let wait = ctx.wait_for_external_event("MyEvent");
        all.push(wait.with_timeout(Duration::from_secs(10)).await?);
    }
    Ok(all)
}

/// Vector 27: in one batch, in ten, and all before the first wait.
#[test]
fn ten_events_come_in_order_however_they_are_batched() {
    let expected = json!((0..10).collect::<Vec<u64>>());
    for size in [1, 3, 10] {
        let mut given = Given::of::<in_order>(());
        let mut turn = given.start();
        for batch in (0..10).collect::<Vec<u64>>().chunks(size) {
            turn = given.turn(batch.iter().map(|n| raised("myevent", n)));
        }
        assert_eq!(output(&turn), expected, "in batches of {size}");
    }
    let mut given = Given::of::<in_order>(());
    let turn = given.start_with((0..10).map(|n: u64| raised("MYEVENT", n)));
    assert_eq!(output(&turn), expected);
}

#[orchestration_trigger(crate = crate)]
async fn fourth_wait(ctx: OrchestrationContext) -> Result<(usize, u64)> {
    for misses in 0.. {
        let wait = ctx.wait_for_external_event("go");
        if let Ok(value) = wait.with_timeout(Duration::from_secs(1)).await {
            return Ok((misses, value));
        }
    }
    Ok((0, 0))
}

/// Vector 92.
#[test]
fn wait_that_timed_out_takes_no_event() {
    let mut given = Given::of::<fourth_wait>(());
    given.start();
    for id in 0..3 {
        assert_eq!(
            asks(&given.turn([fired(id)])),
            [format!("{} timer 1", id + 1)]
        );
    }
    assert_eq!(output(&given.turn([raised("go", 42)])), json!([3, 42]));
}

#[orchestration_trigger(crate = crate)]
async fn three_names(ctx: OrchestrationContext) -> Result<i64> {
    let mut value = 0;
    loop {
        tokio::select! {
            up = ctx.wait_for_external_event::<Value>("incr") => up.map(|_| value += 1)?,
            down = ctx.wait_for_external_event::<Value>("decr") => down.map(|_| value -= 1)?,
            done = ctx.wait_for_external_event::<Value>("done") => return done.map(|_| value).map_err(Into::into),
        }
    }
}

/// Vector 23, within one generation.
#[test]
fn loop_over_three_names_loses_nothing() {
    let mut given = Given::of::<three_names>(());
    given.start();
    given.turn([raised("incr", ())]);
    let turn = given.turn([raised("incr", ()), raised("done", ())]);
    assert_eq!(output(&turn), json!(2));
}

#[orchestration_trigger(crate = crate)]
async fn abandoned(ctx: OrchestrationContext) -> Result<(u64, u64)> {
    let unread = ctx.wait_for_external_event::<u64>("go");
    ctx.call_activity::<work>(0).await?;
    drop(unread);
    let first = ctx.wait_for_external_event("go").await?;
    Ok((first, ctx.wait_for_external_event("go").await?))
}

/// A wait that was handed an event and is dropped gives it back, in its place (E3).
#[test]
fn event_of_a_dropped_wait_goes_to_the_next_in_its_order() {
    let mut given = Given::of::<abandoned>(());
    given.start();
    given.turn([raised("go", 1), raised("go", 2)]);
    assert_eq!(output(&given.turn([done(0, 0)])), json!([1, 2]));
}

#[orchestration_trigger(crate = crate)]
async fn as_a_number(ctx: OrchestrationContext) -> Result<(bool, u64)> {
    let misfit = ctx.wait_for_external_event::<u64>("go").await.is_err();
    Ok((misfit, ctx.wait_for_external_event("go").await?))
}

/// E6.
#[test]
fn event_of_another_shape_fails_its_wait_and_is_consumed() {
    let mut given = Given::of::<as_a_number>(());
    let turn = given.start_with([raised("go", "text"), raised("go", 2)]);
    assert_eq!(output(&turn), json!([true, 2]));
}
