//! Timers that are due while this process runs: one task sleeps to the next of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::Engine;
use super::cell::Inbound;
use crate::model::{HistoryEvent, Timestamp};

/// One timer of one execution, or (without a task) a look at the whole instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) instance_id: Arc<str>,
    /// Execution and task id.
    pub(crate) task: Option<(Arc<str>, i64)>,
}

/// What is due next.
#[derive(Default)]
pub(crate) struct Timers {
    due: Mutex<BTreeSet<Entry>>,
    earlier: Notify,
}

impl Timers {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Entry>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All at once: of several that are overdue none is fired before another that was due earlier.
    pub(crate) fn arm(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut due = self.lock();
        let before = due.first().map(|first| first.at);
        due.extend(entries);
        let now = due.first().map(|first| first.at);
        drop(due);
        if now != before {
            self.earlier.notify_one();
        }
    }

    pub(crate) fn disarm(&self, entry: &Entry) {
        self.lock().remove(entry);
    }

    fn take_due(&self, now: Timestamp) -> Vec<Entry> {
        let mut due = self.lock();
        let mut taken = Vec::new();
        while due.first().is_some_and(|first| first.at <= now) {
            taken.extend(due.pop_first());
        }
        taken
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.lock().first().map(|entry| entry.at)
    }
}

impl Engine {
    /// Fires what is due now.
    pub(super) fn fire_due(&self) {
        // Taken out and not yet delivered, a timer is under way.
        let _work = self.busy.begin();
        for entry in self.timers.take_due(self.clock.now()) {
            match entry.task {
                None => self.poke(&entry.instance_id),
                Some((execution_id, id)) => {
                    let event = HistoryEvent::TimerFired { id };
                    self.deliver(
                        &entry.instance_id,
                        Inbound {
                            event,
                            inbox: None,
                            execution_id: Some(execution_id),
                        },
                    );
                }
            }
        }
    }
}

/// Fires what is due until the engine is gone.
pub(super) async fn run(engine: std::sync::Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        strong.fire_due();
        let next = strong.timers.next();
        let wait = next.map(|at| strong.clock.wait_until(at));
        let stopped = strong.stopped.clone();
        let timers = Arc::clone(&strong.timers);
        drop(strong);
        tokio::select! {
            () = timers.earlier.notified() => {}
            () = stopped.cancelled() => return,
            () = async { match wait { Some(wait) => wait.await, None => std::future::pending().await } } => {}
        }
    }
}
