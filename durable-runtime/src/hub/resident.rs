//! [`Resident`]: a live execution with its row, and the turn that it makes of messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cell::Inbound;
use super::fresh_id::fresh_id;
use super::history_row::history_row;
use super::outbox::Watched;
use super::trial::TURN;
use crate::model::{
    EntityCaller, EntityLockRequest, EntityMessage, EntityOperation, ExecutionStarted,
    FailureDetails, HistoryEvent, LifecycleStep, Parent, Payload, ReplyTo, RuntimeStatus,
    Timestamp,
};
use crate::replay::{Asked, Carried, End, Execution, Open, Size, Turn};
use crate::store::{
    Ids, InstanceKey, InstanceRecord, NewGeneration, NewInstance, NewMessage, OutboxRecord,
    PayloadKind, Reuse, TurnCommit,
};

/// Makes an execution of what it starts with.
pub(crate) type MakeExecution<'a> = &'a dyn Fn(&ExecutionStarted) -> Option<Execution>;

/// A live execution with its row.
pub(crate) struct Resident {
    pub(crate) execution: Execution,
    /// As the last turn that was made left it. Shared with what clients see of the last that was stored, which mostly is the same.
    pub(crate) record: Arc<InstanceRecord>,
    /// History rows after the last turn that was made (not necessarily stored).
    pub(crate) sequence: i64,
    /// Deliveries of open activities that were delivered more than once.
    pub(crate) deliveries: BTreeMap<i64, u32>,
    /// Children that may live and of which its generation knows nothing: an earlier one called them.
    pub(crate) left_behind: Vec<Arc<str>>,
}

/// An activity to be run.
#[derive(Debug, Clone)]
pub(crate) struct ActivityTask {
    /// The instance's row.
    pub(crate) key: InstanceKey,
    pub(crate) execution_id: Arc<str>,
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    pub(crate) input: Option<Payload>,
    pub(crate) attempt: u32,
    pub(crate) delivery: u32,
}

/// What has to be done once the turn is durable.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) activities: Vec<ActivityTask>,
    pub(crate) timers: Vec<(Timestamp, i64)>,
    /// With the generation whose they are.
    pub(crate) cancelled_timers: Vec<(Arc<str>, Timestamp, i64)>,
    pub(crate) cancelled_activities: Vec<i64>,
    pub(crate) messages: Vec<NewMessage>,
    pub(crate) starts: Vec<StartEffect>,
    /// Whether activities of an earlier generation are to be told.
    pub(crate) new_generation: bool,
    pub(crate) ended: bool,
}

/// An instance that a turn starts.
#[derive(Debug)]
pub(crate) struct StartEffect {
    pub(crate) id: Arc<str>,
    /// When its first turn is due.
    pub(crate) due: Option<Timestamp>,
    /// What the store put into the starter's inbox if the id was taken.
    pub(crate) on_refused: Option<NewMessage>,
}

/// A turn and its effects.
pub(crate) struct Made {
    pub(crate) commit: TurnCommit,
    pub(crate) effects: Effects,
    /// Messages of the new generation that a next turn must take: the work item had enough of them.
    pub(crate) again: Vec<Inbound>,
}

/// What a turn follows besides its messages.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// Where new ids come from.
    pub(crate) ids: &'a Ids,
    /// What becomes of an instance whose id is wanted again.
    pub(crate) reuse: Reuse,
    /// Which steps of it are told.
    pub(crate) watched: Watched<'a>,
    /// Generations that one work item may run through before it commits and lets others have the thread (spec 1.7).
    pub(crate) max_generations: usize,
}

/// What one work item collects over its generations.
struct Draft<'a> {
    now: Timestamp,
    rules: Rules<'a>,
    effects: Effects,
    starts: Vec<NewInstance>,
    outbox: Vec<OutboxRecord>,
    payloads: Vec<(PayloadKind, Option<Payload>)>,
}

impl Resident {
    /// An instance that is not stored yet.
    pub(crate) fn new(instance: &NewInstance, execution: Execution) -> Self {
        let started = &instance.started;
        let record = InstanceRecord {
            key: instance.key,
            id: Arc::clone(&instance.id),
            name: Arc::clone(&started.name),
            version: started.version.clone(),
            execution_id: Arc::clone(&started.execution_id),
            generation: 0,
            status: RuntimeStatus::Pending,
            created: instance.created,
            updated: instance.created,
            parent: started.parent.clone(),
            scheduled_start: started.scheduled_start,
            tags: started.tags.clone(),
            trace_parent: started.trace_parent.clone(),
            input: started.input.clone(),
            output: None,
            custom_status: None,
            failure: None,
            entity: None,
        };
        Self {
            execution,
            record: Arc::new(record),
            sequence: 0,
            deliveries: BTreeMap::new(),
            left_behind: Vec::new(),
        }
    }

    /// Of which generation its history is, and how large that is.
    pub(crate) fn size(&self) -> (u64, Size) {
        (self.record.generation, self.execution.size())
    }

    /// One work item: the messages become events, code runs, and all that it leads to is one value.
    pub(crate) fn make_turn(
        &mut self,
        now: Timestamp,
        messages: Vec<Inbound>,
        rules: Rules<'_>,
        make: MakeExecution<'_>,
    ) -> Made {
        let consumed: Vec<i64> = messages
            .iter()
            .filter_map(|message| message.inbox)
            .collect();
        let settled = self.settle(&messages);
        let generation = Arc::clone(&self.execution.started().execution_id);
        let events = arrange(messages, &self.record.execution_id, &generation);
        let mut draft = Draft {
            now,
            rules,
            effects: Effects::default(),
            starts: Vec::new(),
            outbox: Vec::new(),
            payloads: Vec::new(),
        };
        let begins = match self.record.status {
            RuntimeStatus::Pending => true,
            // Halted before it could begin.
            RuntimeStatus::Suspended => self.sequence == 0,
            _ => false,
        };
        if begins && self.execution.has_code() {
            self.tell(&mut draft, LifecycleStep::Started, None);
        }
        let mut turn = self.execution.turn(now, events);
        self.draft_turn(&mut draft, &turn);
        let mut generations = 0;
        let mut again = Vec::new();
        while let Some(End::ContinuedAsNew { .. }) = &turn.end {
            let Some(End::ContinuedAsNew {
                input,
                options,
                carried,
            }) = turn.end.take()
            else {
                break;
            };
            generations += 1;
            let started = self.next_generation(&mut draft, input, options.version);
            let events = first_events(&started, carried, turn.late);
            let Some(execution) = make(&started) else {
                turn.events = Vec::new();
                turn.late = Vec::new();
                again = self.postpone(&mut draft, events);
                break;
            };
            self.execution = execution;
            if generations >= rules.max_generations.max(1) {
                turn.events = Vec::new();
                turn.late = Vec::new();
                again = self.postpone(&mut draft, events);
                break;
            }
            turn = self.execution.turn(now, events);
            self.draft_turn(&mut draft, &turn);
        }
        self.finish(draft, turn, generations > 0, consumed, settled, again)
    }

    /// Whether a turn would only drop it: the timer of an instance that was loaded meanwhile may ring once more.
    pub(crate) fn has_heard(&self, message: &Inbound) -> bool {
        let is_another = |id: &Arc<str>| *id != self.record.execution_id;
        message.inbox.is_none()
            && matches!(message.event, HistoryEvent::TimerFired { .. })
            && (message.execution_id.as_ref().is_some_and(is_another)
                || self.execution.is_stale(&message.event))
    }

    /// Tasks among the messages that were delivered more than once need no count any longer, nor does the turn itself.
    fn settle(&mut self, messages: &[Inbound]) -> Vec<i64> {
        if self.deliveries.is_empty() {
            return Vec::new();
        }
        let ended = messages
            .iter()
            .filter_map(|message| ended_task(&message.event));
        std::iter::once(TURN)
            .chain(ended)
            .filter(|id| self.deliveries.remove(id).is_some())
            .collect()
    }

    fn draft_turn(&mut self, draft: &mut Draft<'_>, turn: &Turn) {
        let goes_on = matches!(turn.end, None | Some(End::ContinuedAsNew { .. }));
        let left: BTreeSet<i64> = match turn.end {
            Some(End::ContinuedAsNew { .. }) => BTreeSet::new(),
            _ => turn.cancelled_activities.iter().copied().collect(),
        };
        let is_activity =
            |asked: &Asked<'_>| matches!(asked.event, HistoryEvent::TaskScheduled { .. });
        let activities = turn.asked().filter(is_activity).count();
        draft.effects.activities.reserve_exact(activities);
        for asked in turn.asked() {
            self.draft_action(draft, asked, goes_on, &left);
        }
        let generation = &self.record.execution_id;
        let cancelled = turn.cancelled_timers.iter();
        draft
            .effects
            .cancelled_timers
            .extend(cancelled.map(|(id, at)| (Arc::clone(generation), *at, *id)));
        draft
            .effects
            .cancelled_activities
            .extend(&turn.cancelled_activities);
        if let Some(status) = &turn.custom_status {
            Arc::make_mut(&mut self.record)
                .custom_status
                .clone_from(status);
            draft.put(PayloadKind::CustomStatus, status.clone());
        }
    }

    fn draft_action(
        &self,
        draft: &mut Draft<'_>,
        asked: Asked<'_>,
        goes_on: bool,
        cancelled: &BTreeSet<i64>,
    ) {
        match asked.event {
            HistoryEvent::TaskScheduled { id, name, input }
                if goes_on && !cancelled.contains(id) =>
            {
                draft.effects.activities.push(ActivityTask {
                    key: self.record.key,
                    execution_id: Arc::clone(&self.record.execution_id),
                    id: *id,
                    name: Arc::clone(name),
                    input: input.clone(),
                    attempt: asked.attempt,
                    delivery: 1,
                });
            }
            HistoryEvent::TimerCreated { id, fire_at } if goes_on => {
                draft.effects.timers.push((*fire_at, *id))
            }
            HistoryEvent::EventSent {
                instance_id,
                name,
                data,
                ..
            } => {
                draft.send(
                    instance_id,
                    None,
                    HistoryEvent::EventRaised {
                        name: name.clone(),
                        data: data.clone(),
                    },
                );
            }
            HistoryEvent::SubOrchestrationInstanceCreated { .. } => self.draft_start(draft, asked),
            event => {
                let from = (&self.record.id, &self.record.execution_id);
                if let Some((entity, message)) = to_entity(from, event) {
                    draft.send(&entity, None, HistoryEvent::Entity(Box::new(message)));
                }
            }
        }
    }

    fn draft_start(&self, draft: &mut Draft<'_>, asked: Asked<'_>) {
        let HistoryEvent::SubOrchestrationInstanceCreated {
            id,
            name,
            instance_id,
            version,
            input,
            detached,
        } = asked.event
        else {
            return;
        };
        let parent = (!detached).then(|| Parent {
            instance_id: Arc::clone(&self.record.id),
            // Not the row's: a rewinding changes that one, and must not make orphans.
            execution_id: Arc::clone(&self.execution.started().execution_id),
            name: Arc::clone(&self.record.name),
            task_id: *id,
        });
        let on_refused = parent.is_some().then(|| {
            draft.message(
                &self.record.id,
                Some(&self.record.execution_id),
                refusal_of_child(*id, instance_id),
            )
        });
        let started = ExecutionStarted {
            name: Arc::clone(name),
            version: version.clone(),
            execution_id: fresh_id(draft.now),
            parent,
            scheduled_start: asked.scheduled_start,
            generation: 0,
            tags: self.record.tags.clone(),
            trace_parent: self.record.trace_parent.clone(),
            input: input.clone(),
        };
        let key = InstanceKey(draft.rules.ids.next());
        let effect = StartEffect {
            id: Arc::clone(instance_id),
            due: asked.scheduled_start,
            on_refused: on_refused.clone(),
        };
        draft.starts.push(NewInstance {
            key,
            id: Arc::clone(instance_id),
            started,
            created: draft.now,
            reuse: draft.rules.reuse,
            on_refused,
        });
        draft.effects.starts.push(effect);
    }

    fn next_generation(
        &mut self,
        draft: &mut Draft<'_>,
        input: Payload,
        version: Option<String>,
    ) -> ExecutionStarted {
        self.left_behind.extend(self.open_children());
        let generation = &self.record.execution_id;
        let open_timers = self.execution.timers().into_iter();
        draft
            .effects
            .cancelled_timers
            .extend(open_timers.map(|(at, id)| (Arc::clone(generation), at, id)));
        draft.effects.timers.clear();
        draft.effects.new_generation = true;
        let input = (!input.is_null()).then_some(input);
        draft.put(PayloadKind::Input, input.clone());
        let record = Arc::make_mut(&mut self.record);
        record.execution_id = fresh_id(draft.now);
        record.generation += 1;
        if let Some(version) = version {
            record.version = version;
        }
        record.input.clone_from(&input);
        ExecutionStarted {
            name: Arc::clone(&self.record.name),
            version: self.record.version.clone(),
            execution_id: Arc::clone(&self.record.execution_id),
            parent: self.record.parent.clone(),
            scheduled_start: None,
            generation: self.record.generation,
            tags: self.record.tags.clone(),
            trace_parent: self.record.trace_parent.clone(),
            input,
        }
    }

    /// Leaves the first turn of the new generation to the next work item: what it carries goes through the inbox, before all that waits there.
    fn postpone(&self, draft: &mut Draft<'_>, events: Vec<HistoryEvent>) -> Vec<Inbound> {
        let is_first = |event: &HistoryEvent| matches!(event, HistoryEvent::ExecutionStarted(_));
        // An inbox is read in the order of its ids, which grow: turned around, the latest come first.
        let carried = events.iter().filter(|event| !is_first(event)).count();
        let mut ids: Vec<i64> = (0..carried).map(|_| -draft.rules.ids.next()).collect();
        let mut again = Vec::new();
        for event in events {
            let id = if is_first(&event) { None } else { ids.pop() };
            if let Some(id) = id {
                draft.effects.messages.push(NewMessage {
                    id,
                    to: Arc::clone(&self.record.id),
                    execution_id: None,
                    event: event.clone(),
                    created: draft.now,
                });
            }
            again.push(Inbound {
                event,
                inbox: id,
                execution_id: None,
            });
        }
        again
    }

    fn finish(
        &mut self,
        mut draft: Draft<'_>,
        turn: Turn,
        renewed: bool,
        consumed: Vec<i64>,
        settled: Vec<i64>,
        again: Vec<Inbound>,
    ) -> Made {
        let Turn {
            events,
            end,
            suspended,
            strayed,
            ..
        } = turn;
        if let Some(reason) = self.execution.strayed().filter(|_| strayed) {
            tracing::error!(
                function = &*self.record.name,
                instance_id = &*self.record.id,
                "the instance is suspended, and keeps all that it has: {reason} Resume it on a host whose code fits"
            );
        }
        let record = Arc::make_mut(&mut self.record);
        record.updated = draft.now.max(record.updated);
        record.status = match &end {
            Some(end) => end.status(),
            None if suspended => RuntimeStatus::Suspended,
            None => RuntimeStatus::Running,
        };
        if let Some(end) = &end {
            self.finish_instance(&mut draft, end);
        }
        let (next, busy) = self.execution.next_wake();
        let wake_at = match () {
            () if end.is_some() => None,
            () if busy || !again.is_empty() => Some(Timestamp::from_micros(0)),
            () => next,
        };
        let own = |message: &NewMessage| {
            message.to == self.record.id
                && again
                    .iter()
                    .any(|inbound| inbound.inbox == Some(message.id))
        };
        let messages = draft.effects.messages.clone();
        draft.effects.messages.retain(|message| !own(message));
        let commit = TurnCommit {
            key: self.record.key,
            id: Arc::clone(&self.record.id),
            create: None,
            expected_sequence: self.sequence,
            // A turn that only drops duplicates is no part of history.
            events: events.iter().any(is_fact).then(|| history_row(events)),
            new_generation: renewed.then(|| NewGeneration {
                execution_id: Arc::clone(&self.record.execution_id),
                generation: self.record.generation,
                version: self.record.version.clone(),
            }),
            status: self.record.status,
            updated: self.record.updated,
            wake_at,
            payloads: draft.payloads,
            consumed,
            messages,
            starts: draft.starts,
            settled,
            outbox: draft.outbox,
        };
        self.sequence += 1;
        Made {
            commit,
            effects: draft.effects,
            again,
        }
    }

    fn open_children(&self) -> impl Iterator<Item = Arc<str>> + use<> {
        let open = self.execution.open().into_iter();
        open.filter_map(|(_, open)| match open {
            Open::Child { instance_id } => Some(instance_id),
            _ => None,
        })
    }

    fn tell(&self, draft: &mut Draft<'_>, step: LifecycleStep, reason: Option<&str>) {
        let rules = draft.rules;
        let whose = (&self.record.id, &self.record.name);
        let told = rules
            .watched
            .record(rules.ids, step, whose, reason, draft.now);
        draft.outbox.extend(told);
    }

    /// What the end of the instance means for its payloads, its parent and its children.
    fn finish_instance(&mut self, draft: &mut Draft<'_>, end: &End) {
        draft.effects.ended = true;
        let reason = match end {
            End::Failed(failure) => Some(&*failure.message),
            End::Terminated { reason, .. } => reason.as_deref(),
            End::Completed(_) | End::ContinuedAsNew { .. } => None,
        };
        if let Some(step) = LifecycleStep::of_end(end.status()) {
            self.tell(draft, step, reason);
        }
        let (output, failure) = match end {
            End::Completed(output) => (Some(output.clone()), None),
            End::Failed(failure) => (
                Some(Payload::text(&failure_text(&self.record.name, failure))),
                Some(failure.clone()),
            ),
            End::Terminated { reason, .. } => (reason.as_deref().map(Payload::text), None),
            End::ContinuedAsNew { .. } => (None, None),
        };
        if let Some(output) = &output {
            draft.put(PayloadKind::Output, Some(output.clone()));
        }
        if let Some(failure) = &failure {
            draft.put(PayloadKind::Failure, Payload::of(failure).ok());
        }
        if let Some(parent) = self.record.parent.clone() {
            let id = parent.task_id;
            let answer = match end {
                End::Completed(result) => HistoryEvent::SubOrchestrationInstanceCompleted {
                    id,
                    result: result.clone(),
                },
                End::Failed(failure) => HistoryEvent::SubOrchestrationInstanceFailed {
                    id,
                    failure: Box::new(failure.clone()),
                },
                End::Terminated { .. } | End::ContinuedAsNew { .. } => {
                    let text = format!("the sub-orchestration `{}` was terminated", self.record.id);
                    let failure = Box::new(FailureDetails::new("Terminated", text));
                    HistoryEvent::SubOrchestrationInstanceFailed { id, failure }
                }
            };
            draft.send(&parent.instance_id, Some(&parent.execution_id), answer);
        }
        if let End::Terminated {
            reason,
            recursive: true,
        } = end
        {
            let mut children: BTreeSet<Arc<str>> = self.open_children().collect();
            children.extend(self.left_behind.drain(..));
            for child in children {
                let event = HistoryEvent::ExecutionTerminated {
                    reason: reason.clone(),
                    recursive: true,
                };
                draft.send(&child, None, event);
            }
        }
        let record = Arc::make_mut(&mut self.record);
        record.output = output;
        record.failure = failure.map(Box::new);
    }
}

impl Draft<'_> {
    fn put(&mut self, kind: PayloadKind, payload: Option<Payload>) {
        self.payloads.retain(|(other, _)| *other != kind);
        self.payloads.push((kind, payload));
    }

    fn message(
        &self,
        to: &Arc<str>,
        execution_id: Option<&Arc<str>>,
        event: HistoryEvent,
    ) -> NewMessage {
        NewMessage {
            id: self.rules.ids.next(),
            to: Arc::clone(to),
            execution_id: execution_id.cloned(),
            event,
            created: self.now,
        }
    }

    fn send(&mut self, to: &Arc<str>, execution_id: Option<&Arc<str>>, event: HistoryEvent) {
        let message = self.message(to, execution_id, event);
        self.effects.messages.push(message);
    }
}

/// What clients read as the output of a failed instance.
fn failure_text(name: &str, failure: &FailureDetails) -> String {
    format!("Orchestrator function '{name}' failed: {}", failure.message)
}

/// What an entity is told by an instance and its execution.
pub(crate) fn to_entity(
    (instance_id, execution_id): (&Arc<str>, &Arc<str>),
    event: &HistoryEvent,
) -> Option<(Arc<str>, EntityMessage)> {
    let caller = |task_id: i64| EntityCaller {
        instance_id: Arc::clone(instance_id),
        execution_id: Arc::clone(execution_id),
        task_id,
    };
    match event {
        HistoryEvent::EntityOperationCalled {
            id,
            entity,
            operation,
            input,
            section,
        } => {
            let operation = EntityOperation {
                operation: Arc::clone(operation),
                input: input.clone(),
                due: None,
                reply_to: Some(ReplyTo::Orchestration(caller(*id))),
                section: section.map(|request| caller(request).section()),
            };
            Some((Arc::clone(entity), EntityMessage::Operation(operation)))
        }
        HistoryEvent::EntityOperationSignaled {
            entity,
            operation,
            input,
            due,
            ..
        } => {
            let operation = EntityOperation {
                operation: Arc::clone(operation),
                input: input.clone(),
                due: *due,
                reply_to: None,
                section: None,
            };
            Some((Arc::clone(entity), EntityMessage::Operation(operation)))
        }
        HistoryEvent::EntityLockRequested { id, entities } => {
            let request = EntityLockRequest {
                requester: caller(*id),
                entities: entities.clone(),
                position: 0,
            };
            let first = entities.first()?;
            Some((Arc::clone(first), EntityMessage::Lock(request)))
        }
        HistoryEvent::EntityUnlockSent {
            entity,
            section,
            early,
            ..
        } => {
            let section = caller(*section).section();
            let forward = *early;
            Some((
                Arc::clone(entity),
                EntityMessage::Unlock { section, forward },
            ))
        }
        _ => None,
    }
}

/// What a parent is told whose child could not be started.
pub(crate) fn refusal_of_child(id: i64, instance_id: &str) -> HistoryEvent {
    let text = format!(
        "an orchestration instance with the id `{instance_id}` already exists and has not ended"
    );
    let failure = FailureDetails::new("InstanceAlreadyExists", text).non_retriable();
    HistoryEvent::SubOrchestrationInstanceFailed {
        id,
        failure: Box::new(failure),
    }
}

/// Messages for the current execution, `ExecutionStarted` first. Children answer to the generation, which rewindings do not change.
fn arrange(messages: Vec<Inbound>, execution_id: &str, generation: &str) -> Vec<HistoryEvent> {
    let is_childs = |event: &HistoryEvent| {
        matches!(
            event,
            HistoryEvent::SubOrchestrationInstanceCompleted { .. }
                | HistoryEvent::SubOrchestrationInstanceFailed { .. }
        )
    };
    let mut events: Vec<HistoryEvent> = messages
        .into_iter()
        .filter(|message| {
            message.execution_id.as_deref().is_none_or(|id| {
                id == execution_id || (id == generation && is_childs(&message.event))
            })
        })
        .map(|message| message.event)
        .collect();
    if let Some(index) = events
        .iter()
        .position(|event| matches!(event, HistoryEvent::ExecutionStarted(_)))
    {
        events[..=index].rotate_right(1);
    }
    events
}

/// What a new generation begins with: its start, the events it inherits, and what came late for the old one but is meant for the instance.
fn first_events(
    started: &ExecutionStarted,
    carried: Vec<Carried>,
    late: Vec<HistoryEvent>,
) -> Vec<HistoryEvent> {
    let mut events = vec![HistoryEvent::ExecutionStarted(Box::new(started.clone()))];
    events.extend(carried.into_iter().map(|event| HistoryEvent::EventRaised {
        name: event.name,
        data: event.data,
    }));
    events.extend(late.into_iter().filter(|event| {
        matches!(
            event,
            HistoryEvent::EventRaised { .. }
                | HistoryEvent::ExecutionSuspended { .. }
                | HistoryEvent::ExecutionResumed { .. }
                | HistoryEvent::ExecutionTerminated { .. }
        )
    }));
    events
}

fn ended_task(event: &HistoryEvent) -> Option<i64> {
    match event {
        HistoryEvent::TaskCompleted { id, .. } | HistoryEvent::TaskFailed { id, .. } => Some(*id),
        _ => None,
    }
}

/// All but what every turn begins and ends with.
fn is_fact(event: &HistoryEvent) -> bool {
    !matches!(
        event,
        HistoryEvent::OrchestratorStarted { .. } | HistoryEvent::OrchestratorCompleted
    )
}
