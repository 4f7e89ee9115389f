//! Turns: plain threads that take instances from one queue, outside tokio so that no cooperative budget interferes (architecture, Threads).

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::activities::Lane;
use super::busy::Work;
use super::cell::{Cell, Create, Inbound};
use super::outbox::Watched;
use super::resident::{Effects, Resident, Rules};
use super::trial::{Trial, Verdict};
use super::unrunnable::Why;
use super::{Engine, commit, deliveries, entities, growth, loading};
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent};
use crate::replay::Open;
use crate::store::{self, Change, LoadedInstance, TakenUp, is_entity};

/// A turn that takes longer is named in the log, and its thread replaced by a spare one.
const SLOW: Duration = Duration::from_secs(1);

/// A store that answers nothing for so long is not behind but away, as when the disk is full. It refuses starts then, and they have to reach
/// it for that.
const STALL: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this is a thread of turns.
    static OWN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether the calling thread takes what is in the run queue once it is through with what it does.
pub(super) fn is_own_thread() -> bool {
    OWN.get()
}

/// Instances that have something to do, oldest first, and between them slots of activities that are quick.
pub(crate) struct RunQueue {
    state: Mutex<QueueState>,
    ready: Condvar,
    threads: AtomicUsize,
    /// Something has begun, and nobody watched.
    begun: Arc<Notify>,
    /// Turns that are made and not stored.
    unstored: AtomicUsize,
    /// So many of those that no thread begins another.
    most_unstored: usize,
    /// There are fewer again.
    room: Condvar,
}

#[derive(Default)]
struct QueueState {
    items: VecDeque<(Item, Work)>,
    /// What each busy thread works on.
    busy: Vec<Taken>,
    /// Threads that wait and have not been woken.
    idle: usize,
    /// Threads that wait for the store.
    held: usize,
    /// The store has answered nothing for a while: whoever has to be told that must not wait behind those who wait for it.
    stalled: bool,
    next: u64,
    closed: bool,
    /// Somebody looks after what is busy, now and then.
    watched: bool,
}

/// What a thread of turns does.
#[derive(Clone)]
enum Item {
    Turn(Arc<Cell>),
    Slot(Lane),
}

/// An item on a thread.
struct Taken {
    ticket: u64,
    item: Item,
    since: Instant,
    /// It is slow, and a spare thread took its place.
    replaced: bool,
    _work: Work,
}

impl QueueState {
    /// Whether a thread is to be woken, which then counts as woken. A wake costs a system call, needed or not.
    fn claim_idle(&mut self) -> bool {
        let some = self.idle > 0;
        self.idle -= usize::from(some);
        some
    }
}

impl RunQueue {
    /// Of threads that are so many turns ahead of the store at most.
    pub(crate) fn new(most_unstored: usize) -> Self {
        Self {
            state: Mutex::default(),
            ready: Condvar::new(),
            threads: AtomicUsize::new(0),
            begun: Arc::default(),
            unstored: AtomicUsize::new(0),
            most_unstored: most_unstored.max(1),
            room: Condvar::new(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push_item(&self, item: Item, work: Work, wake: bool) {
        let wake = {
            let mut state = self.lock();
            state.items.push_back((item, work));
            wake && state.claim_idle()
        };
        if wake {
            self.ready.notify_one();
        }
    }

    pub(crate) fn push(&self, cell: Arc<Cell>, work: Work) {
        self.push_item(Item::Turn(cell), work, true);
    }

    /// The calling thread is one of turns, and takes it soon.
    pub(super) fn push_here(&self, cell: Arc<Cell>, work: Work) {
        self.push_item(Item::Turn(cell), work, false);
    }

    /// A slot for quick activities.
    pub(super) fn push_slot(&self, lane: Lane, work: Work) {
        self.push_item(Item::Slot(lane), work, true);
    }

    /// What was pushed for the calling thread goes to another, if it goes on with something else, or ends.
    pub(super) fn wake_for_more(&self, goes_on: impl FnOnce() -> bool) {
        if !goes_on() {
            return;
        }
        let wake = {
            let mut state = self.lock();
            !state.items.is_empty() && state.claim_idle()
        };
        if wake {
            self.ready.notify_one();
        }
    }

    pub(crate) fn len(&self) -> usize {
        let state = self.lock();
        state.items.len() + state.busy.len()
    }

    /// Lets the threads go once the queue is empty.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
        self.room.notify_all();
    }

    /// A turn goes to the store.
    fn submitted(&self) {
        self.unstored.fetch_add(1, Ordering::Relaxed);
    }

    /// The store has answered a turn.
    pub(super) fn answered(&self) {
        if self.unstored.fetch_sub(1, Ordering::Relaxed) != self.most_unstored {
            return;
        }
        let held = {
            let mut state = self.lock();
            state.stalled = false;
            state.held > 0
        };
        if held {
            self.room.notify_all();
        }
    }

    fn is_ahead(&self) -> bool {
        self.unstored.load(Ordering::Relaxed) >= self.most_unstored
    }

    #[cfg(test)]
    pub(super) fn ahead(&self) -> (usize, usize) {
        (self.lock().held, self.unstored.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(super) fn alive(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    fn take(&self) -> Option<(u64, Item)> {
        let mut state = self.lock();
        loop {
            let holds = self.is_ahead() && !state.stalled && !state.closed;
            if holds && !state.items.is_empty() {
                // More would make nothing faster: the next groups are full, and what waits to be made is smaller than what is made.
                state.held += 1;
                let waited = self.room.wait_timeout(state, STALL);
                let timed_out;
                (state, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
                state.held -= 1;
                state.stalled |= timed_out.timed_out() && self.is_ahead();
                continue;
            }
            if let Some((item, work)) = state.items.pop_front() {
                let ticket = state.next;
                state.next += 1;
                state.busy.push(Taken {
                    ticket,
                    item: item.clone(),
                    since: Instant::now(),
                    replaced: false,
                    _work: work,
                });
                // Some of what is left may have been pushed without a wake.
                let wake = !state.items.is_empty() && state.claim_idle();
                let unwatched = !std::mem::replace(&mut state.watched, true);
                drop(state);
                if wake {
                    self.ready.notify_one();
                }
                if unwatched {
                    self.begun.notify_one();
                }
                return Some((ticket, item));
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the thread that did this is to end, because a spare one took its place.
    fn done(&self, ticket: u64) -> bool {
        let taken = {
            let mut state = self.lock();
            let index = state.busy.iter().position(|taken| taken.ticket == ticket);
            index.map(|index| state.busy.swap_remove(index))
        };
        // Whoever waits for quiet is told without the lock.
        let ends = taken.is_some_and(|taken| taken.replaced);
        self.wake_for_more(|| ends);
        ends
    }

    /// What has just become slow; `None`: nothing is busy, and the next that begins says so.
    fn slow(&self) -> Option<Vec<Item>> {
        let mut state = self.lock();
        if state.busy.is_empty() {
            state.watched = false;
            return None;
        }
        let late = state
            .busy
            .iter_mut()
            .filter(|taken| !taken.replaced && taken.since.elapsed() > SLOW);
        let late = late.map(|taken| {
            taken.replaced = true;
            taken.item.clone()
        });
        Some(late.collect())
    }
}

/// Starts the threads, and the one that watches them.
pub(super) fn spawn(engine: &Arc<Engine>) {
    let count = engine.settings.max_concurrent_orchestrations.max(1);
    for _ in 0..count {
        spawn_worker(Arc::clone(engine));
    }
    let begun = Arc::clone(&engine.queue.begun);
    let stopped = engine.stopped.clone();
    engine
        .runtime
        .spawn(watch(Arc::downgrade(engine), begun, stopped));
}

/// Names what is slow and puts a spare thread in its place. While nothing is busy it sleeps.
async fn watch(engine: Weak<Engine>, begun: Arc<Notify>, stopped: CancellationToken) {
    let mut asleep = true;
    loop {
        tokio::select! {
            () = begun.notified(), if asleep => {}
            () = tokio::time::sleep(SLOW), if !asleep => {}
            // What runs longer than the host lets it is slow too: from here on it looks until the engine is gone.
            () = stopped.cancelled(), if asleep => {}
        }
        let Some(engine) = engine.upgrade() else {
            return;
        };
        if asleep {
            // What has begun is not slow yet.
            asleep = false;
            continue;
        }
        match engine.queue.slow() {
            Some(items) => items.iter().for_each(|item| replace(&engine, item)),
            None => asleep = !stopped.is_cancelled(),
        }
    }
}

fn replace(engine: &Arc<Engine>, slow: &Item) {
    match slow {
        Item::Turn(cell) => tracing::warn!(
            instance_id = &*cell.id,
            "a turn takes over a second: orchestrators must not compute or block; do that in an activity"
        ),
        Item::Slot(_) => tracing::warn!(
            "an async activity blocks its thread for over a second: make it a plain `fn`, which has a thread of its own"
        ),
    }
    let count = engine.settings.max_concurrent_orchestrations.max(1);
    if engine.queue.threads.load(Ordering::Relaxed) < 4 * count {
        spawn_worker(Arc::clone(engine));
    }
}

fn spawn_worker(engine: Arc<Engine>) {
    engine.queue.threads.fetch_add(1, Ordering::Relaxed);
    let spawned = thread::Builder::new()
        .name("durable-turn".to_owned())
        .spawn({
            let engine = Arc::clone(&engine);
            move || {
                OWN.set(true);
                while let Some((ticket, item)) = engine.queue.take() {
                    run_item(&engine, item);
                    if engine.queue.done(ticket) {
                        break;
                    }
                }
                engine.queue.threads.fetch_sub(1, Ordering::Relaxed);
            }
        });
    if let Err(error) = spawned {
        engine.queue.threads.fetch_sub(1, Ordering::Relaxed);
        tracing::error!(%error, "no thread for turns");
    }
}

fn run_item(engine: &Arc<Engine>, item: Item) {
    match item {
        Item::Turn(cell) => {
            if catch_unwind(AssertUnwindSafe(|| work(engine, &cell))).is_err() {
                tracing::error!(
                    instance_id = &*cell.id,
                    "the engine panicked over this instance; it is loaded again"
                );
                engine.abandon(&cell);
            }
        }
        Item::Slot(lane) => {
            if catch_unwind(AssertUnwindSafe(|| engine.run_slot(lane))).is_err() {
                tracing::error!("the engine panicked over an activity");
            }
        }
    }
}

/// What a turn is made of, taken out of its cell.
struct Job {
    resident: Option<Box<Resident>>,
    create: Option<Box<Create>>,
    messages: Vec<Inbound>,
    epoch: u64,
    fail_with: Option<Box<FailureDetails>>,
}

/// One work item of one instance.
fn work(engine: &Arc<Engine>, cell: &Arc<Cell>) {
    if is_entity(&cell.id) {
        return entities::work(engine, cell);
    }
    let Some(mut job) = take_job(engine, cell) else {
        return;
    };
    let resident = match (job.resident.take(), &job.create) {
        (Some(resident), _) => Some(resident),
        (None, Some(create)) => create_resident(engine, cell, create),
        (None, None) => load_resident(engine, cell, &mut job),
    };
    let Some(mut resident) = resident else {
        return give_up(engine, cell, job);
    };
    if let Some(failure) = job.fail_with.take() {
        resident.execution.fail(*failure);
    }
    job.messages.retain(|message| !resident.has_heard(message));
    let idle = job.messages.is_empty() && !resident.execution.wants_turn();
    if idle && job.create.is_none() {
        cell.lock().trial.end();
        return put_back(engine, cell, resident, job.epoch, Vec::new());
    }
    if ends_all_below(&job.messages)
        && let Err(error) = find_left_behind(engine, cell, &mut resident)
    {
        tracing::warn!(instance_id = &*cell.id, %error, "the children of the instance could not be looked up; it is tried again");
        return postpone(engine, cell, resident, job);
    }
    make_turn(engine, cell, resident, job);
}

fn ends_all_below(messages: &[Inbound]) -> bool {
    messages.iter().any(|message| {
        matches!(
            message.event,
            HistoryEvent::ExecutionTerminated {
                recursive: true,
                ..
            }
        )
    })
}

/// Children that earlier generations called and that have not ended; those of turns that are not stored yet it knows itself.
fn find_left_behind(
    engine: &Engine,
    cell: &Cell,
    resident: &mut Resident,
) -> Result<(), store::Error> {
    if resident.record.generation == 0 {
        return Ok(());
    }
    let children = block_on(engine.store.children(resident.record.key, &cell.id))?;
    let live = children
        .into_iter()
        .filter(|child| !child.status.is_terminal());
    resident.left_behind.extend(live.map(|child| child.id));
    Ok(())
}

/// Leaves the turn for later.
fn postpone(engine: &Arc<Engine>, cell: &Arc<Cell>, resident: Box<Resident>, job: Job) {
    let mut unwanted = None;
    {
        let mut state = cell.lock();
        state.scheduled = false;
        state.create = job.create;
        if state.epoch == job.epoch {
            state.resident = Some(resident);
        } else {
            unwanted = Some(resident);
        }
    }
    drop(unwanted);
    engine.retry_later(cell, job.messages);
}

fn take_job(engine: &Engine, cell: &Arc<Cell>) -> Option<Job> {
    let mut state = cell.lock();
    if matches!(state.trial, Trial::Waiting) && state.create.is_none() {
        // Its answer schedules it.
        state.scheduled = false;
        return None;
    }
    if state.ended {
        state.mailbox.clear();
        state.scheduled = false;
        commit::settle(engine, cell, &mut state);
        return None;
    }
    if state.resident.is_none() && state.create.is_none() && state.in_flight > 0 {
        // What it did before must be stored, or refused, before it is read: the answer schedules it again, also if that was a turn of an
        // instance that another one has replaced, whose refusal says nothing.
        state.scheduled = false;
        state.again = true;
        return None;
    }
    state.again = false;
    let count = state.mailbox.len().min(engine.settings.max_batch.max(1));
    // Its room goes along: what waits for long should keep none.
    let rest = state.mailbox.split_off(count);
    let taken = std::mem::replace(&mut state.mailbox, rest);
    let mut messages = Vec::from(taken);
    if !state.loaded.is_empty() {
        messages.retain(|message| match message.inbox {
            Some(id) => !state.loaded.remove(&id),
            None => true,
        });
    }
    let (mut resident, create) = (state.resident.take(), state.create.take());
    if let Some(resident) = resident.as_mut().filter(|_| state.in_flight == 0) {
        // The store knows them.
        resident.left_behind.clear();
    }
    Some(Job {
        resident,
        create,
        messages,
        epoch: state.epoch,
        fail_with: state.fail_with.take(),
    })
}

fn make_turn(engine: &Arc<Engine>, cell: &Arc<Cell>, mut resident: Box<Resident>, job: Job) {
    let Job {
        create,
        messages,
        epoch,
        ..
    } = job;
    let in_memory = |message: &&Inbound| message.inbox.is_none();
    let mut restore: Vec<Inbound> = Vec::with_capacity(messages.iter().filter(in_memory).count());
    restore.extend(messages.iter().filter(in_memory).cloned());
    let make = |started: &ExecutionStarted| engine.new_execution(&cell.id, started);
    let rules = Rules {
        ids: engine.store.ids(),
        reuse: engine.reuse(),
        watched: Watched(engine.settings.notifications.as_ref()),
        max_generations: engine.settings.max_generations,
    };
    let before = resident.size();
    let span = tracing::info_span!(
        "orchestration",
        function = &*resident.record.name,
        instance_id = &*cell.id
    );
    let made = span.in_scope(|| resident.make_turn(engine.clock.now(), messages, rules, &make));
    growth::tell(engine, &resident, before);
    let mut commit = made.commit;
    let reply = create.map(|create| {
        commit.create = Some(Box::new(create.instance));
        create.reply
    });
    let snapshot = Arc::clone(&resident.record);
    let ended = made.effects.ended;
    let ahead = engine.starts_ahead(&made.effects, reply.is_some());
    let early = {
        let mut state = cell.lock();
        if state.epoch != epoch {
            // An earlier turn failed while this one was made: it stands on nothing.
            restore
                .into_iter()
                .rev()
                .for_each(|message| state.mailbox.push_front(message));
            reschedule(engine, cell, &mut state);
            drop(state);
            drop(resident);
            return;
        }
        state.in_flight += 1;
        state.ended = ended;
        for id in commit::ended_activities(&restore) {
            state.running.remove(id);
        }
        match &ahead {
            Some(_) => {
                let current = &snapshot.execution_id;
                // A refusal of the turn takes them back.
                let tasks = made.effects.activities.clone();
                commit::jobs(cell, &mut state, tasks, current, ahead.as_ref())
            }
            None => Vec::new(),
        }
    };
    let done = commit::callback(
        Arc::clone(engine),
        Arc::clone(cell),
        commit::Pending {
            told: !commit.outbox.is_empty(),
            effects: made.effects,
            snapshot,
            reply,
            restore,
            epoch,
            ahead,
        },
    );
    engine.queue.submitted();
    engine.submit_change(Change::Turn(Box::new(commit)), done);
    engine.activities.push(early);
    put_back(engine, cell, resident, epoch, made.again);
}

/// The turn is over: the instance waits in memory, or goes on at once.
fn put_back(
    engine: &Engine,
    cell: &Arc<Cell>,
    resident: Box<Resident>,
    epoch: u64,
    again: Vec<Inbound>,
) {
    let mut state = cell.lock();
    state.last_active = Instant::now();
    let mut unwanted = None;
    let stays = resident.execution.has_code() && resident.execution.strayed().is_none();
    if state.epoch == epoch && !state.ended && stays && !engine.evicts_at_once(&state, &again) {
        again
            .into_iter()
            .rev()
            .for_each(|message| state.mailbox.push_front(message));
        state.resident = Some(resident);
        engine.mind_the_limit();
    } else {
        if state.epoch == epoch && !state.ended {
            engine.forget_timers(cell, &resident);
        }
        unwanted = Some(resident);
    }
    reschedule(engine, cell, &mut state);
    drop(state);
    // User code's destructors run without the lock.
    drop(unwanted);
}

pub(super) fn reschedule(engine: &Engine, cell: &Arc<Cell>, state: &mut super::cell::CellState) {
    if state.mailbox.is_empty() && state.fail_with.is_none() && !state.again {
        state.scheduled = false;
        if state.resident.is_none() || state.ended || !state.queued.is_empty() {
            commit::settle(engine, cell, state);
        }
    } else {
        state.scheduled = true;
        engine.schedule(Arc::clone(cell));
    }
}

/// The instance cannot be run here, or not now.
fn give_up(engine: &Arc<Engine>, cell: &Arc<Cell>, job: Job) {
    if let Some(create) = job.create {
        // Not started here: another version, or another host. The row waits.
        engine.store_pending(create.instance, create.reply);
    }
    let mut state = cell.lock();
    reschedule(engine, cell, &mut state);
}

fn create_resident(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    create: &Create,
) -> Option<Box<Resident>> {
    let instance = &create.instance;
    let mut execution = engine.new_execution(&cell.id, &instance.started)?;
    execution.replay(&[]);
    Some(Box::new(Resident::new(instance, execution)))
}

fn load_resident(engine: &Arc<Engine>, cell: &Arc<Cell>, job: &mut Job) -> Option<Box<Resident>> {
    let TakenUp { loaded, rest } = match block_on(engine.store.take_up(&cell.id)) {
        Ok(Some(found)) if !found.loaded.record.status.is_terminal() => found,
        Ok(_) => {
            job.messages.clear();
            cell.lock().trial.end();
            return None;
        }
        Err(error) => return load_later(engine, cell, job, &error),
    };
    let started = started_of(&loaded);
    let begun = !loaded.history.is_empty();
    let runnable = match engine.judge(cell, &loaded, &started, &job.messages) {
        Verdict::Run => engine.runnable(&cell.id, &started, begun),
        Verdict::Poison(failure) => Err(Why::Poison(failure)),
        Verdict::Later => {
            let messages = std::mem::take(&mut job.messages).into_iter();
            let mut state = cell.lock();
            let in_memory = messages.filter(|message| message.inbox.is_none());
            in_memory
                .rev()
                .for_each(|message| state.mailbox.push_front(message));
            return None;
        }
    };
    let execution = match runnable {
        Ok(execution) => loading::replay(engine, execution, &loaded, rest),
        Err(why) => match loading::whole(engine, loaded, rest) {
            Ok(loaded) => {
                // What is of use later lies in the inbox.
                job.messages.clear();
                cell.lock().trial.end();
                let (resident, messages) = engine.turn_without_code(cell, loaded, started, &why)?;
                job.messages = messages;
                return Some(resident);
            }
            Err(error) => return load_later(engine, cell, job, &error),
        },
    };
    let execution = match execution {
        Ok(execution) => execution,
        Err(error) => return load_later(engine, cell, job, &error),
    };
    let LoadedInstance {
        record,
        sequence,
        inbox,
        deliveries,
        ..
    } = loaded;
    let mut resident = Box::new(Resident {
        execution,
        record: Arc::new(record),
        sequence,
        deliveries: deliveries.into_iter().collect(),
        left_behind: Vec::new(),
    });
    let stored = inbox.into_iter().map(|m| Inbound {
        event: m.event,
        inbox: Some(m.id),
        execution_id: m.execution_id,
    });
    let mut messages: Vec<Inbound> = stored.collect();
    messages.extend(
        std::mem::take(&mut job.messages)
            .into_iter()
            .filter(|message| message.inbox.is_none()),
    );
    if !begun {
        messages.insert(
            0,
            Inbound {
                event: HistoryEvent::ExecutionStarted(Box::new(started)),
                inbox: None,
                execution_id: None,
            },
        );
    }
    job.messages = messages;
    resume(engine, cell, &mut resident, &job.messages);
    // Its inbox rows are in hand: those that were delivered in memory meanwhile are the same messages.
    let known: Vec<i64> = job
        .messages
        .iter()
        .filter_map(|message| message.inbox)
        .collect();
    let mut state = cell.lock();
    state.loaded = known.into_iter().collect();
    state.snapshot = Some(Arc::clone(&resident.record));
    Some(resident)
}

fn load_later(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    job: &mut Job,
    error: &crate::store::Error,
) -> Option<Box<Resident>> {
    tracing::error!(instance_id = &*cell.id, %error, "the instance could not be loaded; it is tried again");
    engine.retry_later(cell, std::mem::take(&mut job.messages));
    None
}

/// What the current execution began with.
pub(super) fn started_of(loaded: &LoadedInstance) -> ExecutionStarted {
    for event in loaded.history.iter().flatten() {
        if let HistoryEvent::ExecutionStarted(started) = event {
            return (**started).clone();
        }
    }
    let record = &loaded.record;
    ExecutionStarted {
        name: Arc::clone(&record.name),
        version: record.version.clone(),
        execution_id: Arc::clone(&record.execution_id),
        parent: record.parent.clone(),
        scheduled_start: record.scheduled_start,
        generation: record.generation,
        tags: record.tags.clone(),
        trace_parent: record.trace_parent.clone(),
        input: record.input.clone(),
    }
}

/// Arms its timers, and runs again the activities of which this process knows nothing.
fn resume(engine: &Arc<Engine>, cell: &Arc<Cell>, resident: &mut Resident, messages: &[Inbound]) {
    let answered: BTreeSet<i64> = commit::ended_activities(messages).collect();
    let running: BTreeSet<i64> = cell.lock().running.iter().map(|(id, _)| id).collect();
    let mut effects = Effects::default();
    for (id, open) in resident.execution.open() {
        match open {
            Open::Timer { fire_at } => effects.timers.push((fire_at, id)),
            Open::Activity {
                abandoned: false,
                name,
                input,
                attempt,
            } if !running.contains(&id)
                && !answered.contains(&id)
                && !resident.execution.holds_end_of(id) =>
            {
                let count = resident.deliveries.entry(id).or_default();
                let delivery = if *count > 1 {
                    // Its start is counted when it happens: it may never have left the queue.
                    *count + 1
                } else {
                    *count = 2;
                    2
                };
                effects.activities.push(super::resident::ActivityTask {
                    key: resident.record.key,
                    execution_id: Arc::clone(&resident.record.execution_id),
                    id,
                    name,
                    input,
                    attempt,
                    delivery,
                });
            }
            Open::Activity { .. } | Open::Child { .. } | Open::EntityCall | Open::Lock => {}
        }
    }
    engine.arm(cell, &resident.record.execution_id, &effects.timers);
    if !effects.activities.is_empty() {
        deliveries::take_up(engine, cell, resident.record.key, effects.activities);
    }
}
