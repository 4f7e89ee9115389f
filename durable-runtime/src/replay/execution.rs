//! [`Execution`]: the one door of this room. Loaded from a function and its history, then fed new events, turn by turn.

mod straying;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use tracing::{Dispatch, dispatcher};

use self::straying::{Stray, is_suspended, recorded_open};
use super::context::OrchestrationContext;
use super::core::{Action, Core, Limits, Open};
use super::finish::End;
use super::nondeterminism::{compare, surplus};
use super::size::Size;
use super::waker::{ForeignWake, RootWaker};
use crate::error::Error;
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent, Payload, Timestamp};
use crate::registry::{Orchestrator, OrchestratorSpec, Registry};

/// How often one event may make the root wake itself before that counts as spinning.
const MAX_POLLS: usize = 10_000;

/// One generation of an instance in memory: its suspended future and all that it waits for.
pub(crate) struct Execution {
    core: Arc<Core>,
    orchestrator: Orchestrator,
    future: Option<BoxFuture<'static, Result<Payload, Error>>>,
    root: Arc<RootWaker>,
    waker: Waker,
    begun: bool,
    suspended: bool,
    /// What arrived while suspended, in order.
    held: VecDeque<HistoryEvent>,
    /// The tasks that those are the ends of.
    held_answers: BTreeSet<i64>,
    /// Boxed: what waits has none.
    end: Option<Box<End>>,
    ended_in_history: bool,
    size: Size,
    /// Its children, if it has no code: all that it can do is halt, go on, and end.
    without_code: Option<Vec<(i64, Open)>>,
    /// Its code is not to run on.
    stray: Option<Stray>,
    /// What comes after its end is history too.
    records_all: bool,
}

/// What one turn did: values only.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The turn's part of history.
    pub(crate) events: Vec<HistoryEvent>,
    /// Where in `events` that lies which was asked for, to be done once the turn is durable.
    asked: Range<usize>,
    /// Of that, by id, what history does not say and what is not as it mostly is.
    unusual: BTreeMap<i64, Unusual>,
    pub(crate) cancelled_timers: Vec<(i64, Timestamp)>,
    pub(crate) cancelled_activities: Vec<i64>,
    /// `Some(None)`: cleared.
    pub(crate) custom_status: Option<Option<Payload>>,
    pub(crate) suspended: bool,
    /// It is suspended because its code has strayed.
    pub(crate) strayed: bool,
    pub(crate) end: Option<End>,
    /// Events that came after the end of a generation that continues as new.
    pub(crate) late: Vec<HistoryEvent>,
}

/// An attempt that is not the first, or a start that is not at once.
#[derive(Debug, Clone, Copy)]
struct Unusual {
    attempt: u32,
    scheduled_start: Option<Timestamp>,
}

/// Something that a turn asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) event: &'a HistoryEvent,
    /// For an activity: 1, 2, .. of its retry policy.
    pub(crate) attempt: u32,
    /// For a detached start: not before.
    pub(crate) scheduled_start: Option<Timestamp>,
}

impl Turn {
    /// What was asked for, to be done once the turn is durable, in order.
    pub(crate) fn asked(&self) -> impl ExactSizeIterator<Item = Asked<'_>> {
        let events = self.events.get(self.asked.clone()).unwrap_or_default();
        events.iter().map(|event| {
            let id = event.task_id().filter(|_| !self.unusual.is_empty());
            let unusual = id.and_then(|id| self.unusual.get(&id));
            Asked {
                event,
                attempt: unusual.map_or(1, |unusual| unusual.attempt),
                scheduled_start: unusual.and_then(|unusual| unusual.scheduled_start),
            }
        })
    }

    /// As an engine would that loses what code asks for.
    #[cfg(test)]
    pub(super) fn forget_last(&mut self) {
        self.asked.end = self.asked.end.saturating_sub(1).max(self.asked.start);
    }
}

impl Execution {
    /// An execution to which nothing has happened yet.
    pub(crate) fn new(
        instance_id: Arc<str>,
        started: ExecutionStarted,
        orchestrator: Orchestrator,
        registry: Arc<Registry>,
        limits: impl Into<Arc<Limits>>,
        on_foreign: ForeignWake,
    ) -> Self {
        let root = RootWaker::new(on_foreign);
        Self {
            core: Core::new(instance_id, started, registry, limits.into()),
            orchestrator,
            future: None,
            waker: Waker::from(Arc::clone(&root)),
            root,
            begun: false,
            suspended: false,
            held: VecDeque::new(),
            held_answers: BTreeSet::new(),
            end: None,
            ended_in_history: false,
            size: Size::default(),
            without_code: None,
            stray: None,
            records_all: false,
        }
    }

    /// An execution whose code is not here, or must not run yet. It can only be halted, resumed and ended; its end concerns its children.
    pub(crate) fn without_code(
        instance_id: Arc<str>,
        started: ExecutionStarted,
        registry: Arc<Registry>,
        limits: impl Into<Arc<Limits>>,
        history: &[Vec<HistoryEvent>],
    ) -> Self {
        let orchestrator = Orchestrator {
            name: "",
            spec: OrchestratorSpec {
                version: None,
                run: |_| Box::pin(std::future::pending()),
            },
            file: "",
            line: 0,
        };
        let mut execution = Self::new(
            instance_id,
            started,
            orchestrator,
            registry,
            limits,
            Arc::new(|| ()),
        );
        execution.begun = !history.is_empty();
        execution.suspended = is_suspended(history);
        let open = recorded_open(history).into_iter();
        let children = open.filter(|(_, open)| matches!(open, Open::Child { .. }));
        execution.without_code = Some(children.collect());
        execution.core.adopt(history.iter().flatten());
        execution.core.state().replaying = false;
        execution
    }

    /// Replays recorded turns. A difference between code and history ends the execution as failed; the next turn says so.
    pub(crate) fn replay(&mut self, history: &[Vec<HistoryEvent>]) {
        let _ = self.compare(history);
    }

    /// The same, and tells both sides of the difference.
    pub(crate) fn compare(&mut self, history: &[Vec<HistoryEvent>]) -> Option<String> {
        let difference = self.replay_part(history);
        self.end_replay(difference.as_deref(), history);
        difference
    }

    /// Replays recorded turns, more of which may follow: [`Self::end_replay`] is to follow in any case. Gives the difference, if there is one.
    pub(crate) fn replay_part(&mut self, turns: &[Vec<HistoryEvent>]) -> Option<String> {
        self.root.enter();
        // What the code logs was logged when it ran first.
        let difference = dispatcher::with_default(&Dispatch::none(), || {
            turns.iter().find_map(|turn| self.replay_turn(turn))
        });
        self.root.leave();
        difference
    }

    /// All that is recorded has been replayed; beside a difference, `history` is all of it.
    pub(crate) fn end_replay(&mut self, difference: Option<&str>, history: &[Vec<HistoryEvent>]) {
        self.root.enter();
        // Code that does not fit its history has nothing to say: what it asked for is not done, nor written beside what was.
        if difference.is_some() || self.end.is_some() {
            self.core.state().confirmed().clear();
        }
        if let Some(difference) = difference {
            self.core.adopt(history.iter().flatten());
            self.stray_from(self.differs(difference), history);
        } else if self.stray.is_some() {
            self.core.adopt(history.iter().flatten());
        }
        self.root.leave();
        let state = &mut *self.core.state();
        state.replaying = false;
        state.effects = super::core::Effects::default();
    }

    fn replay_turn(&mut self, turn: &[HistoryEvent]) -> Option<String> {
        for event in turn {
            self.size.add(event);
            match event {
                HistoryEvent::OrchestratorStarted { at } => self.begin(*at),
                HistoryEvent::TaskScheduled { .. }
                | HistoryEvent::TimerCreated { .. }
                | HistoryEvent::SubOrchestrationInstanceCreated { .. }
                | HistoryEvent::EventSent { .. }
                | HistoryEvent::EntityOperationCalled { .. }
                | HistoryEvent::EntityOperationSignaled { .. }
                | HistoryEvent::EntityLockRequested { .. }
                | HistoryEvent::EntityUnlockSent { .. } => {
                    let asked = self.core.state().confirmed().pop_front();
                    if let Some(difference) = compare(event, asked.as_ref()) {
                        return Some(difference);
                    }
                }
                HistoryEvent::ExecutionCompleted { .. } => self.ended_in_history = true,
                HistoryEvent::OrchestratorCompleted => {
                    if let Some(difference) = self.check_turn_end() {
                        return Some(difference);
                    }
                }
                inbound => self.take(inbound),
            }
        }
        None
    }

    fn check_turn_end(&mut self) -> Option<String> {
        if self.suspended {
            return None;
        }
        if let Some(action) = self.core.state().confirmed().front() {
            return Some(surplus(action));
        }
        match (self.end.as_deref(), self.ended_in_history) {
            (Some(End::Failed(failure)), false) => Some(format!(
                "the code now fails here, history goes on: {}",
                failure.message
            )),
            (Some(_), false) => Some("the code now ends here, history goes on".to_owned()),
            (None, true) => Some("history ends here, but the code goes on".to_owned()),
            (None, false) | (Some(_), true) => None,
        }
    }

    /// Takes new events, oldest first, and gives what they led to.
    pub(crate) fn turn(&mut self, now: Timestamp, inbound: Vec<HistoryEvent>) -> Turn {
        self.root.enter();
        self.core.state().replaying = false;
        self.begin(now);
        let mut events = Vec::with_capacity(inbound.len() + 3);
        events.push(HistoryEvent::OrchestratorStarted {
            at: self.core.state().now,
        });
        let mut late = Vec::new();
        self.check_wakes();
        for event in inbound {
            let overrides = matches!(event, HistoryEvent::ExecutionTerminated { .. });
            let ended = match self.end.as_deref() {
                None => false,
                Some(End::ContinuedAsNew { .. }) => !overrides,
                Some(_) => true,
            };
            if matches!(event, HistoryEvent::ExecutionRewound { .. }) {
                // It says what came before: code that fails again in its first turn must not hide it.
                events.push(event);
                continue;
            }
            if ended && !self.begun && matches!(event, HistoryEvent::ExecutionStarted(_)) {
                // Failed before it could begin: its history begins as every other.
                self.begun = true;
                events.push(event);
                continue;
            }
            if ended && self.records_all {
                events.push(event);
                continue;
            }
            if ended {
                late.push(event);
                continue;
            }
            if self.is_stale(&event) {
                tracing::debug!(
                    instance_id = &*self.core.instance_id,
                    event = event.kind(),
                    "dropped a duplicate"
                );
                continue;
            }
            self.take(&event);
            events.push(event);
        }
        let halting = self.halting();
        let strayed = halting.is_some();
        events.extend(halting);
        self.root.leave();
        let mut turn = self.collect(events);
        turn.strayed = strayed;
        // What a suspension held back and the last generation did not get to comes first.
        if turn.end.is_some() {
            turn.late.extend(self.held.drain(..));
        }
        turn.late.extend(late);
        if matches!(&turn.end, Some(End::ContinuedAsNew { options, .. }) if options.discard_events)
        {
            // Came before the commit, so the generation that drops its unread events drops these too.
            turn.late
                .retain(|event| !matches!(event, HistoryEvent::EventRaised { .. }));
        }
        turn
    }

    /// Fails the execution from outside: its turn could not be stored.
    pub(crate) fn fail(&mut self, failure: FailureDetails) {
        self.abort(End::Failed(failure));
    }

    /// Fails it without its code, which must not run once more; its history shows what it was to take in then.
    pub(crate) fn fail_as_poison(&mut self, failure: FailureDetails) {
        self.records_all = true;
        self.fail(failure);
    }

    /// Ends it without asking the code; what it has locked is let go.
    fn abort(&mut self, end: End) {
        self.drop_future();
        self.core.leave_any_section();
        self.core.confirm();
        self.end = Some(Box::new(end));
    }

    fn collect(&mut self, mut events: Vec<HistoryEvent>) -> Turn {
        let state = &mut *self.core.state();
        let held_back = self.suspended && self.end.is_none();
        let actions: Vec<Action> = if held_back {
            Vec::new()
        } else {
            std::mem::take(state.confirmed()).into()
        };
        let asked = events.len()..events.len() + actions.len();
        let unusual = unusual(&actions);
        // Very many, if any: they stay where they are, and what came before goes before them.
        let mut events = if events.len() < actions.len() {
            let mut all: Vec<HistoryEvent> = actions.into_iter().map(|a| a.event).collect();
            all.splice(..0, events);
            all
        } else {
            events.extend(actions.into_iter().map(|action| action.event));
            events
        };
        if let Some(end) = self
            .end
            .as_deref()
            .filter(|end| !matches!(end, End::ContinuedAsNew { .. }))
        {
            let (result, failure) = match end {
                End::Completed(output) => (Some(output.clone()), None),
                End::Failed(failure) => (None, Some(Box::new(failure.clone()))),
                End::Terminated { .. } | End::ContinuedAsNew { .. } => (None, None),
            };
            events.push(HistoryEvent::ExecutionCompleted {
                id: state.next_id(),
                status: end.status(),
                result,
                failure,
            });
        }
        events.push(HistoryEvent::OrchestratorCompleted);
        events.iter().for_each(|event| self.size.add(event));
        let effects = std::mem::take(&mut state.effects);
        Turn {
            events,
            asked,
            unusual,
            cancelled_timers: effects.cancelled_timers,
            cancelled_activities: effects.cancelled_activities,
            custom_status: effects.custom_status,
            suspended: self.suspended,
            strayed: false,
            end: self.end.as_deref().cloned(),
            late: Vec::new(),
        }
    }

    fn begin(&self, now: Timestamp) {
        let state = &mut *self.core.state();
        state.now = state.now.max(now);
    }

    /// One inbound event, then user code until it is blocked again.
    fn take(&mut self, event: &HistoryEvent) {
        match event {
            HistoryEvent::ExecutionStarted(_) => self.start(),
            HistoryEvent::ExecutionSuspended { .. } => self.suspended = true,
            HistoryEvent::ExecutionResumed { .. } if self.stray.is_some() => self.suspended = false,
            HistoryEvent::ExecutionResumed { .. } => {
                self.suspended = false;
                while self.end.is_none()
                    && let Some(event) = self.held.pop_front()
                {
                    if let Some(id) = answers(&event) {
                        self.held_answers.remove(&id);
                    }
                    self.feed(&event);
                }
            }
            HistoryEvent::ExecutionTerminated { reason, recursive } => {
                let (reason, recursive) = (reason.clone(), *recursive);
                self.abort(End::Terminated { reason, recursive });
            }
            // What it undid is no longer in history: there is nothing to tell to code.
            HistoryEvent::ExecutionRewound { .. } => {}
            event if self.stray.is_some() => self.record(event),
            event if self.suspended => {
                self.held_answers.extend(answers(event));
                self.held.push_back(event.clone());
            }
            event => self.feed(event),
        }
    }

    fn start(&mut self) {
        if self.begun {
            return;
        }
        self.begun = true;
        if self.without_code.is_some() {
            return;
        }
        let context = OrchestrationContext::new(Arc::clone(&self.core));
        let run = self.orchestrator.spec.run;
        match catch_unwind(AssertUnwindSafe(|| run(context))) {
            Ok(future) => self.future = Some(future),
            Err(panic) => self.crash(panic),
        }
        self.run();
    }

    fn feed(&mut self, event: &HistoryEvent) {
        if self.end.is_some() {
            return;
        }
        let core = Arc::clone(&self.core);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| core.feed(event))) {
            self.crash(panic);
        }
        self.run();
    }

    /// Polls until a poll leaves the root unwoken (spec T4.3).
    fn run(&mut self) {
        for _ in 0..MAX_POLLS {
            if self.end.is_some() {
                return;
            }
            let Some(future) = &mut self.future else {
                return;
            };
            self.root.take_woken();
            let mut cx = Context::from_waker(&self.waker);
            let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
            match polled {
                Ok(Poll::Pending) => {
                    self.core.confirm();
                    if !self.root.take_woken() {
                        return self.check_blocked();
                    }
                }
                Ok(Poll::Ready(result)) => return self.finish(result),
                Err(panic) => self.crash(panic),
            }
        }
        if self.end.is_none() {
            let what = format!(
                "woke itself {MAX_POLLS} times in a row without waiting for anything durable"
            );
            self.stray(self.foreign(&what));
        }
    }

    /// Drops the future first: an event that it got and did not read is unread again.
    fn finish(&mut self, result: Result<Payload, Error>) {
        self.drop_future();
        self.core.leave_any_section();
        self.core.confirm();
        let unread = self.core.state().take_unread();
        let end = End::of(result, unread, self.core.limits.payload_bytes);
        self.end = Some(Box::new(end));
    }

    fn drop_future(&mut self) {
        let future = self.future.take();
        // A destructor of user code that panics must not take the worker with it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }

    /// Names of the events that code waits for, in lower case.
    pub(crate) fn awaited_events(&self) -> Vec<String> {
        self.core.state().awaited_events()
    }

    /// Whether it can do more than end.
    pub(crate) fn has_code(&self) -> bool {
        self.without_code.is_none()
    }

    /// Whether a client halted it.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// How large its history is.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// What it began with.
    pub(crate) fn started(&self) -> &ExecutionStarted {
        &self.core.started
    }

    /// Ended by code or history.
    pub(crate) fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_deref()
    }

    /// Whether a turn has something to say even without messages.
    pub(crate) fn wants_turn(&self) -> bool {
        match self.stray {
            Some(_) => self.is_ended() || !self.suspended,
            None => self.is_ended() || self.root.is_foreign(),
        }
    }

    /// Open tasks, by task id; also those of which [`Self::holds_end_of`] says that their end has come.
    pub(crate) fn open(&self) -> Vec<(i64, Open)> {
        if let Some(children) = &self.without_code {
            return children.clone();
        }
        if let Some(stray) = &self.stray {
            return stray.children();
        }
        let state = self.core.state();
        state.open().map(|(id, open)| (id, open.clone())).collect()
    }

    /// Whether the end of a task has come, is in history, and waits for the instance to be resumed.
    pub(crate) fn holds_end_of(&self, id: i64) -> bool {
        self.held_answers.contains(&id)
    }

    /// Open timers.
    pub(crate) fn timers(&self) -> Vec<(Timestamp, i64)> {
        match self.stray {
            Some(_) => Vec::new(),
            None => self.core.state().timers().collect(),
        }
    }

    /// Whether an inbound event would be a duplicate, or an answer to nothing (spec 2.2).
    pub(crate) fn is_stale(&self, event: &HistoryEvent) -> bool {
        if matches!(event, HistoryEvent::ExecutionStarted(_)) {
            return self.begun;
        }
        let Some(id) = answers(event) else {
            return false;
        };
        let asked = self.has_open(id, |open| match open {
            Open::Activity { .. } => matches!(
                event,
                HistoryEvent::TaskCompleted { .. } | HistoryEvent::TaskFailed { .. }
            ),
            Open::Timer { .. } => matches!(event, HistoryEvent::TimerFired { .. }),
            Open::Child { .. } => matches!(
                event,
                HistoryEvent::SubOrchestrationInstanceCompleted { .. }
                    | HistoryEvent::SubOrchestrationInstanceFailed { .. }
            ),
            Open::EntityCall => matches!(
                event,
                HistoryEvent::EntityOperationCompleted { .. }
                    | HistoryEvent::EntityOperationFailed { .. }
            ),
            Open::Lock => matches!(event, HistoryEvent::EntityLockGranted { .. }),
        });
        !asked || self.held_answers.contains(&id)
    }

    /// The earliest timer, if there is one, and whether it is to be looked at by the next host at once, as if an activity were open.
    pub(crate) fn next_wake(&self) -> (Option<Timestamp>, bool) {
        // Whoever starts next looks whether it has code that fits.
        if self.stray.is_some() || !self.has_code() {
            return (None, true);
        }
        self.core.state().next_wake()
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.root.unload();
        self.core.unload();
        self.drop_future();
    }
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Execution")
            .field("instance_id", &self.core.instance_id)
            .field("ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}

/// What history does not say of actions.
fn unusual(actions: &[Action]) -> BTreeMap<i64, Unusual> {
    let unusual = actions
        .iter()
        .filter(|action| action.attempt > 1 || action.scheduled_start.is_some());
    let of = |action: &Action| Unusual {
        attempt: action.attempt,
        scheduled_start: action.scheduled_start,
    };
    unusual.map(|action| (action.id, of(action))).collect()
}

/// The task that an event is the end of.
fn answers(event: &HistoryEvent) -> Option<i64> {
    match event {
        HistoryEvent::TaskCompleted { id, .. }
        | HistoryEvent::TaskFailed { id, .. }
        | HistoryEvent::TimerFired { id }
        | HistoryEvent::SubOrchestrationInstanceCompleted { id, .. }
        | HistoryEvent::SubOrchestrationInstanceFailed { id, .. }
        | HistoryEvent::EntityOperationCompleted { id, .. }
        | HistoryEvent::EntityOperationFailed { id, .. }
        | HistoryEvent::EntityLockGranted { id } => Some(*id),
        _ => None,
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked".to_owned())
}
