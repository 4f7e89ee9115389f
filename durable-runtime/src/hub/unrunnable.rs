//! Instances whose code cannot run here now: not yet due, or of a function or version that this host does not have. They wait, and
//! can be ended all the same.

use std::sync::Arc;

use super::cell::{Cell, Inbound};
use super::resident::Resident;
use super::{Engine, VersionFailure};
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent, Timestamp};
use crate::replay::Execution;
use crate::store::{LoadedInstance, StoredMessage};

/// Why code does not run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    /// A start that waits for its time.
    NotDue(Timestamp),
    /// No function of that name is registered.
    NoFunction,
    /// There is one, which the settings disable.
    Disabled,
    /// There is one, but not for that version.
    OtherVersion,
    /// It took its host down again and again.
    Poison(FailureDetails),
}

impl Engine {
    /// Makes the execution of a loaded instance, if its code may run now.
    pub(super) fn runnable(
        self: &Arc<Self>,
        id: &Arc<str>,
        started: &ExecutionStarted,
        begun: bool,
    ) -> Result<Execution, Why> {
        if let Some(due) = started.scheduled_start.filter(|_| !begun)
            && due > self.clock.now()
        {
            return Err(Why::NotDue(due));
        }
        self.new_execution(id, started)
            .ok_or_else(|| self.no_function(&started.name))
    }

    pub(super) fn no_function(&self, name: &str) -> Why {
        if self.registry.is_disabled(name) {
            Why::Disabled
        } else if self.registry.has_orchestrator(name) {
            Why::OtherVersion
        } else {
            Why::NoFunction
        }
    }

    /// What is to be done with an instance whose code does not run: nothing, unless it is to end, or a client halts it or lets it go on.
    /// Gives the messages of that turn; all others wait where they are.
    pub(super) fn turn_without_code(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        loaded: LoadedInstance,
        started: ExecutionStarted,
        why: &Why,
    ) -> Option<(Box<Resident>, Vec<Inbound>)> {
        let begun = !loaded.history.is_empty();
        // One that has not begun shows by its row that it is halted.
        let control: Vec<&StoredMessage> = loaded
            .inbox
            .iter()
            .filter(|message| is_control(&message.event, begun))
            .collect();
        let failure = match why {
            Why::OtherVersion if self.settings.version_failure == VersionFailure::Fail => {
                Some(self.mismatch(&started))
            }
            Why::Poison(failure) => Some(failure.clone()),
            Why::NotDue(_) | Why::NoFunction | Why::Disabled | Why::OtherVersion => None,
        };
        if control.is_empty() && failure.is_none() {
            self.let_wait(cell, &started, why);
            return None;
        }
        let mut execution = Execution::without_code(
            Arc::clone(&cell.id),
            started.clone(),
            Arc::clone(&self.registry),
            Arc::clone(&self.limits),
            &loaded.history,
        );
        let mut messages: Vec<Inbound> = Vec::new();
        if !begun {
            messages.push(Inbound {
                event: HistoryEvent::ExecutionStarted(Box::new(started.clone())),
                inbox: None,
                execution_id: None,
            });
        }
        let inbound = |message: &StoredMessage| Inbound {
            event: message.event.clone(),
            inbox: Some(message.id),
            execution_id: message.execution_id.clone(),
        };
        let ends = |message: &&StoredMessage| {
            matches!(message.event, HistoryEvent::ExecutionTerminated { .. })
        };
        match failure.filter(|_| !control.iter().any(ends)) {
            Some(failure) if matches!(why, Why::Poison(_)) => {
                messages.extend(loaded.inbox.iter().map(inbound));
                execution.fail_as_poison(failure);
            }
            Some(failure) => execution.fail(failure),
            None => messages.extend(control.into_iter().map(inbound)),
        }
        let resident = Box::new(Resident {
            execution,
            record: Arc::new(loaded.record),
            sequence: loaded.sequence,
            deliveries: loaded.deliveries.into_iter().collect(),
            left_behind: Vec::new(),
        });
        Some((resident, messages))
    }

    fn let_wait(&self, cell: &Arc<Cell>, started: &ExecutionStarted, why: &Why) {
        let (function, version) = (&*started.name, &*started.version);
        match why {
            Why::NotDue(due) => self.wake_instance(&cell.id, *due),
            Why::Poison(_) => {}
            Why::NoFunction | Why::Disabled | Why::OtherVersion => tracing::warn!(
                instance_id = &*cell.id,
                function,
                version,
                "the instance waits: {}",
                self.told(started, why)
            ),
        }
    }

    /// In words.
    pub(super) fn told(&self, started: &ExecutionStarted, why: &Why) -> String {
        match why {
            Why::NotDue(due) => format!("it starts at {}", due.round_trip()),
            Why::NoFunction => format!("no orchestrator `{}` is registered here", started.name),
            Why::Disabled => format!(
                "the orchestrator `{}` is disabled by the setting `AzureWebJobs.{}.Disabled`",
                started.name, started.name
            ),
            Why::OtherVersion => self.mismatch(started).message,
            Why::Poison(failure) => failure.message.clone(),
        }
    }

    fn mismatch(&self, started: &ExecutionStarted) -> FailureDetails {
        let all = self.registry.orchestrators();
        let known: Vec<String> = all
            .filter(|o| o.name.eq_ignore_ascii_case(&started.name))
            .map(|o| match o.spec.version {
                Some(version) => format!("`{version}`"),
                None => "none".to_owned(),
            })
            .collect();
        let own = match self.settings.default_version.as_deref() {
            Some(own) => format!("`{own}`"),
            None => "none".to_owned(),
        };
        let text = format!(
            "no function `{}` here takes version `{}`: declared are the versions {}, the host's is {own}, and they are matched by {:?}",
            started.name,
            started.version,
            known.join(", "),
            self.settings.version_match,
        );
        FailureDetails::new("VersionMismatch", text).non_retriable()
    }
}

/// What a client tells an instance whose code need not run for it.
fn is_control(event: &HistoryEvent, begun: bool) -> bool {
    match event {
        HistoryEvent::ExecutionTerminated { .. } => true,
        HistoryEvent::ExecutionSuspended { .. } | HistoryEvent::ExecutionResumed { .. } => begun,
        _ => false,
    }
}
