//! Whether a history is one that the engine may write.

use std::collections::{BTreeMap, BTreeSet};

use durable_runtime::durable_http::HTTP_ACTIVITY;
use durable_runtime::model::{HistoryEvent, RuntimeStatus};

/// What a history asks for.
pub(crate) struct Asked {
    /// Ids of the activities.
    pub(crate) activities: BTreeSet<i64>,
    /// How many requests are sent, polls included.
    pub(crate) requests: u64,
}

/// Fails if it is none.
pub(crate) fn check(id: &str, turns: &[Vec<HistoryEvent>]) -> Asked {
    let mut open: BTreeMap<i64, &'static str> = BTreeMap::new();
    let (mut highest, mut begun, mut ended) = (-1, false, false);
    let (mut activities, mut requests) = (BTreeSet::new(), 0);
    for turn in turns {
        assert!(!ended, "{id}: a turn after the end: {turns:?}");
        let started = matches!(turn.first(), Some(HistoryEvent::OrchestratorStarted { .. }));
        let completed = matches!(turn.last(), Some(HistoryEvent::OrchestratorCompleted));
        assert!(
            started && completed,
            "{id}: a turn without bounds: {turn:?}"
        );
        for event in &turn[1..turn.len() - 1] {
            assert!(!ended, "{id}: {event:?} after the end: {turns:?}");
            let is_start = matches!(event, HistoryEvent::ExecutionStarted(_));
            assert_ne!(
                is_start, begun,
                "{id}: ExecutionStarted is not the first, once: {turns:?}"
            );
            begun = true;
            let (asked, answered) = match event {
                HistoryEvent::TaskScheduled { id, name, .. } => {
                    if &**name == HTTP_ACTIVITY {
                        requests += 1;
                    } else {
                        activities.insert(*id);
                    }
                    (Some((*id, "activity")), None)
                }
                HistoryEvent::TimerCreated { id, .. } => (Some((*id, "timer")), None),
                HistoryEvent::SubOrchestrationInstanceCreated { id, .. } => {
                    (Some((*id, "child")), None)
                }
                HistoryEvent::EntityOperationCalled { id, .. } => (Some((*id, "operation")), None),
                HistoryEvent::EntityLockRequested { id, .. } => (Some((*id, "lock")), None),
                HistoryEvent::EntityOperationSignaled { id, .. }
                | HistoryEvent::EntityUnlockSent { id, .. } => {
                    assert!(*id > highest, "{id}: the id does not ascend: {turns:?}");
                    highest = *id;
                    (None, None)
                }
                HistoryEvent::EntityOperationCompleted { id, .. } => {
                    (None, Some((*id, "operation")))
                }
                HistoryEvent::EntityLockGranted { id } => (None, Some((*id, "lock"))),
                HistoryEvent::TaskCompleted { id, .. } => (None, Some((*id, "activity"))),
                HistoryEvent::TimerFired { id } => (None, Some((*id, "timer"))),
                HistoryEvent::SubOrchestrationInstanceCompleted { id, .. } => {
                    (None, Some((*id, "child")))
                }
                HistoryEvent::ExecutionCompleted {
                    id: task, status, ..
                } => {
                    assert_eq!(*status, RuntimeStatus::Completed, "{id}: {turns:?}");
                    assert!(
                        *task > highest,
                        "{id}: the end's id is not the highest: {turns:?}"
                    );
                    ended = true;
                    (None, None)
                }
                HistoryEvent::ExecutionStarted(_)
                | HistoryEvent::EventRaised { .. }
                | HistoryEvent::ExecutionSuspended { .. }
                | HistoryEvent::ExecutionResumed { .. } => (None, None),
                other => panic!("{id}: {other:?} has no business here: {turns:?}"),
            };
            if let Some((task, kind)) = asked {
                assert!(
                    task > highest,
                    "{id}: the id {task} does not ascend: {turns:?}"
                );
                highest = task;
                open.insert(task, kind);
            }
            if let Some((task, kind)) = answered {
                let was = open.remove(&task);
                assert_eq!(
                    was,
                    Some(kind),
                    "{id}: {event:?} answers nothing open: {turns:?}"
                );
            }
        }
    }
    assert!(
        ended && open.is_empty(),
        "{id}: {open:?} never answered: {turns:?}"
    );
    Asked {
        activities,
        requests,
    }
}
