//! [`by_hand`]: an instance taken through its turns on the calling thread, without a hub.

use std::sync::Arc;

use super::cell::Inbound;
use super::outbox::Watched;
use super::resident::{Made, Resident, Rules};
use crate::error::{Error, Result};
use crate::model::{ExecutionStarted, HistoryEvent, Payload, Timestamp};
use crate::registry::Registry;
use crate::replay::{Execution, Limits};
use crate::store::{Ids, InstanceKey, NewInstance, Reuse};

/// Takes a new instance of the orchestrator from its start to its end: each turn is made as the engine makes it, what it would commit
/// included; activities answer at once. Gives the bytes of history. For counting instructions: it waits for nothing and nobody.
///
/// # Errors
/// No orchestrator of that name; one that waits for anything but activities.
#[doc(hidden)]
pub fn by_hand(
    registry: &Arc<Registry>,
    name: &str,
    input: &Payload,
    answer: impl Fn(&str, Option<&Payload>) -> Payload,
) -> Result<usize> {
    let orchestrator = registry
        .orchestrator(name, "")
        .ok_or_else(|| Error::msg(format!("no orchestrator `{name}`")))?;
    let now = Timestamp::from_micros(1_732_435_200_000_000);
    let instance = NewInstance {
        key: InstanceKey(1),
        id: Arc::from("0123456789abcdef0123456789abcdef"),
        started: ExecutionStarted {
            name: Arc::from(orchestrator.name),
            version: String::new(),
            execution_id: super::fresh_id::fresh_id(now),
            parent: None,
            scheduled_start: None,
            generation: 0,
            tags: Default::default(),
            trace_parent: None,
            input: Some(input.clone()),
        },
        created: now,
        reuse: Reuse::NonRunning,
        on_refused: None,
    };
    let mut execution = Execution::new(
        Arc::clone(&instance.id),
        instance.started.clone(),
        *orchestrator,
        Arc::clone(registry),
        Limits::default(),
        Arc::new(|| ()),
    );
    execution.replay(&[]);
    let mut resident = Resident::new(&instance, execution);
    let ids = Ids::from(2);
    let rules = Rules {
        ids: &ids,
        reuse: Reuse::NonRunning,
        watched: Watched(None),
        max_generations: 20,
    };
    let inbound = |event, execution_id| Inbound {
        event,
        inbox: None,
        execution_id,
    };
    let started = HistoryEvent::ExecutionStarted(Box::new(instance.started));
    let mut messages = vec![inbound(started, None)];
    let mut bytes = 0;
    loop {
        let Made {
            commit, effects, ..
        } = resident.make_turn(now, messages, rules, &|_| None);
        let snapshot = Arc::clone(&resident.record);
        bytes += commit.events.as_ref().map_or(0, String::len);
        if effects.ended {
            return Ok(bytes);
        }
        messages = effects
            .activities
            .iter()
            .map(|task| {
                let result = answer(&task.name, task.input.as_ref());
                let id = task.id;
                let event = HistoryEvent::TaskCompleted { id, result };
                inbound(event, Some(Arc::clone(&snapshot.execution_id)))
            })
            .collect();
        if messages.is_empty() {
            return Err(Error::msg(format!(
                "`{name}` waits for something that is no activity"
            )));
        }
    }
}
