//! [`Mailbox`]: state, lock and waiting messages of one entity, and which of them comes next (spec 3.2 to 3.5).
//!
//! While an entity is locked, only what its holder sends is run; all others wait in their order. A message leaves the mailbox into an
//! [`Outbox`], which is committed whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::context::{Operation, Sent};
use crate::model::{
    EntityId, EntityLockRequest, EntityLockState, EntityMessage, EntityOperation, FailureDetails,
    HistoryEvent, Payload, ReplyTo, Timestamp,
};

/// One entity in memory.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) id: EntityId,
    pub(crate) state: Option<Payload>,
    pub(crate) lock: Option<EntityLockState>,
    queue: VecDeque<Queued>,
    /// From the holder of the lock.
    own: VecDeque<Queued>,
    /// Letting go of what this entity is not locked for.
    stray: VecDeque<(i64, Arc<str>)>,
    later: BTreeMap<(Timestamp, i64), EntityOperation>,
    /// Inbox ids of all that waits: what is delivered twice is taken once.
    known: BTreeSet<i64>,
}

#[derive(Debug, Clone)]
struct Queued {
    inbox: i64,
    message: EntityMessage,
}

/// An operation whose turn has come.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) inbox: i64,
    pub(crate) operation: EntityOperation,
}

/// All that a batch leads to.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) consumed: Vec<i64>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) state_changed: bool,
    pub(crate) lock_changed: bool,
}

/// Something that leaves with the batch.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Message {
        to: Arc<str>,
        execution_id: Option<Arc<str>>,
        event: HistoryEvent,
    },
    Start(Sent),
}

/// The answer to a client's call.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) request: Arc<str>,
    pub(crate) result: Result<Payload, FailureDetails>,
}

impl Mailbox {
    pub(crate) fn new(id: EntityId, state: Option<Payload>, lock: Option<EntityLockState>) -> Self {
        Self {
            id,
            state,
            lock,
            queue: VecDeque::new(),
            own: VecDeque::new(),
            stray: VecDeque::new(),
            later: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// Takes a message in.
    pub(crate) fn take(&mut self, inbox: i64, message: EntityMessage) {
        if !self.known.insert(inbox) {
            return;
        }
        match message {
            EntityMessage::Operation(operation) if operation.due.is_some() => {
                let due = operation.due.unwrap_or_default();
                self.later.insert((due, inbox), operation);
            }
            EntityMessage::Unlock { section, .. } if !self.is_held_for(&section) => {
                self.stray.push_back((inbox, section));
            }
            message => {
                let queued = Queued { inbox, message };
                if self.is_from_holder(&queued.message) {
                    self.own.push_back(queued);
                } else {
                    self.queue.push_back(queued);
                }
            }
        }
    }

    fn is_held_for(&self, section: &str) -> bool {
        self.lock
            .as_ref()
            .is_some_and(|lock| *lock.section == *section)
    }

    fn is_from_holder(&self, message: &EntityMessage) -> bool {
        match message {
            EntityMessage::Operation(operation) => operation
                .section
                .as_ref()
                .is_some_and(|section| self.is_held_for(section)),
            EntityMessage::Lock(request) => self.is_held_for(&request.requester.section()),
            EntityMessage::Unlock { section, .. } => self.is_held_for(section),
        }
    }

    /// When the next of those whose time has not come is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.later.first_key_value().map(|((due, _), _)| *due)
    }

    /// Whether a batch would do something now.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        let open = if self.lock.is_some() {
            &self.own
        } else {
            &self.queue
        };
        !open.is_empty() || !self.stray.is_empty() || self.next_due().is_some_and(|due| due <= now)
    }

    /// The next operation to run. Locks are taken and let go on the way.
    pub(crate) fn next(&mut self, now: Timestamp, out: &mut Outbox) -> Option<Running> {
        self.wake(now);
        loop {
            self.drop_strays(out);
            let Queued { inbox, message } = if self.lock.is_some() {
                self.own.pop_front()?
            } else {
                self.queue.pop_front()?
            };
            match message {
                EntityMessage::Operation(operation) if self.has_lost_its_lock(&operation) => {
                    let failure = FailureDetails::new(
                        "LockLost",
                        format!("the lock of `{}` is no longer held by the caller", self.id),
                    );
                    self.consume(inbox, out);
                    answer(&operation, Err(failure), out);
                }
                EntityMessage::Operation(operation) => return Some(Running { inbox, operation }),
                EntityMessage::Lock(request) => {
                    self.consume(inbox, out);
                    self.grant(request, out);
                }
                EntityMessage::Unlock { section, forward } => {
                    self.consume(inbox, out);
                    self.let_go(&section, forward, out);
                }
            }
        }
    }

    /// The operation that [`Self::next`] would give. A copy finds out, since locks are taken and let go on the way.
    pub(crate) fn upcoming(&self, now: Timestamp) -> Option<Running> {
        self.clone().next(now, &mut Outbox::default())
    }

    fn consume(&mut self, inbox: i64, out: &mut Outbox) {
        self.known.remove(&inbox);
        out.consumed.push(inbox);
    }

    /// What has become due joins the end of the queue.
    fn wake(&mut self, now: Timestamp) {
        while let Some(entry) = self
            .later
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let ((_, inbox), operation) = entry.remove_entry();
            let message = EntityMessage::Operation(operation);
            self.queue.push_back(Queued { inbox, message });
        }
    }

    fn has_lost_its_lock(&self, operation: &EntityOperation) -> bool {
        operation
            .section
            .as_ref()
            .is_some_and(|section| !self.is_held_for(section))
    }

    /// Whoever gave up before this entity was locked takes its request back.
    fn drop_strays(&mut self, out: &mut Outbox) {
        while let Some((inbox, section)) = self.stray.pop_front() {
            self.consume(inbox, out);
            let is_its = |queued: &Queued| matches!(&queued.message, EntityMessage::Lock(request) if request.requester.section() == section);
            if let Some(index) = self.queue.iter().position(is_its)
                && let Some(queued) = self.queue.remove(index)
            {
                self.consume(queued.inbox, out);
            }
        }
    }

    fn grant(&mut self, request: EntityLockRequest, out: &mut Outbox) {
        let section = request.requester.section();
        if !self.is_held_for(&section) {
            self.lock = Some(EntityLockState {
                section,
                request: request.clone(),
            });
            out.lock_changed = true;
        }
        let next = request.position + 1;
        let message = match request.entities.get(next).cloned() {
            Some(entity) => {
                let request = EntityLockRequest {
                    position: next,
                    ..request
                };
                to_entity(&entity, EntityMessage::Lock(request))
            }
            None => Outgoing::Message {
                to: Arc::clone(&request.requester.instance_id),
                execution_id: Some(Arc::clone(&request.requester.execution_id)),
                event: HistoryEvent::EntityLockGranted {
                    id: request.requester.task_id,
                },
            },
        };
        out.outgoing.push(message);
    }

    fn let_go(&mut self, section: &Arc<str>, forward: bool, out: &mut Outbox) {
        let Some(lock) = self.lock.take_if(|lock| lock.section == *section) else {
            return;
        };
        out.lock_changed = true;
        // What the holder sent after it let go is of nobody's section any more.
        while let Some(queued) = self.own.pop_back() {
            self.queue.push_front(queued);
        }
        let next = lock.request.entities.get(lock.request.position + 1);
        if let Some(entity) = next.filter(|_| forward) {
            let section = Arc::clone(section);
            out.outgoing.push(to_entity(
                entity,
                EntityMessage::Unlock { section, forward },
            ));
        }
    }

    /// Takes over what an operation did; a failed one leaves no trace if `rollback` (spec 3.3).
    pub(crate) fn finish(
        &mut self,
        running: Running,
        done: &Operation,
        result: Result<Payload, FailureDetails>,
        rollback: bool,
        out: &mut Outbox,
    ) {
        self.consume(running.inbox, out);
        if result.is_ok() || !rollback {
            let change = &mut *done.lock();
            let state = change.state.take();
            if state != self.state {
                self.state = state;
                out.state_changed = true;
            }
            out.outgoing
                .extend(change.sent.drain(..).map(|sent| match sent {
                    Sent::Signal {
                        entity,
                        operation,
                        input,
                        due,
                    } => to_entity(
                        &entity,
                        EntityMessage::Operation(EntityOperation {
                            operation,
                            input,
                            due,
                            reply_to: None,
                            section: None,
                        }),
                    ),
                    start @ Sent::Start { .. } => Outgoing::Start(start),
                }));
        }
        answer(&running.operation, result, out);
    }
}

fn to_entity(entity: &Arc<str>, message: EntityMessage) -> Outgoing {
    Outgoing::Message {
        to: Arc::clone(entity),
        execution_id: None,
        event: HistoryEvent::Entity(Box::new(message)),
    }
}

fn answer(operation: &EntityOperation, result: Result<Payload, FailureDetails>, out: &mut Outbox) {
    match &operation.reply_to {
        None => {}
        Some(ReplyTo::Client(request)) => out.answers.push(Answer {
            request: Arc::clone(request),
            result,
        }),
        Some(ReplyTo::Orchestration(caller)) => {
            let id = caller.task_id;
            let event = match result {
                Ok(result) => HistoryEvent::EntityOperationCompleted { id, result },
                Err(failure) => HistoryEvent::EntityOperationFailed {
                    id,
                    failure: Box::new(failure),
                },
            };
            out.outgoing.push(Outgoing::Message {
                to: Arc::clone(&caller.instance_id),
                execution_id: Some(Arc::clone(&caller.execution_id)),
                event,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntityCaller;

    fn mailbox() -> Mailbox {
        Mailbox::new(EntityId::new("cell", "a"), None, None)
    }

    fn caller(task_id: i64) -> EntityCaller {
        EntityCaller {
            instance_id: format!("i{task_id}").into(),
            execution_id: format!("e{task_id}").into(),
            task_id,
        }
    }

    fn operation(name: &str, section: Option<&EntityCaller>) -> EntityMessage {
        EntityMessage::Operation(EntityOperation {
            operation: name.into(),
            input: None,
            due: None,
            reply_to: None,
            section: section.map(EntityCaller::section),
        })
    }

    fn lock(requester: &EntityCaller, entities: &[&str], position: usize) -> EntityMessage {
        EntityMessage::Lock(EntityLockRequest {
            requester: requester.clone(),
            entities: entities.iter().map(|&id| id.into()).collect(),
            position,
        })
    }

    fn unlock(requester: &EntityCaller, forward: bool) -> EntityMessage {
        let section = requester.section();
        EntityMessage::Unlock { section, forward }
    }

    /// Names of the operations that run now, in order, each of which does nothing.
    fn run(mailbox: &mut Mailbox, now: i64, out: &mut Outbox) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(running) = mailbox.next(Timestamp::from_micros(now), out) {
            names.push(running.operation.operation.to_string());
            let registry = crate::registry::Registry::of(std::iter::empty()).unwrap();
            let name = Arc::clone(&running.operation.operation);
            let done = Operation::new(
                mailbox.id.clone(),
                name,
                None,
                mailbox.state.clone(),
                registry,
                usize::MAX,
                super::super::Rollback::Yes,
            );
            mailbox.finish(running, &done, Ok(Payload::null()), true, out);
        }
        names
    }

    /// Kinds and receivers of what leaves.
    fn sent(out: &Outbox) -> Vec<String> {
        let text = |outgoing: &Outgoing| match outgoing {
            Outgoing::Message { to, event, .. } => match event {
                HistoryEvent::Entity(message) => match &**message {
                    EntityMessage::Lock(request) => format!("lock {to} {}", request.position),
                    EntityMessage::Unlock { .. } => format!("unlock {to}"),
                    EntityMessage::Operation(operation) => {
                        format!("{} {to}", operation.operation)
                    }
                },
                event => format!("{} {to}", event.kind()),
            },
            Outgoing::Start(_) => "start".to_owned(),
        };
        out.outgoing.iter().map(text).collect()
    }

    #[test]
    fn while_locked_only_the_holder_is_served_and_others_keep_their_order() {
        let (mut mailbox, mut out) = (mailbox(), Outbox::default());
        let (holder, other) = (caller(1), caller(2));
        mailbox.take(1, operation("before", None));
        mailbox.take(2, lock(&holder, &["@cell@a"], 0));
        mailbox.take(3, operation("waits", None));
        mailbox.take(4, lock(&other, &["@cell@a"], 0));
        assert_eq!(run(&mut mailbox, 0, &mut out), ["before"]);
        mailbox.take(5, operation("inside", Some(&holder)));
        mailbox.take(6, operation("waits too", None));
        assert!(mailbox.is_ready(Timestamp::default()));
        assert_eq!(run(&mut mailbox, 0, &mut out), ["inside"]);
        assert!(!mailbox.is_ready(Timestamp::default()));
        mailbox.take(7, unlock(&holder, false));
        assert_eq!(run(&mut mailbox, 0, &mut out), ["waits"]);
        assert_eq!(
            mailbox.lock.as_ref().map(|lock| lock.section.clone()),
            Some(other.section())
        );
        assert_eq!(sent(&out), ["EntityLockGranted i1", "EntityLockGranted i2"]);
        assert_eq!(out.consumed, [1, 2, 5, 7, 3, 4]);
    }

    #[test]
    fn a_request_travels_on_and_so_does_giving_it_up() {
        let (mut mailbox, mut out) = (mailbox(), Outbox::default());
        let (holder, other) = (caller(1), caller(2));
        let all = ["@cell@a", "@cell@b"];
        mailbox.take(1, lock(&holder, &all, 0));
        mailbox.take(2, lock(&other, &all, 0));
        run(&mut mailbox, 0, &mut out);
        assert_eq!(sent(&out), ["lock @cell@b 1"]);
        // One that only waits is taken out of the queue, and goes no further.
        mailbox.take(3, unlock(&other, true));
        run(&mut mailbox, 0, &mut out);
        assert_eq!(sent(&out).len(), 1);
        mailbox.take(4, unlock(&holder, true));
        run(&mut mailbox, 0, &mut out);
        assert_eq!(sent(&out), ["lock @cell@b 1", "unlock @cell@b"]);
        assert!(mailbox.lock.is_none() && !mailbox.is_ready(Timestamp::default()));
        assert_eq!(out.consumed, [1, 3, 2, 4]);
    }

    #[test]
    fn a_request_that_comes_twice_is_granted_again() {
        let (mut mailbox, mut out) = (mailbox(), Outbox::default());
        let holder = caller(1);
        for inbox in [1, 2] {
            mailbox.take(inbox, lock(&holder, &["@cell@a"], 0));
            run(&mut mailbox, 0, &mut out);
        }
        assert_eq!(sent(&out), ["EntityLockGranted i1", "EntityLockGranted i1"]);
    }

    #[test]
    fn a_call_whose_lock_is_gone_fails_and_does_nothing() {
        let (mut mailbox, mut out) = (mailbox(), Outbox::default());
        let mut call = operation("late", Some(&caller(1)));
        if let EntityMessage::Operation(operation) = &mut call {
            operation.reply_to = Some(ReplyTo::Orchestration(caller(9)));
        }
        mailbox.take(1, call);
        assert!(run(&mut mailbox, 0, &mut out).is_empty());
        assert_eq!(sent(&out), ["EntityOperationFailed i9"]);
    }

    #[test]
    fn a_scheduled_signal_waits_and_what_comes_twice_is_taken_once() {
        let (mut mailbox, mut out) = (mailbox(), Outbox::default());
        let mut signal = operation("later", None);
        if let EntityMessage::Operation(operation) = &mut signal {
            operation.due = Some(Timestamp::from_micros(50));
        }
        mailbox.take(1, signal);
        mailbox.take(2, operation("now", None));
        mailbox.take(2, operation("now", None));
        assert_eq!(run(&mut mailbox, 49, &mut out), ["now"]);
        assert_eq!(mailbox.next_due(), Some(Timestamp::from_micros(50)));
        assert_eq!(run(&mut mailbox, 50, &mut out), ["later"]);
    }
}
