//! Entities on the engine: batches of operations, one at a time for each entity, committed whole.
//!
//! A turn thread takes what has arrived and runs the batch as far as it goes without waiting; one that waits goes on on the runtime.
//! The next batch begins when the last one is stored: what arrives meanwhile is what makes batches large.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument;

use super::cell::{Cell, CellState, Inbound};
use super::fresh_id::fresh_id;
use super::resident::StartEffect;
use super::suspects::Suspects;
use super::{Engine, commit, growth, user_code};
use crate::entity::{
    Answer, EntityInvocation, Mailbox, Operation, Outbox, Outgoing, Rollback, Running, Sent,
    Unsaved,
};
use crate::model::{
    EntityId, EntityOperation, ExecutionStarted, FailureDetails, HistoryEvent, Payload,
    RuntimeStatus, Timestamp,
};
use crate::registry::Entity;
use crate::store::{
    Change, Done, Error, InstanceKey, LoadedInstance, NewInstance, NewMessage, PayloadKind,
    Receipt, TurnCommit,
};

/// After so long a batch is stored and others have the thread (spec 3.2).
const MAX_BATCH_TIME: Duration = Duration::from_secs(3 * 60);

type Reply = Result<Payload, FailureDetails>;
type Replies = HashMap<Arc<str>, oneshot::Sender<Reply>>;

/// What entities share.
pub(crate) struct Entities {
    slots: Arc<Semaphore>,
    replies: Mutex<Replies>,
}

impl Entities {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(limit.max(1))),
            replies: Mutex::default(),
        }
    }

    fn replies(&self) -> MutexGuard<'_, Replies> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer to a client's call will come.
    pub(super) fn expect(&self, request: Arc<str>) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        self.replies().insert(request, sender);
        receiver
    }

    /// Nobody waits for that answer any more.
    pub(super) fn forget(&self, request: &str) {
        self.replies().remove(request);
    }
}

/// An entity in memory.
pub(crate) struct ResidentEntity {
    pub(super) mailbox: Mailbox,
    /// Inbox ids that were loaded from the store: delivered in memory as well, they are dropped.
    loaded: BTreeSet<i64>,
    entity: Entity,
    pub(super) key: InstanceKey,
    sequence: i64,
    updated: Timestamp,
    pub(super) suspects: Suspects,
    /// Why an operation is not run any more, until that is stored.
    pub(super) poison: Option<FailureDetails>,
    /// Bytes of the state that is stored.
    state_bytes: usize,
}

impl ResidentEntity {
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.mailbox.next_due()
    }
}

/// How careful the next batch has to be, after one that could not be stored for a reason of its content, or that took its host down.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Care {
    #[default]
    None,
    /// One operation, so that the guilty one is found.
    One,
    /// The first operation fails so instead of being run.
    Fail(Box<FailureDetails>),
}

/// One work item of one entity.
pub(super) fn work(engine: &Arc<Engine>, cell: &Arc<Cell>) {
    let (resident, messages) = {
        let mut state = cell.lock();
        if state.in_flight > 0 {
            // The batch under way schedules it again.
            state.scheduled = false;
            return;
        }
        state.again = false;
        (state.entity.take(), std::mem::take(&mut state.mailbox))
    };
    let in_memory = resident.is_some();
    let Some(mut resident) = resident.or_else(|| load(engine, cell)) else {
        let mut state = cell.lock();
        super::turns::reschedule(engine, cell, &mut state);
        return;
    };
    // What has arrived is stored: a load finds it, unless a batch has taken it since.
    for message in messages.into_iter().filter(|_| in_memory) {
        take(&mut resident, message);
    }
    let begins = resident.mailbox.is_ready(engine.clock.now()) && engine.begins_batches();
    if begins && engine.may_run(cell, &mut resident) {
        begin(engine, cell, resident);
    } else {
        put_back(engine, cell, resident);
    }
}

fn take(resident: &mut ResidentEntity, message: Inbound) {
    if let (HistoryEvent::Entity(message), Some(inbox)) = (message.event, message.inbox)
        && !resident.loaded.remove(&inbox)
    {
        resident.mailbox.take(inbox, *message);
    }
}

fn load(engine: &Arc<Engine>, cell: &Arc<Cell>) -> Option<Box<ResidentEntity>> {
    let loaded = match block_on(engine.store.load(&cell.id)) {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return None,
        Err(error) => {
            tracing::error!(instance_id = &*cell.id, %error, "the entity could not be loaded; it is tried again");
            engine.retry_later(cell, Vec::new());
            return None;
        }
    };
    let id: EntityId = cell.id.parse().ok()?;
    let Some(entity) = engine.registry.entity(id.name()) else {
        tracing::warn!(
            instance_id = &*cell.id,
            "the entity waits: no function of that name is registered here"
        );
        return None;
    };
    if engine.registry.is_disabled(id.name()) {
        tracing::warn!(
            instance_id = &*cell.id,
            "the entity waits: its function is disabled by the setting `AzureWebJobs.{}.Disabled`",
            entity.name
        );
        return None;
    }
    let suspects = engine.suspects(&loaded);
    let LoadedInstance {
        record,
        sequence,
        inbox,
        ..
    } = loaded;
    let kept = record.entity.unwrap_or_default();
    let mut resident = Box::new(ResidentEntity {
        mailbox: Mailbox::new(id, kept.state, kept.lock),
        loaded: BTreeSet::new(),
        entity: *entity,
        key: record.key,
        sequence,
        updated: record.updated,
        suspects,
        poison: None,
        state_bytes: 0,
    });
    resident.state_bytes = state_bytes(&resident.mailbox);
    let known = inbox.iter().map(|message| message.id).collect();
    for message in inbox {
        let inbound = Inbound {
            event: message.event,
            inbox: Some(message.id),
            execution_id: None,
        };
        take(&mut resident, inbound);
    }
    resident.loaded = known;
    Some(resident)
}

fn state_bytes(mailbox: &Mailbox) -> usize {
    let state = mailbox.state.as_ref();
    state.map_or(0, |state| state.as_str().len())
}

impl Engine {
    pub(super) fn begins_batches(&self) -> bool {
        !self.is_closing() && !self.pause.is_paused()
    }
}

/// Nothing to do now: the entity waits in memory, or leaves it.
fn put_back(engine: &Arc<Engine>, cell: &Arc<Cell>, mut resident: Box<ResidentEntity>) {
    let mut state = cell.lock();
    engine.give_back(&mut state, &mut resident);
    place(engine, cell, &mut state, resident);
}

/// A batch is over: in one step with the end of it, so that nobody loads the entity a second time in between.
fn end_batch(engine: &Engine, cell: &Arc<Cell>, resident: Box<ResidentEntity>) {
    let mut state = cell.lock();
    state.in_flight -= 1;
    state.care = Care::None;
    state.trial.end();
    if state.scheduled {
        // A message came meanwhile. Whoever takes it from the queue goes on; a second one would run the entity beside the first.
        keep(engine, cell, &mut state, resident);
    } else {
        place(engine, cell, &mut state, resident);
    }
}

/// Leaves the entity in memory, if it may stay there, and has it looked at when something is due.
fn keep(engine: &Engine, cell: &Arc<Cell>, state: &mut CellState, resident: Box<ResidentEntity>) {
    state.last_active = Instant::now();
    // While nothing begins, nothing that is due may wake it: whoever ends the pause looks for all that waits.
    let now = engine.clock.now();
    if let Some(due) = resident.next_due().filter(|due| *due > now) {
        engine.look_at(&cell.id, due);
    }
    if !state.trial.is_none() || !engine.settings.idle_timeout.is_zero() {
        state.entity = Some(resident);
        engine.mind_the_limit();
    }
}

fn place(engine: &Engine, cell: &Arc<Cell>, state: &mut CellState, resident: Box<ResidentEntity>) {
    // Looked at with the lock held: a pause that ends later finds the entity not scheduled, and so does the answer of what it asked.
    let asks = !state.trial.is_none();
    let is_ready = resident.mailbox.is_ready(engine.clock.now());
    let ready = is_ready && engine.begins_batches() && !asks;
    keep(engine, cell, state, resident);
    if ready {
        state.scheduled = true;
        return engine.schedule(Arc::clone(cell));
    }
    super::turns::reschedule(engine, cell, state);
}

type Batch = Pin<Box<dyn Future<Output = (Box<ResidentEntity>, Outbox)> + Send>>;

/// Runs a batch: here as far as it goes without waiting, then on the runtime.
fn begin(engine: &Arc<Engine>, cell: &Arc<Cell>, resident: Box<ResidentEntity>) {
    let care = {
        let mut state = cell.lock();
        state.in_flight += 1;
        state.scheduled = false;
        state.care.clone()
    };
    let work = engine.busy.begin();
    let counted = resident.suspects.granted().map(|task| (resident.key, task));
    let batch = run_batch(Arc::clone(engine), resident, care.clone());
    let mut batch: Batch = match counted {
        None => Box::pin(batch),
        Some(counted) => Box::pin(run_counted(Arc::clone(engine), counted, batch)),
    };
    let (engine_then, cell_then) = (Arc::clone(engine), Arc::clone(cell));
    let permit = Arc::clone(&engine.entities.slots).try_acquire_owned().ok();
    if permit.is_some() {
        let _entered = engine.runtime.enter();
        let polled = batch.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready((resident, out)) = polled {
            finish(engine, cell, resident, out, &care);
            return drop(work);
        }
    }
    engine.runtime.spawn(async move {
        let _permit = match permit {
            Some(permit) => Some(permit),
            None => Arc::clone(&engine_then.entities.slots)
                .acquire_owned()
                .await
                .ok(),
        };
        let (resident, out) = batch.await;
        finish(&engine_then, &cell_then, resident, out, &care);
        drop(work);
    });
}

/// Runs a batch that was counted because it may take the host down; one that the host stops is not to blame.
async fn run_counted<T>(
    engine: Arc<Engine>,
    (key, task): (InstanceKey, i64),
    batch: impl Future<Output = T>,
) -> T {
    let mut batch = std::pin::pin!(batch);
    tokio::select! {
        biased;
        out = &mut batch => return out,
        () = engine.stopped.cancelled() => {}
    }
    engine.return_batch(key, task);
    batch.await
}

async fn run_batch(
    engine: Arc<Engine>,
    mut resident: Box<ResidentEntity>,
    care: Care,
) -> (Box<ResidentEntity>, Outbox) {
    let mut out = Outbox::default();
    let _running = engine.pause.begin();
    let began = Instant::now();
    let limit = match care {
        Care::None => engine.settings.max_entity_batch.max(1),
        Care::One | Care::Fail(_) => 1,
    };
    let before = resident.mailbox.state.clone();
    let mut unsaved = None;
    for _ in 0..limit {
        if began.elapsed() > MAX_BATCH_TIME || !engine.begins_batches() {
            break;
        }
        let now = engine.clock.now();
        let Some(running) = resident.mailbox.next(now, &mut out) else {
            break;
        };
        unsaved = run_operation(&engine, &mut resident, running, &care, unsaved, &mut out).await;
    }
    if let Some(unsaved) = unsaved {
        resident.mailbox.state = before;
        out.fail(&unsaved.failure);
    }
    (resident, out)
}

/// Gives what the next one begins with, if the state is not it.
async fn run_operation(
    engine: &Arc<Engine>,
    resident: &mut ResidentEntity,
    running: Running,
    care: &Care,
    unsaved: Option<Unsaved>,
    out: &mut Outbox,
) -> Option<Unsaved> {
    let began = Instant::now();
    let mailbox = &mut resident.mailbox;
    let EntityOperation {
        operation: name,
        input,
        ..
    } = &running.operation;
    let (name, input) = (Arc::clone(name), input.clone());
    let operation = Operation::new(
        mailbox.id.clone(),
        Arc::clone(&name),
        input,
        mailbox.state.clone(),
        Arc::clone(&engine.registry),
        engine.settings.max_payload_bytes,
        match engine.settings.rollback_entity_operations {
            true => Rollback::Yes,
            false => Rollback::No(unsaved),
        },
    );
    let result = match care {
        Care::Fail(failure) => Err((**failure).clone()),
        Care::None | Care::One => {
            let invocation = EntityInvocation::new(
                Arc::clone(&operation),
                Arc::clone(&engine.states),
                engine.client.clone(),
            );
            let span = tracing::info_span!(
                "entity",
                function = resident.entity.name,
                instance_id = %mailbox.id,
                operation = &*name
            );
            let work = user_code::resumable(resident.entity.spec.run, invocation);
            work.instrument(span).await
        }
    };
    let result = result.and_then(|result| operation.fitting(result));
    let failure = result.as_ref().err();
    tracing::info!(
        function = resident.entity.name,
        instance_id = %mailbox.id,
        operation = &*name,
        outcome = failure.map_or("ok", |failure| &*failure.error_type),
        error = failure.map(|failure| &*failure.message),
        duration = ?began.elapsed(),
        "operation ended"
    );
    let rollback = engine.settings.rollback_entity_operations;
    mailbox.finish(running, &operation, result, rollback, out);
    operation.unsaved()
}

/// Stores what the batch did.
fn finish(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    mut resident: Box<ResidentEntity>,
    out: Outbox,
    care: &Care,
) {
    if out.consumed.is_empty() {
        return end_batch(engine, cell, resident);
    }
    let Stored {
        commit,
        messages,
        starts,
        answers,
    } = draft(engine, &mut resident, out);
    let (engine_then, cell_then, care) = (Arc::clone(engine), Arc::clone(cell), care.clone());
    let done: Done = Box::new(move |result| match result {
        Ok(receipt) => committed(
            &engine_then,
            &cell_then,
            resident,
            (messages, starts, answers),
            &receipt,
        ),
        Err(error) => refused(&engine_then, &cell_then, resident, error, &care),
    });
    engine.submit_change(Change::Turn(Box::new(commit)), done);
}

struct Stored {
    commit: TurnCommit,
    messages: Vec<NewMessage>,
    starts: Vec<StartEffect>,
    answers: Vec<Answer>,
}

fn draft(engine: &Engine, resident: &mut ResidentEntity, out: Outbox) -> Stored {
    let now = engine.clock.now().max(resident.updated);
    let mut messages = Vec::new();
    let mut starts = Vec::new();
    let mut effects = Vec::new();
    for outgoing in out.outgoing {
        match outgoing {
            Outgoing::Message {
                to,
                execution_id,
                event,
            } => messages.push(NewMessage {
                id: engine.store.ids().next(),
                to,
                execution_id,
                event,
                created: now,
            }),
            Outgoing::Start(sent) => {
                if let Some(start) = start(engine, sent, now) {
                    effects.push(StartEffect {
                        id: Arc::clone(&start.id),
                        due: start.started.scheduled_start,
                        on_refused: None,
                    });
                    starts.push(start);
                }
            }
        }
    }
    let mut payloads = Vec::new();
    if out.state_changed {
        let bytes = state_bytes(&resident.mailbox);
        let before = std::mem::replace(&mut resident.state_bytes, bytes);
        growth::tell_of_state(engine, &resident.mailbox.id.to_string(), before, bytes);
        payloads.push((PayloadKind::State, resident.mailbox.state.clone()));
    }
    if out.lock_changed {
        let lock = resident.mailbox.lock.as_ref();
        payloads.push((
            PayloadKind::Lock,
            lock.and_then(|lock| Payload::of(lock).ok()),
        ));
    }
    if let Some(poison) = resident.poison.take() {
        // An entity keeps no history: this is where one sees that a signal, which nobody hears of, was dropped.
        payloads.push((PayloadKind::Failure, Payload::of(&poison).ok()));
    }
    let settled = resident.suspects.settle(&out.consumed);
    let commit = TurnCommit {
        key: resident.key,
        id: resident.mailbox.id.to_string().into(),
        create: None,
        expected_sequence: resident.sequence,
        events: None,
        new_generation: None,
        status: RuntimeStatus::Running,
        updated: now,
        wake_at: None,
        payloads,
        consumed: out.consumed,
        messages: messages.clone(),
        starts,
        settled,
        outbox: Vec::new(),
    };
    resident.sequence += 1;
    resident.updated = now;
    Stored {
        commit,
        messages,
        starts: effects,
        answers: out.answers,
    }
}

fn start(engine: &Engine, sent: Sent, now: Timestamp) -> Option<NewInstance> {
    let Sent::Start {
        name,
        version,
        instance_id,
        input,
        due,
    } = sent
    else {
        return None;
    };
    let started = ExecutionStarted {
        name,
        version: version
            .or_else(|| engine.settings.default_version.clone())
            .unwrap_or_default(),
        execution_id: fresh_id(now),
        parent: None,
        scheduled_start: due,
        generation: 0,
        tags: BTreeMap::new(),
        trace_parent: None,
        input,
    };
    Some(NewInstance {
        key: InstanceKey(engine.store.ids().next()),
        id: instance_id,
        started,
        created: now,
        reuse: engine.reuse(),
        on_refused: None,
    })
}

fn committed(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    resident: Box<ResidentEntity>,
    (messages, starts, answers): (Vec<NewMessage>, Vec<StartEffect>, Vec<Answer>),
    receipt: &Receipt,
) {
    commit::send(engine, messages, starts, receipt);
    for Answer { request, result } in answers {
        if let Some(waiting) = engine.entities.replies().remove(&request) {
            let _ = waiting.send(result);
        }
    }
    end_batch(engine, cell, resident);
}

/// The batch was not stored: the entity is loaded again, and nothing of it has happened.
fn refused(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    resident: Box<ResidentEntity>,
    error: Error,
    care: &Care,
) {
    {
        let mut state = cell.lock();
        state.in_flight -= 1;
        state.trial.end();
        state.mailbox.clear();
        state.entity = None;
        state.care = match (&error, care) {
            (Error::Content(_), Care::None) => Care::One,
            (Error::Content(text), _) => {
                let failure = FailureDetails::new("StorageError", text.clone());
                Care::Fail(Box::new(failure.non_retriable()))
            }
            _ => Care::None,
        };
    }
    tracing::warn!(instance_id = &*cell.id, %error, "a batch of operations was refused; the entity is loaded again");
    drop(resident);
    engine.poke(&cell.id);
}
