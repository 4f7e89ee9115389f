//! What user code may ask for at most, and of whom.

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::work;
use crate::durable_http::DurableHttpRequest;
use crate::model::{Payload, TaskError};
use crate::replay::End;
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
    assert_eq!(given.start().asked().len(), 7);
    assert_eq!(output(&given.turn((0..7).map(|id| done(id, 1)))), json!(7));
    let failure = failure(&Given::limited::<asks_for>(8, limits).start());
    assert!(
        failure
            .message
            .contains("Maximum amount of orchestration actions (7)"),
        "{failure:?}"
    );
}

/// All that an orchestrator hands over may have 100 bytes.
fn small() -> Limits {
    Limits {
        payload_bytes: 100,
        ..Limits::default()
    }
}

/// A text of that many bytes of JSON.
fn text_of(bytes: usize) -> String {
    "x".repeat(bytes - 2)
}

const TOO_MUCH: &str = "at most 100 bytes of JSON (setting `extensions.durableTask.limits.payloadBytes`), \
    found 101; keep large data elsewhere and hand over where it is";

#[orchestration_trigger(crate = crate)]
async fn hands_over(ctx: OrchestrationContext, bytes: usize) -> Result<Vec<String>> {
    let text = text_of(bytes);
    let activity = ctx.call_activity_by_name::<()>("work", &text);
    let child = ctx.call_sub_orchestrator_by_name::<()>("hands_over", &text);
    let request = DurableHttpRequest::new("PUT", "http://h/").with_text("");
    let left = bytes - Payload::of(&request)?.as_str().len();
    let http = ctx.call_http(request.with_text("x".repeat(left)));
    let failed = |error: TaskError| {
        let failure = error.failure().cloned().unwrap();
        assert!(failure.is_non_retriable, "{failure:?}");
        format!("{}: {}", failure.error_type, failure.message)
    };
    Ok(vec![
        failed(activity.await.unwrap_err()),
        failed(child.await.unwrap_err()),
        failed(http.await.map(drop).unwrap_err()),
    ])
}

#[test]
fn input_over_its_limit_fails_the_call_which_is_not_made() {
    let limits = Limits {
        payload_bytes: 900,
        ..Limits::default()
    };
    let turn = Given::limited::<hands_over>(900, limits.clone()).start();
    assert_eq!(asks(&turn).len(), 3, "{turn:?}");
    let turn = Given::limited::<hands_over>(901, limits).start();
    let texts: Vec<String> = serde_json::from_value(output(&turn)).unwrap();
    for text in texts {
        assert!(text.starts_with("UsageError: the "), "{text}");
        assert!(
            text.contains("at most 900 bytes of JSON") && text.contains("found 901"),
            "{text}"
        );
    }
    assert!(turn.asked().len() == 0);
}

#[orchestration_trigger(crate = crate)]
async fn lets_go(ctx: OrchestrationContext, (way, bytes): (String, usize)) -> Result<String> {
    let text = text_of(bytes);
    match &*way {
        "output" => return Ok(text),
        "next input" => return ctx.continue_as_new(text),
        "data of the event" => ctx.send_event("other", "name", text),
        "custom status" => ctx.set_custom_status(&text),
        _ => drop(ctx.start_orchestration_by_name("lets_go", text)),
    }
    Ok(String::new())
}

#[test]
fn what_is_let_go_over_its_limit_fails_the_instance_as_wrong_use() {
    for way in [
        "output",
        "next input",
        "data of the event",
        "custom status",
        "input",
    ] {
        let turn = Given::limited::<lets_go>((way, 100), small()).start();
        assert!(!matches!(turn.end, Some(End::Failed(_))), "{way}: {turn:?}");
        let failure = failure(&Given::limited::<lets_go>((way, 101), small()).start());
        assert_eq!(failure.error_type, "UsageError", "{way}");
        let expected = format!("the {way} is too large: expected {TOO_MUCH}");
        assert_eq!(failure.message, expected);
        assert!(failure.is_non_retriable, "{way}");
    }
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
        assert!(turn.asked().len() == 0, "{id}: {turn:?}");
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
