//! Versions side by side: which function takes which instance, and what becomes of one that none takes (vector 82).

use durable_runtime::RuntimeStatus;
use durable_runtime::hub::{VersionFailure, VersionMatch};
use serde_json::json;

use crate::host::{Host, Residency};
use crate::lifecycle_functions::*;
use crate::scenarios::until;

async fn greets(host: &Host, version: Option<&str>) -> serde_json::Value {
    let start = host.client.start_new_by_name("greet", ());
    let id = match version {
        Some(version) => start.with_version(version).await.unwrap(),
        None => start.await.unwrap(),
    };
    host.end(&id).await.output.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_of_exactly_the_version_comes_first() {
    let host = Host::new(Residency::Resident);
    assert_eq!(greets(&host, None).await, json!("any "));
    assert_eq!(greets(&host, Some("2.0")).await, json!("two 2.0"));
    assert_eq!(greets(&host, Some("3.0")).await, json!("any 3.0"));
    let id = host.client.start_new::<greet_2>(()).await.unwrap();
    assert_eq!(host.end(&id).await.output, Some(json!("two 2.0")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosts_version_is_that_of_what_names_none() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.default_version = Some("1.0".into());
    });
    assert_eq!(greets(&host, None).await, json!("any 1.0"));
    let id = host.client.start_new::<greets_children>(()).await.unwrap();
    let end = host.end(&id).await;
    assert_eq!(end.version, "1.0");
    assert_eq!(end.output, Some(json!(["any 1.0", "any 0.5", "two 2.0"])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_function_takes_waits_until_one_does() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.default_version = Some("1.0".into());
        settings.version_match = VersionMatch::Strict;
    });
    let start = host.client.start_new_by_name("greet", ());
    let id = start.with_version("0.5").await.unwrap();
    let ended = host.client.start_new_by_name("greet", ());
    let ended = ended.with_version("0.5").await.unwrap();
    until(&host, &id, RuntimeStatus::Pending).await;
    let pending = host.client.pending_work(&id).await.unwrap().unwrap();
    let why = pending.unrunnable.unwrap();
    assert!(why.contains("`greet`") && why.contains("`0.5`"), "{why}");
    host.client.terminate(&ended, "no use").await.unwrap();
    assert_eq!(host.end(&ended).await.output, Some(json!("no use")));
    let host = host
        .restart_with(Residency::Resident, |settings| {
            settings.default_version = Some("1.0".into());
        })
        .await;
    assert_eq!(host.end(&id).await.output, Some(json!("any 0.5")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_function_takes_can_be_halted_and_let_go_on() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.default_version = Some("1.0".into());
        settings.version_match = VersionMatch::Strict;
    });
    let mut ids = Vec::new();
    for _ in 0..2 {
        let start = host.client.start_new_by_name("greet", ());
        let id = start.with_version("0.5").await.unwrap();
        host.client.suspend(&id, "not now").await.unwrap();
        until(&host, &id, RuntimeStatus::Suspended).await;
        ids.push(id);
    }
    host.client.terminate(&ids[1], "no use").await.unwrap();
    assert_eq!(host.end(&ids[1]).await.output, Some(json!("no use")));
    host.client.resume(&ids[0], "now").await.unwrap();
    until(&host, &ids[0], RuntimeStatus::Pending).await;
    let host = host
        .restart_with(Residency::Resident, |settings| {
            settings.default_version = Some("1.0".into());
        })
        .await;
    assert_eq!(host.end(&ids[0]).await.output, Some(json!("any 0.5")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_function_takes_fails_if_the_host_says_so() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.default_version = Some("1.0".into());
        settings.version_failure = VersionFailure::Fail;
    });
    for (name, version) in [("greet", "1.1"), ("only_first", "2.0")] {
        let start = host.client.start_new_by_name(name, ());
        let id = start.with_version(version).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.runtime_status, RuntimeStatus::Failed);
        let failure = end.failure.unwrap();
        assert_eq!(failure.error_type, "VersionMismatch");
        assert!(
            failure.is_non_retriable && failure.message.contains(version),
            "{failure:?}"
        );
        assert_eq!(
            host.kinds(&id).await,
            ["ExecutionStarted", "ExecutionCompleted"]
        );
    }
    let first = host.client.start_new::<only_first>(()).await.unwrap();
    assert_eq!(host.end(&first).await.output, Some(json!("first 1.0")));
}
