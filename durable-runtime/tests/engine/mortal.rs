//! The third way that every scenario is run: the process is gone after each commit, before anybody hears of it, and another takes over. Of
//! the commit of a client's start its client has to hear, so it kills nobody: `killed` has the process gone after that one too.
//!
//! Each process is a hub of its own on one database. What a dead one still asks of the database is refused, but for what clients asked
//! through it: that is as good as asked just before the death, and costs another death, since only the next process will look for it.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use durable_runtime::hub::{Hub, Settings};
use durable_runtime::model::Timestamp;
use durable_runtime::store::sqlite::SqliteStore;
use durable_runtime::store::{
    Change, Child, Done, Error, Ids, InstanceKey, InstanceRecord, KeyRecord, ListQuery,
    LoadedInstance, OutboxRecord, Parts, Store, TimerRecord, Wake,
};
use durable_runtime::{ClientError, DurableClient, OrchestrationStatus};
use futures::future::BoxFuture;
use tokio::sync::{Notify, oneshot, watch};

use crate::host::{PATIENCE, Residency, start_on};
use crate::http::Scripted;

/// Commits that kill, in one scenario: one of 1,000 activities would die all day.
const LIVES: usize = 40;

/// The client of whichever process lives.
pub struct Client(Arc<Mutex<&'static DurableClient>>);

impl Client {
    pub fn of(client: DurableClient) -> Self {
        Self(Arc::new(Mutex::new(leak(client))))
    }
}

impl Deref for Client {
    type Target = DurableClient;

    fn deref(&self) -> &DurableClient {
        *self.0.lock().unwrap()
    }
}

/// A test ends before that matters.
fn leak(client: DurableClient) -> &'static DurableClient {
    Box::leak(Box::new(client))
}

/// What the processes share.
struct World {
    journal: SqliteStore,
    lives: AtomicUsize,
    died: Notify,
    /// Whether the last one that was born is dead: there is one owner at a time.
    last: Mutex<Arc<AtomicBool>>,
    /// What clients asked of a dead one, and do not know yet.
    answers: Mutex<Vec<Answer>>,
}

type Answer = Box<dyn FnOnce() + Send>;

/// The processes, one after the other.
pub struct Mortals {
    world: Arc<World>,
    current: Arc<Mutex<&'static DurableClient>>,
    births: watch::Receiver<usize>,
    paused: Arc<AtomicBool>,
    undertaker: tokio::task::JoinHandle<()>,
}

impl Drop for Mortals {
    fn drop(&mut self) {
        self.undertaker.abort();
    }
}

impl Mortals {
    pub fn start(
        journal: SqliteStore,
        http: &Arc<Scripted>,
        adjust: impl Fn(&mut Settings) + Send + 'static,
    ) -> (Self, Hub, Client) {
        let world = Arc::new(World {
            journal,
            lives: AtomicUsize::new(LIVES),
            died: Notify::new(),
            last: Mutex::default(),
            answers: Mutex::default(),
        });
        let paused = Arc::new(AtomicBool::new(false));
        let pausing = Arc::clone(&paused);
        let adjust = move |settings: &mut Settings| {
            settings.paused = pausing.load(Ordering::SeqCst);
            adjust(settings);
        };
        let first = DurableClient::unbound();
        let hub = birth(&world, http, &adjust, &first);
        let client = Client::of(first);
        let current = Arc::clone(&client.0);
        let (born, births) = watch::channel(0);
        let (of_task, http) = (Arc::downgrade(&world), Arc::clone(http));
        let succeeded = Arc::clone(&current);
        let undertaker = tokio::spawn(async move {
            // What they still do comes to nothing; a client that holds on to one may yet ask something of it.
            let mut dead: Vec<Hub> = Vec::new();
            while let Some(world) = Weak::upgrade(&of_task) {
                world.died.notified().await;
                // From here on clients wait for the next one.
                let client = DurableClient::unbound();
                *succeeded.lock().unwrap() = leak(client.clone());
                world.bury().await;
                // Those who asked the dead one hear of it once there is somebody who knows.
                let answers = std::mem::take(&mut *world.answers.lock().unwrap());
                dead.push(birth(&world, &http, &adjust, &client));
                answers.into_iter().for_each(|answer| answer());
                born.send_modify(|count| *count += 1);
            }
        });
        let mortals = Self {
            world,
            current,
            births,
            paused,
            undertaker,
        };
        (mortals, hub, client)
    }

    /// How often one died, so far.
    pub fn deaths(&self) -> impl Fn() -> usize + use<> {
        let world = Arc::clone(&self.world);
        move || LIVES - world.lives.load(Ordering::SeqCst)
    }

    /// The one that lives dies now, whatever it commits; returns once there is another.
    pub async fn kill(&self) {
        let mut births = self.births.clone();
        births.mark_unchanged();
        self.world
            .last
            .lock()
            .unwrap()
            .store(true, Ordering::SeqCst);
        self.world.died.notify_one();
        births.changed().await.unwrap();
    }

    /// Those that are born from now on begin so.
    pub fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
    }

    /// The end of an instance, whoever lives to see it.
    pub async fn end(&self, id: &str) -> Result<OrchestrationStatus, ClientError> {
        let mut births = self.births.clone();
        loop {
            births.mark_unchanged();
            let client = *self.current.lock().unwrap();
            tokio::select! {
                end = client.wait_for_completion(id, PATIENCE) => match end {
                    Err(ClientError::Unavailable(_)) => {}
                    end => return end,
                },
                _ = births.changed() => continue,
            }
            births.changed().await.unwrap();
        }
    }
}

fn birth(
    world: &Arc<World>,
    http: &Arc<Scripted>,
    adjust: &impl Fn(&mut Settings),
    client: &DurableClient,
) -> Hub {
    let mortal = Mortal {
        world: Arc::clone(world),
        dead: Arc::default(),
    };
    *world.last.lock().unwrap() = Arc::clone(&mortal.dead);
    let adjust = |settings: &mut Settings| {
        settings.max_concurrent_orchestrations = 1;
        // It is none of the activities' doing.
        settings.max_deliveries = u32::MAX;
        settings.redelivery_delay = Duration::ZERO;
        adjust(settings);
    };
    start_on(Arc::new(mortal), Residency::Resident, http, adjust, client)
}

/// One process's view of the journal.
struct Mortal {
    world: Arc<World>,
    dead: Arc<AtomicBool>,
}

impl std::fmt::Debug for Mortal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mortal")
    }
}

/// Whether somebody outside waits for the answer.
fn is_clients(change: &Change) -> bool {
    match change {
        Change::Turn(turn) => turn.create.is_some(),
        Change::Create(_)
        | Change::Message { .. }
        | Change::Rewind(_)
        | Change::Purge(_)
        | Change::Keys(_) => true,
        Change::Redeliver { .. } | Change::Return { .. } | Change::Timer(_) | Change::Sent(_) => {
            false
        }
    }
}

impl World {
    /// Whether this commit is the last that its process sees.
    fn kills(&self) -> bool {
        let one_less = |lives: usize| lives.checked_sub(1);
        let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
        self.lives.fetch_update(set, fetch, one_less).is_ok()
    }

    /// The last one does nothing any more, and what it did is on disk: its successor must not find it halfway.
    async fn bury(&self) {
        self.last.lock().unwrap().store(true, Ordering::SeqCst);
        let (buried, told) = oneshot::channel();
        let done: Done = Box::new(move |_| {
            let _ = buried.send(());
        });
        self.journal.submit(Change::Sent(Vec::new()), done);
        told.await.unwrap();
    }
}

impl Store for Mortal {
    fn submit(&self, change: Change, done: Done) {
        let is_clients = is_clients(&change);
        let is_turn = matches!(change, Change::Turn(_)) && !is_clients;
        if self.dead.load(Ordering::SeqCst) && !is_clients {
            // Nobody is there to hear that it is refused.
            return;
        }
        let (world, dead) = (Arc::clone(&self.world), Arc::clone(&self.dead));
        let done: Done = Box::new(move |result| {
            let is_durable = result.is_ok();
            let was_dead = dead.load(Ordering::SeqCst);
            let dies = is_durable && !was_dead && is_turn && world.kills();
            if dies {
                dead.store(true, Ordering::SeqCst);
            }
            // Nobody inside hears of the commit that killed, nor of any after it.
            if is_clients && was_dead && is_durable {
                let answer: Answer = Box::new(move || done(result));
                world.answers.lock().unwrap().push(answer);
            } else if is_clients || !is_durable || !(dies || was_dead) {
                done(result);
            }
            if dies || (was_dead && is_durable) {
                world.died.notify_one();
            }
        });
        self.world.journal.submit(change, done);
    }

    fn backlog(&self) -> usize {
        self.world.journal.backlog()
    }

    fn ids(&self) -> &Ids {
        self.world.journal.ids()
    }

    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LoadedInstance>, Error>> {
        self.world.journal.load(id)
    }

    fn find<'a>(
        &'a self,
        id: &'a str,
        parts: Parts,
    ) -> BoxFuture<'a, Result<Option<InstanceRecord>, Error>> {
        self.world.journal.find(id, parts)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<InstanceRecord>, Error>> {
        self.world.journal.list(query)
    }

    fn wakes(
        &self,
        until: Timestamp,
        after: Option<(Timestamp, InstanceKey)>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Wake>, Error>> {
        self.world.journal.wakes(until, after, limit)
    }

    fn children<'a>(
        &'a self,
        key: InstanceKey,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Child>, Error>> {
        self.world.journal.children(key, id)
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, Error>> {
        self.world.journal.keys()
    }

    fn timers(&self) -> BoxFuture<'_, Result<Vec<TimerRecord>, Error>> {
        self.world.journal.timers()
    }

    fn outbox(&self, limit: usize) -> BoxFuture<'_, Result<Vec<OutboxRecord>, Error>> {
        self.world.journal.outbox(limit)
    }

    /// The others go on with it.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
