//! More instances than memory is to hold.

use durable_macros::orchestration_trigger;

use super::*;

#[orchestration_trigger(crate = crate)]
async fn waiting(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.wait_for_external_event::<u32>("go").await?)
}

/// A quarter below the limit, so that a look at all of them serves many that come; the last ones that did something stay.
#[tokio::test]
async fn those_that_did_nothing_for_the_longest_time_leave_memory() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        idle_timeout: PATIENCE,
        max_resident: 20,
        ..Settings::default()
    };
    let hub = hub_with(Arc::new(store(&folder)), settings);
    let client = hub.client();
    for n in 0..100 {
        let start = client.start_new::<waiting>(());
        start.with_instance_id(format!("i{n:02}")).await.unwrap();
    }
    hub.engine.busy.quiet().await;
    hub.engine.evict_idle(std::time::Instant::now());
    let mut left = Vec::new();
    hub.engine
        .cells
        .for_each(|cell| left.push(cell.id.to_string()));
    left.sort();
    assert!((15..=20).contains(&left.len()), "{left:?}");
    assert_eq!(left.last().map(String::as_str), Some("i99"));
    let youngest: Vec<String> = (100 - left.len()..100)
        .map(|n| format!("i{n:02}"))
        .collect();
    assert_eq!(left, youngest);

    // Who left is loaded again.
    client.raise_event("i00", "go", 7).await.unwrap();
    let end = client.wait_for_completion("i00", PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!(7)));
    hub.shutdown().await;
}
