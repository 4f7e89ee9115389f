//! [`Given`]: an orchestrator, fed by hand. Every turn is also made by an instance that was loaded before it, and must be the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::legal;
use crate::function::Orchestrator;
use crate::model::{
    ExecutionStarted, FailureDetails, HistoryEvent as H, Parent, Payload, Timestamp,
};
use crate::registry::Registry;
use crate::replay::core::Limits;
use crate::replay::{End, Execution, Turn};

/// One execution under test. Its clock begins at 2025-01-02 03:04:05 and goes on by a second with each turn.
pub(super) struct Given {
    registry: Arc<Registry>,
    started: ExecutionStarted,
    limits: Limits,
    live: Execution,
    history: Vec<Vec<H>>,
    now: Timestamp,
}

impl Given {
    /// An execution of `S` that has not begun.
    pub(super) fn of<S: Orchestrator>(input: impl Serialize) -> Self {
        Self::limited::<S>(input, Limits::default())
    }

    /// The same within other limits.
    pub(super) fn limited<S: Orchestrator>(input: impl Serialize, limits: Limits) -> Self {
        let registry = Registry::collect().unwrap();
        let started = ExecutionStarted {
            name: S::NAME.into(),
            version: String::new(),
            execution_id: "e".into(),
            parent: Some(Parent {
                instance_id: "above".into(),
                execution_id: "e0".into(),
                name: "caller".into(),
                task_id: 0,
            }),
            scheduled_start: None,
            generation: 0,
            tags: BTreeMap::new(),
            trace_parent: None,
            input: Some(Payload::of(&input).unwrap()),
        };
        let mut live = execution(&registry, &started, &limits);
        live.replay(&[]);
        Self {
            registry,
            started,
            limits,
            live,
            history: Vec::new(),
            now: Timestamp::from_micros(1_735_787_045_000_000),
        }
    }

    /// The first turn.
    pub(super) fn start(&mut self) -> Turn {
        self.start_with([])
    }

    /// The first turn, with more than the start in its batch.
    pub(super) fn start_with(&mut self, more: impl IntoIterator<Item = H>) -> Turn {
        let first = self.first();
        self.turn(std::iter::once(first).chain(more))
    }

    /// What the first turn begins with.
    pub(super) fn first(&self) -> H {
        H::ExecutionStarted(Box::new(self.started.clone()))
    }

    /// Time passes before the next turn.
    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    /// The clock of the last turn.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// One turn over a batch.
    pub(super) fn turn(&mut self, batch: impl IntoIterator<Item = H>) -> Turn {
        self.now = self.now.plus(Duration::from_secs(1));
        let batch: Vec<H> = batch.into_iter().collect();
        let mut loaded = self.loaded();
        let turn = self.live.turn(self.now, batch.clone());
        let again = loaded.turn(self.now, batch);
        assert_eq!(turn.events, again.events, "resident and loaded differ");
        assert_eq!(format!("{turn:?}"), format!("{again:?}"));
        self.history.push(turn.events.clone());
        legal::check(&self.history).unwrap();
        turn
    }

    /// One turn of the resident instance alone.
    pub(super) fn resident_turn(&mut self, batch: impl IntoIterator<Item = H>) -> Turn {
        self.now = self.now.plus(Duration::from_secs(1));
        let turn = self.live.turn(self.now, batch.into_iter().collect());
        self.history.push(turn.events.clone());
        turn
    }

    /// The execution as it is after it was loaded.
    pub(super) fn loaded(&self) -> Execution {
        self.loaded_as(&self.started)
    }

    /// History met by other code: what its next turn over nothing is.
    pub(super) fn met_by<S: Orchestrator>(&self) -> Turn {
        let started = ExecutionStarted {
            name: S::NAME.into(),
            ..self.started.clone()
        };
        self.loaded_as(&started).turn(self.now, Vec::new())
    }

    /// A turn of the same instance on a host with other code, which goes into its history; then its own code is back.
    pub(super) fn turn_of<S: Orchestrator>(&mut self, batch: impl IntoIterator<Item = H>) -> Turn {
        self.now = self.now.plus(Duration::from_secs(1));
        let started = ExecutionStarted {
            name: S::NAME.into(),
            ..self.started.clone()
        };
        let turn = self
            .loaded_as(&started)
            .turn(self.now, batch.into_iter().collect());
        self.history.push(turn.events.clone());
        legal::check(&self.history).unwrap();
        self.live = self.loaded();
        turn
    }

    fn loaded_as(&self, started: &ExecutionStarted) -> Execution {
        let mut loaded = execution(&self.registry, started, &self.limits);
        loaded.replay(&self.history);
        loaded
    }
}

fn execution(registry: &Arc<Registry>, started: &ExecutionStarted, limits: &Limits) -> Execution {
    let orchestrator = registry.orchestrator(&started.name, "").unwrap();
    Execution::new(
        "me".into(),
        started.clone(),
        *orchestrator,
        Arc::clone(registry),
        limits.clone(),
        Arc::new(|| {}),
    )
}

pub(super) fn done(id: i64, result: impl Serialize) -> H {
    let result = Payload::of(&result).unwrap();
    H::TaskCompleted { id, result }
}

pub(super) fn failed(id: i64, message: &str) -> H {
    let failure = Box::new(FailureDetails::new("Boom", message));
    H::TaskFailed { id, failure }
}

pub(super) fn fired(id: i64) -> H {
    H::TimerFired { id }
}

pub(super) fn raised(name: &str, data: impl Serialize) -> H {
    H::EventRaised {
        name: name.to_owned(),
        data: Payload::of(&data).unwrap(),
    }
}

/// What a turn asks for, in words; timers by the seconds from the turn's clock.
pub(super) fn asks(turn: &Turn) -> Vec<String> {
    let mut now = Timestamp::default();
    let mut asked = Vec::new();
    for event in &turn.events {
        match event {
            H::OrchestratorStarted { at } => now = *at,
            H::TaskScheduled { id, name, .. } => asked.push(format!("{id} {name}")),
            H::TimerCreated { id, fire_at } => {
                asked.push(format!("{id} timer {}", now.until(*fire_at).as_secs_f64()));
            }
            H::SubOrchestrationInstanceCreated {
                id, instance_id, ..
            } => asked.push(format!("{id} child {instance_id}")),
            H::EventSent { id, name, .. } => asked.push(format!("{id} send {name}")),
            _ => {}
        }
    }
    asked
}

/// What the execution returned.
pub(super) fn output(turn: &Turn) -> Value {
    match &turn.end {
        Some(End::Completed(output)) => output.to_value(),
        other => panic!("not completed: {other:?}"),
    }
}

/// Why it failed.
pub(super) fn failure(turn: &Turn) -> FailureDetails {
    match &turn.end {
        Some(End::Failed(failure)) => failure.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

/// The input of the next generation and the events that go along.
pub(super) fn continued(turn: &Turn) -> (Value, Vec<Value>) {
    match &turn.end {
        Some(End::ContinuedAsNew { input, carried, .. }) => {
            let carried = carried.iter().map(|event| event.data.to_value());
            (input.to_value(), carried.collect())
        }
        other => panic!("not continued: {other:?}"),
    }
}
