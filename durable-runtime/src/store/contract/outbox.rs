//! What others are told: written with the turn, there until it was sent.

use std::sync::Arc;

use anyhow::ensure;
use uuid::Uuid;

use super::given::at;
use super::{given, turn};
use crate::model::{LifecycleEvent, LifecycleStep, RuntimeStatus};
use crate::store::{Change, Error, OutboxRecord, Purge, Store};

fn record<S: Store>(store: &S, instance_id: &str, step: LifecycleStep) -> OutboxRecord {
    OutboxRecord {
        id: store.ids().next(),
        instance_id: Arc::from(instance_id),
        event: LifecycleEvent {
            id: Uuid::new_v4(),
            step,
            function: Arc::from("Hello"),
            reason: "because".to_owned(),
            at: at(7),
        },
    }
}

pub(crate) async fn what_is_told_comes_with_the_turn_and_goes_when_it_was_sent<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("a").await?;
    let mut commit = given.turn(key, "a", 0);
    let started = record(store, "a", LifecycleStep::Started);
    let completed = record(store, "a", LifecycleStep::Completed);
    commit.outbox = vec![started.clone(), completed.clone()];
    given.write(turn(commit)).await?;
    let other = given.pending("b").await?;
    let mut commit = given.turn(other, "b", 0);
    let later = record(store, "b", LifecycleStep::Started);
    commit.outbox = vec![later.clone()];
    given.write(turn(commit)).await?;
    let all = [started.clone(), completed, later];
    ensure!(store.outbox(10).await? == all, "in the order of their ids");
    ensure!(store.outbox(2).await? == all[..2], "at most so many");
    let sent = given.write(Change::Sent(vec![started.id, 9_999])).await?;
    ensure!(sent.count == 1, "{sent:?}");
    ensure!(store.outbox(10).await? == all[1..], "only that one went");
    Ok(())
}

pub(crate) async fn a_refused_turn_tells_nothing<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("a").await?;
    let mut stale = given.turn(key, "a", 0);
    stale.outbox = vec![record(store, "a", LifecycleStep::Completed)];
    let refused = given.write(turn(stale)).await;
    ensure!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    ensure!(store.outbox(10).await?.is_empty());
    Ok(())
}

pub(crate) async fn what_is_told_outlives_its_instance<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("a").await?;
    let mut commit = given.turn(key, "a", 0);
    commit.status = RuntimeStatus::Completed;
    commit.outbox = vec![record(store, "a", LifecycleStep::Completed)];
    given.write(turn(commit)).await?;
    let (id, running) = ("a".to_owned(), false);
    given
        .write(Change::Purge(Purge::One { id, running }))
        .await?;
    ensure!(given.status("a").await?.is_none());
    ensure!(store.outbox(10).await?.len() == 1);
    Ok(())
}
