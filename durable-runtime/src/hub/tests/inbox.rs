//! A message counts once, and comes, whoever is late (law 3).

use std::sync::Mutex;

use futures::future::BoxFuture;
use tokio::sync::Notify;

use super::*;
use crate::model::Timestamp;
use crate::store::{
    Change, Child, Done, Error, Ids, InstanceKey, InstanceRecord, KeyRecord, ListQuery,
    LoadedInstance, OutboxRecord, Parts, Store, TimerRecord, Wake,
};

type Answer = Box<dyn FnOnce() + Send>;

/// A journal that writes at once and, while it is held, answers later, in order.
#[derive(Clone)]
struct Held {
    inner: Arc<SqliteStore>,
    answers: Arc<Mutex<Option<Vec<Answer>>>>,
    /// A change was written while it was held.
    written: Arc<Notify>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    fn of(folder: &tempfile::TempDir) -> Self {
        Self {
            inner: Arc::new(store(folder)),
            answers: Arc::default(),
            written: Arc::default(),
        }
    }

    fn hold(&self) {
        *self.answers.lock().unwrap() = Some(Vec::new());
    }

    fn release(&self) {
        let answers = self.answers.lock().unwrap().take();
        answers.into_iter().flatten().for_each(|answer| answer());
    }
}

impl Store for Held {
    fn submit(&self, change: Change, done: Done) {
        let (answers, written) = (Arc::clone(&self.answers), Arc::clone(&self.written));
        let later: Done = Box::new(move |result| {
            let mut held = answers.lock().unwrap();
            match &mut *held {
                Some(held) => {
                    held.push(Box::new(move || done(result)));
                    written.notify_one();
                }
                None => {
                    drop(held);
                    done(result);
                }
            }
        });
        self.inner.submit(change, later);
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
        until: Timestamp,
        after: Option<(Timestamp, InstanceKey)>,
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

    fn outbox(&self, limit: usize) -> BoxFuture<'_, Result<Vec<OutboxRecord>, Error>> {
        self.inner.outbox(limit)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

#[orchestration_trigger(crate = crate)]
async fn two_events(ctx: OrchestrationContext) -> Result<(u32, u32)> {
    let first = ctx.wait_for_external_event("n").await?;
    Ok((first, ctx.wait_for_external_event("n").await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_a_load_finds_before_it_arrives_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    // Evicted after each turn, so that the next one loads.
    let hub = hub_on(Arc::new(journal.clone()), Duration::ZERO);
    let client = hub.client();
    let id: Arc<str> = client.start_new::<two_events>(()).await.unwrap().into();
    journal.hold();
    let raise = tokio::spawn(client.raise_event(&id, "n", 1));
    journal.written.notified().await;
    // Stored, not arrived; something else has the instance loaded, and its turn takes the message.
    hub.engine.poke(&id);
    journal.written.notified().await;
    journal.release();
    raise.await.unwrap().unwrap();
    client.raise_event(&id, "n", 2).await.unwrap();
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!([1, 2])));
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_arrives_though_its_sender_has_gone_away() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub_on(Arc::new(journal.clone()), PATIENCE);
    let client = hub.client();
    let id = client.start_new::<two_events>(()).await.unwrap();
    journal.hold();
    for n in [1, 2] {
        let raise = tokio::spawn(client.raise_event(&id, "n", n));
        journal.written.notified().await;
        raise.abort();
        assert!(raise.await.unwrap_err().is_cancelled());
    }
    journal.release();
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!([1, 2])));
    hub.shutdown().await;
}
