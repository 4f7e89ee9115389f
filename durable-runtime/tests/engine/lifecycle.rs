//! Restart, recursive termination and purge, starts that wait.

use std::time::Duration;

use durable_runtime::{ClientError, Orchestrator, PurgeFilter, RuntimeStatus};
use serde_json::{Value, json};

use crate::functions::{approval, counter, empty};
use crate::host::{Host, Residency};
use crate::lifecycle_functions::*;
use crate::scenarios::{scenarios, until};

/// `root`, its children `root.a` and `root.b`, and below `root.a` the leaf `root.a.x`.
async fn plant(host: &Host, root: &str) {
    let leaf = |name: &str| Tree {
        name: name.into(),
        children: vec![],
    };
    let tree = Tree {
        name: root.into(),
        children: vec![
            Tree {
                name: "a".into(),
                children: vec![leaf("x")],
            },
            leaf("b"),
        ],
    };
    host.client
        .start_new::<grow>(tree)
        .with_instance_id(root)
        .await
        .unwrap();
    for id in ["root.a", "root.b", "root.a.x"] {
        appears(host, id).await;
    }
}

/// The child is there a commit after its parent asked for it.
async fn appears(host: &Host, id: &str) {
    let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
    while host.client.get_status(id).await.unwrap().is_none() {
        assert!(tokio::time::Instant::now() < deadline, "no {id}");
        tokio::task::yield_now().await;
    }
    until(host, id, RuntimeStatus::Running).await;
}

/// The end of a child reaches its parent a commit later.
async fn until_answered(host: &Host, id: &str) {
    let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
    while !host
        .kinds(id)
        .await
        .contains(&"SubOrchestrationInstanceCompleted")
    {
        assert!(tokio::time::Instant::now() < deadline, "no answer for {id}");
        tokio::task::yield_now().await;
    }
}

async fn statuses(host: &Host, ids: &[&str]) -> Vec<Option<RuntimeStatus>> {
    let mut all = Vec::new();
    for id in ids {
        let status = host.client.get_status(id).await.unwrap();
        all.push(status.map(|status| status.runtime_status));
    }
    all
}

scenarios! {
    // Vector 45.
    a_restart_keeps_name_and_input(host) {
        let id = host.client.start_new::<counter>(7).with_instance_id("old").await.unwrap();
        until(&host, &id, RuntimeStatus::Running).await;
        let running = host.client.restart(&id, false).await;
        assert!(matches!(running, Err(ClientError::AlreadyExists(_))), "{running:?}");
        let other = host.client.restart(&id, true).await.unwrap();
        assert!(other != id && other.len() == 32, "{other}");
        for id in [&other, &id] {
            host.client.raise_event(id, "end", ()).await.unwrap();
            assert_eq!(host.end(id).await.output, Some(json!(7)));
        }
        let before = host.client.get_status(&id).await.unwrap().unwrap().execution_id;
        assert_eq!(host.client.restart(&id, false).await.unwrap(), id);
        host.client.raise_event(&id, "end", ()).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!((end.name.as_str(), end.input, end.output), ("counter", Some(json!(7)), Some(json!(7))));
        assert_ne!(end.execution_id, before);
        let missing = host.client.restart("nobody", true).await;
        assert!(matches!(missing, Err(ClientError::NotFound(id)) if id == "nobody"));
    }

    // Vector 42.
    recursive_termination_reaches_grandchildren_and_leaves_what_has_ended(host) {
        plant(&host, "root").await;
        host.client.raise_event("root.b", "end", ()).await.unwrap();
        host.end("root.b").await;
        until_answered(&host, "root").await;
        host.client.terminate("root", "enough").recursive().await.unwrap();
        for id in ["root", "root.a", "root.a.x"] {
            let end = host.end(id).await;
            assert_eq!((end.runtime_status, end.output), (RuntimeStatus::Terminated, Some(json!("enough"))), "{id}");
        }
        assert_eq!(statuses(&host, &["root.b"]).await, [Some(RuntimeStatus::Completed)]);
    }

    termination_alone_leaves_children(host) {
        plant(&host, "root").await;
        host.client.terminate("root", "enough").await.unwrap();
        host.end("root").await;
        let running = Some(RuntimeStatus::Running);
        assert_eq!(statuses(&host, &["root.a", "root.a.x", "root.b"]).await, [running, running, running]);
    }

    recursive_purge_takes_the_whole_tree_but_what_runs(host) {
        plant(&host, "root").await;
        let early = host.client.purge_instance("root").recursive().await;
        assert!(matches!(early, Err(ClientError::InvalidState { .. })), "{early:?}");
        host.client.terminate("root", "").await.unwrap();
        host.end("root").await;
        host.client.terminate("root.b", "").await.unwrap();
        host.end("root.b").await;
        assert_eq!(host.client.purge_instance("root").recursive().await.unwrap(), 2);
        assert_eq!(statuses(&host, &["root", "root.b", "root.a"]).await, [None, None, Some(RuntimeStatus::Running)]);
        host.client.terminate("root.a", "").recursive().await.unwrap();
        for id in ["root.a", "root.a.x"] {
            host.end(id).await;
        }
        assert_eq!(host.client.purge_instance("root.a").recursive().await.unwrap(), 2);
        assert_eq!(host.client.purge_instance("root.a").recursive().await.unwrap(), 0);
    }

    purge_by_filter_counts_exactly(host) {
        let live = host.client.start_new::<approval>(3_600_000u64).await.unwrap();
        for n in 0..7 {
            let id = format!("done-{n}");
            host.client.start_new::<empty>(()).with_instance_id(&id).await.unwrap();
            host.end(&id).await;
        }
        host.client.start_new::<counter>(0).with_instance_id("stopped").await.unwrap();
        host.client.terminate("stopped", "").await.unwrap();
        host.end("stopped").await;
        let cut = host.client.get_status("done-3").await.unwrap().unwrap().created_time;
        let purge = |filter| host.client.purge_instances(filter);
        assert_eq!(purge(PurgeFilter::new().with_status([RuntimeStatus::Running])).await.unwrap(), 0);
        assert_eq!(purge(PurgeFilter::new().with_status([RuntimeStatus::Terminated])).await.unwrap(), 1);
        assert_eq!(purge(PurgeFilter::new().created_to(cut)).await.unwrap(), 4);
        assert_eq!(purge(PurgeFilter::new().created_from(cut)).await.unwrap(), 3);
        assert_eq!(purge(PurgeFilter::new()).await.unwrap(), 0);
        assert_eq!(statuses(&host, &[&live]).await, [Some(RuntimeStatus::Running)]);
    }

    an_instance_tells_what_it_waits_for(host) {
        let key = fresh("waits-for");
        fail_next(&key, u32::MAX);
        host.client.start_new::<waits_for_much>(()).with_instance_id(&key).await.unwrap();
        appears(&host, &format!("{key}-child")).await;
        let begun = async {
            loop {
                let pending = host.client.pending_work(&key).await.unwrap().unwrap();
                // It was asked for in the same commit as the child, and begins a little later.
                if pending.activities.iter().all(|activity| activity.queued_for.is_none()) {
                    break pending;
                }
                tokio::task::yield_now().await;
            }
        };
        let pending = tokio::time::timeout(crate::host::PATIENCE, begun).await.unwrap();
        let activities: Vec<_> = pending.activities.iter().map(|a| (&*a.name, a.attempt, a.delivery)).collect();
        // Each process after the first delivers it again.
        let delivery = if host.is_one_process() { 1 } else { activities[0].2 };
        assert_eq!(activities, [("lingers", 1, delivery)]);
        assert_eq!((pending.children, pending.events), (vec![format!("{key}-child")], vec!["approval".to_owned()]));
        assert!(pending.next_timer.is_some() && !pending.suspended && pending.unrunnable.is_none());
        host.client.suspend(&key, "").await.unwrap();
        until(&host, &key, RuntimeStatus::Suspended).await;
        assert!(host.client.pending_work(&key).await.unwrap().unwrap().suspended);
        host.client.terminate(&key, "").await.unwrap();
        host.end(&key).await;
        assert_eq!(host.client.pending_work(&key).await.unwrap().unwrap(), Default::default());
        assert!(host.client.pending_work("nobody").await.unwrap().is_none());
    }

    what_follows_a_start_finds_it(host) {
        let id = host.client.start_new::<counter>(0).await.unwrap();
        assert!(host.client.get_status(&id).await.unwrap().is_some());
        host.client.raise_event(&id, "end", ()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(0)));
        let id = host.client.start_new::<counter>(0).await.unwrap();
        host.client.terminate(&id, "at once").await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("at once")));
    }

    a_start_that_waits_is_ended_and_purged_without_ever_running(host) {
        let id = fresh("waits");
        let due = chrono::Utc::now() + Duration::from_secs(3600);
        host.client.start_new::<fails_at_once>(()).with_instance_id(&id).scheduled_at(due).await.unwrap();
        host.client.raise_event(&id, "early", Value::Null).await.unwrap();
        assert_eq!(statuses(&host, &[&id]).await, [Some(RuntimeStatus::Pending)]);
        host.client.terminate(&id, "not needed").await.unwrap();
        let end = host.end(&id).await;
        assert_eq!((end.runtime_status, end.output), (RuntimeStatus::Terminated, Some(json!("not needed"))));
        assert_eq!(runs(&id), 0);
        assert_eq!(host.client.purge_instance(&id).await.unwrap(), 1);
    }

    an_event_for_a_start_that_waits_is_kept_until_it_is_due(host; PerSender: the last generation may begin with its event or wait for it) {
        let due = chrono::Utc::now() + Duration::from_millis(300);
        let id = host.client.start_new::<counter>(0).scheduled_at(due).await.unwrap();
        for name in ["incr", "end"] {
            host.client.raise_event(&id, name, Value::Null).await.unwrap();
        }
        assert_eq!(host.end(&id).await.output, Some(json!(1)));
        assert!(chrono::Utc::now() >= due);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_waits_is_kept_over_a_restart_with_its_events() {
    let host = Host::new(Residency::Resident);
    let due = chrono::Utc::now() + Duration::from_millis(500);
    let id = host
        .client
        .start_new::<counter>(0)
        .scheduled_at(due)
        .await
        .unwrap();
    host.client
        .raise_event(&id, "end", Value::Null)
        .await
        .unwrap();
    let host = host.restart(Residency::Resident).await;
    assert_eq!(host.end(&id).await.output, Some(json!(0)));
    assert!(chrono::Utc::now() >= due);
}

/// Six times the host stops while the activity lingers; the seventh run ends. The orchestrator gives the delivery that it was told.
async fn delivery_after_six_stops<O>() -> Option<Value>
where
    O: Orchestrator<Input = ()>,
{
    let soon = |settings: &mut durable_runtime::hub::Settings| {
        settings.grace_period = Duration::from_millis(1);
        settings.max_deliveries = 3;
    };
    let mut host = Host::with(Residency::Resident, soon);
    let id = fresh("lingers");
    fail_next(&id, 6);
    let start = host.client.start_new::<O>(());
    start.with_instance_id(&id).await.unwrap();
    for run in 1..=6 {
        let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
        while runs(&id) < run {
            assert!(
                tokio::time::Instant::now() < deadline,
                "run {run} never came"
            );
            tokio::task::yield_now().await;
        }
        host = host.restart_with(Residency::Resident, soon).await;
    }
    host.end(&id).await.output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stopping_host_interrupts_is_not_counted_against_it() {
    let delivery = delivery_after_six_stops::<calls_lingering>().await;
    assert_eq!(delivery, Some(json!(2)));
}

/// It polls its token instead of waiting for it, so it ends before anyone else sees that it was told to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stops_within_one_poll_is_not_counted_against_it_either() {
    let delivery = delivery_after_six_stops::<calls_lingering_in_one_poll>().await;
    assert_eq!(delivery, Some(json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_instances_go_when_their_time_is_over() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.retention.completed = Some(Duration::from_millis(1));
    });
    host.client
        .start_new::<counter>(0)
        .with_instance_id("stopped")
        .await
        .unwrap();
    host.client.terminate("stopped", "").await.unwrap();
    host.end("stopped").await;
    let live = host.client.start_new::<counter>(0).await.unwrap();
    host.client
        .start_new::<empty>(())
        .with_instance_id("done")
        .await
        .unwrap();
    let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
    while host.client.get_status("done").await.unwrap().is_some() {
        assert!(tokio::time::Instant::now() < deadline, "it is never purged");
        tokio::task::yield_now().await;
    }
    let (running, terminated) = (RuntimeStatus::Running, RuntimeStatus::Terminated);
    assert_eq!(
        statuses(&host, &[&live, "stopped"]).await,
        [Some(running), Some(terminated)]
    );
}
