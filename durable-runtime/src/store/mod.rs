//! The journal: one trait, and the databases behind it.
//!
//! # How it is shaped for several hosts
//! The engine never learns which database it runs on, nor whether it is alone:
//! * **Writes** go through [`Store::submit`], in order, and are answered by a call-back once they are durable. Group commit
//!   lives behind it: everything submitted while one transaction is being flushed goes into the next. SQLite does that on one
//!   thread that owns the connection; a Postgres store does it in one task per host, a round trip per group (arrays and `unnest`).
//! * **Ownership**: an instance belongs to a partition (a hash of its id); a host owns partitions by leases with epochs and a store
//!   proves its epoch in each group. A lost lease answers [`Error::LeaseLost`], and the engine unloads what it had: the same path
//!   as [`Error::Conflict`]. On SQLite one process owns everything, which its lock file proves.
//! * **Messages** name instances, not hosts. One for an instance of another host's partition is inserted like any other, and the store
//!   tells that host ([`Store::arrivals`]; `LISTEN/NOTIFY` there, nothing on SQLite).
//! * **Ids** of instances and messages come from [`Ids`], blocks that the store reserves, so that the engine may use an id before it is written.
//! * **Task ids** are opaque; nothing here assumes that the code that made a turn is ours.
//!
//! No call blocks an async worker: reads are futures that SQLite answers from its reader threads.

#[cfg(test)]
mod contract;
mod error;
mod record;
pub mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::BoxFuture;

pub use error::Error;
pub use record::{
    Cursor, EntityRecord, HistoryMark, HistoryPart, InstanceKey, InstanceRecord, KeyChange,
    KeyRecord, ListQuery, LoadedInstance, NewGeneration, NewInstance, NewMessage, OutboxRecord,
    Parts, PayloadKind, Purge, Reuse, Rewind, StoredMessage, TakenUp, TimerRecord, TurnCommit,
};

use crate::model::{RuntimeStatus, Timestamp};

/// Whether an instance id is an entity's.
pub(crate) fn is_entity(id: &str) -> bool {
    id.starts_with('@')
}

/// What is written. Each change is atomic; changes are applied in the order of their submission. One that removes an instance before its
/// end, or replaces it, lets go of what that one has locked.
#[derive(Debug)]
pub enum Change {
    /// A turn. When the disk does not take it, it is tried again until it does, unless it creates its instance for a client
    /// (`create` is set): then it is refused with [`Error::Unavailable`], like every other change here.
    Turn(Box<TurnCommit>),
    /// An instance without a first turn: it waits for its time, or for another host.
    Create(Box<NewInstance>),
    /// A message from a client. The receiver must exist and be in one of the statuses; the receipt holds its status. An instance without a
    /// first turn that is told to halt is `Suspended` from then on, and `Pending` again when it is told to go on.
    Message {
        /// The message.
        message: NewMessage,
        /// Statuses in which it is accepted.
        accepted: Vec<RuntimeStatus>,
    },
    /// Counts one more delivery of these open activities (task ids) before they are run again.
    Redeliver {
        /// The instance.
        key: InstanceKey,
        /// Task ids.
        tasks: Vec<i64>,
    },
    /// Takes back one counted delivery of these open activities: their host stopped them, they did not take it down.
    Return {
        /// The instance.
        key: InstanceKey,
        /// Task ids.
        tasks: Vec<i64>,
    },
    /// Takes failed instances back, all or none: a parent with its children. The receipt tells which starts were refused, counted
    /// over all of them.
    Rewind(Vec<Rewind>),
    /// Removes ended instances with all that is theirs.
    Purge(Purge),
    /// Changes keys, all or none.
    Keys(Vec<KeyChange>),
    /// The schedule of a timer function moves on. Its `sequence` must be what is stored (0: nothing is), and is one more then: of several
    /// hosts that want to make the same run, the others get [`Error::Conflict`].
    Timer(TimerRecord),
    /// These records of the outbox were taken by whoever they are for, or given up.
    Sent(Vec<i64>),
}

/// What a change did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receipt {
    /// Instances purged, keys touched.
    pub count: u64,
    /// Indexes into `starts` of those that were refused because the id is taken (their `on_refused` was sent).
    pub refused: Vec<usize>,
    /// For a client's message: the receiver's status when it was accepted.
    pub status: Option<RuntimeStatus>,
    /// What entities were sent because an instance that had them locked, or waited for them, was removed before its end.
    pub released: Vec<NewMessage>,
    /// Ids of instances that had not ended and were replaced by those in `starts`, or by a [`Change::Create`].
    pub replaced: Vec<Arc<str>>,
}

impl Receipt {
    /// Whether no instance went before its end.
    pub(crate) const fn is_alone(&self) -> bool {
        self.released.is_empty() && self.replaced.is_empty()
    }
}

/// Called once, when the change is durable or refused, in the order of the commits and on a thread of the store: it must be quick and must not
/// block. Whoever reads may see the change before.
pub type Done = Box<dyn FnOnce(Result<Receipt, Error>) + Send>;

/// The journal of one task hub.
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// Queues a change for the next group and returns at once.
    fn submit(&self, change: Change, done: Done);

    /// Changes queued and not yet answered: what a full queue is measured by.
    fn backlog(&self) -> usize;

    /// Where new ids come from.
    fn ids(&self) -> &Ids;

    /// All that is needed to run the instance.
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LoadedInstance>, Error>>;

    /// As [`Self::load`], but of a long history only the oldest part, and where the rest begins, if there is more: for whoever owns the
    /// instance, since nobody else appends to it meanwhile.
    fn take_up<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TakenUp>, Error>> {
        Box::pin(async {
            let whole = self.load(id).await?;
            Ok(whole.map(|loaded| TakenUp { loaded, rest: None }))
        })
    }

    /// A part of a history that [`Self::take_up`] left.
    fn history(&self, mark: HistoryMark) -> BoxFuture<'_, Result<HistoryPart, Error>> {
        let _ = mark;
        Box::pin(async { Ok(HistoryPart::default()) })
    }

    /// The instance as clients see it.
    fn find<'a>(
        &'a self,
        id: &'a str,
        parts: Parts,
    ) -> BoxFuture<'a, Result<Option<InstanceRecord>, Error>>;

    /// A page of instances.
    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<InstanceRecord>, Error>>;

    /// Instances whose `wake_at` is not after `until`, earliest first, after the pair of the last page: at most `limit`.
    fn wakes(
        &self,
        until: Timestamp,
        after: Option<(Timestamp, InstanceKey)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Wake>, Error>>;

    /// The instances that this one called as sub-orchestrations since it was created, in all of its generations, oldest first.
    fn children<'a>(
        &'a self,
        key: InstanceKey,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Child>, Error>>;

    /// All keys, in the order in which they were last put.
    fn keys(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, Error>>;

    /// Where the schedules of timer functions stand, by name.
    fn timers(&self) -> BoxFuture<'_, Result<Vec<TimerRecord>, Error>>;

    /// What waits to be sent, oldest first: at most `limit`.
    fn outbox(&self, limit: usize) -> BoxFuture<'_, Result<Vec<OutboxRecord>, Error>>;

    /// Whether whoever owned the hub before went without [`Self::close`]: what it left may be what took it down.
    fn interrupted(&self) -> bool {
        false
    }

    /// Resolves when another host has left work here; never on a store that one process owns. Holds instance ids.
    fn arrivals(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(std::future::pending())
    }

    /// Flushes what is queued, lets go of the database, and ends the store's threads. Later changes are [`Error::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// An instance that wants to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// Surrogate key.
    pub key: InstanceKey,
    /// Instance id.
    pub id: String,
    /// When; 0 for at once.
    pub at: Timestamp,
}

/// An instance that another one called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its id.
    pub id: Arc<str>,
    /// Where it stands.
    pub status: RuntimeStatus,
}

/// A source of ids that are unique in the hub and grow.
#[derive(Debug)]
pub struct Ids(AtomicI64);

impl Ids {
    /// The next id is `first`.
    #[must_use]
    pub const fn from(first: i64) -> Self {
        Self(AtomicI64::new(first))
    }

    /// A new id.
    pub fn next(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
