//! Whether a history is one that the engine may write (spec 2.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::HistoryEvent as H;

/// One generation's history: framing, ascending ids, each answer to something open, an end that ends.
pub(super) fn check(turns: &[Vec<H>]) -> Result<(), String> {
    let mut seen = Seen::default();
    for turn in turns {
        let (Some(H::OrchestratorStarted { at }), Some(H::OrchestratorCompleted)) =
            (turn.first(), turn.last())
        else {
            return Err(format!("a turn without bounds: {turn:?}"));
        };
        if *at < seen.clock {
            return Err(format!("the clock goes back: {turn:?}"));
        }
        seen.clock = *at;
        seen.acting = false;
        for event in &turn[1..turn.len() - 1] {
            seen.event(event)
                .map_err(|fault| format!("{fault}: {event:?} in {turns:?}"))?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    clock: crate::model::Timestamp,
    begun: bool,
    ended: bool,
    /// This turn's inbound events are over.
    acting: bool,
    highest: Option<i64>,
    open: BTreeMap<i64, &'static str>,
    /// The request for locks, and the entities that were not let go.
    locked: Option<(i64, Vec<Arc<str>>)>,
}

impl Seen {
    fn event(&mut self, event: &H) -> Result<(), &'static str> {
        if self.ended {
            return Err("an event after the end");
        }
        if matches!(event, H::ExecutionStarted(_)) == self.begun {
            return Err("ExecutionStarted is not the first, once");
        }
        self.begun = true;
        match event {
            H::TaskScheduled { id, .. } => self.asked(*id, Some("activity")),
            H::TimerCreated { id, .. } => self.asked(*id, Some("timer")),
            H::SubOrchestrationInstanceCreated { id, detached, .. } => {
                self.asked(*id, (!detached).then_some("child"))
            }
            H::EventSent { id, .. } | H::EntityOperationSignaled { id, .. } => {
                self.asked(*id, None)
            }
            H::EntityOperationCalled { id, section, .. } => {
                let held = self.locked.as_ref().map(|(section, _)| *section);
                if section.is_some() && *section != held {
                    return Err("a call under locks that are not held");
                }
                self.asked(*id, Some("operation"))
            }
            H::EntityLockRequested { id, entities } => {
                if !entities.is_sorted_by(|a, b| a < b) {
                    return Err("locks out of order");
                }
                if self.locked.replace((*id, entities.clone())).is_some() {
                    return Err("locks inside a section");
                }
                self.asked(*id, Some("lock"))
            }
            H::EntityUnlockSent {
                id,
                entity,
                section,
                early,
            } => {
                self.unlocked(entity, *section, *early)?;
                self.asked(*id, None)
            }
            H::ExecutionCompleted { .. } if self.locked.is_some() => Err("an end that locks out"),
            H::ExecutionCompleted { id, .. } => {
                self.ended = true;
                self.asked(*id, None)
            }
            H::TaskCompleted { id, .. } | H::TaskFailed { id, .. } => {
                self.answered(*id, "activity")
            }
            H::TimerFired { id } => self.answered(*id, "timer"),
            H::SubOrchestrationInstanceCompleted { id, .. }
            | H::SubOrchestrationInstanceFailed { id, .. } => self.answered(*id, "child"),
            H::EntityOperationCompleted { id, .. } | H::EntityOperationFailed { id, .. } => {
                self.answered(*id, "operation")
            }
            H::EntityLockGranted { id } => self.answered(*id, "lock"),
            H::OrchestratorStarted { .. } | H::OrchestratorCompleted => Err("a bound inside"),
            _ => self.inbound(),
        }
    }

    fn asked(&mut self, id: i64, kind: Option<&'static str>) -> Result<(), &'static str> {
        self.acting = true;
        if self.highest.is_some_and(|highest| highest >= id) {
            return Err("an id that does not ascend");
        }
        self.highest = Some(id);
        if let Some(kind) = kind {
            self.open.insert(id, kind);
        }
        Ok(())
    }

    /// The first alone of a request whose grant the code has not seen, perhaps because it was suspended; else one after the other.
    fn unlocked(&mut self, entity: &str, request: i64, early: bool) -> Result<(), &'static str> {
        let asked = self.open.contains_key(&request);
        let Some((section, entities)) = &mut self.locked else {
            return Err("nothing is locked");
        };
        if *section != request || entities.first().is_none_or(|first| **first != *entity) {
            return Err("it lets go of something else");
        }
        if asked && !early {
            return Err("it lets go of what is not granted");
        }
        entities.remove(0);
        if early || entities.is_empty() {
            self.locked = None;
        }
        Ok(())
    }

    fn answered(&mut self, id: i64, kind: &'static str) -> Result<(), &'static str> {
        if self.open.remove(&id) != Some(kind) {
            return Err("it answers nothing open");
        }
        self.inbound()
    }

    fn inbound(&self) -> Result<(), &'static str> {
        if self.acting {
            return Err("an inbound event after an action");
        }
        Ok(())
    }
}
