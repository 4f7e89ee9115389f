//! Arguments for functions that a test calls as the plain functions that they are.

use std::any::type_name;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::scope;
use crate::activity::{ActivityContext, Call};
use crate::entity::{Entity, EntityContext, Operation, Rollback};
use crate::error::Result;
use crate::hub::Settings;
use crate::model::{EntityId, Payload};
use crate::stop::Stop;
use crate::timer::TimerInfo;

/// An [`ActivityContext`] for an activity that is called by hand: attempt 1, delivery 1, and nobody cancels it.
///
/// ```
/// let ctx = durable_runtime::testing::activity_context();
/// assert_eq!((ctx.attempt(), ctx.delivery()), (1, 1));
/// assert!(!ctx.cancellation_token().is_cancelled());
/// ```
#[must_use]
pub fn activity_context() -> ActivityContext {
    ActivityContext::new(Call {
        instance_id: "test".into(),
        execution_id: "test".into(),
        name: "test".into(),
        task_id: 0,
        attempt: 1,
        delivery: 1,
        idempotency_key: OnceLock::new(),
        stop: Stop::default(),
    })
}

/// The [`TimerInfo`] of a timer function that is called by hand: it runs for the first time, right on time; the next run is due a minute later.
///
/// ```
/// let timer = durable_runtime::testing::timer_info(chrono::Utc::now());
/// assert!(!timer.is_past_due);
/// ```
#[must_use]
pub fn timer_info(now: DateTime<Utc>) -> TimerInfo {
    TimerInfo::on_time(now)
}

/// An [`EntityContext`] for an operation that is called by hand: of the entity `E` with that key, which has no state yet; the operation is
/// `get`, without input. Give it a state with [`EntityContext::set_state`]; what it sends goes nowhere.
#[must_use]
pub fn entity_context<E: Entity>(key: impl Into<String>) -> EntityContext {
    context::<E>(key.into(), "get", None)
}

/// The same for another operation and its input, as an entity function reads them.
///
/// # Errors
/// An input that cannot be serialised.
pub fn entity_context_of<E: Entity>(
    key: impl Into<String>,
    operation: &str,
    input: impl Serialize,
) -> Result<EntityContext> {
    let input = Payload::of(&input)?;
    Ok(context::<E>(key.into(), operation, Some(input)))
}

fn context<E: Entity>(key: String, operation: &str, input: Option<Payload>) -> EntityContext {
    let path = type_name::<E>();
    let registry = scope::nearest(path.rsplit_once("::").map_or(path, |(module, _)| module));
    EntityContext::new(Operation::new(
        EntityId::of::<E>(key),
        operation.into(),
        input,
        None,
        Arc::new(registry),
        Settings::default().max_payload_bytes,
        Rollback::Yes,
    ))
}
