//! What code did is held against what history says it did (spec 1.17).

use super::core::Action;
use crate::model::{FailureDetails, HistoryEvent};

/// A difference between history and code, as the failure of the instance.
pub(super) fn failure(message: &str) -> FailureDetails {
    let causes = "Usual causes: the code was changed while instances of it were running (give the new code another `version`), \
                  or it depends on something that is not the same at each run: the clock, randomness, I/O, the order of a hash map.";
    FailureDetails::new(
        "NonDeterminismError",
        format!("non-deterministic orchestration: {message}. {causes}"),
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
