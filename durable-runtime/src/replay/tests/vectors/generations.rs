//! Continue-as-new, seen from one generation.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::work;
use crate::model::HistoryEvent;
use crate::replay::End;
use crate::replay::tests::given::{Given, asks, continued, failure, output, raised};
use crate::{ContinueOptions, Error, OrchestrationContext, Result};

#[orchestration_trigger(crate = crate)]
async fn continues(ctx: OrchestrationContext, discards: bool) -> Result<()> {
    let first: u64 = ctx.wait_for_external_event("my_event").await?;
    let mut options = ContinueOptions::new();
    if discards {
        options = options.discard_events();
    }
    ctx.continue_as_new_with(first, options)
}

/// Vector 29: what nobody read goes along in order, unless it is to be dropped.
#[test]
fn unread_events_go_along_in_order_or_not_at_all() {
    for (discards, carried) in [(false, vec![json!(43), json!(44)]), (true, vec![])] {
        let mut given = Given::of::<continues>(discards);
        given.start();
        let turn = given.turn([raised("my_event", 42)]);
        assert_eq!(continued(&turn), (json!(42), vec![]));

        let three = [
            raised("MY_EVENT", 42),
            raised("my_event", 43),
            raised("my_event", 44),
        ];
        let mut given = Given::of::<continues>(discards);
        let in_one_batch = given.start_with(three.clone());

        let mut given = Given::of::<continues>(discards);
        given.start_with([HistoryEvent::ExecutionSuspended { reason: None }]);
        given.turn(three);
        let held_back = given.turn([HistoryEvent::ExecutionResumed { reason: None }]);

        for turn in [in_one_batch, held_back] {
            let (input, mut all) = continued(&turn);
            // What came after the decision is no event of this generation: the instance gets it.
            all.extend(turn.late.iter().map(|event| match event {
                HistoryEvent::EventRaised { data, .. } => data.to_value(),
                other => panic!("{other:?}"),
            }));
            assert_eq!((input, &all), (json!(42), &carried), "{discards}");
        }
    }
}

/// What halts or ends the instance is no event of a generation's.
#[test]
fn discarding_events_drops_events_alone() {
    let halts = HistoryEvent::ExecutionSuspended { reason: None };
    let mut given = Given::of::<continues>(true);
    let batch = [
        raised("my_event", 42),
        halts.clone(),
        raised("my_event", 43),
    ];
    assert_eq!(given.start_with(batch).late, [halts]);
}

#[orchestration_trigger(crate = crate)]
async fn last_words(ctx: OrchestrationContext) -> Result<()> {
    ctx.send_event("elsewhere", "bye", 1);
    let _ = ctx
        .start_orchestration::<continues>(true)
        .with_instance_id("other");
    let call = ctx.call_activity::<work>(1);
    futures::future::select(call, std::future::ready(())).await;
    ctx.continue_as_new(2)
}

/// Vector 30: what was asked for in the turn that continues is still sent.
#[test]
fn events_starts_and_calls_of_the_last_turn_are_sent() {
    let mut given = Given::of::<last_words>(());
    let turn = given.start();
    assert_eq!(asks(&turn), ["0 send bye", "1 child other", "2 work"]);
    assert_eq!(turn.asked().len(), 3);
    assert_eq!(continued(&turn).0, json!(2));
}

#[orchestration_trigger(crate = crate)]
async fn thinks_better_of_it(ctx: OrchestrationContext, fails: bool) -> Result<String> {
    let _: Result<()> = ctx.continue_as_new(1);
    if fails {
        Err(Error::msg("after all"))
    } else {
        Ok("ok".into())
    }
}

/// Vector 32, first half: what counts is what is returned.
#[test]
fn continuation_that_is_not_returned_does_nothing() {
    let mut given = Given::of::<thinks_better_of_it>(true);
    assert_eq!(failure(&given.start()).message, "after all");
    let mut given = Given::of::<thinks_better_of_it>(false);
    assert_eq!(output(&given.start()), json!("ok"));
}

#[orchestration_trigger(crate = crate)]
async fn leaves_a_timer(ctx: OrchestrationContext) -> Result<()> {
    let _long = ctx.create_timer(Duration::from_secs(86_400));
    ctx.wait_for_external_event::<()>("go").await?;
    ctx.continue_as_new(())
}

/// Timers of a generation end with it.
#[test]
fn timer_of_an_earlier_generation_is_cancelled() {
    let mut given = Given::of::<leaves_a_timer>(());
    given.start();
    let turn = given.turn([raised("go", ())]);
    continued(&turn);
    assert_eq!(turn.cancelled_timers.len(), 1);
}

/// A termination in the batch that continues wins (spec 1.7).
#[test]
fn termination_after_the_decision_wins() {
    let mut given = Given::of::<continues>(false);
    let turn = given.start_with([
        raised("my_event", 42),
        HistoryEvent::ExecutionTerminated {
            reason: Some("enough".to_owned()),
            recursive: false,
        },
    ]);
    assert!(matches!(turn.end, Some(End::Terminated { .. })), "{turn:?}");
}
