//! [`replay`]: whether code still fits a recorded history.

use std::any::type_name;
use std::sync::Arc;

use super::History;
use super::scope;
use crate::error::{Error, Result};
use crate::function::Orchestrator;
use crate::model::{ExecutionStarted, HistoryEvent, RuntimeStatus};
use crate::replay::{End, Execution, Limits};

/// Replays a recorded history against the code of `O`, as a host does that loads the instance: nothing else runs.
///
/// ```no_run
/// # use durable_macros::orchestration_trigger;
/// # use durable_runtime::{OrchestrationContext, Result};
/// use durable_runtime::testing::{History, replay};
///
/// # #[orchestration_trigger]
/// # async fn checkout(ctx: OrchestrationContext) -> Result<()> { Ok(()) }
/// # fn main() -> Result<()> {
/// // app instances export order-17 > tests/histories/order-17.json
/// let recorded = std::fs::read_to_string("tests/histories/order-17.json")?;
/// replay::<checkout>(&History::from_json(&recorded)?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first difference, both sides named: what history records, and what the code does now.
pub fn replay<O: Orchestrator>(history: &History) -> Result<()> {
    let Some(started) = started(history) else {
        return match history.events.is_empty() {
            true => Ok(()),
            false => Err(Error::msg(
                "the history has no `ExecutionStarted`: export the whole instance",
            )),
        };
    };
    let path = type_name::<O>();
    let registry = scope::nearest(path.rsplit_once("::").map_or(path, |(module, _)| module));
    let orchestrator = registry
        .orchestrator(O::NAME, O::VERSION.unwrap_or_default())
        .ok_or_else(|| Error::msg(format!("`{path}` is not registered in this program")))?;
    let mut execution = Execution::new(
        Arc::clone(&history.instance_id),
        started.clone(),
        *orchestrator,
        Arc::new(registry.clone()),
        Limits::default(),
        Arc::new(|| ()),
    );
    let turns = std::slice::from_ref(&history.events);
    let difference = execution
        .compare(turns)
        .or_else(|| end_difference(history, &execution));
    match difference {
        None => Ok(()),
        Some(difference) => Err(Error::msg(format!(
            "`{}` does not fit the history of `{}` any more: {difference}",
            O::NAME,
            history.instance_id
        ))
        .with_type("NonDeterminismError")),
    }
}

fn started(history: &History) -> Option<&ExecutionStarted> {
    history.events.iter().find_map(|event| match event {
        HistoryEvent::ExecutionStarted(started) => Some(&**started),
        _ => None,
    })
}

/// Both ended, but not both well.
fn end_difference(history: &History, execution: &Execution) -> Option<String> {
    let recorded = history.events.iter().find_map(|event| match event {
        HistoryEvent::ExecutionCompleted { status, .. } => Some(*status),
        _ => None,
    })?;
    match (recorded, execution.end()?) {
        (RuntimeStatus::Completed, End::Failed(failure)) => Some(format!(
            "history records that it completed, but the code now fails: {}",
            failure.message
        )),
        (RuntimeStatus::Failed, End::Completed(_)) => {
            Some("history records that it failed, but the code now completes".to_owned())
        }
        _ => None,
    }
}
