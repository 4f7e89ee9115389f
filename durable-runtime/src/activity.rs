//! [`ActivityContext`]: what an activity can know of its call.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::stop::Stop;

/// What an activity can know of its call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ActivityContext(Arc<Call>);

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) instance_id: Arc<str>,
    pub(crate) execution_id: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) task_id: i64,
    pub(crate) attempt: u32,
    pub(crate) delivery: u32,
    /// Made when it is asked for: few do.
    pub(crate) idempotency_key: OnceLock<String>,
    pub(crate) stop: Stop,
}

impl ActivityContext {
    pub(crate) fn new(call: Call) -> Self {
        Self(Arc::new(call))
    }

    /// What its token is made of when somebody asks for it.
    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// The calling generation, of a call that is over.
    pub(crate) fn into_execution(self) -> Arc<str> {
        match Arc::try_unwrap(self.0) {
            Ok(call) => call.execution_id,
            // Its function has kept one.
            Err(call) => Arc::clone(&call.execution_id),
        }
    }

    /// The calling instance.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.0.instance_id
    }

    /// The calling generation.
    #[must_use]
    pub fn execution_id(&self) -> &str {
        &self.0.execution_id
    }

    /// The activity's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The id of this attempt in the caller's history.
    #[must_use]
    pub fn task_id(&self) -> i64 {
        self.0.task_id
    }

    /// 1 for the first attempt of the retry policy, 2 for the next, ..
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// 1 for the first delivery of this attempt, 2 after a crash or stop of the host, ..
    #[must_use]
    pub fn delivery(&self) -> u32 {
        self.0.delivery
    }

    /// `{instance}:{execution}:{task}`: the same over redeliveries, so that an effect can be made once (spec 7.1).
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        let call = &*self.0;
        call.idempotency_key.get_or_init(|| {
            format!(
                "{}:{}:{}",
                call.instance_id, call.execution_id, call.task_id
            )
        })
    }

    /// Fires when the result no longer matters or the time is over: the instance ended, the call was dropped or timed out, the host stops.
    #[must_use]
    pub fn cancellation_token(&self) -> CancellationToken {
        self.0.stop.token()
    }
}
