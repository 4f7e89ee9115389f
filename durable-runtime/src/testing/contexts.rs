//! Arguments for functions that a test calls as the plain functions that they are.

use tokio_util::sync::CancellationToken;

use crate::activity::{ActivityContext, Call};

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
        idempotency_key: "test:test:0".to_owned(),
        token: CancellationToken::new(),
    })
}
