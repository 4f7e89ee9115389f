//! What user code may ask for at most, and of whom.

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::work;
use crate::model::Payload;
use crate::replay::core::Limits;
use crate::replay::tests::given::{Given, asks, done, failure, output};
use crate::{OrchestrationContext, Result};

#[orchestration_trigger(crate = crate)]
async fn asks_for(ctx: OrchestrationContext, n: u64) -> Result<usize> {
    let all = ctx.when_all((0..n).map(|n| ctx.call_activity::<work>(n)));
    Ok(all.await?.len())
}

/// Vector 51.
#[test]
fn one_action_too_many_fails_with_the_limit() {
    let limits = Limits {
        actions: 7,
        ..Limits::default()
    };
    let mut given = Given::limited::<asks_for>(7, limits.clone());
    assert_eq!(given.start().actions.len(), 7);
    assert_eq!(output(&given.turn((0..7).map(|id| done(id, 1)))), json!(7));
    let failure = failure(&Given::limited::<asks_for>(8, limits).start());
    assert!(
        failure
            .message
            .contains("Maximum amount of orchestration actions (7)"),
        "{failure:?}"
    );
}

#[orchestration_trigger(crate = crate)]
async fn hands_over_too_much(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let text = vec![Payload::text(&"x".repeat(1 << 20)); 64];
    let name = "hands_over_too_much";
    let activity = ctx.call_activity_by_name::<()>("work", &text).await;
    let child = ctx.call_sub_orchestrator_by_name::<()>(name, &text).await;
    let next: Result<()> = ctx.continue_as_new(&text);
    Ok(vec![
        activity.unwrap_err().to_string(),
        child.unwrap_err().to_string(),
        next.unwrap_err().to_string(),
    ])
}

#[test]
fn input_over_its_limit_fails_the_call_which_is_not_made() {
    let turn = Given::of::<hands_over_too_much>(()).start();
    let texts: Vec<String> = serde_json::from_value(output(&turn)).unwrap();
    for text in texts {
        assert!(text.contains("at most 67108864 bytes"), "{text}");
    }
    assert!(turn.actions.is_empty());
}

#[orchestration_trigger(crate = crate)]
async fn shows(ctx: OrchestrationContext, status: serde_json::Value) -> Result<()> {
    ctx.set_custom_status(&status);
    Ok(())
}

/// Vector 52: 16 KB and 1,023 bytes of UTF-16 pass, two bytes more do not; `null` clears.
#[test]
fn custom_status_has_its_limit_to_the_byte() {
    // Two quotes, two bytes each; an emoji is four bytes of UTF-16 and of UTF-8.
    for letter in ["x", "é", "😀"] {
        let each = letter.encode_utf16().count() * 2;
        let fits = letter.repeat((17_407 - 4) / each);
        let turn = Given::of::<shows>(&fits).start();
        assert!(turn.custom_status.flatten().is_some(), "{letter}");
        let failure = failure(&Given::of::<shows>(fits + letter).start());
        assert!(failure.message.contains("16 KB"), "{failure:?}");
    }
    let turn = Given::of::<shows>(json!(null)).start();
    assert_eq!(turn.custom_status, Some(None));
}

#[orchestration_trigger(crate = crate)]
async fn calls_nobody(ctx: OrchestrationContext) -> Result<(String, String)> {
    let activity = ctx.call_activity_by_name::<()>("nobody", ()).await;
    let child = ctx.call_sub_orchestrator_by_name::<()>("nobody", ()).await;
    let text = |outcome: Result<(), crate::TaskError>| outcome.unwrap_err().to_string();
    Ok((text(activity), text(child)))
}

/// Vector 53.
#[test]
fn unknown_function_fails_the_call_and_lists_the_known_ones() {
    let turn = Given::of::<calls_nobody>(()).start();
    let (activity, child): (String, String) = serde_json::from_value(output(&turn)).unwrap();
    assert!(
        activity.contains("'nobody'") && activity.contains("'work'"),
        "{activity}"
    );
    assert!(
        child.contains("'nobody'") && child.contains("'calls_nobody'"),
        "{child}"
    );
    assert!(asks(&turn).is_empty());
}

#[orchestration_trigger(crate = crate)]
async fn names_its_child(ctx: OrchestrationContext, id: String) -> Result<String> {
    let call = ctx.call_sub_orchestrator::<shows>(serde_json::Value::Null);
    match call.with_instance_id(id).await {
        Ok(()) => Ok("done".into()),
        Err(error) => Ok(error.to_string()),
    }
}

/// Vector 35.
#[test]
fn child_must_not_have_the_id_of_its_caller_or_of_the_callers_parent() {
    for id in ["me", "ME", "above", "Above", "@me", "a/b", ""] {
        let turn = Given::of::<names_its_child>(id).start();
        assert_ne!(output(&turn), json!("done"), "{id}");
        assert!(turn.actions.is_empty(), "{id}: {turn:?}");
    }
    assert_eq!(
        asks(&Given::of::<names_its_child>("mine").start()),
        ["0 child mine"]
    );
}

/// Vector 56.
#[test]
fn instance_ids_that_no_url_could_carry_are_refused() {
    use crate::client::check_instance_id;

    let longest = "x".repeat(256);
    for id in ["a", "A b", "e:0", "ümläut", "...", ".a", &longest] {
        assert_eq!(check_instance_id(id), Ok(()), "{id}");
    }
    let too_long = "x".repeat(257);
    for id in [
        "", "@a", "a/b", "a\\b", "a#b", "a?b", "a\u{1}", "a\u{9f}", ".", "..", &too_long,
    ] {
        assert!(check_instance_id(id).is_err(), "{id}");
    }
}
