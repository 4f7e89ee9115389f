//! What earlier versions wrote: their hubs open, their instances go on, their histories replay. Every version adds a folder below
//! `tests/recorded` (`RECORD=1 cargo test --test recorded`) and none is ever changed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::hub::{Hub, Options, Settings};
use durable_runtime::store::sqlite::{Options as SqliteOptions, SqliteStore, backup};
use durable_runtime::testing::{History, replay};
use durable_runtime::{
    DurableClient, Error, OrchestrationContext, Registry, Result, RetryPolicy, RuntimeStatus,
    States, TaskError,
};

const PATIENCE: Duration = Duration::from_secs(60);

#[activity_trigger]
async fn double(n: u64) -> Result<u64> {
    if n == 13 {
        return Err(Error::msg("unlucky").with_type("Unlucky"));
    }
    Ok(2 * n)
}

#[orchestration_trigger]
async fn child(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    Ok(ctx.call_activity::<double>(n).await?)
}

/// Everything that a history can record.
#[orchestration_trigger]
async fn everything(ctx: OrchestrationContext, n: u64) -> Result<Vec<u64>> {
    let mut results = vec![ctx.call_activity::<double>(n).await?];
    results.extend(
        ctx.when_all((0..3).map(|n| ctx.call_activity::<double>(n)))
            .await?,
    );
    let retried = ctx.call_activity::<double>(13_u64);
    let retried = retried
        .with_retry(RetryPolicy::new(2, Duration::from_millis(1)))
        .await;
    results.push(u64::from(retried.is_err_and(|e| e.is_caused_by("Unlucky"))));
    ctx.create_timer(Duration::from_millis(1)).await;
    results.push(ctx.call_sub_orchestrator::<child>(n).await?);
    let started = ctx.start_orchestration::<child>(n);
    ctx.send_event(started.id(), "nobody_waits", ctx.new_guid());
    let mut never = ctx.wait_for_external_event::<u64>("never");
    results.push(tokio::select! {
        _ = &mut never => 0,
        () = ctx.create_timer(Duration::from_millis(1)) => 1,
    });
    let late = ctx.wait_for_external_event::<u64>("late");
    results.push(match late.with_timeout(Duration::from_millis(1)).await {
        Err(TaskError::Timeout) => 2,
        other => other?,
    });
    ctx.set_custom_status("waiting");
    results.push(ctx.wait_for_external_event("go").await?);
    Ok(results)
}

#[orchestration_trigger]
async fn renewed(ctx: OrchestrationContext, left: u64) -> Result<u64> {
    let _ = ctx.call_activity::<double>(left).await?;
    match left {
        0 => Ok(0),
        _ => ctx.continue_as_new(left - 1),
    }
}

#[orchestration_trigger]
async fn unhandled(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.call_activity::<double>(13_u64).await?)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

fn open(path: &Path) -> (Hub, DurableClient) {
    let client = DurableClient::unbound();
    let options = Options {
        registry: Registry::collect().unwrap(),
        states: Arc::new(States::default()),
        store: Arc::new(SqliteStore::open(SqliteOptions::new(path)).unwrap()),
        settings: Settings::default(),
    };
    (Hub::start(options, &client).unwrap(), client)
}

/// Writes the folder of this version: a hub with an instance that waits, and the histories of all.
async fn record(to: &Path) {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("hub.db");
    let (hub, client) = open(&path);
    client
        .start_new::<everything>(5_u64)
        .with_instance_id("everything")
        .await
        .unwrap();
    client
        .start_new::<everything>(6_u64)
        .with_instance_id("done")
        .await
        .unwrap();
    client.raise_event("done", "go", 7).await.unwrap();
    client
        .start_new::<renewed>(3_u64)
        .with_instance_id("renewed")
        .await
        .unwrap();
    client
        .start_new::<unhandled>(())
        .with_instance_id("unhandled")
        .await
        .unwrap();
    for id in ["done", "renewed", "unhandled"] {
        client.wait_for_completion(id, PATIENCE).await.unwrap();
    }
    loop {
        let status = client.get_status("everything").await.unwrap().unwrap();
        if status.custom_status.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    fs::create_dir_all(to).unwrap();
    backup(&path, &to.join("hub.db")).unwrap();
    for id in ["everything", "done", "renewed", "unhandled"] {
        let turns = client.events(id).await.unwrap().unwrap();
        let text = History::to_json(id, &turns).unwrap();
        fs::write(to.join(format!("{id}.json")), text + "\n").unwrap();
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn hubs_of_every_version_open_and_their_instances_go_on() {
    let own = folder().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("RECORD").is_some() && !own.exists() {
        record(&own).await;
    }
    let versions: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!versions.is_empty());
    for version in versions {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("hub.db");
        fs::copy(version.join("hub.db"), &path).unwrap();
        let (hub, client) = open(&path);
        client.raise_event("everything", "go", 7).await.unwrap();
        let status = client
            .wait_for_completion("everything", PATIENCE)
            .await
            .unwrap();
        let expected: Vec<u64> = vec![10, 0, 2, 4, 1, 10, 1, 2, 7];
        assert_eq!(
            status.output_as::<Vec<u64>>().unwrap(),
            expected,
            "{version:?}"
        );
        for (id, expected) in [
            ("done", RuntimeStatus::Completed),
            ("renewed", RuntimeStatus::Completed),
            ("unhandled", RuntimeStatus::Failed),
        ] {
            let status = client.get_status(id).await.unwrap().unwrap();
            assert_eq!(status.runtime_status, expected, "{version:?} {id}");
        }
        let again = client.start_new::<child>(4_u64).await.unwrap();
        let status = client.wait_for_completion(&again, PATIENCE).await.unwrap();
        assert_eq!(status.output_as::<u64>().unwrap(), 8, "{version:?}");
        hub.shutdown().await;
    }
}

#[test]
fn histories_of_every_version_replay() {
    for version in fs::read_dir(folder()).unwrap() {
        let version = version.unwrap().path();
        let read = |id: &str| {
            let text = fs::read_to_string(version.join(format!("{id}.json"))).unwrap();
            History::from_json(&text).unwrap()
        };
        replay::<everything>(&read("everything")).unwrap();
        replay::<everything>(&read("done")).unwrap();
        replay::<renewed>(&read("renewed")).unwrap();
        replay::<unhandled>(&read("unhandled")).unwrap();
        assert!(replay::<renewed>(&read("done")).is_err(), "{version:?}");
    }
}
