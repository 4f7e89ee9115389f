//! Turns that may have taken their host down (spec 7.3).
//!
//! The first delivery of a turn costs nothing: its messages lie in the inbox, or follow from history. After a crash, what the host left
//! has to ask before its code runs again: that it runs is counted first, and the commit that it leads to forgets the count. From the third
//! delivery on it waits a while, longer each time, and runs alone among its like, activities of as many deliveries included, so that only
//! what took its host down again and again becomes poison, not what ran beside it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Engine;
use super::cell::{Cell, Inbound};
use crate::client::ClientError;
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent, Timestamp};
use crate::store::{Change, InstanceKey, LoadedInstance, Store};

/// The task id under which the deliveries of an instance's turns are counted.
pub(super) const TURN: i64 = -1;
/// The delivery from which on it waits, and runs alone.
const SUSPICIOUS: u32 = 3;
const LONGEST: Duration = Duration::from_secs(60);

/// Held by what runs alone among the suspicious.
pub(crate) type Alone = OwnedSemaphorePermit;

/// How soon something may run that asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) delivery: u32,
    /// Whether it waits before its turn in the lane: the longer, the more often it was delivered.
    pub(super) waits: bool,
}

impl From<u32> for Pace {
    fn from(delivery: u32) -> Self {
        Self {
            delivery,
            waits: true,
        }
    }
}

/// What the trials of a hub share.
#[derive(Debug)]
pub(crate) struct Trials {
    /// Whoever had the hub before went without closing it.
    interrupted: bool,
    since: Timestamp,
    lane: Arc<Semaphore>,
}

impl Trials {
    pub(super) fn new(store: &dyn Store, now: Timestamp) -> Self {
        Self {
            interrupted: store.interrupted(),
            since: now,
            lane: Arc::new(Semaphore::new(1)),
        }
    }
}

/// Where an instance stands that has to ask.
#[derive(Debug, Default)]
pub(crate) enum Trial {
    /// It has not asked, or need not.
    #[default]
    None,
    /// It has asked.
    Waiting,
    /// It may run, alone if it holds a permit.
    Granted(#[expect(dead_code, reason = "held until it is dropped")] Option<Alone>),
}

impl Trial {
    /// What an activity returned is yet to be stored: until then it runs alone.
    pub(super) fn extend(&mut self, alone: Alone) {
        if self.is_none() {
            *self = Self::Granted(Some(alone));
        }
    }

    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// What was granted was used, or came to nothing.
    pub(super) fn end(&mut self) {
        if matches!(self, Self::Granted(_)) {
            *self = Self::None;
        }
    }
}

/// Whether a loaded instance may run.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Run,
    /// It is looked at again once it may.
    Later,
    /// Never again.
    Poison(FailureDetails),
}

impl Engine {
    /// Whether the turn that a loaded instance is about to make may be made.
    pub(super) fn judge(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        loaded: &LoadedInstance,
        started: &ExecutionStarted,
        messages: &[Inbound],
    ) -> Verdict {
        let counted = loaded.deliveries.iter().find(|(task, _)| *task == TURN);
        let counted = counted.map(|(_, count)| *count);
        if counted.is_none() && !self.was_left(loaded) || !self.has_turn(loaded, started, messages)
        {
            return Verdict::Run;
        }
        let mut state = cell.lock();
        match state.trial {
            Trial::Granted(_) => return Verdict::Run,
            Trial::Waiting => return Verdict::Later,
            Trial::None => {}
        }
        let delivery = counted.unwrap_or(1) + 1;
        let terminated = loaded
            .inbox
            .iter()
            .any(|message| matches!(message.event, HistoryEvent::ExecutionTerminated { .. }));
        if delivery > self.settings.max_deliveries || (delivery >= SUSPICIOUS && terminated) {
            return Verdict::Poison(poison(delivery - 1));
        }
        state.trial = Trial::Waiting;
        drop(state);
        let what = (loaded.record.key, TURN);
        let asked = grant(
            Arc::downgrade(self),
            Arc::clone(cell),
            what,
            delivery.into(),
        );
        self.runtime.spawn(asked);
        Verdict::Later
    }

    /// Whether another process stored it last, and then went down.
    pub(super) fn was_left(&self, loaded: &LoadedInstance) -> bool {
        self.trials.interrupted && loaded.record.updated < self.trials.since
    }

    /// Whether code would run that is here: what waits for another host is not to blame.
    fn has_turn(
        &self,
        loaded: &LoadedInstance,
        started: &ExecutionStarted,
        messages: &[Inbound],
    ) -> bool {
        let begun = !loaded.history.is_empty();
        let due = started
            .scheduled_start
            .is_none_or(|at| at <= self.clock.now());
        let has_work = match begun {
            true => {
                !loaded.inbox.is_empty() || messages.iter().any(|message| message.inbox.is_none())
            }
            false => due,
        };
        let own = self.settings.default_version.as_deref();
        let (name, version) = (&started.name, &started.version);
        let rule = self.settings.version_match;
        has_work && rule.find(&self.registry, name, version, own).is_some()
    }

    /// Waits until something may be delivered once more: the longer, the more often it was, and then for what else is suspicious.
    /// Answers nothing if the host stops.
    pub(super) fn await_trial(
        &self,
        pace: Pace,
    ) -> impl Future<Output = Option<Option<Alone>>> + Send + use<> {
        let span = self.backoff(pace.delivery);
        let span = span.map(|span| if pace.waits { span } else { Duration::ZERO });
        let lane = Arc::clone(&self.trials.lane);
        let stopped = self.stopped.clone();
        async move {
            let Some(span) = span else { return Some(None) };
            let alone = async {
                if !span.is_zero() {
                    tokio::time::sleep(span).await;
                }
                // One that runs for ever must not keep the others waiting as long.
                let alone = tokio::time::timeout(LONGEST, lane.acquire_owned()).await;
                alone.ok().and_then(Result::ok)
            };
            tokio::select! {
                alone = alone => Some(alone),
                () = stopped.cancelled() => None,
            }
        }
    }

    fn backoff(&self, delivery: u32) -> Option<Duration> {
        let doublings = delivery.checked_sub(SUSPICIOUS)?;
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Some(
            self.settings
                .redelivery_delay
                .saturating_mul(factor)
                .min(LONGEST),
        )
    }
}

/// Lets an instance run, once that is written down, under the task's id.
pub(super) async fn grant(
    engine: Weak<Engine>,
    cell: Arc<Cell>,
    (key, task): (InstanceKey, i64),
    pace: Pace,
) {
    let Some(turn) = engine.upgrade().map(|engine| engine.await_trial(pace)) else {
        return;
    };
    let Some(alone) = turn.await else { return };
    let Some(engine) = engine.upgrade() else {
        return;
    };
    let tasks = vec![task];
    let counted = engine
        .submit_then(Change::Redeliver { key, tasks }, |_| ())
        .await;
    let again = match counted {
        Ok(_) => {
            cell.lock().trial = Trial::Granted(alone);
            true
        }
        Err(error) => {
            cell.lock().trial = Trial::None;
            tracing::warn!(instance_id = &*cell.id, %error, "an instance waits until its turn can be counted");
            !matches!(error, ClientError::Unavailable(_))
        }
    };
    match again {
        true => engine.poke(&cell.id),
        false => engine.retry_later(&cell, Vec::new()),
    }
}

fn poison(deliveries: u32) -> FailureDetails {
    let text = format!(
        "a turn of the instance was begun {deliveries} times and never ended: each time its host went down"
    );
    FailureDetails::new("PoisonMessage", text).non_retriable()
}
