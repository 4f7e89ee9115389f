//! Reads: on threads with connections of their own, or for a database in memory on the writer's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::{Semaphore, oneshot};

use super::fault::Fault;
use super::writer::Work;
use crate::store::Error;

/// Something to do with a connection.
pub(super) type Job = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// Reads that wait per thread; more of them wait for a place, asynchronously.
const WAITING: usize = 64;

/// Where reads are done.
#[derive(Debug)]
pub(super) enum Readers {
    /// On their own threads.
    Pool {
        /// `None` once closed.
        jobs: Mutex<Option<Sender<Job>>>,
        places: Semaphore,
    },
    /// Between the writer's groups.
    Writer { work: Sender<Work> },
}

impl Readers {
    /// One thread per connection. The receivers resolve when the threads have ended.
    pub(super) fn pool(
        connections: Vec<SqliteConnection>,
    ) -> io::Result<(Self, Vec<oneshot::Receiver<()>>)> {
        let places = Semaphore::new(connections.len() * WAITING);
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut ends = Vec::new();
        for (index, conn) in connections.into_iter().enumerate() {
            let queue = Arc::clone(&queue);
            let (ended, end) = oneshot::channel();
            ends.push(end);
            thread::Builder::new()
                .name(format!("durable-read-{index}"))
                .spawn(move || {
                    serve(conn, &queue);
                    let _ = ended.send(());
                })?;
        }
        Ok((
            Self::Pool {
                jobs: Mutex::new(Some(jobs)),
                places,
            },
            ends,
        ))
    }

    /// Reads.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            let _ = answer.send(guarded(conn, read));
        });
        let closed = || Error::Unavailable("the store is closed".to_owned());
        let _place = match self {
            Self::Pool { jobs, places } => {
                let place = places.acquire().await.map_err(|_| closed())?;
                let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
                jobs.and_then(|jobs| jobs.send(job).ok())
                    .ok_or_else(closed)?;
                Some(place)
            }
            Self::Writer { work } => {
                work.send(Work::Job(job)).map_err(|_| closed())?;
                None
            }
        };
        answered.await.map_err(|_| closed())?.map_err(Error::from)
    }

    /// The threads end when they have done what is queued.
    pub(super) fn close(&self) {
        if let Self::Pool { jobs, .. } = self {
            jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

fn serve(mut conn: SqliteConnection, queue: &Mutex<Receiver<Job>>) {
    loop {
        // Whoever waits for a job holds the lock; the others wait for the lock.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(&mut conn),
            Err(_) => return,
        }
    }
}

/// Carries a panic across as a fault, and leaves no transaction open behind it.
pub(super) fn guarded<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or_else(|panic| {
        let _ = AnsiTransactionManager::rollback_transaction(conn);
        Err(Fault::panicked(panic.as_ref()))
    })
}
