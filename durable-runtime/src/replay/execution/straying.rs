//! Code that strays from its history, or waits for what no history holds (spec T6, 1.17): named with its spot, and failed or halted.

use std::any::Any;
use std::collections::BTreeMap;

use super::{End, Execution, panic_text};
use crate::model::{FailureDetails, HistoryEvent};
use crate::replay::core::{Misuse, Open};
use crate::replay::nondeterminism::{Nondeterminism, failure, foreign};

/// Code that has strayed and does not run any more. What arrives is recorded, as for any halted instance, until code is loaded that fits.
pub(super) struct Stray {
    reason: String,
    /// What history asks for and does not answer.
    open: BTreeMap<i64, Open>,
}

impl Stray {
    /// Children that have not answered, by task id: the only tasks that an end without code concerns.
    pub(super) fn children(&self) -> Vec<(i64, Open)> {
        let open = self.open.iter();
        let children = open.filter(|(_, open)| matches!(open, Open::Child { .. }));
        children.map(|(id, open)| (*id, open.clone())).collect()
    }
}

impl Execution {
    /// Ends as failed, or halts, as the host is told. Of the turn under way nothing is asked for then: code that fits asks for it again.
    pub(super) fn stray(&mut self, failure: FailureDetails) {
        if self.core.limits.nondeterminism == Nondeterminism::Fail {
            return self.abort(End::Failed(failure));
        }
        if self.stray.is_some() {
            return;
        }
        let open = self.open().into_iter();
        let open = open.filter(|(id, _)| !self.holds_end_of(*id)).collect();
        self.halt(failure.message, open);
    }

    /// The same for code that does not fit `history`, which is all that there is.
    pub(super) fn stray_from(&mut self, failure: FailureDetails, history: &[Vec<HistoryEvent>]) {
        if self.core.limits.nondeterminism == Nondeterminism::Fail {
            return self.abort(End::Failed(failure));
        }
        let reason = match self.stray.take() {
            // It strayed before the two came apart.
            Some(stray) => stray.reason,
            None => failure.message,
        };
        self.halt(reason, recorded_open(history));
        self.suspended = is_suspended(history);
        self.core.adopt(history.iter().flatten());
    }

    fn halt(&mut self, reason: String, open: BTreeMap<i64, Open>) {
        // What is dropped asks for nothing, and nothing wakes it any more (law 5).
        self.core.unload();
        self.root.unload();
        self.drop_future();
        self.core.withdraw_all();
        self.stray = Some(Stray { reason, open });
    }

    /// An event that is recorded and not told to code.
    pub(super) fn record(&mut self, event: &HistoryEvent) {
        if let (Some(stray), Some(id)) = (&mut self.stray, event.answers()) {
            stray.open.remove(&id);
        }
    }

    /// Whether the task of that id is open, for all that history tells, and such a one.
    pub(super) fn has_open(&self, id: i64, is_such: impl FnOnce(&Open) -> bool) -> bool {
        match &self.stray {
            Some(stray) => stray.open.get(&id).is_some_and(is_such),
            None => self.core.state().open_task(id).is_some_and(is_such),
        }
    }

    /// The event that halts it, if code has strayed and history does not say so yet.
    pub(super) fn halting(&mut self) -> Option<HistoryEvent> {
        let stray = self.stray.as_ref()?;
        if self.suspended || self.end.is_some() {
            return None;
        }
        self.suspended = true;
        let reason = Some(stray.reason.clone());
        Some(HistoryEvent::ExecutionSuspended { reason })
    }

    /// Why its code does not run any more, if it has strayed.
    pub(crate) fn strayed(&self) -> Option<&str> {
        self.stray.as_ref().map(|stray| &*stray.reason)
    }

    pub(super) fn check_blocked(&mut self) {
        if !self.core.state().is_waited_for() {
            let what = "waits for something that is not durable, or for nothing at all";
            self.stray(self.foreign(what));
        }
    }

    /// Something that this turn did not wake has.
    pub(super) fn check_wakes(&mut self) {
        if self.root.is_foreign() && self.end.is_none() && self.stray.is_none() {
            let what = "was woken by something that is not durable: a timer, socket, channel or lock that another thread drives";
            self.stray(self.foreign(what));
        }
    }

    /// User code panicked.
    pub(super) fn crash(&mut self, panic: Box<dyn Any + Send>) {
        let panic = match panic.downcast::<Misuse>() {
            Ok(misuse) => return self.abort(End::Failed(misuse.0)),
            Err(panic) => panic,
        };
        let text = panic_text(&*panic);
        if text.contains("there is no reactor running") || text.contains("no current reactor") {
            let what = format!("uses tokio's clock or I/O, which no replay can repeat ({text})");
            return self.stray(self.foreign(&what));
        }
        self.abort(End::Failed(FailureDetails::new("panic", text)));
    }

    pub(super) fn foreign(&self, what: &str) -> FailureDetails {
        foreign(&self.orchestrator, what, self.core.state().last_call())
    }

    /// Code and history differ.
    pub(super) fn differs(&self, difference: &str) -> FailureDetails {
        failure(&self.orchestrator, difference)
    }
}

/// Whether history ends with the instance halted.
pub(super) fn is_suspended(history: &[Vec<HistoryEvent>]) -> bool {
    let turning = |event: &&HistoryEvent| {
        matches!(
            event,
            HistoryEvent::ExecutionSuspended { .. } | HistoryEvent::ExecutionResumed { .. }
        )
    };
    let last = history.iter().flatten().rfind(turning);
    matches!(last, Some(HistoryEvent::ExecutionSuspended { .. }))
}

/// What history asks for and does not answer, by task id. Timers that code has cancelled are among it, for history does not say so.
pub(super) fn recorded_open(history: &[Vec<HistoryEvent>]) -> BTreeMap<i64, Open> {
    let mut open = BTreeMap::new();
    for event in history.iter().flatten() {
        if let Some((id, asked)) = Open::of(event) {
            open.insert(id, asked);
        } else if let Some(id) = event.answers() {
            open.remove(&id);
        }
    }
    open
}
