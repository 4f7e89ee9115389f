//! Values up to their limit, wherever they come from and go to.

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::hub::Settings;
use durable_runtime::{
    ClientError, EntityId, OrchestrationContext, OrchestrationStatus, Result, RuntimeStatus,
    TaskError,
};
use serde_json::{Value, json};

use crate::generations::until_input;
use crate::host::{Host, PATIENCE, Residency};
use crate::log;

const LIMIT: usize = 1024;

/// A text of that many bytes of JSON.
fn text_of(bytes: usize) -> String {
    "x".repeat(bytes - 2)
}

fn small(settings: &mut Settings) {
    settings.max_payload_bytes = LIMIT;
}

fn assert_tells(text: &str, what: &str) {
    assert!(text.contains(what), "{text}");
    assert!(
        text.contains("at most 1024 bytes of JSON (setting `extensions.durableTask.limits.payloadBytes`), found 1025; keep large data elsewhere"),
        "{text}"
    );
}

#[activity_trigger]
async fn grows(bytes: usize) -> String {
    text_of(bytes)
}

#[orchestration_trigger]
async fn asks_to_grow(ctx: OrchestrationContext, bytes: usize) -> Result<Value> {
    let retry = durable_runtime::RetryPolicy::new(5, std::time::Duration::from_secs(3600));
    let call = ctx.call_activity::<grows>(bytes).with_retry(retry);
    Ok(outcome(call.await))
}

#[orchestration_trigger]
async fn returns_much(_ctx: OrchestrationContext, bytes: usize) -> String {
    text_of(bytes)
}

#[orchestration_trigger]
async fn listens(ctx: OrchestrationContext, _input: String) -> Result<usize> {
    let text: String = ctx.wait_for_external_event("text").await?;
    Ok(text.len() + 2)
}

#[orchestration_trigger]
async fn sets_and_asks(ctx: OrchestrationContext, (key, bytes): (String, usize)) -> Result<Value> {
    let id = EntityId::new("cell", key);
    let set = outcome(ctx.call_entity::<()>(&id, "repeat", bytes).await);
    let got = outcome(ctx.call_entity::<String>(&id, "get", ()).await);
    let asked = outcome(ctx.call_entity::<String>(&id, "say", bytes).await);
    Ok(json!([set, got, asked]))
}

/// The length of what came, or the failure.
fn outcome<T: serde::Serialize>(result: std::result::Result<T, TaskError>) -> Value {
    match result {
        Ok(value) => json!(serde_json::to_string(&value).unwrap_or_default().len()),
        Err(error) => match error.failure() {
            Some(failure) => json!([
                failure.error_type,
                failure.message,
                failure.is_non_retriable
            ]),
            None => json!(error.to_string()),
        },
    }
}

async fn run(host: &Host, name: &str, input: impl serde::Serialize) -> OrchestrationStatus {
    let id = host.client.start_new_by_name(name, input).await.unwrap();
    host.end(&id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_told_of_what_is_over_the_limit() {
    let host = Host::with(Residency::Resident, small);
    let id = host
        .client
        .start_new::<listens>(text_of(LIMIT))
        .await
        .unwrap();
    let too_large = |error: ClientError, what: &str| match error {
        ClientError::InvalidArgument(text) => assert_tells(&text, what),
        other => panic!("{other:?}"),
    };
    let started = host.client.start_new::<listens>(text_of(LIMIT + 1)).await;
    too_large(started.unwrap_err(), "the input is too large");
    let raised = host
        .client
        .raise_event(&id, "text", text_of(LIMIT + 1))
        .await;
    too_large(raised.unwrap_err(), "the event's data is too large");
    let entity = EntityId::new("cell", "told");
    let signalled = host
        .client
        .signal_entity(&entity, "set", text_of(LIMIT + 1))
        .await;
    too_large(signalled.unwrap_err(), "the input is too large");
    // Nothing of all that was stored; what fits is.
    host.client
        .signal_entity(&entity, "set", text_of(LIMIT))
        .await
        .unwrap();
    host.client
        .raise_event(&id, "text", text_of(LIMIT))
        .await
        .unwrap();
    assert_eq!(host.end(&id).await.output, Some(json!(LIMIT)));
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_whose_result_is_over_the_limit_fails_once_and_says_so() {
    let host = Host::with(Residency::Resident, small);
    let end = run(&host, "asks_to_grow", LIMIT).await;
    assert_eq!(end.output, Some(json!(LIMIT)));
    let end = run(&host, "asks_to_grow", LIMIT + 1).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Completed);
    let [error_type, text, final_] = &end.output.as_ref().unwrap().as_array().unwrap()[..] else {
        panic!("{end:?}");
    };
    // No retry would make it smaller.
    assert_eq!((error_type, final_), (&json!("UsageError"), &json!(true)));
    assert_tells(
        text.as_str().unwrap(),
        "the result of the activity `grows` is too large",
    );
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_output_is_over_the_limit_fails_as_wrong_use() {
    let host = Host::with(Residency::Resident, small);
    let end = run(&host, "returns_much", LIMIT).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Completed);
    let end = run(&host, "returns_much", LIMIT + 1).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Failed);
    let failure = end.failure.unwrap();
    assert_eq!(failure.error_type, "UsageError");
    assert_tells(&failure.message, "the output is too large");
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_keeps_its_state_when_the_next_one_or_an_answer_is_over_the_limit() {
    let host = Host::with(Residency::Evicted, small);
    let end = run(&host, "sets_and_asks", ("a", LIMIT)).await;
    assert_eq!(end.output, Some(json!([4, LIMIT, LIMIT])));
    let end = run(&host, "sets_and_asks", ("a", LIMIT + 1)).await;
    let output = end.output.unwrap();
    assert_eq!(output[1], json!(LIMIT), "{output}");
    for (failed, what) in [
        (&output[0], "the state of `@cell@a` is too large"),
        (&output[2], "the result of `say` of `@cell@a` is too large"),
    ] {
        assert_eq!(failed[0], "UsageError", "{output}");
        assert_tells(failed[1].as_str().unwrap(), what);
    }
    host.hub.shutdown().await;
}

#[orchestration_trigger]
async fn takes_texts(ctx: OrchestrationContext, generations: u32) -> Result<()> {
    for _ in 0..3 {
        ctx.wait_for_external_event::<String>("text").await?;
    }
    match generations {
        0 => Ok(()),
        more => ctx.continue_as_new(more - 1),
    }
}

fn told_of(id: &str) -> Vec<String> {
    log::lines(&[id, "a large value is in the history"])
}

async fn until_told(id: &str, times: usize) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while told_of(id).len() < times {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", told_of(id));
        tokio::task::yield_now().await;
    }
}

/// Kept and read again after each turn: what has been said is not said again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_large_is_told_once_an_execution() {
    log::capture();
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = Host::with(residency, |settings| {
            settings.large_payload_bytes = 100;
        });
        let id = host.client.start_new::<takes_texts>(1_u32).await.unwrap();
        for generations in [1, 0] {
            until_input(&host, &id, generations).await;
            for n in 0..3 {
                let text = text_of(101);
                host.client.raise_event(&id, "text", text).await.unwrap();
                if n == 0 {
                    // A generation that is over in the turn in which it becomes large leaves nothing large behind.
                    until_told(&id, 2 - generations as usize).await;
                }
            }
        }
        host.end(&id).await;
        let large = told_of(&id);
        assert_eq!(large.len(), 2, "{residency:?}: {large:?}");
        assert!(large[0].contains("bytes=101"), "{large:?}");
        let small = host.client.start_new::<takes_texts>(0_u32).await.unwrap();
        for _ in 0..3 {
            host.client
                .raise_event(&small, "text", text_of(100))
                .await
                .unwrap();
        }
        host.end(&small).await;
        assert_eq!(log::lines(&[&small]), [""; 0]);
        host.hub.shutdown().await;
    }
}

#[orchestration_trigger]
async fn counts_texts(ctx: OrchestrationContext) -> Result<()> {
    for _ in 0..10 {
        ctx.wait_for_external_event::<u32>("text").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_told_once_an_execution() {
    log::capture();
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = Host::with(residency, |settings| settings.long_history_events = 10);
        let id = host.client.start_new::<counts_texts>(()).await.unwrap();
        for n in 0..10_u32 {
            host.client.raise_event(&id, "text", n).await.unwrap();
        }
        host.end(&id).await;
        let long = log::lines(&[&id, "the history of the instance is long"]);
        assert_eq!(long.len(), 1, "{residency:?}: {long:?}");
        host.hub.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_has_become_large_is_told_when_it_does() {
    log::capture();
    let host = Host::with(Residency::Evicted, |settings| {
        settings.large_payload_bytes = 100
    });
    for bytes in [100, 101, 200, 100, 300] {
        let end = run(&host, "sets_and_asks", ("grows", bytes)).await;
        assert_eq!(end.runtime_status, RuntimeStatus::Completed);
    }
    let large = log::lines(&["@cell@grows", "the state of the entity has become large"]);
    assert_eq!(large.len(), 2, "{large:?}");
    assert!(
        large[0].contains("bytes=101") && large[1].contains("bytes=300"),
        "{large:?}"
    );
    host.hub.shutdown().await;
}
