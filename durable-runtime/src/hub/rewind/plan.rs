//! What of a failed history stays, and what is received again. Pure.
//!
//! Only whole turns stay, so that the rest replays as it ran; what was received after them is received again, as if it had just
//! arrived. What decides how much stays is the last failure to which nothing was asked for in reply that made it good:
//! * failures after the last thing that code asked for: everything up to that stays;
//! * code did ask for something after the failure (it compensated, and failed then): everything before the failure stays;
//! * no task failed: code failed by itself, and its last turn runs again.
//!
//! Locks of entities were let go when the instance failed: a section that was open then is entered anew, from its beginning.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{FailureDetails, HistoryEvent, Payload};

/// Failures of the engine's own making: whatever tasks failed before have nothing to do with them.
const OF_THE_ENGINE: [&str; 3] = ["NonDeterminismError", "StorageError", "VersionMismatch"];

/// A call of a child that is to be answered once more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChildCall {
    pub(super) id: i64,
    pub(super) name: Arc<str>,
    pub(super) instance_id: Arc<str>,
    pub(super) version: String,
    pub(super) input: Option<Payload>,
}

/// What of a failed history stays, and what is received again.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    /// Turns that stay.
    pub(super) keep: usize,
    /// What is received again, oldest first.
    pub(super) again: Vec<HistoryEvent>,
    /// Children that failed, or of whose end nothing is recorded.
    pub(super) children: Vec<ChildCall>,
    /// Calls of entities of which the same is true: they are called again.
    pub(super) entity_calls: Vec<HistoryEvent>,
}

/// The plan for an instance that failed so.
pub(super) fn plan(history: &[Vec<HistoryEvent>], failure: Option<&FailureDetails>) -> Plan {
    let keep = kept_turns(history, failure);
    let (kept, gone) = history.split_at(keep);
    let mut open: BTreeMap<i64, &HistoryEvent> = BTreeMap::new();
    for event in kept.iter().flatten() {
        if let Some(id) = asked(event) {
            open.insert(id, event);
        } else if let Some(id) = event.answers() {
            open.remove(&id);
        }
    }
    let mut again = Vec::new();
    for event in gone.iter().flatten() {
        if is_frame(event) || asked(event).is_some() || failed(event).is_some() {
            continue;
        }
        let wanted = match event.answers() {
            None => true,
            Some(id) => open.remove(&id).is_some(),
        };
        if wanted {
            again.push(event.clone());
        }
    }
    let entity_calls = open
        .values()
        .filter(|event| matches!(event, HistoryEvent::EntityOperationCalled { .. }))
        .map(|event| (*event).clone())
        .collect();
    let children = open.into_values().filter_map(child).collect();
    Plan {
        keep,
        again,
        children,
        entity_calls,
    }
}

fn kept_turns(history: &[Vec<HistoryEvent>], failure: Option<&FailureDetails>) -> usize {
    let own = failure.is_some_and(|f| OF_THE_ENGINE.contains(&f.error_type.as_str()));
    let cause = if own { None } else { last_failure(history) };
    let keep = match cause {
        None => history.len().saturating_sub(1),
        Some(turn) => history[..turn]
            .iter()
            .rposition(|turn| turn.iter().any(|event| asked(event).is_some()))
            .map_or(0, |last| last + 1),
    };
    open_section(&history[..keep]).unwrap_or(keep)
}

/// The turn that asked for locks which had not been let go.
fn open_section(kept: &[Vec<HistoryEvent>]) -> Option<usize> {
    kept.iter().position(|turn| {
        turn.iter().any(|event| {
            let HistoryEvent::EntityLockRequested { id, .. } = event else {
                return false;
            };
            let lets_go = |event: &HistoryEvent| matches!(event, HistoryEvent::EntityUnlockSent { section, .. } if section == id);
            !kept.iter().flatten().any(lets_go)
        })
    })
}

/// The turn that received the last failure that was not made good.
fn last_failure(history: &[Vec<HistoryEvent>]) -> Option<usize> {
    history.iter().rposition(|turn| {
        turn.iter()
            .filter_map(failed)
            .any(|id| !is_made_good(history, id))
    })
}

/// Whether the same was asked for again later, and succeeded: what a retry does.
fn is_made_good(history: &[Vec<HistoryEvent>], id: i64) -> bool {
    let events = || history.iter().flatten();
    let Some(first) = events().find(|event| asked(event) == Some(id)) else {
        return false;
    };
    let mut later = events().filter(|event| asked(event) > Some(id) && is_same(first, event));
    later.any(|attempt| {
        let id = asked(attempt);
        events().any(|event| failed(event).is_none() && event.answers() == id)
    })
}

fn is_same(one: &HistoryEvent, other: &HistoryEvent) -> bool {
    use HistoryEvent as H;
    match (one, other) {
        (
            H::TaskScheduled { name, input, .. },
            H::TaskScheduled {
                name: b, input: i, ..
            },
        )
        | (
            H::SubOrchestrationInstanceCreated { name, input, .. },
            H::SubOrchestrationInstanceCreated {
                name: b, input: i, ..
            },
        ) => name == b && input == i,
        (
            H::EntityOperationCalled {
                entity,
                operation,
                input,
                ..
            },
            H::EntityOperationCalled {
                entity: e,
                operation: o,
                input: i,
                ..
            },
        ) => entity == e && operation == o && input == i,
        _ => false,
    }
}

/// The id of what code asked for.
fn asked(event: &HistoryEvent) -> Option<i64> {
    match event {
        HistoryEvent::TaskScheduled { id, .. }
        | HistoryEvent::TimerCreated { id, .. }
        | HistoryEvent::SubOrchestrationInstanceCreated { id, .. }
        | HistoryEvent::EventSent { id, .. }
        | HistoryEvent::EntityOperationCalled { id, .. }
        | HistoryEvent::EntityOperationSignaled { id, .. }
        | HistoryEvent::EntityLockRequested { id, .. }
        | HistoryEvent::EntityUnlockSent { id, .. } => Some(*id),
        _ => None,
    }
}

fn failed(event: &HistoryEvent) -> Option<i64> {
    match event {
        HistoryEvent::TaskFailed { id, .. }
        | HistoryEvent::SubOrchestrationInstanceFailed { id, .. }
        | HistoryEvent::EntityOperationFailed { id, .. } => Some(*id),
        _ => None,
    }
}

/// What every execution and every turn has by itself.
fn is_frame(event: &HistoryEvent) -> bool {
    matches!(
        event,
        HistoryEvent::OrchestratorStarted { .. }
            | HistoryEvent::OrchestratorCompleted
            | HistoryEvent::ExecutionStarted(_)
            | HistoryEvent::ExecutionCompleted { .. }
            | HistoryEvent::ExecutionTerminated { .. }
    )
}

fn child(event: &HistoryEvent) -> Option<ChildCall> {
    match event {
        HistoryEvent::SubOrchestrationInstanceCreated {
            id,
            name,
            instance_id,
            version,
            input,
            detached: false,
        } => Some(ChildCall {
            id: *id,
            name: Arc::clone(name),
            instance_id: Arc::clone(instance_id),
            version: version.clone(),
            input: input.clone(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: i64, name: &str) -> HistoryEvent {
        HistoryEvent::TaskScheduled {
            id,
            name: name.into(),
            input: None,
        }
    }

    fn done(id: i64) -> HistoryEvent {
        let result = Payload::null();
        HistoryEvent::TaskCompleted { id, result }
    }

    fn broke(id: i64) -> HistoryEvent {
        let failure = Box::new(FailureDetails::new("Boom", "it broke"));
        HistoryEvent::TaskFailed { id, failure }
    }

    fn timer(id: i64) -> HistoryEvent {
        let fire_at = crate::model::Timestamp::from_micros(1);
        HistoryEvent::TimerCreated { id, fire_at }
    }

    fn fired(id: i64) -> HistoryEvent {
        HistoryEvent::TimerFired { id }
    }

    fn raised(name: &str) -> HistoryEvent {
        let (name, data) = (name.to_owned(), Payload::null());
        HistoryEvent::EventRaised { name, data }
    }

    fn called(id: i64) -> HistoryEvent {
        HistoryEvent::SubOrchestrationInstanceCreated {
            id,
            name: "child".into(),
            instance_id: format!("child-{id}").into(),
            version: String::new(),
            input: None,
            detached: false,
        }
    }

    fn child_broke(id: i64) -> HistoryEvent {
        let failure = Box::new(FailureDetails::new("Boom", "it broke"));
        HistoryEvent::SubOrchestrationInstanceFailed { id, failure }
    }

    type Case = (
        &'static str,
        Vec<Vec<HistoryEvent>>,
        usize,
        Vec<HistoryEvent>,
        Vec<i64>,
    );

    #[test]
    fn what_stays_replays_and_what_followed_comes_again() {
        let cases: Vec<Case> = vec![
            (
                "the failed call runs again, the successful one does not",
                vec![
                    vec![task(0, "a")],
                    vec![done(0), task(1, "b")],
                    vec![broke(1)],
                ],
                2,
                vec![],
                vec![],
            ),
            (
                "side by side: what succeeded after a failure is kept",
                vec![
                    vec![task(0, "a"), task(1, "b"), task(2, "c")],
                    vec![broke(0)],
                    vec![done(1), raised("e")],
                    vec![broke(2)],
                ],
                1,
                vec![done(1), raised("e")],
                vec![],
            ),
            (
                "retries: earlier attempts and their timers stay, the last one runs again",
                vec![
                    vec![task(0, "a")],
                    vec![broke(0), timer(1)],
                    vec![fired(1), task(2, "a")],
                    vec![broke(2)],
                ],
                3,
                vec![],
                vec![],
            ),
            (
                "compensated, then failed: back to before the failure",
                vec![
                    vec![task(0, "pay")],
                    vec![done(0), task(1, "ship")],
                    vec![raised("note"), broke(1), task(2, "refund")],
                    vec![raised("other"), done(2)],
                ],
                2,
                vec![raised("note"), raised("other")],
                vec![],
            ),
            (
                "code failed by itself: its last turn runs again",
                vec![vec![task(0, "a")], vec![raised("e"), done(0)]],
                1,
                vec![raised("e"), done(0)],
                vec![],
            ),
            (
                "a failure that a retry made good is no cause",
                vec![
                    vec![task(0, "a")],
                    vec![broke(0), timer(1)],
                    vec![fired(1), task(2, "a")],
                    vec![done(2), task(3, "b")],
                    vec![done(3)],
                ],
                4,
                vec![done(3)],
                vec![],
            ),
            ("the first turn failed", vec![vec![]], 0, vec![], vec![]),
            (
                "children that failed, and that nobody heard of again",
                vec![
                    vec![called(0), called(1), task(2, "a")],
                    vec![child_broke(1)],
                ],
                1,
                vec![],
                vec![0, 1],
            ),
        ];
        for (name, history, keep, again, children) in cases {
            let plan = plan(&history, None);
            let ids: Vec<i64> = plan.children.iter().map(|child| child.id).collect();
            assert_eq!(
                (plan.keep, plan.again, ids),
                (keep, again, children),
                "{name}"
            );
        }
    }

    #[test]
    fn a_section_that_was_open_is_entered_anew() {
        let lock = HistoryEvent::EntityLockRequested {
            id: 1,
            entities: vec!["@counter@a".into()],
        };
        let call = |id, section| HistoryEvent::EntityOperationCalled {
            id,
            entity: "@counter@a".into(),
            operation: "add".into(),
            input: None,
            section,
        };
        let unlock = HistoryEvent::EntityUnlockSent {
            id: 3,
            entity: "@counter@a".into(),
            section: 1,
            early: false,
        };
        let granted = HistoryEvent::EntityLockGranted { id: 1 };
        let history = [
            vec![call(0, None)],
            vec![lock],
            vec![granted.clone(), call(2, Some(1)), task(4, "a")],
            vec![broke(4), unlock],
        ];
        let plan = plan(&history, None);
        assert_eq!((plan.keep, plan.again), (1, vec![]));
        assert_eq!(plan.entity_calls, [call(0, None)]);
    }

    #[test]
    fn a_failure_of_the_engine_repeats_the_last_turn() {
        let history = [
            vec![task(0, "a")],
            vec![broke(0), task(1, "b")],
            vec![done(1)],
        ];
        let failure = FailureDetails::new("NonDeterminismError", "changed");
        assert_eq!(plan(&history, Some(&failure)).keep, 2);
        assert_eq!(plan(&history, None).keep, 1);
    }
}
