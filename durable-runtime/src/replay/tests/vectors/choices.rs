//! Who wins.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use futures::FutureExt;
use serde_json::json;

use super::work;
use crate::replay::tests::given::{Given, asks, done, failed, fired, output, raised};
use crate::{OrchestrationContext, Result, RetryPolicy};

#[orchestration_trigger(crate = crate)]
async fn retrying_against_plain(ctx: OrchestrationContext) -> Result<(u64, usize)> {
    let policy = RetryPolicy::new(3, Duration::from_secs(5));
    let retrying = ctx.call_activity::<work>(1).with_retry(policy);
    let (won, index, _) = ctx.when_any([retrying, ctx.call_activity::<work>(2)]).await;
    Ok((won?, index))
}

/// Vector 12.
#[test]
fn plain_call_wins_while_the_other_waits_for_its_next_attempt() {
    let mut given = Given::of::<retrying_against_plain>(());
    assert_eq!(asks(&given.start()), ["0 work", "1 work"]);
    assert_eq!(asks(&given.turn([failed(0, "no")])), ["2 timer 5"]);
    let turn = given.turn([done(1, 2)]);
    assert_eq!(output(&turn), json!([2, 1]));
    assert_eq!(turn.cancelled_timers.len(), 1);
}

#[orchestration_trigger(crate = crate)]
async fn tokio_choice(ctx: OrchestrationContext) -> Result<u64> {
    let (one, two) = (ctx.call_activity::<work>(1), ctx.call_activity::<work>(2));
    ctx.wait_for_external_event::<()>("go").await?;
    tokio::select! {
        value = one => Ok(value?),
        value = two => Ok(value?),
    }
}

#[orchestration_trigger(crate = crate)]
async fn futures_choice(ctx: OrchestrationContext) -> Result<u64> {
    let (mut one, mut two) = (ctx.call_activity::<work>(1), ctx.call_activity::<work>(2));
    ctx.wait_for_external_event::<()>("go").await?;
    futures::select! {
        value = one => Ok(value?),
        value = two => Ok(value?),
    }
}

#[orchestration_trigger(crate = crate)]
async fn choice_of_blocks(ctx: OrchestrationContext) -> Result<u64> {
    let (one, two) = (ctx.call_activity::<work>(1), ctx.call_activity::<work>(2));
    ctx.wait_for_external_event::<()>("go").await?;
    tokio::select! {
        value = async { one.await?; ctx.call_activity::<work>(10).await } => Ok(value?),
        value = async { two.await?; ctx.call_activity::<work>(20).await } => Ok(value?),
    }
}

#[orchestration_trigger(crate = crate)]
async fn futures_choice_of_blocks(ctx: OrchestrationContext) -> Result<u64> {
    let (one, two) = (ctx.call_activity::<work>(1), ctx.call_activity::<work>(2));
    ctx.wait_for_external_event::<()>("go").await?;
    let ten = async {
        one.await?;
        ctx.call_activity::<work>(10).await
    }
    .fuse();
    let twenty = async {
        two.await?;
        ctx.call_activity::<work>(20).await
    }
    .fuse();
    futures::pin_mut!(ten, twenty);
    futures::select! {
        value = ten => Ok(value?),
        value = twenty => Ok(value?),
    }
}

fn both_done_before_the_choice<S: crate::Orchestrator>() -> Given {
    let mut given = Given::of::<S>(());
    assert_eq!(asks(&given.start()), ["0 work", "1 work"]);
    given.turn([done(1, 2), done(0, 1)]);
    given
}

/// Vector 89, the branches ready at once: the first one is taken, in each of 1,000 replays.
#[test]
fn choice_between_ready_calls_is_the_same_in_a_thousand_replays() {
    for _ in 0..500 {
        let mut given = both_done_before_the_choice::<tokio_choice>();
        assert_eq!(output(&given.turn([raised("go", ())])), json!(1));
        let mut given = both_done_before_the_choice::<futures_choice>();
        assert_eq!(output(&given.turn([raised("go", ())])), json!(1));
    }
}

/// Vector 89, branches that ask for more: who asks first is the same in each of 1,000 replays.
#[test]
fn choice_between_blocks_asks_in_the_same_order_in_a_thousand_replays() {
    for _ in 0..250 {
        let mut given = both_done_before_the_choice::<choice_of_blocks>();
        let turn = given.turn([raised("go", ())]);
        assert_eq!(asks(&turn), ["2 work", "3 work"]);
        assert_eq!(turn.asked().len(), 2);
        assert_eq!(output(&given.turn([done(3, 20), done(2, 10)])), json!(20));
        let mut given = both_done_before_the_choice::<futures_choice_of_blocks>();
        assert_eq!(asks(&given.turn([raised("go", ())])), ["2 work", "3 work"]);
        assert_eq!(output(&given.turn([done(2, 10)])), json!(10));
    }
}

#[orchestration_trigger(crate = crate)]
async fn event_or_deadline(ctx: OrchestrationContext, cancels: bool) -> Result<String> {
    let deadline = ctx.create_timer(Duration::from_secs(10 * 86_400));
    let wait = ctx.wait_for_external_event::<String>("go");
    let won = futures::future::select(wait, deadline).await;
    match won {
        futures::future::Either::Left((value, deadline)) => {
            if cancels {
                drop(deadline);
            }
            Ok(value?)
        }
        futures::future::Either::Right(_) => Ok("late".into()),
    }
}

/// Vectors 18 and 19: with us an open timer keeps no instance alive, cancelled or not (D1).
#[test]
fn event_that_beats_a_long_timer_ends_the_instance_at_once() {
    for cancels in [true, false] {
        let mut given = Given::of::<event_or_deadline>(cancels);
        assert_eq!(asks(&given.start()), ["0 timer 864000"]);
        let turn = given.turn([raised("go", "early")]);
        assert_eq!(output(&turn), json!("early"));
        assert_eq!(turn.cancelled_timers.len(), 1);
        let mut given = Given::of::<event_or_deadline>(cancels);
        given.start();
        given.pass(Duration::from_secs(10 * 86_400));
        assert_eq!(
            output(&given.turn([fired(0), raised("go", "late too")])),
            json!("late")
        );
    }
}
