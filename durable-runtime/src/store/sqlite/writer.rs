//! The writer: a thread that owns its connection and commits whatever queued while it last flushed.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::oneshot;

use super::answers::Answers;
use super::company::Company;
use super::fault::Fault;
use super::file::Identity;
use super::group::{self, Ids};
use super::lock::Lock;
use super::open::Place;
use super::readers::Job;
use super::wal::Wal;
use crate::store::{Change, Done, Error, Receipt};

/// Without work for so long, the log is copied into the database.
const IDLE: Duration = Duration::from_millis(200);
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LAST_DELAY: Duration = Duration::from_secs(1);
/// A group is cut at so many bytes of payloads and events.
const GROUP_BYTES: usize = 8 << 20;

/// What is sent to the writer.
pub(super) enum Work {
    /// A change to be written.
    Change(Box<Pending>),
    /// Something to do between two groups.
    Job(Job),
    /// The end.
    Close,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Change(_) => "Change",
            Self::Job(_) => "Job",
            Self::Close => "Close",
        })
    }
}

/// A change and whoever waits for it. Dropped unanswered, it answers that the store is closed.
pub(super) struct Pending {
    pub(super) change: Change,
    done: Option<Done>,
    backlog: Arc<AtomicUsize>,
}

impl Pending {
    pub(super) fn new(change: Change, done: Done, backlog: &Arc<AtomicUsize>) -> Box<Self> {
        backlog.fetch_add(1, Ordering::Relaxed);
        Box::new(Self {
            change,
            done: Some(done),
            backlog: Arc::clone(backlog),
        })
    }

    pub(super) fn answer(mut self, result: Result<Receipt, Error>) {
        self.give(result);
    }

    fn give(&mut self, result: Result<Receipt, Error>) {
        let Some(done) = self.done.take() else { return };
        self.backlog.fetch_sub(1, Ordering::Relaxed);
        if catch_unwind(AssertUnwindSafe(|| done(result))).is_err() {
            tracing::error!("a call-back of the store panicked");
        }
    }

    /// Whether it waits until the disk takes it: somebody has seen its cause happen already.
    fn outlasts_disk(&self) -> bool {
        matches!(&self.change, Change::Turn(turn) if turn.create.is_none())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.give(Err(Error::Unavailable("the store is closed".to_owned())));
    }
}

/// The thread's state.
pub(super) struct Writer {
    pub(super) conn: SqliteConnection,
    pub(super) place: Place,
    pub(super) work: Receiver<Work>,
    pub(super) wal: Wal,
    pub(super) ids: Ids,
    pub(super) group: usize,
    pub(super) flushes: Arc<AtomicU64>,
    pub(super) lock: Option<Arc<Lock>>,
    /// `None`: in memory.
    pub(super) identity: Option<Identity>,
    pub(super) queue: VecDeque<Box<Pending>>,
    pub(super) closing: bool,
    pub(super) outage: Option<Outage>,
    pub(super) answers: Answers,
    pub(super) company: Company,
}

/// The disk takes no writes.
pub(super) struct Outage {
    since: Instant,
    delay: Duration,
}

impl Writer {
    /// Works until it is closed and has written what it can.
    pub(super) fn run(mut self, ended: oneshot::Sender<()>) {
        while !self.closing {
            self.gather();
            self.flush();
        }
        // Those that were not written are told when all others are.
        self.answers.finish();
        self.queue.clear();
        self.wal.finish(&mut self.conn);
        drop(self.conn);
        if let Some(lock) = self.lock {
            lock.release();
        }
        let _ = ended.send(());
    }

    /// Waits for work, then takes all that is there, up to a full group.
    fn gather(&mut self) {
        let mut bytes = 0;
        if self.queue.is_empty() {
            match self.receive() {
                Some(work) => self.take(work, &mut bytes),
                None => self.closing = true,
            }
        } else if let Some(outage) = &self.outage {
            let until = Instant::now() + outage.delay;
            while let Some(work) = self.receive_until(until) {
                self.take(work, &mut bytes);
            }
        }
        while self.queue.len() < self.group && bytes < GROUP_BYTES {
            let Some(work) = self.work.try_recv().ok().or_else(|| self.wait_for_more()) else {
                return;
            };
            self.take(work, &mut bytes);
        }
    }

    /// Work that comes so soon that it is worth the wait.
    fn wait_for_more(&mut self) -> Option<Work> {
        if self.outage.is_some() {
            return None;
        }
        let until = self.company.until(self.queue.len(), Instant::now())?;
        self.receive_until(until)
    }

    fn take(&mut self, work: Work, bytes: &mut usize) {
        match work {
            Work::Change(pending) => {
                let weight = group::weight(&pending.change);
                *bytes += weight;
                self.wal.expect(weight as u64);
                self.queue.push_back(pending);
            }
            Work::Job(job) => job(&mut self.conn),
            Work::Close => self.closing = true,
        }
    }

    fn receive(&mut self) -> Option<Work> {
        if self.wal.is_dirty() {
            match self.work.recv_timeout(IDLE) {
                Ok(work) => return Some(work),
                Err(RecvTimeoutError::Timeout) => self.wal.idle(&mut self.conn),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.work.recv().ok()
    }

    fn receive_until(&mut self, until: Instant) -> Option<Work> {
        if self.closing {
            return None;
        }
        match self
            .work
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(work) => Some(work),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.closing = true;
                None
            }
        }
    }

    /// Commits the queue: in one group; around a change that cannot be written; or not at all while the disk takes nothing.
    fn flush(&mut self) {
        let mut size = self.group;
        while !self.queue.is_empty() {
            // Each time: it costs little beside a commit, and whatever is told to be stored can be found.
            if let Some(fault) = self.identity.as_ref().and_then(Identity::fault) {
                return self.disk_refused(&fault);
            }
            let began = Instant::now();
            let changes = self.queue.iter().take(size).map(|pending| &pending.change);
            match group::commit(&mut self.conn, &mut self.ids, changes) {
                Ok(results) => {
                    self.committed(results, began.elapsed());
                    size = self.group;
                }
                Err(group::Failure {
                    fault: Fault::Disk(text),
                    ..
                }) => return self.disk_refused(&text),
                Err(failure) if size.min(self.queue.len()) == 1 => {
                    if let Some(guilty) = self.queue.pop_front() {
                        self.answers.tell(vec![(guilty, Err(failure.fault.into()))]);
                    }
                    size = self.group;
                }
                // What stands before the guilty one goes first, then it alone, so that it alone fails.
                Err(failure) => size = failure.at.max(1),
            }
        }
    }

    fn committed(&mut self, results: Vec<Result<Receipt, Error>>, took: Duration) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        let backlog = self.queue.front().map(|pending| &pending.backlog);
        let under_way = backlog.map_or(0, |backlog| backlog.load(Ordering::Relaxed));
        self.company.committed(took, results.len(), under_way);
        if let Some(outage) = self.outage.take() {
            tracing::info!(
                seconds = outage.since.elapsed().as_secs(),
                "the hub's database takes writes again"
            );
        }
        let told = self.queue.drain(..results.len()).zip(results);
        self.answers.tell(told.collect());
        self.wal.committed(&mut self.conn);
    }

    /// Turns wait, in their order; the rest is told.
    fn disk_refused(&mut self, text: &str) {
        match &mut self.outage {
            Some(outage) => outage.delay = (outage.delay * 2).min(LAST_DELAY),
            None => {
                tracing::error!(
                    error = text,
                    "the hub's database takes no writes; turns are kept and tried again until it does"
                );
                self.outage = Some(Outage {
                    since: Instant::now(),
                    delay: FIRST_DELAY,
                });
            }
        }
        let (kept, told): (VecDeque<_>, VecDeque<_>) = self
            .queue
            .drain(..)
            .partition(|pending| pending.outlasts_disk());
        self.queue = kept;
        let unavailable = |pending| (pending, Err(Error::Unavailable(text.to_owned())));
        self.answers
            .tell(told.into_iter().map(unavailable).collect());
        self.reconnect_if_broken();
    }

    /// A connection that could not even roll back is of no use any more.
    fn reconnect_if_broken(&mut self) {
        if self.place.path.is_none()
            || !AnsiTransactionManager::is_broken_transaction_manager(&mut self.conn)
        {
            return;
        }
        match self.place.writer() {
            Ok(conn) => self.conn = conn,
            Err(error) => tracing::debug!(%error, "the hub's database could not be opened again"),
        }
    }
}
