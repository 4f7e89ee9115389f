//! Durable timers.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use futures::future::join_all;
use serde_json::json;

use crate::model::{HistoryEvent, Timestamp};
use crate::replay::tests::given::{Given, asks, fired, output};
use crate::{OrchestrationContext, Result};

#[orchestration_trigger(crate = crate)]
async fn sleeps(ctx: OrchestrationContext, days: u64) -> Result<u32> {
    ctx.create_timer(Duration::from_secs(days * 86_400)).await;
    Ok(1)
}

/// Vectors 16 and 17: a timer of any length is one action, exact, and fires once.
#[test]
fn timer_is_one_action_with_its_exact_instant() {
    for days in [1, 10, 3_000] {
        let mut given = Given::of::<sleeps>(days);
        let turn = given.start();
        let fire_at = given.now().plus(Duration::from_secs(days * 86_400));
        assert_eq!(
            turn.asked().next().unwrap().event,
            &HistoryEvent::TimerCreated { id: 0, fire_at }
        );
        given.pass(Duration::from_secs(days * 86_400));
        assert_eq!(output(&given.turn([fired(0), fired(0)])), json!(1));
    }
}

/// An instant beyond every calendar is the last one of ours.
#[test]
fn timer_beyond_the_calendar_is_clamped() {
    let mut given = Given::of::<sleeps>(u64::MAX / 86_400);
    let fire_at = Timestamp::MAX;
    assert_eq!(
        given.start().asked().next().unwrap().event,
        &HistoryEvent::TimerCreated { id: 0, fire_at }
    );
}

#[orchestration_trigger(crate = crate)]
async fn concurrent(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let begun = ctx.current_utc_datetime();
    let timers = [3, 1, 2].map(|seconds| {
        let (ctx, timer) = (ctx.clone(), ctx.create_timer(Duration::from_secs(seconds)));
        async move {
            timer.await;
            (ctx.current_utc_datetime() - begun).num_seconds()
        }
    });
    Ok(join_all(timers).await)
}

/// Vector 20, the part of the core: each timer's code runs in the turn that takes its firing.
#[test]
fn concurrent_timers_wake_their_own_code() {
    let mut given = Given::of::<concurrent>(());
    assert_eq!(
        asks(&given.start()),
        ["0 timer 3", "1 timer 1", "2 timer 2"]
    );
    given.turn([fired(1)]);
    given.turn([fired(2)]);
    assert_eq!(output(&given.turn([fired(0)])), json!([3, 1, 2]));
}

#[orchestration_trigger(crate = crate)]
async fn cancels(ctx: OrchestrationContext) -> Result<u32> {
    let long = ctx.create_timer(Duration::from_secs(100));
    ctx.create_timer(Duration::from_secs(1)).await;
    long.cancel();
    ctx.create_timer(Duration::from_secs(0)).await;
    Ok(2)
}

/// Cancelling writes nothing; what fires nevertheless is dropped (spec 1.5).
#[test]
fn cancelled_timer_leaves_no_trace_and_never_fires() {
    let mut given = Given::of::<cancels>(());
    given.start();
    let turn = given.turn([fired(1), fired(0)]);
    assert_eq!(asks(&turn), ["2 timer 0"]);
    assert!(!turn.events.contains(&fired(0)), "{turn:?}");
    assert_eq!(
        turn.cancelled_timers
            .iter()
            .map(|(id, _)| *id)
            .collect::<Vec<_>>(),
        [0]
    );
    assert_eq!(output(&given.turn([fired(2)])), json!(2));
}
