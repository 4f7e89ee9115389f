//! The core's turns in the model's words.

use super::model;
use super::program::Program;
use super::world::{Inbound, Task};
use crate::durable_http::{DurableHttpRequest, HTTP_ACTIVITY};
use crate::model::{FailureDetails, HistoryEvent as H};
use crate::replay::core::Open;
use crate::replay::{End, Execution, Turn};

/// What the model takes for that event.
pub(super) fn model_of(event: &H) -> Option<Inbound> {
    Some(match event {
        H::ExecutionStarted(_) => Inbound::Start,
        H::TaskCompleted { id, result } | H::SubOrchestrationInstanceCompleted { id, result } => {
            Inbound::Completed(*id, result.as_str().to_owned())
        }
        H::TaskFailed { id, failure } | H::SubOrchestrationInstanceFailed { id, failure } => {
            Inbound::Failed(*id, failure.message.clone(), failure.is_non_retriable)
        }
        H::EntityOperationCompleted { id, result } => {
            Inbound::Completed(*id, result.as_str().to_owned())
        }
        H::EntityOperationFailed { id, failure } => {
            Inbound::Failed(*id, failure.message.clone(), failure.is_non_retriable)
        }
        H::EntityLockGranted { id } => Inbound::Granted(*id),
        H::TimerFired { id } => Inbound::Fired(*id),
        H::EventRaised { name, data } => {
            Inbound::Raised(name.to_lowercase(), data.as_str().to_owned())
        }
        H::ExecutionSuspended { .. } => Inbound::Suspended,
        H::ExecutionResumed { .. } => Inbound::Resumed,
        H::ExecutionTerminated { .. } => Inbound::Terminated,
        _ => return None,
    })
}

/// The open tasks of an execution.
pub(super) fn open_of(execution: &Execution) -> Vec<(i64, Task)> {
    let all = execution.open().into_iter();
    all.map(|(id, open)| {
        let task = match open {
            Open::Activity { abandoned, .. } => Task::Activity {
                given_up: abandoned,
            },
            Open::Timer { fire_at } => Task::Timer(fire_at.micros()),
            Open::Child { .. } => Task::Child,
            Open::EntityCall => Task::Entity,
            Open::Lock => Task::Lock,
        };
        (id, task)
    })
    .collect()
}

/// What a recorded action asks for, but for the number of the attempt.
pub(super) fn asked_of(event: &H) -> Option<(i64, String)> {
    Some(match event {
        H::TaskScheduled {
            id, name, input, ..
        } if &**name == HTTP_ACTIVITY => {
            let request: DurableHttpRequest = input.as_ref()?.read().ok()?;
            let key = request.headers().get("idempotency-key").unwrap_or("-");
            let (method, url) = (request.method(), request.uri());
            let own = request.headers().iter();
            let own = own.map(|(name, _)| name.to_ascii_lowercase());
            let own: Vec<String> = own.filter(|name| name != "idempotency-key").collect();
            (*id, format!("{method} {url} {key} {}", own.join(" ")))
        }
        H::TaskScheduled { id, .. } => (*id, "activity".to_owned()),
        H::EntityOperationCalled {
            id,
            entity,
            section,
            ..
        } => (*id, format!("call {entity} in {section:?}")),
        H::EntityOperationSignaled {
            id, entity, due, ..
        } => {
            let due = due.map(crate::model::Timestamp::micros);
            (*id, format!("signal {entity} at {due:?}"))
        }
        H::EntityLockRequested { id, entities } => (*id, format!("lock {}", entities.join(" "))),
        H::EntityUnlockSent {
            id,
            entity,
            section,
            early,
        } => (*id, format!("unlock {entity} of {section}, early: {early}")),
        H::TimerCreated { id, fire_at } => (*id, format!("timer {}", fire_at.micros())),
        H::SubOrchestrationInstanceCreated {
            id,
            instance_id,
            detached,
            ..
        } => {
            let verb = if *detached { "start" } else { "child" };
            (*id, format!("{verb} {instance_id}"))
        }
        H::EventSent {
            id,
            instance_id,
            name,
            ..
        } => (*id, format!("send {instance_id} {name}")),
        _ => return None,
    })
}

/// Why an instance failed: a wrong use is all that it is for the model.
pub(super) fn reason(failure: &FailureDetails) -> String {
    if failure.error_type == "UsageError" {
        return "usage".to_owned();
    }
    failure.message.clone()
}

/// Holds a real turn, in the model's words, against what the model says.
pub(super) fn compare(
    expected: &model::Turn,
    turn: &Turn,
    execution: &Execution,
) -> Result<(), String> {
    let asked = turn.asked().map(|asked| match asked.event {
        event @ H::TaskScheduled { .. } => {
            let (id, text) = asked_of(event).unwrap_or_default();
            (id, format!("{text} attempt {}", asked.attempt))
        }
        event => (
            event.task_id().unwrap_or_default(),
            asked_of(event).unwrap_or_default().1,
        ),
    });
    let end = turn.end.as_ref().map(|end| match end {
        End::Completed(output) => model::End::Completed(output.read().unwrap()),
        End::Failed(failure) => model::End::Failed(reason(failure)),
        End::Terminated { .. } => model::End::Terminated,
        End::ContinuedAsNew { input, carried, .. } => {
            let carried = carried
                .iter()
                .map(|event| (event.name.to_lowercase(), event.data.as_str().to_owned()));
            let next: Program = input.read().unwrap();
            model::End::Continued(next.so_far, carried.collect())
        }
    });
    let status = turn.custom_status.as_ref().map(|status| {
        let status = status.as_ref().map(|status| status.as_str().to_owned());
        status.unwrap_or_default()
    });
    let found = model::Turn {
        taken: turn.events.iter().filter_map(model_of).collect(),
        asked: asked.collect(),
        status,
        end,
        late: turn.late.iter().filter_map(model_of).collect(),
        open: open_of(execution),
    };
    if *expected == found {
        return Ok(());
    }
    Err(format!(
        "the model says\n{expected:?}\nbut the core did\n{found:?}"
    ))
}
