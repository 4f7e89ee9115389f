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
        (asks(&turn), turn.asked().next().unwrap().attempt),
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
    let failure = Box::new(failure);
    let turn = given.turn([crate::model::HistoryEvent::TaskFailed { id: 0, failure }]);
    assert!(turn.asked().len() == 0);
    assert!(super::super::given::failure(&turn).is_caused_by("Declined"));
}

/// Attempts, seconds, and the coefficient as text, for JSON has no NaN.
#[orchestration_trigger(crate = crate)]
async fn misled(ctx: OrchestrationContext, policy: (u32, u64, String)) -> Result<Vec<String>> {
    let (attempts, seconds, coefficient) = policy;
    let policy = RetryPolicy::new(attempts, Duration::from_secs(seconds))
        .with_backoff_coefficient(coefficient.parse()?);
    let minute = Duration::from_secs(60);
    let activity = ctx.call_activity::<work>(1).with_timeout(minute);
    let activity = activity.with_retry(policy.clone()).await;
    let child = ctx.call_sub_orchestrator::<limited>(()).with_retry(policy);
    let text = |error: crate::TaskError| match error {
        crate::TaskError::Failed(failure) => format!("{} {}", failure.error_type, failure.message),
        other => other.to_string(),
    };
    Ok(vec![
        activity.map_or_else(text, |_| "done".into()),
        child.await.map_or_else(text, |_| "done".into()),
    ])
}

#[test]
fn policy_that_makes_no_sense_fails_the_call_which_is_not_made() {
    for (policy, reason) in [
        ((0, 1, "1"), "at least 1 attempt"),
        ((3, 0, "1"), "above zero"),
        ((3, 1, "0.5"), "1 or more; found 0.5"),
        ((3, 1, "-2"), "1 or more; found -2"),
        ((3, 1, "NaN"), "1 or more; found NaN"),
        ((3, 1, "inf"), "1 or more; found inf"),
    ] {
        let turn = Given::of::<misled>(policy).start();
        let texts: Vec<String> = serde_json::from_value(output(&turn)).unwrap();
        for text in texts {
            assert!(
                text.starts_with("UsageError") && text.contains(reason),
                "{text}"
            );
        }
        assert!(turn.asked().len() == 0, "{turn:?}");
    }
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
    assert!(turn.asked().len() == 0, "{turn:?}");
}
