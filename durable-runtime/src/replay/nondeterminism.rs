//! What code did is held against what history says it did (spec 1.17).

use std::fmt;
use std::sync::Arc;

use super::core::Action;
use crate::durable_http::HTTP_ACTIVITY;
use crate::model::{FailureDetails, HistoryEvent};
use crate::registry::Orchestrator;

/// What becomes of an instance whose code does not fit its history any more, or waits for what no history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Nondeterminism {
    /// It fails, with both sides named.
    #[default]
    Fail,
    /// It is suspended, and keeps all that it has and all that comes; a host with code that fits lets it go on when it is resumed.
    Suspend,
}

/// A call that a message can name.
#[derive(Debug, Clone)]
pub(super) struct LastCall {
    id: i64,
    what: &'static str,
    name: Option<Arc<str>>,
}

impl LastCall {
    /// `None` for what code does not ask for by a call.
    pub(super) fn of(event: &HistoryEvent) -> Option<Self> {
        use HistoryEvent as H;
        let (id, what, name) = match event {
            H::TaskScheduled { id, name, .. } if **name == *HTTP_ACTIVITY => {
                (id, "`call_http`", None)
            }
            H::TaskScheduled { id, name, .. } => (id, "the activity", Some(name)),
            H::TimerCreated { id, .. } => (id, "a timer", None),
            H::SubOrchestrationInstanceCreated { id, name, .. } => {
                (id, "the orchestrator", Some(name))
            }
            H::EventSent {
                id, instance_id, ..
            } => (id, "an event for the instance", Some(instance_id)),
            H::EntityOperationCalled { id, entity, .. } => {
                (id, "an operation of the entity", Some(entity))
            }
            H::EntityOperationSignaled { id, entity, .. } => {
                (id, "a signal to the entity", Some(entity))
            }
            H::EntityLockRequested { id, .. } => (id, "locks of entities", None),
            _ => return None,
        };
        Some(Self {
            id: *id,
            what,
            name: name.cloned(),
        })
    }
}

impl fmt::Display for LastCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}, {}", self.id, self.what)?;
        match &self.name {
            Some(name) => write!(f, " `{name}`"),
            None => Ok(()),
        }
    }
}

/// A difference between history and code, as the failure of the instance.
pub(super) fn failure(code: &Orchestrator, message: &str) -> FailureDetails {
    let causes = "Usual causes: the code was changed while instances of it were running (give the new code another `version`), \
                  or it depends on something that is not the same at each run: the clock, randomness, I/O, the order of a hash map.";
    let Orchestrator {
        name, file, line, ..
    } = code;
    FailureDetails::new(
        "NonDeterminismError",
        format!("non-deterministic orchestration `{name}` ({file}:{line}): {message}. {causes}"),
    )
    .non_retriable()
}

/// Code that waits for what is not in history: what it does, where, and what to use instead.
pub(super) fn foreign(
    code: &Orchestrator,
    what: &str,
    last_call: Option<&LastCall>,
) -> FailureDetails {
    let Orchestrator {
        name, file, line, ..
    } = code;
    let spot = match last_call {
        Some(call) => format!("after its last durable call, {call}"),
        None => "before its first durable call".to_owned(),
    };
    let instead = "Use `ctx.create_timer(..)` to wait, `ctx.call_activity::<f>(..)` or `ctx.call_http(..)` for I/O, locks and what other threads do, \
                   `ctx.wait_for_external_event(..)` for what comes from outside";
    FailureDetails::new(
        "NonDeterminismError",
        format!(
            "non-deterministic orchestration: `{name}` ({file}:{line}) {what}; {spot}. {instead}."
        ),
    )
    .non_retriable()
}

/// Nothing, if `asked` is what history recorded at this place; else both sides.
pub(super) fn compare(recorded: &HistoryEvent, asked: Option<&Action>) -> Option<String> {
    if asked.is_some_and(|action| matches(recorded, &action.event)) {
        return None;
    }
    let now = asked.map_or_else(
        || "asks for nothing".to_owned(),
        |action| format!("asks for {}", describe(&action.event)),
    );
    Some(format!(
        "history records {}, but the code now {now}",
        describe(recorded)
    ))
}

/// Code asked for something that history does not have.
pub(super) fn surplus(asked: &Action) -> String {
    format!(
        "the code now asks for {}, of which history records nothing",
        describe(&asked.event)
    )
}

/// Kind, id and name; of children also the instance, of sent events the receiver. Inputs and times may differ: honest code derives them from the clock.
fn matches(recorded: &HistoryEvent, asked: &HistoryEvent) -> bool {
    use HistoryEvent as H;
    match (recorded, asked) {
        (H::TaskScheduled { id: a, name: x, .. }, H::TaskScheduled { id: b, name: y, .. }) => {
            a == b && x.eq_ignore_ascii_case(y)
        }
        (H::TimerCreated { id: a, .. }, H::TimerCreated { id: b, .. }) => a == b,
        (
            H::SubOrchestrationInstanceCreated {
                id: a,
                name: x,
                instance_id: i,
                detached: d,
                ..
            },
            H::SubOrchestrationInstanceCreated {
                id: b,
                name: y,
                instance_id: j,
                detached: e,
                ..
            },
        ) => a == b && x.eq_ignore_ascii_case(y) && i == j && d == e,
        (
            H::EventSent {
                id: a,
                instance_id: i,
                name: x,
                ..
            },
            H::EventSent {
                id: b,
                instance_id: j,
                name: y,
                ..
            },
        ) => a == b && i == j && x.eq_ignore_ascii_case(y),
        (
            H::EntityOperationCalled {
                id: a,
                entity: i,
                operation: x,
                ..
            },
            H::EntityOperationCalled {
                id: b,
                entity: j,
                operation: y,
                ..
            },
        )
        | (
            H::EntityOperationSignaled {
                id: a,
                entity: i,
                operation: x,
                ..
            },
            H::EntityOperationSignaled {
                id: b,
                entity: j,
                operation: y,
                ..
            },
        ) => a == b && i == j && x.eq_ignore_ascii_case(y),
        (
            H::EntityLockRequested { id: a, entities: x },
            H::EntityLockRequested { id: b, entities: y },
        ) => a == b && x == y,
        (
            H::EntityUnlockSent {
                id: a, entity: i, ..
            },
            H::EntityUnlockSent {
                id: b, entity: j, ..
            },
        ) => a == b && i == j,
        _ => false,
    }
}

fn describe(event: &HistoryEvent) -> String {
    use HistoryEvent as H;
    match event {
        H::TaskScheduled { id, name, .. } => {
            format!("#{id} TaskScheduled of the activity `{name}`")
        }
        H::TimerCreated { id, .. } => format!("#{id} TimerCreated"),
        H::SubOrchestrationInstanceCreated {
            id,
            name,
            instance_id,
            ..
        } => {
            format!("#{id} SubOrchestrationInstanceCreated of `{name}` as `{instance_id}`")
        }
        H::EventSent {
            id,
            instance_id,
            name,
            ..
        } => format!("#{id} EventSent `{name}` to `{instance_id}`"),
        H::EntityOperationCalled {
            id,
            entity,
            operation,
            ..
        } => {
            format!("#{id} EntityOperationCalled `{operation}` of `{entity}`")
        }
        H::EntityOperationSignaled {
            id,
            entity,
            operation,
            ..
        } => {
            format!("#{id} EntityOperationSignaled `{operation}` of `{entity}`")
        }
        H::EntityLockRequested { id, entities } => {
            format!("#{id} EntityLockRequested of `{}`", entities.join("`, `"))
        }
        H::EntityUnlockSent { id, entity, .. } => format!("#{id} EntityUnlockSent to `{entity}`"),
        other => other.kind().to_owned(),
    }
}
