//! Operations of entities that may have taken their host down (spec 7.3): as `trial.rs` does for turns.
//!
//! After a crash, an entity that was left with operations asks first, and the batch that it may run is counted. If the host goes down again,
//! all that waited then is suspicious: each such operation asks by itself, waits the longer the more often it was delivered, and runs
//! alone, so that the one that is to blame is found; it fails as poison, and the others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use super::cell::{Cell, CellState};
use super::entities::{Care, ResidentEntity};
use super::trial::{Pace, TURN, Trial, grant};
use crate::model::FailureDetails;
use crate::store::{Change, InstanceKey, LoadedInstance};

/// Deliveries of an operation before the first that is counted under its own id: the batch's, twice.
const BEFORE: u32 = 2;

/// What is known of an entity's operations since its host went down.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// The next batch asks first.
    left: bool,
    /// Inbox ids of the operations that ask one by one.
    single: BTreeSet<i64>,
    /// How often what was counted was delivered, by inbox id; the batch by [`TURN`].
    counted: BTreeMap<i64, u32>,
    /// What is asked about.
    asked: Option<i64>,
    /// What is counted, and not done yet.
    granted: Option<i64>,
}

impl Suspects {
    /// Of an entity that was loaded: what was counted, the operations that wait and may run, and whether another process had it last and went
    /// down.
    fn of(counted: BTreeMap<i64, u32>, waiting: BTreeSet<i64>, left: bool) -> Self {
        // One that was counted, and given back by a host that stopped, went down once.
        let again = counted.get(&TURN).is_some_and(|count| *count > 1);
        Self {
            left: left && !again && !waiting.is_empty(),
            single: if again { waiting } else { BTreeSet::new() },
            counted,
            ..Self::default()
        }
    }

    /// What the batch that may run now was counted as.
    pub(super) const fn granted(&self) -> Option<i64> {
        self.granted
    }

    fn is_clear(&self) -> bool {
        !self.left && self.single.is_empty()
    }

    /// What has to be counted before it runs, and which delivery that is; `upcoming`: the next operation.
    fn question(&self, upcoming: Option<i64>) -> Option<(i64, u32)> {
        if self.single.is_empty() {
            return self.left.then_some((TURN, BEFORE));
        }
        let upcoming = upcoming.filter(|id| self.single.contains(id))?;
        let counted = self.counted.get(&upcoming).copied().unwrap_or(1);
        Some((upcoming, counted + BEFORE))
    }

    /// The one that is to blame was found: the others are beyond doubt.
    fn acquit(&mut self) {
        self.single.clear();
    }

    /// What was asked for is counted now.
    fn answered(&mut self) {
        if let Some(task) = self.asked.take() {
            *self.counted.entry(task).or_insert(1) += 1;
            self.granted = Some(task);
        }
    }

    /// These are about to be stored as done. Gives the counts that are no longer needed.
    pub(super) fn settle(&mut self, consumed: &[i64]) -> Vec<i64> {
        (self.left, self.granted) = (false, None);
        for id in consumed {
            self.single.remove(id);
        }
        if self.counted.is_empty() {
            return Vec::new();
        }
        let (done, is_over) = (consumed.iter().copied(), self.single.is_empty());
        done.chain(is_over.then_some(TURN))
            .filter(|id| self.counted.remove(id).is_some())
            .collect()
    }
}

impl Engine {
    /// What is known of an entity that was loaded.
    pub(super) fn suspects(&self, loaded: &LoadedInstance) -> Suspects {
        let now = self.clock.now();
        let waiting = loaded.inbox.iter();
        let waiting = waiting.filter(|message| message.event.due().is_none_or(|due| due <= now));
        let waiting = waiting.map(|message| message.id).collect();
        let counted = loaded.deliveries.iter().copied().collect();
        Suspects::of(counted, waiting, self.was_left(loaded))
    }

    /// Whether the entity's next batch may run now; else the entity is looked at again once it may.
    pub(super) fn may_run(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        resident: &mut ResidentEntity,
    ) -> bool {
        if resident.suspects.is_clear() {
            return true;
        }
        let upcoming = resident.mailbox.upcoming(self.clock.now());
        let question = resident
            .suspects
            .question(upcoming.as_ref().map(|next| next.inbox));
        let mut state = cell.lock();
        if !resident.suspects.single.is_empty() && state.care == Care::None {
            state.care = Care::One;
        }
        match state.trial {
            Trial::Waiting => return false,
            Trial::Granted(_) => {
                resident.suspects.answered();
                if question.is_none_or(|(task, _)| resident.suspects.counted.contains_key(&task)) {
                    return true;
                }
                // Its lock's holder was faster than what was asked for.
                state.trial.end();
            }
            Trial::None => {}
        }
        let Some((task, delivery)) = question else {
            return true;
        };
        if delivery > self.settings.max_deliveries {
            let operation = upcoming.map(|next| next.operation.operation);
            let failure = poison(&operation.unwrap_or_default(), delivery - 1);
            tracing::error!(instance_id = &*cell.id, error = %failure.message, "an operation is not run any more");
            resident.poison = Some(failure.clone());
            resident.suspects.acquit();
            state.care = Care::Fail(Box::new(failure));
            return true;
        }
        state.trial = Trial::Waiting;
        drop(state);
        resident.suspects.asked = Some(task);
        let asked = grant(
            Arc::downgrade(self),
            Arc::clone(cell),
            (resident.key, task),
            // All that waited is asked about, one by one, though one alone may be to blame: the first time that costs no wait.
            Pace {
                delivery,
                waits: delivery > BEFORE + 1,
            },
        );
        self.runtime.spawn(asked);
        false
    }

    /// Nothing begins now: what was counted to run is not to blame for what comes.
    pub(super) fn give_back(
        self: &Arc<Self>,
        state: &mut CellState,
        resident: &mut ResidentEntity,
    ) {
        if self.begins_batches() || !matches!(state.trial, Trial::Granted(_)) {
            return;
        }
        state.trial.end();
        resident.suspects.answered();
        if let Some(task) = resident.suspects.granted.take() {
            resident
                .suspects
                .counted
                .entry(task)
                .and_modify(|count| *count -= 1);
            self.return_batch(resident.key, task);
        }
    }

    /// The host stops while a batch runs: what it interrupts is not to blame.
    pub(super) fn return_batch(self: &Arc<Self>, key: InstanceKey, task: i64) {
        let tasks = vec![task];
        self.submit_change(Change::Return { key, tasks }, Box::new(|_| ()));
    }
}

fn poison(operation: &str, deliveries: u32) -> FailureDetails {
    let text = format!(
        "the operation `{operation}` was delivered {deliveries} times and never ended: each time its host went down"
    );
    FailureDetails::new("PoisonMessage", text).non_retriable()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspects(single: &[i64], counted: &[(i64, u32)]) -> Suspects {
        Suspects {
            single: single.iter().copied().collect(),
            counted: counted.iter().copied().collect(),
            ..Suspects::default()
        }
    }

    fn answer(suspects: &mut Suspects, task: i64) {
        suspects.asked = Some(task);
        suspects.answered();
    }

    #[test]
    fn a_batch_that_was_left_asks_once_and_is_forgotten_when_it_is_stored() {
        let mut suspects = Suspects {
            left: true,
            ..Suspects::default()
        };
        assert_eq!(suspects.question(Some(7)), Some((TURN, 2)));
        answer(&mut suspects, TURN);
        assert_eq!(suspects.settle(&[7, 8]), [TURN]);
        assert!(suspects.is_clear() && suspects.granted().is_none());
    }

    #[test]
    fn each_of_those_that_waited_over_two_crashes_asks_by_itself() {
        let mut suspects = suspects(&[7, 8], &[(TURN, 2), (8, 4)]);
        assert_eq!(suspects.question(Some(7)), Some((7, 3)));
        answer(&mut suspects, 7);
        assert_eq!(suspects.question(Some(7)), Some((7, 4)));
        assert_eq!(suspects.settle(&[7]), [7]);
        // What came since then is beyond doubt.
        assert_eq!(suspects.question(Some(9)), None);
        assert!(suspects.settle(&[9]).is_empty() && !suspects.is_clear());
        assert_eq!(suspects.question(Some(8)), Some((8, 6)));
        assert_eq!(suspects.settle(&[8]), [8, TURN]);
        assert!(suspects.is_clear());
    }

    #[test]
    fn what_a_host_gave_back_before_it_stopped_went_down_once() {
        let of = |count| Suspects::of([(TURN, count)].into(), [7, 8].into(), true);
        assert_eq!(of(1).question(Some(7)), Some((TURN, 2)));
        assert_eq!(of(2).question(Some(7)), Some((7, 3)));
    }

    #[test]
    fn once_one_was_found_guilty_the_others_are_beyond_doubt() {
        let mut suspects = suspects(&[7, 8, 9], &[(TURN, 2), (7, 9)]);
        suspects.acquit();
        assert_eq!(suspects.settle(&[7]), [7, TURN]);
        assert!(suspects.is_clear());
        assert_eq!(suspects.question(Some(8)), None);
    }
}
