//! [`Core`]: what user code and the executor share: each event finds the call that waits for it.

mod entities;
mod fresh;
mod http;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use self::entities::Section;
use self::fresh::Fresh;
use self::http::Step;
use super::event_queues::EventQueues;
use super::nondeterminism::{LastCall, Nondeterminism};
use super::retry::RetryPolicy;
use super::slot::{Buffered, Child, Outcome, Retry, Role, Slot, SlotId, What};
use crate::ascending::Ascending;
use crate::durable_http::HTTP_ACTIVITY;
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent, Payload, TaskError, Timestamp};
use crate::registry::Registry;

/// What user code may ask for at most.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Actions of one execution (spec T9).
    pub(crate) actions: usize,
    /// Bytes of JSON of one value that is handed over or returned (spec 1.18).
    pub(crate) payload_bytes: usize,
    /// Custom status, in KiB of UTF-16 text, rounded down (spec 1.9).
    pub(crate) custom_status_kib: usize,
    /// The version of what it starts, if neither the call nor the function names one.
    pub(crate) default_version: String,
    /// The wait between two polls of a `call_http` when the 202 names none.
    pub(crate) poll_interval: Duration,
    /// What becomes of an execution whose code does not fit its history.
    pub(crate) nondeterminism: Nondeterminism,
    /// Whether a `call_http` that changes something carries an `Idempotency-Key`.
    pub(crate) idempotency_keys: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            actions: 100_000,
            payload_bytes: 64 * 1024 * 1024,
            custom_status_kib: 16,
            default_version: String::new(),
            poll_interval: Duration::from_secs(30),
            idempotency_keys: true,
            nondeterminism: Nondeterminism::Fail,
        }
    }
}

/// Something that user code asked for: its confirmation in history, and what only the hub needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) id: i64,
    pub(crate) event: HistoryEvent,
    /// For an activity: 1, 2, .. of its retry policy.
    pub(crate) attempt: u32,
    /// For a detached start: not before.
    pub(crate) scheduled_start: Option<Timestamp>,
}

/// A task that history has asked for and not yet seen the end of.
#[derive(Debug, Clone)]
pub(crate) enum Open {
    Activity {
        name: Arc<str>,
        input: Option<Payload>,
        attempt: u32,
        abandoned: bool,
    },
    Timer {
        fire_at: Timestamp,
    },
    Child {
        instance_id: Arc<str>,
    },
    /// An operation of an entity.
    EntityCall,
    /// Locks of entities.
    Lock,
}

impl Open {
    /// The task that an event asks for, as long as nothing answers it.
    pub(super) fn of(event: &HistoryEvent) -> Option<(i64, Self)> {
        Some(match event {
            HistoryEvent::TaskScheduled { id, name, input } => {
                let (name, input) = (name.clone(), input.clone());
                let open = Self::Activity {
                    name,
                    input,
                    attempt: 1,
                    abandoned: false,
                };
                (*id, open)
            }
            HistoryEvent::TimerCreated { id, fire_at } => (*id, Self::Timer { fire_at: *fire_at }),
            HistoryEvent::SubOrchestrationInstanceCreated {
                id,
                instance_id,
                detached: false,
                ..
            } => {
                let instance_id = instance_id.clone();
                (*id, Self::Child { instance_id })
            }
            HistoryEvent::EntityOperationCalled { id, .. } => (*id, Self::EntityCall),
            HistoryEvent::EntityLockRequested { id, .. } => (*id, Self::Lock),
            _ => return None,
        })
    }
}

/// What a turn leaves to the hub besides its actions.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) cancelled_timers: Vec<(i64, Timestamp)>,
    pub(super) cancelled_activities: Vec<i64>,
    /// `Some(None)`: cleared.
    pub(super) custom_status: Option<Option<Payload>>,
}

pub(super) struct Core {
    pub(super) instance_id: Arc<str>,
    pub(super) started: ExecutionStarted,
    pub(super) registry: Arc<Registry>,
    pub(super) limits: Arc<Limits>,
    unloaded: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) replaying: bool,
    pub(super) guids: u64,
    pub(super) effects: Effects,
    next_id: i64,
    next_slot: SlotId,
    arrivals: u64,
    asked: usize,
    /// The name of the activity that was called last.
    last_name: Option<Arc<str>>,
    slots: Ascending<Slot>,
    routes: Ascending<(SlotId, Role)>,
    /// Asked for in this poll: options may still change it, a drop may withdraw it.
    fresh: Fresh,
    /// Asked for, and not yet held against history or handed to the hub.
    confirmed: VecDeque<Action>,
    open: Ascending<Open>,
    /// The timers of `open` by due time.
    due: BTreeSet<(Timestamp, i64)>,
    /// How many activities of `open` somebody waits for.
    busy: usize,
    events: EventQueues,
    /// Boxed: most executions never lock an entity.
    section: Option<Box<Section>>,
    last_call: Option<LastCall>,
    /// Slots whose future has been polled and waits.
    awaited: usize,
}

/// Ends the turn at the spot of a wrong use that has no `Result` to say so; caught by the executor.
pub(crate) struct Misuse(pub(crate) FailureDetails);

impl Core {
    pub(super) fn new(
        instance_id: Arc<str>,
        started: ExecutionStarted,
        registry: Arc<Registry>,
        limits: Arc<Limits>,
    ) -> Arc<Self> {
        let state = Mutex::new(State {
            replaying: true,
            ..State::default()
        });
        Arc::new(Self {
            instance_id,
            started,
            registry,
            limits,
            unloaded: AtomicBool::new(false),
            state,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, what is dropped does nothing (law 5).
    pub(super) fn unload(&self) {
        self.unloaded.store(true, Ordering::Release);
    }

    pub(super) fn is_unloaded(&self) -> bool {
        self.unloaded.load(Ordering::Acquire)
    }

    /// Fails the instance here and now.
    pub(super) fn misuse(&self, message: impl Into<String>) -> ! {
        std::panic::resume_unwind(Box::new(Misuse(
            FailureDetails::new("UsageError", message).non_retriable(),
        )))
    }

    /// Refuses an input over the limit, as wrong use.
    fn fitting(
        &self,
        input: Result<Option<Payload>, TaskError>,
    ) -> Result<Option<Payload>, TaskError> {
        let input = input?;
        match input.as_ref().map(|input| self.check("input", input)) {
            Some(Err(text)) => Err(TaskError::usage(text)),
            Some(Ok(())) | None => Ok(input),
        }
    }

    /// Holds a value against the limit.
    pub(super) fn check(&self, what: &str, payload: &Payload) -> Result<(), String> {
        let fits = payload.check(self.limits.payload_bytes);
        fits.map_err(|error| format!("the {what} is too large: {error}"))
    }

    /// The same, where there is no `Result` to say so.
    pub(super) fn must_fit(&self, what: &str, payload: &Payload) {
        if let Err(text) = self.check(what, payload) {
            self.misuse(text);
        }
    }

    /// Takes the next task id for something that is asked for now.
    fn take_id(&self, state: &mut State) -> i64 {
        state.asked += 1;
        if state.asked > self.limits.actions {
            self.misuse(format!(
                "Maximum amount of orchestration actions ({}) has been reached. This value can be configured in host.json file as maxOrchestrationActions.",
                self.limits.actions
            ));
        }
        state.next_id += 1;
        state.next_id - 1
    }

    /// An activity is called.
    pub(super) fn call_activity(
        &self,
        name: &str,
        input: Result<Option<Payload>, TaskError>,
    ) -> SlotId {
        let known = self.registry.activity(name);
        let input = self.fitting(input);
        let state = &mut *self.state();
        let name = state.name_of(known.map_or(name, |activity| activity.name));
        let input = match input {
            Ok(input) if known.is_some() => input,
            Ok(_) => {
                return state.add(Slot::failed(
                    What::Activity {
                        name: name.clone(),
                        input: None,
                    },
                    unknown_activity(&name, &self.registry),
                ));
            }
            Err(error) => {
                return state.add(Slot::failed(What::Activity { name, input: None }, error));
            }
        };
        let id = self.take_id(state);
        let slot = state.add(Slot::new(What::Activity { name, input }, id));
        state.schedule_attempt(&self.started.execution_id, slot, id);
        slot
    }

    /// A sub-orchestration is called.
    pub(super) fn call_child(
        &self,
        name: &str,
        version: Option<String>,
        input: Result<Option<Payload>, TaskError>,
    ) -> SlotId {
        let input = self.fitting(input);
        let state = &mut *self.state();
        let child = Child {
            name: name.into(),
            version: version.or_else(|| Some(self.limits.default_version.clone())),
            instance_id: None,
            input: None,
        };
        let input = match input {
            Ok(_) if state.in_section() => {
                let text = "a critical section must not call sub-orchestrations; start one with `start_orchestration`, or release the locks first";
                return state.add(Slot::failed(
                    What::Child(Box::new(child)),
                    TaskError::usage(text),
                ));
            }
            Ok(input) if self.registry.has_orchestrator(name) => input,
            Ok(_) => {
                return state.add(Slot::failed(
                    What::Child(Box::new(child)),
                    unknown_orchestrator(name, &self.registry),
                ));
            }
            Err(error) => {
                return state.add(Slot::failed(What::Child(Box::new(child)), error));
            }
        };
        let id = self.take_id(state);
        let child = What::Child(Box::new(Child { input, ..child }));
        let slot = state.add(Slot::new(child, id));
        state.schedule_attempt(&self.started.execution_id, slot, id);
        slot
    }

    /// Changes what a child is called with, before the poll that called it is over.
    pub(super) fn alter_child(&self, slot: SlotId, alter: impl FnOnce(&mut Child)) {
        let state = &mut *self.state();
        let Some(Slot {
            what: What::Child(child),
            current,
            outcome: None,
            ..
        }) = state.slots.get_mut(slot)
        else {
            return;
        };
        alter(child);
        let (current, wanted) = (*current, child.instance_id.clone());
        if let Some(wanted) = wanted.filter(|id| self.is_own_or_parent(id)) {
            let error = format!(
                "a sub-orchestration must not have the id of its caller or of the caller's parent: `{wanted}`"
            );
            state.withdraw(current);
            state.complete(slot, Err(TaskError::usage(error)));
            return;
        }
        if let Some(Err(text)) = state
            .wanted_id(slot)
            .map(|id| crate::client::check_instance_id(&id))
        {
            state.withdraw(current);
            state.complete(slot, Err(TaskError::usage(text.to_string())));
            return;
        }
        if state.fresh.has(current) {
            state.schedule_attempt(&self.started.execution_id, slot, current);
        }
    }

    fn is_own_or_parent(&self, id: &str) -> bool {
        let parent = self
            .started
            .parent
            .as_ref()
            .is_some_and(|parent| parent.instance_id.eq_ignore_ascii_case(id));
        parent || self.instance_id.eq_ignore_ascii_case(id)
    }

    /// A timer is asked for.
    pub(super) fn create_timer(&self, fire_at: impl FnOnce(Timestamp) -> Timestamp) -> SlotId {
        let state = &mut *self.state();
        let id = self.take_id(state);
        let fire_at = fire_at(state.now);
        let slot = state.add(Slot::new(What::Timer, id));
        state.ask(Action {
            id,
            event: HistoryEvent::TimerCreated { id, fire_at },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(id, (slot, Role::Main));
        slot
    }

    /// An event is waited for: the oldest unread one of the name is taken at once.
    pub(super) fn wait_for_event(&self, name: &str) -> SlotId {
        let state = &mut *self.state();
        let name: Arc<str> = name.to_lowercase().into();
        let what = What::Event {
            name: Arc::clone(&name),
            arrival: None,
        };
        let slot = state.add(Slot::new(what, -1));
        state.events.of(&name).wait(slot);
        // Nobody can be woken: the new waiter has not been polled.
        let _ = state.hand_out(&name);
        slot
    }

    /// Something one-way is asked for; `event` gets its task id.
    pub(super) fn ask_one_way(&self, event: impl FnOnce(i64) -> HistoryEvent) -> i64 {
        let state = &mut *self.state();
        let id = self.take_id(state);
        state.ask(Action {
            id,
            event: event(id),
            attempt: 0,
            scheduled_start: None,
        });
        id
    }

    /// Changes what was asked for one-way, before the poll is over.
    pub(super) fn alter_one_way(&self, id: i64, alter: impl FnOnce(&mut Action)) {
        if let Some(action) = self.state().fresh.get_mut(id) {
            alter(action);
        }
    }

    /// The call fails with `Timeout` when `span` has passed first. Zero: at once, unless it is done.
    pub(super) fn set_timeout(&self, slot: SlotId, span: Duration) {
        let state = &mut *self.state();
        let Some(Slot {
            outcome: None,
            what,
            ..
        }) = state.slots.get(slot)
        else {
            return;
        };
        if span.is_zero() && matches!(what, What::Event { .. }) {
            state.complete(slot, Err(TaskError::Timeout));
            return;
        }
        let id = self.take_id(state);
        let fire_at = state.now.plus(span);
        state.ask(Action {
            id,
            event: HistoryEvent::TimerCreated { id, fire_at },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(id, (slot, Role::Timeout));
        if let Some(entry) = state.slots.get_mut(slot) {
            entry.timeout = Some(id);
        }
    }

    /// The call is made again when it fails, as the policy says. A policy that makes no sense fails the call.
    pub(super) fn set_retry(&self, slot: SlotId, policy: RetryPolicy) {
        let state = &mut *self.state();
        if let Some(fault) = policy.fault() {
            return state.refuse(slot, fault);
        }
        let started = state.now;
        if let Some(entry) = state.slots.get_mut(slot) {
            entry.retry = Some(Box::new(Retry {
                policy,
                started,
                made: 1,
            }));
        }
    }

    /// Looks whether a call is done; else remembers who waits.
    pub(super) fn poll(&self, slot: SlotId, waker: &Waker) -> Poll<Outcome> {
        let state = &mut *self.state();
        let Some(entry) = state.slots.get_mut(slot) else {
            return Poll::Pending;
        };
        entry.polled = true;
        if let Some(outcome) = entry.outcome.take() {
            state.remove(slot);
            return Poll::Ready(outcome.map_err(|error| *error));
        }
        match &mut entry.waker {
            Some(known) => known.clone_from(waker),
            none => {
                *none = Some(waker.clone());
                state.awaited += 1;
            }
        }
        Poll::Pending
    }

    /// The task whose end the slot waits for.
    pub(super) fn task_of(&self, slot: SlotId) -> i64 {
        self.state().slots.get(slot).map_or(-1, |slot| slot.current)
    }

    /// A call's future is dropped: it is no waiter any more, and what can be taken back is taken back.
    pub(super) fn drop_slot(&self, slot: SlotId) {
        if self.is_unloaded() {
            return;
        }
        let state = &mut *self.state();
        let Some(entry) = state.remove(slot) else {
            return;
        };
        if matches!(entry.what, What::Lock) {
            state.drop_lock(entry.current);
        }
        if entry.outcome.is_none() {
            state.abandon(&entry);
        }
        let waker = if let What::Event { name, arrival } = entry.what {
            state.put_back(slot, &name, arrival.map(|event| *event))
        } else {
            None
        };
        drop(entry.waker);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The poll is over: what was asked for stays asked for.
    pub(super) fn confirm(&self) {
        let state = &mut *self.state();
        let mut asked = std::mem::take(&mut state.fresh).into_all();
        let last = asked.iter().rev();
        if let Some(last) = last.map(|action| &action.event).find_map(LastCall::of) {
            state.last_call = Some(last);
        }
        for action in &asked {
            state.begin_task(action.id, action);
        }
        if state.confirmed.is_empty() {
            state.confirmed = asked;
        } else {
            state.confirmed.append(&mut asked);
        }
    }

    /// Takes back all that was asked for and is not in history yet, and what it was to stop.
    pub(super) fn withdraw_all(&self) {
        let state = &mut *self.state();
        let fresh = std::mem::take(&mut state.fresh).into_all();
        let withdrawn: Vec<Action> = state.confirmed.drain(..).chain(fresh).collect();
        state.restore_section(&withdrawn);
        state.effects.cancelled_timers.clear();
        state.effects.cancelled_activities.clear();
    }

    /// Hands an inbound event to the call that waits for it.
    pub(super) fn feed(&self, event: &HistoryEvent) {
        let waker = match event {
            HistoryEvent::TaskCompleted { id, result } => {
                let state = &mut *self.state();
                match self.http_step(state, *id, result) {
                    Step::Answer => state.end_task(*id, Ok(result.clone())),
                    Step::Poll(wait, request) => {
                        self.wait_for_poll(state, *id, wait, *request);
                        None
                    }
                }
            }
            HistoryEvent::SubOrchestrationInstanceCompleted { id, result }
            | HistoryEvent::EntityOperationCompleted { id, result } => {
                self.state().end_task(*id, Ok(result.clone()))
            }
            HistoryEvent::TaskFailed { id, failure }
            | HistoryEvent::SubOrchestrationInstanceFailed { id, failure } => {
                self.fail_task(*id, (**failure).clone())
            }
            HistoryEvent::EntityOperationFailed { id, failure } => {
                let failure = TaskError::Failed((**failure).clone());
                self.state().end_task(*id, Err(failure))
            }
            HistoryEvent::EntityLockGranted { id } => self.enter_section(*id),
            HistoryEvent::TimerFired { id } => self.fire_timer(*id),
            HistoryEvent::EventRaised { name, data } => {
                self.state().raise(name.clone(), data.clone())
            }
            _ => None,
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The attempt failed: the policy decides outside the lock, since its handler is user code.
    fn fail_task(&self, id: i64, failure: FailureDetails) -> Option<Waker> {
        let (slot, retry) = {
            let state = &mut *self.state();
            state.close(id);
            let (slot, _) = *state.routes.get(id)?;
            let entry = state.slots.get(slot)?;
            let now = state.now;
            (
                slot,
                entry
                    .retry
                    .as_ref()
                    .map(|retry| (retry.policy.clone(), retry.made, retry.started, now)),
            )
        };
        let delay = retry
            .and_then(|(policy, made, started, now)| policy.delay(made, &failure, started, now));
        let state = &mut *self.state();
        let Some(delay) = delay else {
            return state.end_task(id, Err(TaskError::Failed(failure)));
        };
        state.routes.remove(id);
        let timer = self.take_id(state);
        let fire_at = state.now.plus(delay);
        state.ask(Action {
            id: timer,
            event: HistoryEvent::TimerCreated { id: timer, fire_at },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(timer, (slot, Role::RetryTimer));
        state.slots.get_mut(slot)?.current = timer;
        None
    }

    fn fire_timer(&self, id: i64) -> Option<Waker> {
        let state = &mut *self.state();
        state.close(id);
        let (slot, role) = state.routes.remove(id)?;
        match role {
            Role::Main => state.complete(slot, Ok(Payload::null())),
            Role::Timeout => {
                let entry = state.slots.get_mut(slot)?;
                entry.timeout = None;
                let current = entry.current;
                state.abandon_task(current);
                state.complete(slot, Err(TaskError::Timeout))
            }
            Role::PollTimer => {
                self.poll_again(state, slot);
                None
            }
            Role::RetryTimer => {
                let attempt = self.take_id(state);
                let entry = state.slots.get_mut(slot)?;
                entry.current = attempt;
                if let Some(retry) = &mut entry.retry {
                    retry.made += 1;
                }
                state.schedule_attempt(&self.started.execution_id, slot, attempt);
                None
            }
        }
    }
}

impl State {
    /// The last call that code made and that is, or was to be, in history.
    pub(super) fn last_call(&self) -> Option<&LastCall> {
        self.last_call.as_ref()
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.awaited > 0
    }

    /// Tasks that history asks for and whose end it does not hold.
    pub(super) fn open(&self) -> impl Iterator<Item = (i64, &Open)> {
        self.open.iter().filter(|(id, _)| !self.is_held_back(*id))
    }

    /// The task of that id, if history asks for it and does not hold its end.
    pub(super) fn open_task(&self, id: i64) -> Option<&Open> {
        self.open.get(id).filter(|_| !self.is_held_back(id))
    }

    /// Asked for, but not in history: the turn is not over, or the instance is suspended.
    fn is_held_back(&self, id: i64) -> bool {
        let asked = &self.confirmed;
        asked.binary_search_by_key(&id, |action| action.id).is_ok()
    }

    pub(super) fn awaited_events(&self) -> Vec<String> {
        self.events.awaited()
    }

    /// The id that the next call will get.
    pub(super) fn next_id(&self) -> i64 {
        self.next_id
    }

    /// What was asked for and not yet held against history or handed to the hub, oldest first.
    pub(super) fn confirmed(&mut self) -> &mut VecDeque<Action> {
        &mut self.confirmed
    }

    /// Events nobody has read, in the order of their arrival.
    pub(super) fn take_unread(&mut self) -> Vec<Buffered> {
        std::mem::take(&mut self.events).into_unread()
    }

    fn add(&mut self, slot: Slot) -> SlotId {
        self.next_slot += 1;
        self.slots.insert(self.next_slot, slot);
        self.next_slot
    }

    /// The name, shared with the last call if that was of the same function: many are.
    fn name_of(&mut self, name: &str) -> Arc<str> {
        match &self.last_name {
            Some(last) if **last == *name => Arc::clone(last),
            _ => {
                let name: Arc<str> = name.into();
                self.last_name = Some(Arc::clone(&name));
                name
            }
        }
    }

    fn remove(&mut self, slot: SlotId) -> Option<Slot> {
        let entry = self.slots.remove(slot)?;
        if entry.waker.is_some() {
            self.awaited -= 1;
        }
        Some(entry)
    }

    fn ask(&mut self, action: Action) {
        self.fresh.ask(action);
    }

    fn withdraw(&mut self, id: i64) {
        self.fresh.withdraw(id);
        self.routes.remove(id);
        // What is not asked for will not be answered.
        self.leave_call(id);
    }

    fn wanted_id(&self, slot: SlotId) -> Option<Arc<str>> {
        match &self.slots.get(slot)?.what {
            What::Child(child) => child.instance_id.clone(),
            _ => None,
        }
    }

    /// Asks for the attempt `id` of an activity or child.
    fn schedule_attempt(&mut self, execution_id: &str, slot: SlotId, id: i64) {
        let Some(entry) = self.slots.get(slot) else {
            return;
        };
        let attempt = entry.retry.as_ref().map_or(1, |retry| retry.made);
        let event = match &entry.what {
            What::Activity { name, input } => HistoryEvent::TaskScheduled {
                id,
                name: name.clone(),
                input: input.clone(),
            },
            What::Child(child) => HistoryEvent::SubOrchestrationInstanceCreated {
                id,
                name: child.name.clone(),
                instance_id: child
                    .instance_id
                    .clone()
                    .unwrap_or_else(|| format!("{execution_id}:{id}").into()),
                version: child.version.clone().unwrap_or_default(),
                input: child.input.clone(),
                detached: false,
            },
            What::Http(exchange) => HistoryEvent::TaskScheduled {
                id,
                name: HTTP_ACTIVITY.into(),
                input: Some(exchange.input.clone()),
            },
            What::Timer | What::Event { .. } | What::EntityCall { .. } | What::Lock => return,
        };
        self.ask(Action {
            id,
            event,
            attempt,
            scheduled_start: None,
        });
        self.routes.insert(id, (slot, Role::Main));
    }

    fn begin_task(&mut self, id: i64, action: &Action) {
        let abandoned = !self.routes.contains(id);
        let Some((_, mut open)) = Open::of(&action.event) else {
            return;
        };
        match &mut open {
            Open::Timer { .. } if abandoned => return,
            Open::Activity {
                attempt,
                abandoned: given_up,
                ..
            } => {
                *attempt = action.attempt;
                *given_up = abandoned;
            }
            Open::Timer { .. } | Open::Child { .. } | Open::EntityCall | Open::Lock => {}
        }
        match &open {
            Open::Timer { fire_at } => {
                self.due.insert((*fire_at, id));
            }
            Open::Activity { abandoned, .. } => self.busy += usize::from(!abandoned),
            Open::Child { .. } | Open::EntityCall | Open::Lock => {}
        }
        self.open.insert(id, open);
    }

    fn close(&mut self, id: i64) {
        match self.open.remove(id) {
            Some(Open::Timer { fire_at }) => {
                self.due.remove(&(fire_at, id));
            }
            Some(Open::Activity { abandoned, .. }) => self.busy -= usize::from(!abandoned),
            Some(Open::EntityCall) => self.leave_call(id),
            Some(Open::Child { .. } | Open::Lock) | None => {}
        }
    }

    /// Open timers by due time.
    pub(super) fn timers(&self) -> impl Iterator<Item = (Timestamp, i64)> {
        let all = self.due.iter().copied();
        all.filter(|(_, id)| !self.is_held_back(*id))
    }

    /// The earliest timer, if there is one, and whether any activity is waited for.
    pub(super) fn next_wake(&self) -> (Option<Timestamp>, bool) {
        let held_back = self.confirmed.iter().filter(|action| {
            let open = self.open.get(action.id);
            matches!(
                open,
                Some(Open::Activity {
                    abandoned: false,
                    ..
                })
            )
        });
        let next = self.timers().next().map(|(at, _)| at);
        (next, self.busy > held_back.count())
    }

    fn end_task(&mut self, id: i64, outcome: Outcome) -> Option<Waker> {
        self.close(id);
        let (slot, _) = self.routes.remove(id)?;
        self.complete(slot, outcome)
    }

    fn complete(&mut self, slot: SlotId, outcome: Outcome) -> Option<Waker> {
        let entry = self.slots.get_mut(slot)?;
        let named = match &entry.what {
            What::Activity { name, .. } => Some(("activity", name)),
            What::Child(child) => Some(("orchestrator", &child.name)),
            What::EntityCall { name } => Some(("entity", name)),
            What::Http(_) | What::Timer | What::Event { .. } | What::Lock => None,
        };
        entry.outcome = Some(outcome.map_err(|error| {
            Box::new(match (error, named) {
                (TaskError::Failed(failure), Some((kind, name))) => {
                    TaskError::Failed(failure.of_function(kind, name))
                }
                (error, _) => error,
            })
        }));
        let waiting = matches!(entry.what, What::Event { .. });
        let waker = entry.waker.take();
        if waker.is_some() {
            self.awaited -= 1;
        }
        if let Some(timeout) = entry.timeout.take() {
            self.cancel_timer(timeout);
        }
        if waiting {
            self.forget_waiter(slot);
        }
        waker
    }

    /// The call was asked for in a way that cannot be: it fails, and is not made if it was not made yet.
    fn refuse(&mut self, slot: SlotId, fault: String) {
        if let Some(entry) = self.slots.remove(slot) {
            let pending = entry.outcome.is_none();
            if pending {
                self.abandon(&entry);
            }
            self.slots.insert(slot, entry);
            if pending {
                // Nobody can be woken: who alters a call has it in hand, and does not wait for it.
                let _ = self.complete(slot, Err(TaskError::usage(fault)));
            }
        }
    }

    /// What an unfinished call that is dropped takes with it.
    fn abandon(&mut self, entry: &Slot) {
        if let Some(timeout) = entry.timeout {
            self.cancel_timer(timeout);
        }
        if !entry.polled && self.fresh.has(entry.current) {
            self.withdraw(entry.current);
            if let Some(timeout) = entry.timeout {
                self.withdraw(timeout);
            }
        } else {
            self.abandon_task(entry.current);
        }
    }

    /// Nobody waits for this task any more: a timer goes, an activity is told, a child runs on.
    fn abandon_task(&mut self, id: i64) {
        self.routes.remove(id);
        match self.open.get_mut(id) {
            Some(Open::Activity { abandoned, .. }) => {
                if !std::mem::replace(abandoned, true) {
                    self.busy -= 1;
                }
                self.effects.cancelled_activities.push(id);
            }
            Some(Open::Timer { .. }) => self.cancel_timer(id),
            Some(Open::Child { .. } | Open::EntityCall | Open::Lock) | None => {}
        }
    }

    fn cancel_timer(&mut self, id: i64) {
        self.routes.remove(id);
        if let Some(Open::Timer { fire_at }) = self.open.get(id) {
            self.effects.cancelled_timers.push((id, *fire_at));
            self.close(id);
        }
    }

    fn raise(&mut self, name: String, data: Payload) -> Option<Waker> {
        self.arrivals += 1;
        let key: Arc<str> = name.to_lowercase().into();
        let event = Buffered {
            arrival: self.arrivals,
            name,
            data,
        };
        self.events.of(&key).put(event);
        self.hand_out(&key)
    }

    /// Gives the oldest unread event of a name to its oldest waiter, if there are both.
    fn hand_out(&mut self, name: &str) -> Option<Waker> {
        let (event, slot) = self.events.get_mut(name)?.pair()?;
        let data = event.data.clone();
        if let Some(Slot {
            what: What::Event { arrival, .. },
            ..
        }) = self.slots.get_mut(slot)
        {
            *arrival = Some(Box::new(event));
        }
        self.complete(slot, Ok(data))
    }

    /// A wait that was dropped gives back what it got and did not read (spec E3).
    fn put_back(&mut self, slot: SlotId, name: &str, event: Option<Buffered>) -> Option<Waker> {
        self.forget_waiter_of(slot, name);
        let queue = self.events.get_mut(name)?;
        queue.put(event?);
        self.hand_out(name)
    }

    fn forget_waiter(&mut self, slot: SlotId) {
        if let Some(Slot {
            what: What::Event { name, .. },
            ..
        }) = self.slots.get(slot)
        {
            let name = name.clone();
            self.forget_waiter_of(slot, &name);
        }
    }

    fn forget_waiter_of(&mut self, slot: SlotId, name: &str) {
        if let Some(queue) = self.events.get_mut(name) {
            queue.leave(slot);
        }
    }
}

fn input_failure(error: &serde_json::Error) -> String {
    format!("the input cannot be serialised: {error}")
}

fn unknown_activity(name: &str, registry: &Registry) -> TaskError {
    let names = registry.activity_names();
    let known = if names.is_empty() {
        "No activity functions are currently registered!".to_owned()
    } else {
        format!(
            "The following are the known activity functions: {}.",
            Registry::quoted(&names)
        )
    };
    TaskError::usage(format!(
        "The function '{name}' doesn't exist, is disabled, or is not an activity function. Additional info: {known}"
    ))
}

fn unknown_orchestrator(name: &str, registry: &Registry) -> TaskError {
    TaskError::usage(crate::client::unknown_orchestrator(name, registry))
}
