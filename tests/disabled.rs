//! `AzureWebJobs.<name>.Disabled` on functions that are no HTTP functions: clients are refused, lists say so, and work waits for a host
//! that has them enabled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_functions::prelude::*;
use durable_functions::{ClientError, RunningHost, reqwest};
use tokio::sync::Semaphore;

const MANAGE: &str = "runtime/webhooks/durabletask";

#[derive(Clone)]
struct Seen {
    charged: Arc<AtomicU32>,
    noted: Arc<Semaphore>,
}

#[orchestration_trigger(name = "Order")]
async fn order(ctx: OrchestrationContext) -> Result<u32> {
    let charged = ctx.call_activity::<charge>(());
    ctx.call_activity::<note>(()).await?;
    Ok(charged.await?)
}

#[orchestration_trigger(name = "Greeting")]
async fn greeting(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.wait_for_external_event::<String>("name").await?)
}

#[activity_trigger(name = "Charge")]
async fn charge(seen: State<Seen>) -> u32 {
    seen.charged.fetch_add(1, Ordering::Relaxed) + 1
}

#[activity_trigger(name = "Note")]
async fn note(seen: State<Seen>) {
    seen.noted.add_permits(1);
}

/// Counts what it is asked.
#[entity_trigger(name = "Till")]
async fn till(ctx: &mut EntityContext) -> Result<u32> {
    let count = ctx.state::<u32>()?.unwrap_or_default() + 1;
    ctx.set_state(&count)?;
    Ok(count)
}

#[orchestration_trigger(name = "Sale")]
async fn sale(ctx: OrchestrationContext) -> Result<u32> {
    let till = EntityId::of::<till>("one");
    ctx.signal_entity(&till, "sell", ());
    Ok(ctx.call_entity(&till, "sell", ()).await?)
}

async fn host(folder: &Path, seen: &Seen, disabled: &[&str]) -> RunningHost {
    let host = Host::new()
        .with_script_root(folder)
        .with_state(seen.clone())
        .with_address("127.0.0.1:0")
        .with_auth(false);
    let disabled = disabled.iter();
    let setting = |name: &&str| format!("AzureWebJobs.{name}.Disabled");
    let host = disabled.fold(host, |host, name| host.with_setting(setting(name), "1"));
    host.start().await.unwrap()
}

fn seen() -> Seen {
    Seen {
        charged: Arc::default(),
        noted: Arc::new(Semaphore::new(0)),
    }
}

#[tokio::test]
async fn clients_are_refused_and_lists_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path(), &seen(), &["order", "Charge", "Till"]).await;
    let (base, http) = (host.url().unwrap(), reqwest::Client::new());
    let post = async |path: &str| {
        let url = base.join(&format!("{MANAGE}/{path}")).unwrap();
        let answer = http.post(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = post("orchestrators/Order").await;
    assert_eq!(status, 400, "{text}");
    let expected = "The function 'Order' doesn't exist, is disabled, or is not an orchestrator function. Additional info: The following are the known orchestrator functions: 'Greeting', 'Sale'.";
    assert!(text.contains(expected), "{text}");
    let (status, text) = post("entities/till/one").await;
    assert_eq!(status, 400, "{text}");
    let expected = "The function 'till' doesn't exist, is disabled, or is not an entity function.";
    assert!(text.contains(expected), "{text}");
    let refused = host.client().start_new_by_name("order", ()).await;
    let Err(ClientError::UnknownFunction { known, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(known, ["Greeting", "Sale"]);
    for (name, disabled) in [
        ("Order", true),
        ("Charge", true),
        ("Till", true),
        ("Greeting", false),
        ("Note", false),
    ] {
        let url = base.join(&format!("admin/functions/{name}")).unwrap();
        let record: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(record["isDisabled"], json!(disabled), "{record}");
    }
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_waits_for_a_disabled_activity_goes_on_once_it_is_enabled() {
    let (folder, seen) = (tempfile::tempdir().unwrap(), seen());
    let first = host(folder.path(), &seen, &["charge"]).await;
    let id = first.client().start_new::<order>(()).await.unwrap();
    seen.noted.acquire().await.unwrap().forget();
    // What had begun would have been let finish.
    first.shutdown().await.unwrap();
    assert_eq!(seen.charged.load(Ordering::Relaxed), 0);
    assert_completes(&host(folder.path(), &seen, &[]).await, &id, json!(1)).await;
}

#[tokio::test]
async fn instances_of_a_disabled_orchestrator_wait_until_it_is_enabled() {
    let (folder, seen) = (tempfile::tempdir().unwrap(), seen());
    let first = host(folder.path(), &seen, &[]).await;
    let id = first.client().start_new::<greeting>(()).await.unwrap();
    first.shutdown().await.unwrap();
    let second = host(folder.path(), &seen, &["Greeting"]).await;
    let client = second.client();
    client.raise_event(&id, "name", "Ada").await.unwrap();
    let waits = client.pending_work(&id).await.unwrap().unwrap();
    let why = waits.unrunnable.unwrap();
    assert!(why.contains("`AzureWebJobs.Greeting.Disabled`"), "{why}");
    second.shutdown().await.unwrap();
    assert_completes(&host(folder.path(), &seen, &[]).await, &id, json!("Ada")).await;
}

#[tokio::test]
async fn what_waits_for_a_disabled_entity_is_done_once_it_is_enabled() {
    let (folder, seen) = (tempfile::tempdir().unwrap(), seen());
    let first = host(folder.path(), &seen, &["Till"]).await;
    let id = first.client().start_new::<sale>(()).await.unwrap();
    first.shutdown().await.unwrap();
    // It waits over a start as well.
    let second = host(folder.path(), &seen, &["Till"]).await;
    let client = second.client();
    let waits = client.pending_work(&id).await.unwrap().unwrap();
    assert_eq!(waits.entities, ["@till@one"]);
    let state = client.read_entity_state_by_id::<u32>(&EntityId::of::<till>("one"));
    assert_eq!(state.await.unwrap(), None);
    let refused = client.signal_entity(&EntityId::of::<till>("one"), "sell", ());
    assert!(matches!(
        refused.await,
        Err(ClientError::UnknownFunction { .. })
    ));
    second.shutdown().await.unwrap();
    let third = host(folder.path(), &seen, &[]).await;
    assert_completes(&third, &id, json!(2)).await;
}

async fn assert_completes(host: &RunningHost, id: &str, output: Value) {
    let client = host.client();
    let status = client
        .wait_for_completion(id, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(status.output, Some(output));
}
