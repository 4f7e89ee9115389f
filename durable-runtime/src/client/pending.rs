//! [`PendingWork`]: what a live instance waits for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{HistoryEvent, RuntimeStatus, Timestamp};
use crate::replay::{Execution, Open};
use crate::store::LoadedInstance;

/// What a live instance waits for: why it has not ended yet. Nothing of all this once it has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PendingWork {
    /// Activities that were called and have not answered, oldest first.
    pub activities: Vec<PendingActivity>,
    /// Instance ids of the children that have not answered.
    pub children: Vec<String>,
    /// Entities whose operations have not answered, or whose locks are waited for.
    pub entities: Vec<String>,
    /// Names of the external events that are waited for, in lower case; unknown while the instance's code is not here.
    pub events: Vec<String>,
    /// When the next timer is due.
    pub next_timer: Option<DateTime<Utc>>,
    /// The start waits for this time.
    pub scheduled_start: Option<DateTime<Utc>>,
    /// A client halted it.
    pub suspended: bool,
    /// Messages that it has received and not processed.
    pub messages: usize,
    /// Why its code cannot run here, if that is so: no function of its name or version, or code that does not fit its history.
    pub unrunnable: Option<String>,
}

/// An activity that was called and has not answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PendingActivity {
    /// Task id.
    pub id: i64,
    /// The activity's name.
    pub name: String,
    /// 1, 2, .. of its retry policy.
    pub attempt: u32,
    /// How often this attempt was begun: 1, and more after crashes; 0 while it waits for its first begin.
    pub delivery: u32,
    /// What it waits for before it begins, if it has not begun on this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_for: Option<QueuedFor>,
    /// When it was called.
    pub since: DateTime<Utc>,
}

/// Why an activity has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum QueuedFor {
    /// The host runs as many activities as it may (`maxConcurrentActivityFunctions`).
    Slot,
    /// As many of its function run as its `max_concurrency` allows.
    MaxConcurrency,
    /// Its function was begun as often as its `rate` allows.
    Rate,
    /// Its function is disabled by the settings.
    Disabled,
    /// The host is drained or offline, or stops.
    Paused,
}

impl PendingWork {
    /// As history alone tells it. Without the instance's code, nobody knows what it has given up or which events it awaits.
    #[doc(hidden)]
    #[must_use]
    pub fn recorded(loaded: &LoadedInstance) -> Self {
        Self::of(loaded, None)
    }

    /// As its code tells it, replayed to where it stands.
    pub(crate) fn replayed(loaded: &LoadedInstance, execution: &Execution) -> Self {
        Self::of(loaded, Some(execution))
    }

    fn of(loaded: &LoadedInstance, execution: Option<&Execution>) -> Self {
        let mut pending = Self::default();
        if loaded.record.status.is_terminal() {
            return pending;
        }
        pending.suspended = loaded.record.status == RuntimeStatus::Suspended;
        pending.messages = loaded.inbox.len();
        let live: Option<BTreeMap<i64, Open>> = execution.map(|e| e.open().into_iter().collect());
        for (id, (since, event)) in unanswered(&loaded.history) {
            let open = live.as_ref().map(|live| live.get(&id));
            if open.is_none_or(|open| open.is_some_and(is_waited_for)) {
                let attempt = match open {
                    Some(Some(Open::Activity { attempt, .. })) => *attempt,
                    _ => 1,
                };
                pending.add(loaded, id, since, event, attempt);
            }
        }
        if let Some(execution) = execution {
            pending.events = execution.awaited_events();
            pending.suspended = execution.is_suspended();
        }
        if loaded.history.is_empty() {
            let due = loaded.record.scheduled_start;
            pending.scheduled_start = due.map(Timestamp::to_utc);
        }
        pending
    }

    fn add(
        &mut self,
        loaded: &LoadedInstance,
        id: i64,
        since: Timestamp,
        event: &HistoryEvent,
        attempt: u32,
    ) {
        match event {
            HistoryEvent::TaskScheduled { name, .. } => {
                let counted = loaded.deliveries.iter().find(|(task, _)| *task == id);
                self.activities.push(PendingActivity {
                    id,
                    name: name.to_string(),
                    attempt,
                    delivery: counted.map_or(1, |(_, count)| *count),
                    queued_for: None,
                    since: since.to_utc(),
                });
            }
            HistoryEvent::TimerCreated { fire_at, .. } => {
                let due = fire_at.to_utc();
                self.next_timer = Some(self.next_timer.map_or(due, |next| next.min(due)));
            }
            HistoryEvent::SubOrchestrationInstanceCreated { instance_id, .. } => {
                self.children.push(instance_id.to_string());
            }
            HistoryEvent::EntityOperationCalled { entity, .. } => {
                self.entities.push(entity.to_string());
            }
            HistoryEvent::EntityLockRequested { entities, .. } => {
                self.entities
                    .extend(entities.iter().map(ToString::to_string));
            }
            _ => {}
        }
    }
}

fn is_waited_for(open: &Open) -> bool {
    !matches!(
        open,
        Open::Activity {
            abandoned: true,
            ..
        }
    )
}

/// What was asked for and not answered, and when, by task id.
fn unanswered(history: &[Vec<HistoryEvent>]) -> BTreeMap<i64, (Timestamp, &HistoryEvent)> {
    let mut open = BTreeMap::new();
    let mut now = Timestamp::default();
    for event in history.iter().flatten() {
        match event {
            HistoryEvent::OrchestratorStarted { at } => now = *at,
            HistoryEvent::TaskScheduled { id, .. }
            | HistoryEvent::TimerCreated { id, .. }
            | HistoryEvent::SubOrchestrationInstanceCreated {
                id,
                detached: false,
                ..
            }
            | HistoryEvent::EntityOperationCalled { id, .. }
            | HistoryEvent::EntityLockRequested { id, .. } => {
                open.insert(*id, (now, event));
            }
            other => {
                if let Some(id) = other.answers() {
                    open.remove(&id);
                }
            }
        }
    }
    open
}
