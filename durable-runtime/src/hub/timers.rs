//! Timers that are due while this process runs: one task sleeps to the next of them.
//!
//! Timers of resident instances are theirs, and lie here one by one. An instance that is not in memory has one entry, a look, and only if
//! it is near: the others wait in the store's `wake_at` index, through which `recovery.rs` walks. So memory holds at most so many looks,
//! whatever the number of instances that wait.

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
pub(crate) struct Timers {
    due: Mutex<Due>,
    earlier: Notify,
    nearer: Notify,
}

struct Due {
    entries: BTreeSet<Entry>,
    /// Instances that want to be looked at; the store knows of them too.
    looks: BTreeSet<(Timestamp, Arc<str>)>,
    /// Looks after this instant are in the store alone.
    edge: Timestamp,
    /// Looks in memory, at most.
    limit: usize,
}

impl Due {
    fn next(&self) -> Option<Timestamp> {
        let entry = self.entries.first().map(|entry| entry.at);
        let look = self.looks.first().map(|(at, _)| *at);
        entry.into_iter().chain(look).min()
    }

    /// Room for one more: those that are due last are left to the store, all of an instant together.
    fn look(&mut self, at: Timestamp, instance_id: Arc<str>) -> bool {
        if at > self.edge {
            return false;
        }
        self.looks.insert((at, instance_id));
        while self.looks.len() > self.limit {
            let Some(last) = self.looks.last().map(|(at, _)| *at) else {
                break;
            };
            self.looks.split_off(&(last, Arc::from("")));
            self.edge = Timestamp::from_micros(last.micros().saturating_sub(1));
        }
        at <= self.edge
    }

    fn pop_due(&mut self, now: Timestamp) -> Option<Entry> {
        let entry = self.entries.first().map(|entry| entry.at);
        let look = self.looks.first().map(|(at, _)| *at);
        match (entry, look) {
            (Some(at), look) if at <= now && look.is_none_or(|look| at <= look) => {
                self.entries.pop_first()
            }
            (_, Some(at)) if at <= now => self.looks.pop_first().map(|(at, instance_id)| Entry {
                at,
                instance_id,
                task: None,
            }),
            _ => None,
        }
    }
}

impl Timers {
    /// Of a hub that keeps at most `limit` looks in memory and leaves the rest to the store; `None`: it keeps them all.
    pub(crate) fn new(limit: Option<usize>) -> Self {
        let due = Due {
            entries: BTreeSet::new(),
            looks: BTreeSet::new(),
            edge: match limit {
                Some(_) => Timestamp::MIN,
                None => Timestamp::MAX,
            },
            limit: limit.unwrap_or(usize::MAX),
        };
        Self {
            due: Mutex::new(due),
            earlier: Notify::new(),
            nearer: Notify::new(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Due) -> T) -> T {
        let mut due = self.lock();
        let before = due.next();
        let answer = change(&mut due);
        let now = due.next();
        drop(due);
        if now != before {
            self.earlier.notify_one();
        }
        answer
    }

    /// All at once: of several that are overdue none is fired before another that was due earlier.
    pub(crate) fn arm(&self, entries: impl IntoIterator<Item = Entry>) {
        self.change(|due| due.entries.extend(entries));
    }

    pub(crate) fn disarm(&self, entry: &Entry) {
        self.lock().entries.remove(entry);
    }

    /// The instance is looked at then. Whether memory has kept that: if not, the store knows, and its index is walked in time.
    pub(crate) fn look(&self, at: Timestamp, instance_id: &Arc<str>) -> bool {
        let edge = |due: &mut Due| {
            let before = due.edge;
            let kept = due.look(at, Arc::clone(instance_id));
            (kept, due.edge < before)
        };
        let (kept, nearer) = self.change(edge);
        if nearer {
            self.nearer.notify_one();
        }
        kept
    }

    /// Up to which instant all looks are in memory, or have been.
    pub(super) fn edge(&self) -> Timestamp {
        self.lock().edge
    }

    /// Looks up to `edge` are kept from now on; gives the old edge. Whoever says so then reads those between the two that the store has:
    /// what it stores later finds the new edge.
    pub(super) fn swap_edge(&self, edge: Timestamp) -> Timestamp {
        std::mem::replace(&mut self.lock().edge, edge)
    }

    /// Those after it could not be read.
    pub(super) fn lower_edge(&self, edge: Timestamp) {
        let mut due = self.lock();
        due.edge = due.edge.min(edge);
    }

    /// Resolves when looks were left to the store that were in memory.
    pub(super) async fn edge_came_nearer(&self) {
        self.nearer.notified().await;
    }

    fn take_due(&self, now: Timestamp) -> Vec<Entry> {
        let mut due = self.lock();
        std::iter::from_fn(|| due.pop_due(now)).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let due = self.lock();
        due.entries.len() + due.looks.len()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.lock().next()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn id(n: i64) -> Arc<str> {
        format!("i{n}").into()
    }

    fn taken(timers: &Timers, now: i64) -> Vec<i64> {
        let taken = timers.take_due(at(now)).into_iter();
        taken.map(|entry| entry.at.micros()).collect()
    }

    #[test]
    fn the_nearest_looks_are_kept_and_the_edge_says_which_are_not() {
        let timers = Timers::new(Some(10));
        assert!(!timers.look(at(1), &id(1)), "nothing was read yet");
        timers.swap_edge(at(100));
        // 7 and 30 have no common divisor: each of 1 to 30 once, in no order.
        for n in (0..30).map(|n| 1 + n * 7 % 30) {
            let kept = timers.look(at(n), &id(n));
            assert_eq!(kept, n <= timers.edge().micros());
            assert!(timers.len() <= 10);
        }
        assert_eq!(timers.edge(), at(10));
        assert!(!timers.look(at(11), &id(11)));
        assert_eq!(taken(&timers, 5), [1, 2, 3, 4, 5]);
        timers.swap_edge(at(14));
        assert!(timers.look(at(12), &id(12)));
        assert_eq!(taken(&timers, 99), [6, 7, 8, 9, 10, 12]);
    }

    #[test]
    fn too_many_of_one_instant_are_all_left_to_the_store() {
        let timers = Timers::new(Some(10));
        timers.swap_edge(at(100));
        assert!(timers.look(at(3), &id(0)));
        let kept: Vec<bool> = (1..=10).map(|n| timers.look(at(7), &id(n))).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 9);
        assert_eq!((timers.edge(), timers.len()), (at(6), 1));
    }

    #[test]
    fn timers_and_looks_fire_in_the_order_of_their_times() {
        let timers = Timers::new(None);
        timers.look(at(2), &id(2));
        timers.arm([3, 1].map(|n| Entry {
            at: at(n),
            instance_id: id(n),
            task: Some((id(0), n)),
        }));
        timers.look(at(4), &id(4));
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(taken(&timers, 3), [1, 2, 3]);
        assert_eq!(taken(&timers, 4), [4]);
    }
}
