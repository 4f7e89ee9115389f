//! The engine: instances in memory, turns, commits, activities, timers, recovery. It knows the store's trait, never a database.
//!
//! One message's way: `Engine::deliver` puts it into its instance's cell and the cell into the run queue (`turns.rs`); a turn thread takes
//! all that waits there, lets the execution run (`resident.rs`) and submits the turn; the store's answer (`commit.rs`) makes it
//! visible and lets its effects leave: activities start (`activities.rs`), timers are armed (`timers.rs`), messages go on.

mod activities;
mod busy;
mod by_hand;
mod cell;
mod clock;
mod commit;
mod deliveries;
mod entities;
mod eviction;
mod fresh_id;
mod growth;
mod history_row;
mod loading;
mod notifications;
mod outbox;
mod pause;
mod pending;
mod recovery;
mod reply;
mod requests;
mod resident;
mod restart;
mod retention;
mod rewind;
mod schedule;
mod settings;
mod skipping;
mod speculation;
mod suspects;
#[cfg(test)]
mod tests;
mod timers;
mod trial;
mod turns;
mod unrunnable;
mod user_code;
mod versions;
mod virtual_clock;
mod waiters;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::activities::{Activities, Pool};
use self::busy::{Busy, Work};
use self::cell::{Cell, CellState, Cells, Inbound};
use self::clock::{Clock, WallClock};
use self::entities::Entities;
use self::outbox::Outbox;
use self::pause::Pause;
use self::resident::Resident;
use self::schedule::Schedules;
use self::timers::{Entry, Timers};
use self::trial::Trials;
use self::turns::RunQueue;
use self::waiters::Waiters;
use crate::client::DurableClient;
use crate::error::Error;
use crate::model::{ExecutionStarted, Timestamp};
use crate::registry::{Fault, Registry};
use crate::replay::{Execution, Limits};
use crate::state::States;
use crate::store::{Change, Done, Receipt, Store};

pub use crate::replay::Nondeterminism;
#[doc(hidden)]
pub use by_hand::by_hand;
pub use notifications::{Notification, Notifications, Notifier, Told};
pub(crate) use requests::{StartRequest, client_error};
pub use retention::Retention;
#[doc(hidden)]
pub use rewind::plan_rewind;
pub use settings::Settings;
pub use versions::{VersionFailure, VersionMatch};
#[doc(hidden)]
pub use virtual_clock::VirtualClock;

/// What is told to stop has at least so long to do so, however short the grace period is.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What a hub is made of.
#[derive(Debug)]
pub struct Options {
    /// The functions.
    pub registry: Arc<Registry>,
    /// The states that functions ask for.
    pub states: Arc<States>,
    /// The journal.
    pub store: Arc<dyn Store>,
    /// What it is told.
    pub settings: Settings,
}

impl Options {
    /// States that functions ask for and nobody gave.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let activities = self.registry.activities();
        let activities = activities.map(|activity| (activity.name, activity.spec.states));
        let entities = self.registry.entities();
        let entities = entities.map(|entity| (entity.name, entity.spec.states));
        let timers = self.settings.timers.iter();
        let timers = timers.map(|each| (each.timer.name, each.timer.spec.states));
        let all = activities
            .chain(entities)
            .chain(timers)
            .flat_map(|(name, states)| states.iter().map(move |state| (name, state)));
        let missing = all.filter(|(_, state)| !self.states.has((state.type_id)()));
        missing
            .map(|(name, state)| Fault(crate::function::missing_state(name, (state.type_name)())))
            .collect()
    }
}

/// A running hub. Ends with [`Hub::shutdown`]; dropped without it, it stops as a crash would: nothing is lost.
pub struct Hub {
    engine: Arc<Engine>,
}

impl Hub {
    /// Starts the hub on the current tokio runtime, takes up what was left, and binds the client to it.
    ///
    /// # Errors
    /// Faults of [`Options::faults`]; a call outside a tokio runtime.
    pub fn start(options: Options, client: &DurableClient) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = match &options.settings.rehearsal {
            None => Arc::new(WallClock),
            Some(rehearsal) => Arc::clone(&rehearsal.clock) as Arc<dyn Clock>,
        };
        Self::start_by(clock, options, client)
    }

    fn start_by(
        clock: Arc<dyn Clock>,
        options: Options,
        client: &DurableClient,
    ) -> Result<Self, Error> {
        // In a rehearsal a missing state fails only the function that asks for it.
        let faults = match options.settings.rehearsal {
            None => options.faults(),
            Some(_) => Vec::new(),
        };
        if !faults.is_empty() {
            return Err(Error::msg(
                faults
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n"),
            ));
        }
        let runtime = Handle::try_current()?;
        // A clock without a horizon jumps from timer to timer, so it must see them all.
        let looks = clock.horizon().map(|_| options.settings.max_looks);
        let queue = Activities::new(
            options.settings.max_concurrent_activities,
            options.registry.activities(),
            |name| options.registry.is_disabled(name),
        );
        let max_entities = options.settings.max_concurrent_entities;
        let max_unstored = options.settings.max_unstored;
        let trials = Trials::new(&*options.store, clock.now());
        let http = Activities::new(
            options.settings.http.max_concurrent,
            std::iter::empty(),
            |_| false,
        );
        let pause = Pause::new(options.settings.paused);
        let engine = Arc::new(Engine {
            registry: options.registry,
            states: options.states,
            store: options.store,
            limits: Arc::new(options.settings.limits()),
            settings: options.settings,
            client: client.clone(),
            clock,
            runtime,
            cells: Cells::new(),
            queue: RunQueue::new(max_unstored),
            busy: Busy::default(),
            timers: Arc::new(Timers::new(looks)),
            activities: Pool::new(queue, http),
            schedules: Schedules::default(),
            entities: Entities::new(max_entities),
            pause,
            waiters: Waiters::default(),
            outbox: Arc::default(),
            trials,
            crowded: Arc::default(),
            closed: CancellationToken::new(),
            closing_since: OnceLock::new(),
            stopping: AtomicBool::new(false),
            stopped: CancellationToken::new(),
        });
        engine.activities.bind(&engine);
        if engine.pause.is_paused() {
            engine.pause_activities(true);
        }
        turns::spawn(&engine);
        engine.runtime.spawn(timers::run(Arc::downgrade(&engine)));
        let starting = engine.virtual_clock().map(|_| engine.busy.begin());
        engine
            .runtime
            .spawn(schedule::start(Arc::downgrade(&engine), starting));
        engine
            .runtime
            .spawn(recovery::wake(Arc::downgrade(&engine)));
        engine.runtime.spawn(eviction::run(Arc::downgrade(&engine)));
        engine
            .runtime
            .spawn(retention::run(Arc::downgrade(&engine)));
        engine.runtime.spawn(outbox::run(Arc::downgrade(&engine)));
        client.bind(&engine);
        Ok(Self { engine })
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// A client of this hub.
    #[must_use]
    pub fn client(&self) -> DurableClient {
        self.engine.client.clone()
    }

    /// Instances in memory now.
    #[doc(hidden)]
    #[must_use]
    pub fn resident(&self) -> usize {
        self.engine.cells.len()
    }

    /// How long a stop may take, from [`Self::close`] on.
    #[doc(hidden)]
    #[must_use]
    pub fn grace_period(&self) -> Duration {
        self.engine.settings.grace_period
    }

    /// Lets no function begin any more. Clients may still ask: whoever was let in before is served.
    #[doc(hidden)]
    pub fn close(&self) {
        let engine = &self.engine;
        engine.closing_since.get_or_init(Instant::now);
        engine.closed.cancel();
        engine.activities.close();
        engine.schedules.close();
    }

    /// Resolves when nothing is under way: nothing will happen any more unless a timer comes due or somebody asks for something.
    #[doc(hidden)]
    pub async fn quiet(&self) {
        self.engine.busy.quiet().await;
    }

    /// Lets no function begin, and waits for what runs; what takes too long is told to stop, early enough that all is over within the grace period.
    #[doc(hidden)]
    pub async fn drain(&self) {
        self.close();
        let engine = &self.engine;
        let began = *engine.closing_since.get_or_init(Instant::now);
        let grace = engine.settings.grace_period;
        let last_word = (grace / 6).max(LAST_WORD);
        let last_word = last_word.min(engine.settings.cancellation_grace);
        let told = began + grace.saturating_sub(last_word);
        let end = told + last_word;
        if tokio::time::timeout_at(told, engine.busy.quiet())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!(
            "the grace period is nearly over; what still runs is told to stop and will be delivered again"
        );
        engine.tell_to_stop();
        let _ = tokio::time::timeout_at(end, engine.busy.quiet()).await;
    }

    /// Takes no new work, lets turns and activities finish within the grace period, tells what still runs to stop and leaves it to be
    /// delivered again, then flushes and lets go of the database.
    pub async fn shutdown(&self) {
        let engine = &self.engine;
        if engine.stopping.swap(true, Ordering::AcqRel) {
            return;
        }
        self.drain().await;
        engine.tell_to_stop();
        engine.queue.close();
        engine.unload_all();
        engine.store.close().await;
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("name", &self.engine.settings.hub_name)
            .finish_non_exhaustive()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.engine.stopping.store(true, Ordering::Release);
        self.engine.closed.cancel();
        self.engine.stopped.cancel();
        self.engine.queue.close();
    }
}

/// All that the rooms of the hub share.
pub(crate) struct Engine {
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: Arc<States>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Settings,
    limits: Arc<Limits>,
    client: DurableClient,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    cells: Cells,
    queue: RunQueue,
    busy: Busy,
    timers: Arc<Timers>,
    activities: Pool,
    schedules: Schedules,
    entities: Entities,
    pause: Pause,
    waiters: Waiters,
    outbox: Arc<Outbox>,
    trials: Trials,
    /// More instances are in memory than there should be.
    crowded: Arc<Notify>,
    /// No function begins any more.
    closed: CancellationToken,
    /// When a stop began.
    closing_since: OnceLock<Instant>,
    /// Clients are refused too.
    stopping: AtomicBool,
    /// What still runs was told to stop.
    stopped: CancellationToken,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("cells", &self.cells.len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    fn is_killed(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// Fires when the host's grace period is over.
    pub(crate) fn until_stopped(&self) -> CancellationToken {
        self.stopped.child_token()
    }

    /// Lets no function begin until it is told to go on; what runs may finish, and what waits, waits in the store.
    pub(crate) fn pause(self: &Arc<Self>, paused: bool) {
        self.pause.set(paused);
        self.pause_activities(paused);
        if !paused {
            self.runtime.spawn(recovery::again(Arc::downgrade(self)));
        }
    }

    /// Activities, timer functions and batches of entities that run now.
    pub(crate) fn running_functions(&self) -> usize {
        self.activities.running() + self.pause.running()
    }

    /// Fires when no function begins any more.
    pub(crate) fn until_closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    fn tell_to_stop(&self) {
        self.stopped.cancel();
        self.cells.for_each(|cell| {
            cell.lock()
                .running
                .iter()
                .for_each(|(_, stop)| stop.cancel())
        });
    }

    /// Whether no function begins any more, since the hub stops.
    fn is_closing(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Hands a message to its instance, which is loaded if it is not in memory.
    fn deliver(&self, id: &Arc<str>, message: Inbound) {
        self.with_cell(id, |state| state.receive(message));
    }

    /// Hands a message to the instance of this cell, or of the one that took its place.
    fn deliver_to(&self, cell: &Arc<Cell>, message: Inbound) {
        let mut state = cell.lock();
        if state.removed {
            drop(state);
            return self.deliver(&cell.id, message);
        }
        state.receive(message);
        if !std::mem::replace(&mut state.scheduled, true) {
            drop(state);
            self.schedule(Arc::clone(cell));
        }
    }

    /// Has the instance look at what it has.
    fn poke(&self, id: &Arc<str>) {
        // Whoever works on it now may have looked already.
        self.with_cell(id, |state| state.again |= state.scheduled);
    }

    fn with_cell(&self, id: &Arc<str>, change: impl FnOnce(&mut CellState)) {
        loop {
            let cell = self.cells.get_or_insert(id);
            let mut state = cell.lock();
            if state.removed {
                continue;
            }
            change(&mut state);
            if !std::mem::replace(&mut state.scheduled, true) {
                drop(state);
                self.schedule(cell);
            }
            return;
        }
    }

    /// Queues an instance for its turn.
    fn schedule(&self, cell: Arc<Cell>) {
        if turns::is_own_thread() {
            self.queue.push_here(cell, self.busy.begin());
        } else {
            self.queue.push(cell, self.busy.begin());
        }
    }

    /// Submits a change, which is under way until `done` has returned.
    fn submit_change(self: &Arc<Self>, change: Change, done: Done) {
        let work = self.busy.begin();
        let engine = Arc::downgrade(self);
        let done: Done = Box::new(move |result| {
            let told = result.as_ref().ok().filter(|receipt| !receipt.is_alone());
            if let Some((receipt, engine)) = told.zip(engine.upgrade()) {
                engine.take_leave(receipt);
            }
            done(result);
            drop(work);
        });
        self.store.submit(change, done);
    }

    /// Instances went before their end: memory knows nothing of them any more, and entities learn that nobody holds them.
    fn take_leave(&self, receipt: &Receipt) {
        receipt.replaced.iter().for_each(|id| self.renew_cell(id));
        for message in &receipt.released {
            commit::deliver(self, message.clone());
        }
    }

    /// The execution that this start means; `None` if no function here fits, or it is disabled.
    fn new_execution(
        self: &Arc<Self>,
        id: &Arc<str>,
        started: &ExecutionStarted,
    ) -> Option<Execution> {
        if self.registry.is_disabled(&started.name) {
            return None;
        }
        let orchestrator = self.settings.version_match.find(
            &self.registry,
            &started.name,
            &started.version,
            self.settings.default_version.as_deref(),
        )?;
        let (engine, own): (Weak<Self>, Arc<str>) = (Arc::downgrade(self), Arc::clone(id));
        let on_foreign = Arc::new(move || {
            if let Some(engine) = engine.upgrade() {
                engine.poke(&own);
            }
        });
        let (id, registry) = (Arc::clone(id), Arc::clone(&self.registry));
        Some(Execution::new(
            id,
            started.clone(),
            *orchestrator,
            registry,
            Arc::clone(&self.limits),
            on_foreign,
        ))
    }

    /// Arms timers of an execution that was loaded.
    fn arm(&self, cell: &Cell, execution_id: &Arc<str>, timers: &[(Timestamp, i64)]) {
        self.timers.arm(timers.iter().map(|(at, id)| Entry {
            at: *at,
            instance_id: Arc::clone(&cell.id),
            task: Some((Arc::clone(execution_id), *id)),
        }));
    }

    fn disarm(&self, cell: &Cell, execution_id: &Arc<str>, timers: &[(Timestamp, i64)]) {
        for (at, id) in timers {
            let task = Some((Arc::clone(execution_id), *id));
            self.timers.disarm(&Entry {
                at: *at,
                instance_id: Arc::clone(&cell.id),
                task,
            });
        }
    }

    /// Looks at the instance at that time, of which the store knows: its `wake_at` is that instant.
    fn look_at(&self, id: &Arc<str>, at: Timestamp) {
        self.timers.look(at, id);
    }

    /// Looks at the instance at that time, of which the store does not know: its `wake_at` says 0, since other things wait there as well.
    fn wake_instance(&self, id: &Arc<str>, at: Timestamp) {
        self.timers.arm([Entry {
            at,
            instance_id: Arc::clone(id),
            task: None,
        }]);
    }

    /// An instance leaves memory: one entry stands for all its timers.
    fn forget_timers(&self, cell: &Cell, resident: &Resident) {
        let (next, busy) = resident.execution.next_wake();
        let timers: Vec<(Timestamp, i64)> = resident.execution.timers();
        self.disarm(cell, &resident.record.execution_id, &timers);
        match next {
            Some(at) if busy => self.wake_instance(&cell.id, at),
            Some(at) => self.look_at(&cell.id, at),
            None => {}
        }
    }

    /// Whether an instance that has nothing to do leaves memory now.
    fn evicts_at_once(&self, state: &CellState, again: &[Inbound]) -> bool {
        state.in_flight == 0
            && state.mailbox.is_empty()
            && again.is_empty()
            && self.settings.idle_timeout.is_zero()
    }

    /// One more is in memory: past the limit, those that did nothing for the longest time are to go.
    fn mind_the_limit(&self) {
        if self.cells.len() > self.settings.max_resident {
            self.crowded.notify_one();
        }
    }

    /// The instance is loaded again, after a while.
    fn retry_later(self: &Arc<Self>, cell: &Arc<Cell>, messages: Vec<Inbound>) {
        {
            let mut state = cell.lock();
            messages
                .into_iter()
                .rev()
                .for_each(|message| state.mailbox.push_front(message));
        }
        let (engine, id) = (Arc::downgrade(self), Arc::clone(&cell.id));
        // A hub that stops waits for no database that is away.
        let work: Option<Work> = (!self.is_closing()).then(|| self.busy.begin());
        self.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(engine) = engine.upgrade() {
                engine.poke(&id);
            }
            drop(work);
        });
    }

    /// After a panic of our own: the instance is loaded afresh.
    fn abandon(self: &Arc<Self>, cell: &Arc<Cell>) {
        let dropped = {
            let mut state = cell.lock();
            state.scheduled = false;
            state.unload()
        };
        drop(dropped);
        self.retry_later(cell, Vec::new());
    }

    /// Drops every future; what is dropped does nothing any more (law 5).
    fn unload_all(&self) {
        self.cells.for_each(|cell| {
            let dropped = cell.lock().unload();
            drop(dropped);
        });
    }
}
