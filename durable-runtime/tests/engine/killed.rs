//! The process is gone after each commit, that of the start and of an event among them, before anything that the commit causes: what is
//! left is the same.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durable_macros::orchestration_trigger;
use durable_runtime::store::sqlite::SqliteStore;
use durable_runtime::store::{
    Change, Child, Done, Error, Ids, InstanceKey, InstanceRecord, KeyRecord, ListQuery,
    LoadedInstance, OutboxRecord, Parts, Store, TimerRecord, Wake,
};
use durable_runtime::{DurableClient, OrchestrationContext, Result};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::functions::*;
use crate::host::{Host, PATIENCE, Residency, open_on, open_store};
use crate::same::{Left, Order};

const ID: &str = "it";

/// A journal whose process dies with the first turn that is durable: nobody hears of it, and nothing more is written.
#[derive(Debug)]
pub struct Dying {
    pub inner: SqliteStore,
    pub dead: Arc<AtomicBool>,
    pub died: Arc<Notify>,
}

impl Store for Dying {
    fn submit(&self, change: Change, done: Done) {
        if self.dead.load(Ordering::SeqCst) {
            return done(Err(Error::Unavailable("killed".to_owned())));
        }
        if !matches!(change, Change::Turn(_)) {
            return self.inner.submit(change, done);
        }
        let (dead, died) = (Arc::clone(&self.dead), Arc::clone(&self.died));
        let done: Done = Box::new(move |result| {
            if result.is_ok() {
                dead.store(true, Ordering::SeqCst);
                died.notify_one();
            } else if !dead.load(Ordering::SeqCst) {
                done(result);
            }
        });
        self.inner.submit(change, done);
    }

    fn backlog(&self) -> usize {
        self.inner.backlog()
    }

    fn ids(&self) -> &Ids {
        self.inner.ids()
    }

    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LoadedInstance>, Error>> {
        self.inner.load(id)
    }

    fn find<'a>(
        &'a self,
        id: &'a str,
        parts: Parts,
    ) -> BoxFuture<'a, Result<Option<InstanceRecord>, Error>> {
        self.inner.find(id, parts)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<InstanceRecord>, Error>> {
        self.inner.list(query)
    }

    fn wakes(
        &self,
        until: durable_runtime::model::Timestamp,
        after: Option<(durable_runtime::model::Timestamp, InstanceKey)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Wake>, Error>> {
        self.inner.wakes(until, after, limit)
    }

    fn children<'a>(
        &'a self,
        key: InstanceKey,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Child>, Error>> {
        self.inner.children(key, id)
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, Error>> {
        self.inner.keys()
    }

    fn timers(&self) -> BoxFuture<'_, Result<Vec<TimerRecord>, Error>> {
        self.inner.timers()
    }

    /// It dies before it has looked: what its last commit has left there is for the next one.
    fn outbox(&self, _limit: usize) -> BoxFuture<'_, Result<Vec<OutboxRecord>, Error>> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

/// Starts it, unless it exists, and raises what was not raised yet; stops where the process dies.
async fn feed(
    client: &DurableClient,
    name: &str,
    input: &Value,
    events: &mut VecDeque<(&str, Value)>,
) -> Result<(), durable_runtime::ClientError> {
    if client.get_status(ID).await?.is_none() {
        let start = client.start_new_by_name(name, input);
        start.with_instance_id(ID).await?;
    }
    while let Some((name, data)) = events.front() {
        client.raise_event(ID, *name, data).await?;
        events.pop_front();
    }
    Ok(())
}

async fn killed(
    path: &Path,
    name: &str,
    input: &Value,
    events: &[(&'static str, Value)],
    order: Order,
) -> (Left, usize) {
    let mut events: VecDeque<_> = events.iter().cloned().collect();
    for kills in 0.. {
        let dying = Arc::new(Dying {
            inner: open_store(path),
            dead: Arc::default(),
            died: Arc::default(),
        });
        let died = Arc::clone(&dying.died);
        let (hub, client) = open_on(dying.clone(), Residency::Resident, &Arc::default(), |_| ());
        // Not to be cancelled: an event whose raise nobody answered might be durable.
        drop(feed(&client, name, input, &mut events).await);
        let over = async {
            match client.get_status(ID).await {
                Ok(Some(status)) if status.is_terminal() => (),
                // Alive until the next commit is its last.
                _ => std::future::pending().await,
            }
        };
        let ended_before = tokio::select! {
            biased;
            () = died.notified() => false,
            () = over => true,
            () = tokio::time::sleep(PATIENCE) => panic!("nothing happens after {kills} kills"),
        };
        if ended_before {
            let left = Left::by(&client, order).await;
            hub.shutdown().await;
            return (left, kills);
        }
        drop((hub, client));
        dying.close().await;
    }
    unreachable!("it ends sometime")
}

async fn same_when_killed(
    name: &str,
    input: Value,
    events: &[(&'static str, Value)],
    order: Order,
) {
    let host = Host::new(Residency::Resident);
    let mut left: VecDeque<_> = events.iter().cloned().collect();
    feed(&host.client, name, &input, &mut left).await.unwrap();
    host.end(ID).await;
    let resident = Left::by(&host.client, order).await;
    let folder = tempfile::tempdir().unwrap();
    let (killed, kills) = killed(folder.path(), name, &input, events, order).await;
    assert!(kills > 0, "{name}: it was never killed");
    killed.assert_same_as(&resident);
}

#[orchestration_trigger]
async fn mixes(ctx: OrchestrationContext, n: u64) -> Result<Vec<u64>> {
    let mut all = vec![ctx.call_activity::<square>(n).await?];
    ctx.create_timer(std::time::Duration::from_millis(5)).await;
    all.push(ctx.wait_for_external_event("go").await?);
    let unread = ctx.wait_for_external_event::<u64>("go");
    all.push(ctx.call_activity::<square>(n + 1).await?);
    drop(unread);
    all.push(ctx.wait_for_external_event("go").await?);
    ctx.set_custom_status(&all);
    let child = ctx.call_sub_orchestrator::<child>(n).await?;
    all.push(child["squared"].as_u64().unwrap_or_default());
    Ok(all)
}

/// The third mode of vector 91; what was in flight is delivered again and counts once (vector 83).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_end_the_same_when_the_process_is_gone_after_each_commit() {
    let none = &[];
    same_when_killed("hello_cities", Value::Null, none, Order::Settled).await;
    same_when_killed("empty", Value::Null, none, Order::Settled).await;
    let falsy = json!([null, 0, "", false, []]);
    same_when_killed("round_trip", falsy, none, Order::Settled).await;
    same_when_killed("retries", Value::Null, none, Order::Settled).await;
    same_when_killed("fails", Value::Null, none, Order::Settled).await;
    same_when_killed("unknown_activity", Value::Null, none, Order::Settled).await;
    same_when_killed("panics", Value::Null, none, Order::Settled).await;
    same_when_killed("generations", json!(70), none, Order::Settled).await;
    same_when_killed("approval", json!(20), none, Order::Settled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_and_joins_end_the_same_when_the_process_is_gone_after_each_commit() {
    let none = &[];
    same_when_killed("parent_of_fails", Value::Null, none, Order::Settled).await;
    same_when_killed("parent", Value::Null, none, Order::PerSender).await;
    same_when_killed("fan_out", json!(6), none, Order::PerSender).await;
    same_when_killed("unordered", json!(6), none, Order::PerSender).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_end_the_same_when_the_process_is_gone_after_each_commit() {
    let approved = [("approval", json!(true))];
    same_when_killed("approval", json!(3_600_000), &approved, Order::PerSender).await;
    let numbers: Vec<_> = (0..5).map(|n| ("add", json!(n))).collect();
    same_when_killed("sum_of_events", json!(5), &numbers, Order::PerSender).await;
    let steps = ["incr", "incr", "INCR", "decr", "incr", "end"].map(|name| (name, Value::Null));
    same_when_killed("counter", json!(0), &steps, Order::PerSender).await;
    let two = [("go", json!(7)), ("GO", json!(8))];
    same_when_killed("mixes", json!(3), &two, Order::PerSender).await;
}
