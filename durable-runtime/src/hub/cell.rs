//! [`Cell`]: an instance in memory, and [`Cells`]: all of them.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::entities::{Care, ResidentEntity};
use super::reply::Reply;
use super::resident::Resident;
use super::trial::Trial;
use crate::ascending::Ascending;
use crate::model::{FailureDetails, HistoryEvent, RuntimeStatus};
use crate::stop::Stop;
use crate::store::{self, InstanceRecord, NewInstance};

/// Something that arrived for an instance.
#[derive(Debug, Clone)]
pub(crate) struct Inbound {
    pub(crate) event: HistoryEvent,
    /// Its row in the inbox, which the turn that takes it deletes; `None`: history tells of it anyway.
    pub(crate) inbox: Option<i64>,
    /// The execution it is meant for; `None`: whichever is current.
    pub(crate) execution_id: Option<Arc<str>>,
}

/// A client's start whose first turn has not been stored yet.
pub(crate) struct Create {
    pub(crate) instance: NewInstance,
    pub(crate) reply: Reply,
}

pub(crate) struct Cell {
    pub(crate) id: Arc<str>,
    state: Mutex<CellState>,
}

pub(crate) struct CellState {
    pub(crate) mailbox: VecDeque<Inbound>,
    /// In the run queue, or running.
    pub(crate) scheduled: bool,
    pub(crate) resident: Option<Box<Resident>>,
    /// The entity, if the instance is one.
    pub(crate) entity: Option<Box<ResidentEntity>>,
    pub(crate) care: Care,
    /// Inbox ids that were loaded from the store: delivered in memory as well, they are dropped.
    pub(crate) loaded: BTreeSet<i64>,
    pub(crate) create: Option<Box<Create>>,
    /// Starts of this id whose turn has not come.
    pub(crate) queued: VecDeque<Box<Create>>,
    /// What the last commit made visible.
    pub(crate) snapshot: Option<Arc<InstanceRecord>>,
    /// Turns submitted and not answered.
    pub(crate) in_flight: usize,
    /// Counts unloads: a turn of an earlier epoch is void.
    pub(crate) epoch: u64,
    /// Activities that this process was given and whose end no turn has taken yet.
    pub(crate) running: Ascending<Stop>,
    /// A turn that ends the instance was submitted.
    pub(crate) ended: bool,
    /// No longer in the map: whoever holds it looks the instance up again.
    pub(crate) removed: bool,
    /// The next turn only says why the instance fails.
    pub(crate) fail_with: Option<Box<FailureDetails>>,
    /// Whether it has to ask before its next turn, because that may have taken a host down.
    pub(crate) trial: Trial,
    /// It is to be loaded, with or without messages.
    pub(crate) again: bool,
    pub(crate) last_active: Instant,
}

impl Cell {
    fn new(id: Arc<str>) -> Arc<Self> {
        let state = CellState {
            mailbox: VecDeque::new(),
            scheduled: false,
            resident: None,
            entity: None,
            care: Care::None,
            loaded: BTreeSet::new(),
            create: None,
            queued: VecDeque::new(),
            snapshot: None,
            in_flight: 0,
            epoch: 0,
            running: Ascending::default(),
            ended: false,
            removed: false,
            fail_with: None,
            trial: Trial::None,
            again: false,
            last_active: Instant::now(),
        };
        Arc::new(Self {
            id,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, CellState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CellState {
    /// Puts a message at the end of the mailbox. Room is made for one: most take in a single message at a time, and very many may wait for
    /// their turn.
    pub(crate) fn receive(&mut self, message: Inbound) {
        if self.mailbox.capacity() == 0 {
            self.mailbox.reserve_exact(1);
        }
        self.mailbox.push_back(message);
    }

    /// Whether nothing would be lost if it were forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        !self.scheduled
            && self.in_flight == 0
            && self.mailbox.is_empty()
            && self.create.is_none()
            && self.queued.is_empty()
            && self.running.is_empty()
            && self.entity.is_none()
            && self.trial.is_none()
            && !self.again
    }

    /// The status of an instance that has not ended, if it is in memory.
    fn live(&self) -> Option<RuntimeStatus> {
        let status = self.snapshot.as_ref().filter(|_| !self.ended)?.status;
        (!status.is_terminal()).then_some(status)
    }

    /// Refuses starts of an id that is taken, unless whatever is there may be replaced.
    pub(crate) fn refuse_queued(&mut self, id: &str) {
        let Some(status) = self.live() else { return };
        for create in self.queued.drain(..) {
            create.reply.refused(store::Error::AlreadyExists {
                id: id.to_owned(),
                status,
            });
        }
    }

    /// Takes the next start, in place of whatever was here. The caller drops what it gets outside the lock.
    pub(crate) fn accept_queued(&mut self) -> Option<Option<Box<Resident>>> {
        let create = self.queued.pop_front()?;
        if self.queued.is_empty() {
            // What waits for long should keep no room that it had once.
            self.queued = VecDeque::new();
        }
        let dropped = self.unload();
        std::mem::take(&mut self.running)
            .into_values()
            .for_each(|token| token.cancel());
        self.mailbox = VecDeque::new();
        self.snapshot = None;
        let started = HistoryEvent::ExecutionStarted(Box::new(create.instance.started.clone()));
        self.receive(Inbound {
            event: started,
            inbox: None,
            execution_id: None,
        });
        self.create = Some(create);
        Some(dropped)
    }

    /// Drops the future and every turn built on it.
    pub(crate) fn unload(&mut self) -> Option<Box<Resident>> {
        self.epoch += 1;
        self.ended = false;
        self.loaded.clear();
        self.entity = None;
        self.resident.take()
    }
}

/// A shard of so much room stays as it is.
const SMALL: usize = 64;

type Shard = Mutex<HashMap<Arc<str>, Arc<Cell>>>;

/// All instances in memory, in shards so that threads rarely meet.
pub(crate) struct Cells {
    shards: Vec<Shard>,
    hasher: RandomState,
    count: AtomicUsize,
    /// The first one came.
    first: Arc<Notify>,
}

impl Cells {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..64).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
            first: Arc::default(),
        }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Cell>>> {
        let index = usize::try_from(self.hasher.hash_one(id) % 64).unwrap_or(0);
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Cell>> {
        self.shard(id).get(id).cloned()
    }

    pub(crate) fn get_or_insert(&self, id: &Arc<str>) -> Arc<Cell> {
        match self.shard(id).entry(Arc::clone(id)) {
            Entry::Occupied(entry) => Arc::clone(entry.get()),
            Entry::Vacant(entry) => {
                if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
                    self.first.notify_one();
                }
                Arc::clone(entry.insert(Cell::new(Arc::clone(id))))
            }
        }
    }

    /// Forgets the cell, whose lock the caller holds.
    pub(crate) fn remove(&self, cell: &Cell, state: &mut CellState) {
        if std::mem::replace(&mut state.removed, true) {
            return;
        }
        let mut shard = self.shard(&cell.id);
        shard.remove(&cell.id);
        // What once was large should not stay so; seldom enough that it costs nothing.
        if shard.capacity() > SMALL && shard.len() < shard.capacity() / 8 {
            let room = 2 * shard.len();
            shard.shrink_to(room);
        }
        drop(shard);
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Told when the first one comes where [`Self::len`] was none.
    pub(crate) fn first(&self) -> Arc<Notify> {
        Arc::clone(&self.first)
    }

    /// Every cell, shard by shard.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Arc<Cell>)) {
        for shard in &self.shards {
            let cells: Vec<Arc<Cell>> = shard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .cloned()
                .collect();
            cells.iter().for_each(&mut visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_many_is_given_back_when_they_leave() {
        let cells = Cells::new();
        let room = || -> usize {
            let shards = cells.shards.iter();
            shards.map(|shard| shard.lock().unwrap().capacity()).sum()
        };
        let ids: Vec<Arc<str>> = (0..50_000).map(|n| format!("i{n}").into()).collect();
        let all: Vec<Arc<Cell>> = ids.iter().map(|id| cells.get_or_insert(id)).collect();
        assert!(room() >= 50_000);
        let (stay, leave) = all.split_at(100);
        leave
            .iter()
            .for_each(|cell| cells.remove(cell, &mut cell.lock()));
        assert!(room() < 64 * 2 * SMALL, "{}", room());
        assert_eq!(cells.len(), 100);
        assert!(stay.iter().all(|cell| cells.get(&cell.id).is_some()));
    }
}
