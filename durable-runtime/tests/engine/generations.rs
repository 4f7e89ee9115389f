//! Continue-as-new without end.

use durable_macros::orchestration_trigger;
use durable_runtime::{ContinueOptions, OrchestrationContext, Result, RuntimeStatus};
use serde_json::{Value, json};

use crate::entities::id;
use crate::functions::{approval, generations, hello_cities};
use crate::host::{Host, Residency};
use crate::scenarios::scenarios;

#[orchestration_trigger]
async fn twice(ctx: OrchestrationContext, generation: u32) -> Result<String> {
    ctx.wait_for_external_event::<Value>("next").await?;
    if generation == 2 {
        return Ok("ok".into());
    }
    ctx.continue_as_new(generation + 1)
}

#[orchestration_trigger]
async fn shows_once(ctx: OrchestrationContext, generation: u32) -> Result<()> {
    match generation {
        0 => ctx.set_custom_status("first"),
        2 => ctx.set_custom_status(&Value::Null),
        _ => {}
    }
    ctx.wait_for_external_event::<Value>("next").await?;
    if generation == 3 {
        return Ok(());
    }
    ctx.continue_as_new(generation + 1)
}

#[orchestration_trigger]
async fn discards(ctx: OrchestrationContext, first: Option<u32>) -> Result<Value> {
    let event = ctx.wait_for_external_event::<u32>("my_event").await?;
    match first {
        None => ctx.continue_as_new_with(Some(event), ContinueOptions::new().discard_events()),
        Some(first) => Ok(json!([first, event])),
    }
}

#[orchestration_trigger]
async fn keeps(ctx: OrchestrationContext, first: Option<u32>) -> Result<Value> {
    let event = ctx.wait_for_external_event::<u32>("my_event").await?;
    match first {
        None => ctx.continue_as_new(Some(event)),
        Some(first) => Ok(json!([first, event])),
    }
}

/// Sends a signal, an event and a start, each in the turn that ends its generation.
#[orchestration_trigger]
async fn parts(ctx: OrchestrationContext, generation: u32) -> Result<String> {
    if generation == 1 {
        return Ok("ok".into());
    }
    ctx.signal_entity(&id("parting"), "add", 1);
    ctx.send_event("hears", "approval", true);
    ctx.start_orchestration::<hello_cities>(())
        .with_instance_id("starts");
    ctx.continue_as_new(1u32)
}

scenarios! {
    // Vector 30.
    what_the_last_turn_of_a_generation_sends_arrives_once(host) {
        host.client.start_new::<approval>(3_600_000u64).with_instance_id("hears").await.unwrap();
        let parts = host.client.start_new::<parts>(0u32).await.unwrap();
        assert_eq!(host.end(&parts).await.output, Some(json!("ok")));
        assert_eq!(host.end("hears").await.output, Some(json!("approved")));
        assert_eq!(host.end("starts").await.runtime_status, RuntimeStatus::Completed);
        let told = async || host.client.read_entity_state_by_id::<Value>(&id("parting")).await.unwrap();
        while told().await.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(told().await, Some(json!(1)));
    }

    // Vector 29: all three come in one batch, so that two are neither read nor buffered when the first is.
    unread_events_reach_the_next_generation_or_are_discarded(host) {
        let ids = [
            host.client.start_new::<keeps>(None::<u32>).await.unwrap(),
            host.client.start_new::<discards>(None::<u32>).await.unwrap(),
        ];
        for id in &ids {
            host.client.suspend(id, "").await.unwrap();
            crate::scenarios::until(&host, id, RuntimeStatus::Suspended).await;
            for n in [42, 43, 44] {
                host.client.raise_event(id, "my_event", n).await.unwrap();
            }
            host.client.resume(id, "").await.unwrap();
        }
        assert_eq!(host.end(&ids[0]).await.output, Some(json!([42, 43])));
        until_input(&host, &ids[1], 42).await;
        host.client.raise_event(&ids[1], "my_event", 45).await.unwrap();
        assert_eq!(host.end(&ids[1]).await.output, Some(json!([42, 45])));
    }

    // Vector 32, second half.
    instance_continues_twice_while_it_is_in_memory(host; PerSender: a generation may begin with its event or wait for it) {
        let id = host.client.start_new::<twice>(0u32).await.unwrap();
        for _ in 0..3 {
            host.client.raise_event(&id, "next", ()).await.unwrap();
        }
        assert_eq!(host.end(&id).await.output, Some(json!("ok")));
    }

    // Vector 52: kept over a generation that says nothing, and cleared by `null`.
    custom_status_outlives_its_generation_until_it_is_cleared(host; PerSender: the last generation may begin with its event or wait for it) {
        let id = host.client.start_new::<shows_once>(0u32).await.unwrap();
        let shown = async || host.client.get_status(&id).await.unwrap().unwrap();
        crate::events::until_status(&host, &id, &json!("first")).await;
        host.client.raise_event(&id, "next", ()).await.unwrap();
        until_input(&host, &id, 1).await;
        assert_eq!(shown().await.custom_status, Some(json!("first")));
        host.client.raise_event(&id, "next", ()).await.unwrap();
        until_input(&host, &id, 2).await;
        assert_eq!(shown().await.custom_status, None);
        host.client.raise_event(&id, "next", ()).await.unwrap();
        host.client.raise_event(&id, "next", ()).await.unwrap();
        assert_eq!(host.end(&id).await.custom_status, None);
    }
}

/// The status comes with a commit; waits by asking again, since no signal tells of it.
pub(crate) async fn until_input(host: &Host, id: &str, input: u32) {
    let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
    while host.client.get_status(id).await.unwrap().unwrap().input != Some(json!(input)) {
        assert!(tokio::time::Instant::now() < deadline, "never {input}");
        tokio::task::yield_now().await;
    }
}

/// Vector 33: `GENERATIONS=1000000` for the whole of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_file_stay_small_over_many_generations() {
    let count = std::env::var("GENERATIONS").ok();
    let count: u32 = count.map_or(10_000, |text| text.parse().unwrap());
    let host = Host::new(Residency::Resident);
    let id = host.client.start_new::<generations>(count).await.unwrap();
    let end = host
        .client
        .wait_for_completion(&id, std::time::Duration::from_secs(3600))
        .await;
    assert_eq!(end.unwrap().output, Some(json!("done")));
    assert_eq!(
        host.kinds(&id).await,
        ["ExecutionStarted", "ExecutionCompleted"]
    );
    // Every commit is in the log until a checkpoint; the log is cut at its limit.
    let size = host.file_size();
    assert!(size < 100 << 20, "{size} bytes after {count} generations");
}
