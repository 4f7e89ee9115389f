//! The hub in one SQLite file: nothing to install, one process that owns it.
//!
//! One thread writes (`writer.rs`), another tells what was written (`answers.rs`), a few read (`readers.rs`); everything else here is functions of a connection: `write/` and
//! `group.rs` change, `query.rs` and `list.rs` read, `timers.rs` and `outbox.rs` do both, `rows.rs` converts, `open.rs` prepares. Start with [`SqliteStore::open`].
//! `docs/schema.md` describes the tables.

mod answers;
mod company;
mod fault;
mod file;
mod group;
mod list;
mod lock;
mod open;
mod outbox;
mod peek;
mod query;
mod readers;
mod rows;
mod schema;
mod timers;
mod upkeep;
mod wal;
mod write;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use diesel::SqliteConnection;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

pub use lock::{Holder, read_holder};
pub use open::{Durability, OpenError, Options};
pub use peek::peek_keys;
pub use upkeep::{HubInfo, backup, check, info, peek_history, reset};

use self::answers::Answers;
use self::company::Company;
use self::lock::Lock;
use self::open::Place;
use self::readers::Readers;
use self::wal::Wal;
use self::writer::{Pending, Work, Writer};
use super::{
    Change, Child, Done, Error, HistoryMark, HistoryPart, Ids, InstanceKey, InstanceRecord,
    KeyRecord, ListQuery, LoadedInstance, OutboxRecord, Parts, Store, TakenUp, TimerRecord, Wake,
};
use crate::model::Timestamp;

/// The journal in a SQLite file. Dropped without [`Store::close`], it still writes what is queued.
#[derive(Debug)]
pub struct SqliteStore {
    work: Sender<Work>,
    readers: Readers,
    ids: Arc<Ids>,
    backlog: Arc<AtomicUsize>,
    flushes: Arc<AtomicU64>,
    lock: Option<Arc<Lock>>,
    ends: Mutex<Vec<oneshot::Receiver<()>>>,
}

impl SqliteStore {
    /// Opens the hub's database, or makes it; it is ours alone until it is closed. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`OpenError::Held`] if another process has it, and whatever else keeps it from being opened.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let path = file::make(&open::prepare(&options.path)?)?;
        let lock = Arc::new(Lock::take(&path, chrono::Utc::now().into())?);
        let place = Place::of(&options, path);
        let conn = place.writer()?;
        let readers = (0..options.readers.max(1))
            .map(|_| place.reader())
            .collect::<Result<Vec<_>, _>>()?;
        let (readers, ends) = Readers::pool(readers).map_err(|error| place.failed(error))?;
        Assembly {
            place,
            readers,
            ends,
            lock: Some(lock),
        }
        .start(conn, channel(), &options)
    }

    /// A hub that is gone when it is dropped: for tests. It behaves like one in a file, but cannot outlive the process.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn in_memory() -> Result<Self, OpenError> {
        let place = Place {
            path: None,
            busy_timeout: Duration::ZERO,
            durability: Durability::Full,
        };
        let conn = place.writer()?;
        let (work, queue) = channel();
        let readers = Readers::Writer { work: work.clone() };
        Assembly {
            place,
            readers,
            ends: Vec::new(),
            lock: None,
        }
        .start(conn, (work, queue), &Options::new(":memory:"))
    }

    /// Tells whoever finds the database in use where this process listens.
    ///
    /// # Errors
    /// What the file system says about the lock file.
    pub fn announce(&self, url: &str) -> io::Result<()> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.announce(url))
    }

    /// Transactions committed so far.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Runs SQL on the writer's connection, between two groups: how tests fill the disk (`PRAGMA max_page_count`) or take the
    /// right to write away (`PRAGMA query_only`).
    ///
    /// # Errors
    /// What SQLite says.
    #[doc(hidden)]
    pub async fn sabotage(&self, sql: &str) -> Result<(), Error> {
        use diesel::connection::SimpleConnection;

        let sql = sql.to_owned();
        let (answer, answered) = oneshot::channel();
        let job = move |conn: &mut SqliteConnection| {
            let _ = answer.send(conn.batch_execute(&sql).map_err(fault::Fault::from));
        };
        let closed = || Error::Unavailable("the store is closed".to_owned());
        self.work
            .send(Work::Job(Box::new(job)))
            .map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?.map_err(Error::from)
    }
}

/// What a store is put together from.
struct Assembly {
    place: Place,
    readers: Readers,
    ends: Vec<oneshot::Receiver<()>>,
    lock: Option<Arc<Lock>>,
}

impl Assembly {
    /// Starts the writer.
    fn start(
        self,
        mut conn: SqliteConnection,
        (work, queue): (Sender<Work>, Receiver<Work>),
        options: &Options,
    ) -> Result<SqliteStore, OpenError> {
        let Self {
            place,
            readers,
            mut ends,
            lock,
        } = self;
        let identity = place.path.as_deref().map(file::Identity::of).transpose();
        let identity = identity.map_err(|error| place.failed(error))?;
        let first = open::first_id(&mut conn).map_err(|error| place.failed(error))?;
        let ids = Arc::new(Ids::from(first));
        let flushes = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            wal: Wal::new(
                place.path.as_deref(),
                options.wal_limit,
                options.durability,
                place.busy_timeout.as_millis(),
            ),
            ids: group::Ids::new(Arc::clone(&ids), first),
            group: options.group.max(1),
            flushes: Arc::clone(&flushes),
            lock: lock.clone(),
            identity,
            queue: VecDeque::new(),
            closing: false,
            outage: None,
            answers: Answers::start().map_err(|error| place.failed(error))?,
            company: Company::default(),
            work: queue,
            place: place.clone(),
            conn,
        };
        let (ended, end) = oneshot::channel();
        ends.push(end);
        let spawned = thread::Builder::new()
            .name("durable-write".to_owned())
            .spawn(move || writer.run(ended));
        spawned.map_err(|error| place.failed(error))?;
        let backlog = Arc::new(AtomicUsize::new(0));
        Ok(SqliteStore {
            work,
            readers,
            ids,
            backlog,
            flushes,
            lock,
            ends: Mutex::new(ends),
        })
    }
}

impl Store for SqliteStore {
    fn submit(&self, change: Change, done: Done) {
        // A change that cannot be sent is dropped, which answers it.
        let _ = self
            .work
            .send(Work::Change(Pending::new(change, done, &self.backlog)));
    }

    fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    fn ids(&self) -> &Ids {
        &self.ids
    }

    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LoadedInstance>, Error>> {
        let id = id.to_owned();
        Box::pin(self.readers.read(move |conn| query::load(conn, &id)))
    }

    fn take_up<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TakenUp>, Error>> {
        let id = id.to_owned();
        Box::pin(self.readers.read(move |conn| query::take_up(conn, &id)))
    }

    fn history(&self, mark: HistoryMark) -> BoxFuture<'_, Result<HistoryPart, Error>> {
        Box::pin(self.readers.read(move |conn| query::history(conn, mark)))
    }

    fn find<'a>(
        &'a self,
        id: &'a str,
        parts: Parts,
    ) -> BoxFuture<'a, Result<Option<InstanceRecord>, Error>> {
        let id = id.to_owned();
        Box::pin(self.readers.read(move |conn| query::find(conn, &id, parts)))
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<InstanceRecord>, Error>> {
        Box::pin(self.readers.read(move |conn| list::list(conn, &query)))
    }

    fn wakes(
        &self,
        until: Timestamp,
        after: Option<(Timestamp, InstanceKey)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Wake>, Error>> {
        Box::pin(
            self.readers
                .read(move |conn| query::wakes(conn, until, after, limit)),
        )
    }

    fn children<'a>(
        &'a self,
        key: InstanceKey,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Child>, Error>> {
        let id = id.to_owned();
        let read = move |conn: &mut SqliteConnection| query::children(conn, key, &id);
        Box::pin(self.readers.read(read))
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, Error>> {
        Box::pin(self.readers.read(query::keys))
    }

    fn timers(&self) -> BoxFuture<'_, Result<Vec<TimerRecord>, Error>> {
        Box::pin(self.readers.read(timers::all))
    }

    fn outbox(&self, limit: usize) -> BoxFuture<'_, Result<Vec<OutboxRecord>, Error>> {
        Box::pin(self.readers.read(move |conn| outbox::oldest(conn, limit)))
    }

    fn interrupted(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.was_abandoned())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.readers.close();
            let _ = self.work.send(Work::Close);
            let ends =
                std::mem::take(&mut *self.ends.lock().unwrap_or_else(PoisonError::into_inner));
            for end in ends {
                let _ = end.await;
            }
        })
    }
}
