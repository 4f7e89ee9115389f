//! The core's turns in the model's words.

use super::model;
use super::program::Program;
use super::world::{Inbound, Task};
use crate::model::HistoryEvent as H;
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
            Open::EntityCall | Open::Lock => unreachable!("the grammar has no entities"),
        };
        (id, task)
    })
    .collect()
}

/// What a recorded action asks for, but for the number of the attempt.
pub(super) fn asked_of(event: &H) -> Option<(i64, String)> {
    Some(match event {
        H::TaskScheduled { id, .. } => (*id, "activity".to_owned()),
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

/// Holds a real turn, in the model's words, against what the model says.
pub(super) fn compare(
    expected: &model::Turn,
    turn: &Turn,
    execution: &Execution,
) -> Result<(), String> {
    let asked = turn.actions.iter().map(|action| match &action.event {
        H::TaskScheduled { id, .. } => (*id, format!("activity attempt {}", action.attempt)),
        event => (action.id, asked_of(event).unwrap_or_default().1),
    });
    let end = turn.end.as_ref().map(|end| match end {
        End::Completed(output) => model::End::Completed(output.read().unwrap()),
        End::Failed(failure) => model::End::Failed(failure.message.clone()),
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
