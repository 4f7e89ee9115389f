//! A journal that a test holds up.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use tokio::sync::{Notify, RwLock};

use super::store;
use crate::model::Timestamp;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Change, Child, Done, Error, Ids, InstanceKey, InstanceRecord, KeyRecord, ListQuery,
    LoadedInstance, OutboxRecord, Parts, Store, TimerRecord, Wake,
};

type Answer = Box<dyn FnOnce() + Send>;

/// What becomes of a change while the journal is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Written,
    /// Turns are refused, and nothing else is held.
    Refused,
}

/// A journal that writes at once and, while it is held, answers later, in order.
#[derive(Clone)]
pub(super) struct Held {
    inner: Arc<SqliteStore>,
    answers: Arc<Mutex<Option<Vec<Answer>>>>,
    fate: Arc<Mutex<Fate>>,
    /// A change was written, or refused, while it was held.
    pub(super) written: Arc<Notify>,
    /// Whoever writes this holds up reads of single instances.
    pub(super) reads: Arc<RwLock<()>>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    pub(super) fn of(folder: &tempfile::TempDir) -> Self {
        Self {
            inner: Arc::new(store(folder)),
            answers: Arc::default(),
            fate: Arc::new(Mutex::new(Fate::Written)),
            written: Arc::default(),
            reads: Arc::default(),
        }
    }

    pub(super) fn hold(&self) {
        *self.answers.lock().unwrap() = Some(Vec::new());
    }

    /// The next turns are refused, once they are released.
    pub(super) fn hold_and_refuse_turns(&self) {
        *self.fate.lock().unwrap() = Fate::Refused;
        self.hold();
    }

    /// What was held is answered; what comes of that is held again.
    pub(super) fn release_and_hold(&self) {
        let answers = self.answers.lock().unwrap().replace(Vec::new());
        answers.into_iter().flatten().for_each(|answer| answer());
    }

    pub(super) fn release(&self) {
        *self.fate.lock().unwrap() = Fate::Written;
        let answers = self.answers.lock().unwrap().take();
        answers.into_iter().flatten().for_each(|answer| answer());
    }
}

impl Store for Held {
    fn submit(&self, change: Change, done: Done) {
        if *self.fate.lock().unwrap() == Fate::Refused {
            let Change::Turn(turn) = change else {
                return self.inner.submit(change, done);
            };
            let error = Error::Conflict(turn.id.to_string());
            if let Some(held) = &mut *self.answers.lock().unwrap() {
                held.push(Box::new(move || done(Err(error))));
            }
            return self.written.notify_one();
        }
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
        Box::pin(async move {
            let _free = self.reads.read().await;
            self.inner.find(id, parts).await
        })
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
