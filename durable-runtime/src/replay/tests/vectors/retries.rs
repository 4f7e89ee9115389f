//! Retry policies in history.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::work;
use crate::replay::tests::given::{Given, asks, done, failed, failure, fired, output};
use crate::{FailureDetails, OrchestrationContext, Result, RetryPolicy};

#[orchestration_trigger(crate = crate)]
async fn retried(ctx: OrchestrationContext, which: String) -> Result<u64> {
    let seconds = Duration::from_secs;
    let policy = match &*which {
        "capped" => RetryPolicy::new(6, seconds(1))
            .with_backoff_coefficient(2.0)
            .with_max_interval(seconds(10))
            .with_timeout(seconds(50)),
        "doubled" => RetryPolicy::new(3, seconds(1)).with_backoff_coefficient(2.0),
        "plain" => RetryPolicy::new(3, seconds(5)),
        _ => RetryPolicy::new(3, seconds(10 * 86_400)).with_max_interval(seconds(20 * 86_400)),
    };
    Ok(ctx.call_activity::<work>(1).with_retry(policy).await?)
}

/// Vectors 8 and 9.
#[test]
fn delays_between_attempts_are_timers_in_history() {
    for (which, delays) in [
        ("capped", vec![1, 2, 4, 8, 10]),
        ("doubled", vec![1, 2]),
        ("plain", vec![5, 5]),
    ] {
        let mut given = Given::of::<retried>(which);
        assert_eq!(asks(&given.start()), ["0 work"]);
        let mut id = 0;
        for delay in delays {
            let turn = given.turn([failed(id, "no")]);
            assert_eq!(
                asks(&turn),
                [format!("{} timer {delay}", id + 1)],
                "{which}"
            );
            given.pass(Duration::from_secs(delay - 1));
            let turn = given.turn([fired(id + 1)]);
            assert_eq!(asks(&turn), [format!("{} work", id + 2)], "{which}");
            id += 2;
        }
        let failure = failure(&given.turn([failed(id, "the last")]));
        assert!(failure.message.contains("the last"), "{which}: {failure:?}");
    }
}

/// Vector 10: with us one timer of any length.
#[test]
fn retry_after_ten_days_is_one_timer() {
    let mut given = Given::of::<retried>("long");
    given.start();
    assert_eq!(asks(&given.turn([failed(0, "no")])), ["1 timer 864000"]);
    given.pass(Duration::from_secs(864_000));
    let turn = given.turn([fired(1)]);
    assert_eq!(
        (asks(&turn), turn.actions[0].attempt),
        (vec!["2 work".to_owned()], 2)
    );
    assert_eq!(output(&given.turn([done(2, 7)])), json!(7));
}

/// Vector 11.
#[test]
fn failure_that_is_not_retriable_ends_the_attempts() {
    let mut given = Given::of::<retried>("plain");
    given.start();
    let failure = FailureDetails::new("Declined", "for good").non_retriable();
    let turn = given.turn([crate::model::HistoryEvent::TaskFailed { id: 0, failure }]);
    assert!(turn.actions.is_empty());
    assert!(super::super::given::failure(&turn).is_caused_by("Declined"));
}

#[orchestration_trigger(crate = crate)]
async fn limited(ctx: OrchestrationContext) -> Result<String> {
    let policy = RetryPolicy::new(5, Duration::from_secs(10));
    let call = ctx.call_activity::<work>(1).with_retry(policy);
    match call.with_timeout(Duration::from_secs(15)).await {
        Err(crate::TaskError::Timeout) => Ok("timeout".into()),
        other => Ok(format!("{other:?}")),
    }
}

#[test]
fn timeout_spans_all_attempts_and_ends_the_delay() {
    let mut given = Given::of::<limited>(());
    assert_eq!(asks(&given.start()), ["0 work", "1 timer 15"]);
    assert_eq!(asks(&given.turn([failed(0, "no")])), ["2 timer 10"]);
    given.pass(Duration::from_secs(14));
    let turn = given.turn([fired(1), fired(2)]);
    assert_eq!(output(&turn), json!("timeout"));
    assert!(turn.actions.is_empty(), "{turn:?}");
}
