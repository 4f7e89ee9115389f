//! [`OrchestrationContext`]: what an orchestrator asks the engine for.

use crate::error::Error;
use crate::model::Payload;
use serde::de::DeserializeOwned;

/// What an orchestrator asks the engine for.
#[derive(Debug, Clone)]
pub struct OrchestrationContext;

impl OrchestrationContext {
    #[doc(hidden)]
    pub fn __input<T: DeserializeOwned>(&self) -> Result<T, Error> {
        crate::function::read_input(None::<&Payload>, "orchestrator", "x")
    }
}

/// How an execution goes on as a new one.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ContinueOptions {
    pub(crate) discard_events: bool,
    pub(crate) version: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Continuation {
    pub(crate) input: Payload,
    pub(crate) options: ContinueOptions,
}
