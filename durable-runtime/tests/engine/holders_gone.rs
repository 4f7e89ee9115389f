//! Holders of locks that are removed before their end: what they held is let go with them (spec 3.5).

use std::time::Duration;

use chrono::Utc;
use durable_macros::orchestration_trigger;
use durable_runtime::{EntityId, OrchestrationContext, Result, RuntimeStatus};
use serde_json::{Value, json};

use crate::entities::{holds, id, locked_increment};
use crate::functions::empty;
use crate::host::{Host, Residency};

/// Calls a child that holds a lock, and holds one itself.
#[orchestration_trigger]
async fn parent_of_a_holder(
    ctx: OrchestrationContext,
    (own, childs): (String, String),
) -> Result<()> {
    let child = ctx.call_sub_orchestrator::<holds>(childs);
    let _lock = ctx.lock_entities([id(&own)]).await?;
    ctx.set_custom_status("held");
    child.await?;
    Ok(())
}

#[orchestration_trigger]
async fn locks_two(ctx: OrchestrationContext, (one, two): (String, String)) -> Result<()> {
    let _lock = ctx.lock_entities([id(&one), id(&two)]).await?;
    ctx.set_custom_status("held");
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(())
}

#[orchestration_trigger]
async fn starts_twice(ctx: OrchestrationContext, rounds: u32) -> Result<()> {
    for round in 0..rounds {
        for _ in 0..2 {
            let start = ctx.start_orchestration::<retold>(60_u32);
            let _ = start.with_instance_id(format!("{} {round}", ctx.instance_id()));
            ctx.create_timer(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

/// Has a turn under way most of the time.
#[orchestration_trigger]
async fn retold(ctx: OrchestrationContext, times: u32) -> Result<u32> {
    for _ in 0..times {
        ctx.call_activity::<crate::functions::say_hello>("you".to_owned())
            .await?;
    }
    Ok(times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_replaces_an_instance_with_a_turn_under_way_runs() {
    let host = host(Residency::Resident);
    let (starters, rounds) = (20, 30);
    let mut ids = Vec::new();
    for _ in 0..starters {
        let starter = host.client.start_new::<starts_twice>(rounds);
        ids.push(starter.await.unwrap());
    }
    for id in ids {
        host.end(&id).await;
        for round in 0..rounds {
            let end = host.end(&format!("{id} {round}")).await;
            assert_eq!(end.output, Some(json!(60)));
        }
    }
    host.hub.shutdown().await;
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Purge,
    RecursivePurge,
    Start,
    ScheduledStart,
    StartOfAnEntity,
}

const WAYS: [Way; 5] = [
    Way::Purge,
    Way::RecursivePurge,
    Way::Start,
    Way::ScheduledStart,
    Way::StartOfAnEntity,
];

fn host(residency: Residency) -> Host {
    Host::with(residency, |settings| {
        settings.purge_running = true;
        settings.overridable_any_state = true;
    })
}

impl Host {
    /// The running instance is gone, and what took its place has ended.
    async fn remove(&self, holder: &str, way: Way) {
        let client = &self.client;
        match way {
            Way::Purge => assert_eq!(client.purge_instance(holder).await.unwrap(), 1),
            Way::RecursivePurge => {
                assert_eq!(client.purge_instance(holder).recursive().await.unwrap(), 1);
            }
            Way::Start => {
                client
                    .start_new::<empty>(())
                    .with_instance_id(holder)
                    .await
                    .unwrap();
            }
            Way::ScheduledStart => {
                let soon = Utc::now() + Duration::from_millis(50);
                let start = client.start_new::<empty>(()).with_instance_id(holder);
                start.scheduled_at(soon).await.unwrap();
            }
            Way::StartOfAnEntity => {
                client
                    .signal_entity(&id("starter"), "start", holder)
                    .await
                    .unwrap();
                loop {
                    let now = client.get_status(holder).await.unwrap().unwrap();
                    if now.name == "hello_cities" {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
        match way {
            Way::Purge | Way::RecursivePurge => {
                assert!(client.get_status(holder).await.unwrap().is_none());
            }
            Way::Start | Way::ScheduledStart | Way::StartOfAnEntity => {
                assert_eq!(
                    self.end(holder).await.runtime_status,
                    RuntimeStatus::Completed
                );
            }
        }
    }

    /// What somebody counts who locks that entity now.
    async fn locks_and_counts(&self, key: &str) -> Option<Value> {
        let next = self.client.start_new::<locked_increment>(key);
        self.end(&next.await.unwrap()).await.output
    }

    async fn holder_of(&self, entity: &EntityId) -> Option<String> {
        let status = self.client.get_status(entity.to_string()).await.unwrap()?;
        let holder = status.custom_status?["lockedBy"].as_str()?.to_owned();
        Some(holder)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn section_ends_when_its_holder_is_purged_or_replaced() {
    for (residency, way) in each() {
        let host = host(residency);
        let two = ("s1".to_owned(), "s2".to_owned());
        let holder = host.client.start_new::<locks_two>(two).await.unwrap();
        host.wait_for_custom_status(&holder).await;
        let next = ["s1", "s2"].map(|key| host.client.start_new::<locked_increment>(key));
        let next = futures::future::try_join_all(next).await.unwrap();
        host.remove(&holder, way).await;
        for instance in &next {
            let end = host.end(instance).await;
            assert_eq!(end.output, Some(json!(1)), "{residency:?} {way:?}");
        }
        host.hub.shutdown().await;
    }
}

/// It holds the first lock, and stands in line for the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_for_locks_is_taken_back_when_who_asked_is_purged_or_replaced() {
    for (residency, way) in each() {
        let host = host(residency);
        let holder = host.client.start_new::<holds>("s2").await.unwrap();
        host.wait_for_custom_status(&holder).await;
        let two = ("s1".to_owned(), "s2".to_owned());
        let waits = host.client.start_new::<locks_two>(two).await.unwrap();
        while host.holder_of(&id("s1")).await.as_ref() != Some(&waits) {
            tokio::task::yield_now().await;
        }
        host.remove(&waits, way).await;
        assert_eq!(
            host.locks_and_counts("s1").await,
            Some(json!(1)),
            "{residency:?} {way:?}"
        );
        assert_eq!(host.holder_of(&id("s2")).await, Some(holder.clone()));
        host.client.raise_event(&holder, "go", ()).await.unwrap();
        assert_eq!(
            host.locks_and_counts("s2").await,
            Some(json!(1)),
            "{residency:?} {way:?}"
        );
        host.hub.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_of_children_are_let_go_when_all_of_them_are_purged() {
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = host(residency);
        let keys = ("of the parent".to_owned(), "of the child".to_owned());
        let parent = host
            .client
            .start_new::<parent_of_a_holder>(keys)
            .await
            .unwrap();
        host.wait_for_custom_status(&parent).await;
        while host.holder_of(&id("of the child")).await.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            host.client
                .purge_instance(&parent)
                .recursive()
                .await
                .unwrap(),
            2
        );
        for key in ["of the parent", "of the child"] {
            assert_eq!(
                host.locks_and_counts(key).await,
                Some(json!(1)),
                "{residency:?} {key}"
            );
        }
        host.hub.shutdown().await;
    }
}

/// The removal itself is all that is on disk when the host goes: nobody lets go afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_that_were_let_go_by_a_purge_are_free_after_a_restart() {
    let host = host(Residency::Resident);
    let holder = host.client.start_new::<holds>("kept").await.unwrap();
    host.wait_for_custom_status(&holder).await;
    let host = host
        .restart_with(Residency::Evicted, |settings| {
            settings.purge_running = true;
            settings.paused = true;
        })
        .await;
    assert_eq!(host.client.purge_instance(&holder).await.unwrap(), 1);
    assert_eq!(host.holder_of(&id("kept")).await, Some(holder));
    let host = host.restart(Residency::Evicted).await;
    assert_eq!(host.locks_and_counts("kept").await, Some(json!(1)));
    host.hub.shutdown().await;
}

fn each() -> impl Iterator<Item = (Residency, Way)> {
    [Residency::Resident, Residency::Evicted]
        .into_iter()
        .flat_map(|residency| WAYS.map(|way| (residency, way)))
}
