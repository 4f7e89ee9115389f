//! [`DurableClient`]: start, query, control.

use crate::model::{FailureDetails, RuntimeStatus};

/// Starts, queries and controls instances. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DurableClient {}

impl DurableClient {
    pub(crate) fn of(
        &self,
        _task_hub: Option<&str>,
        _connection: Option<&str>,
    ) -> Result<Self, ClientError> {
        Ok(self.clone())
    }
}

/// Why a client's call failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No instance of that id.
    #[error("no instance with the id `{0}` was found")]
    NotFound(String),
    /// An instance of that id exists and may not be replaced.
    #[error("{0}")]
    AlreadyExists(String),
    /// The instance is in a status that does not allow this.
    #[error("the instance `{id}` is {status}, which does not allow this")]
    InvalidState {
        /// The instance.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// An argument that cannot be accepted.
    #[error("{0}")]
    InvalidArgument(String),
    /// No such function here.
    #[error("no function `{name}`; known are {}", known.join(", "))]
    UnknownFunction {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The time was over first.
    #[error("timed out")]
    Timeout,
    /// The hub takes no work now.
    #[error("{0}")]
    Unavailable(String),
    /// A called entity operation failed.
    #[error("{0}")]
    Failed(FailureDetails),
}

/// What is wrong with an instance id (spec 0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// It is empty.
    #[error("an instance id must not be empty")]
    Empty,
    /// It is longer than 256 UTF-16 units.
    #[error("Instance ID lengths must not exceed 256 characters.")]
    TooLong,
    /// It begins with `@`, which entities do.
    #[error("Orchestration instance ids must not start with @.")]
    LeadingAt,
    /// It has a character that no URL could carry.
    #[error("Orchestration instance ids must not contain /, \\, #, ?, or control characters.")]
    Forbidden,
}

/// Holds an instance id against the rules: 1..=256 characters, no leading `@`, none of `/ \ # ?`, no control characters.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_instance_id(id: &str) -> Result<(), IdFault> {
    if id.is_empty() {
        return Err(IdFault::Empty);
    }
    if id.starts_with('@') {
        return Err(IdFault::LeadingAt);
    }
    if id.chars().any(|c| matches!(c, '/' | '\\' | '#' | '?') || c.is_control()) {
        return Err(IdFault::Forbidden);
    }
    if id.encode_utf16().count() > 256 {
        return Err(IdFault::TooLong);
    }
    Ok(())
}

/// The reference's sentence for an orchestrator that is not registered.
pub(crate) fn unknown_orchestrator(name: &str, registry: &crate::registry::Registry) -> String {
    let names = registry.orchestrator_names();
    let known = if names.is_empty() {
        "No orchestrator functions are currently registered!".to_owned()
    } else {
        format!("The following are the known orchestrator functions: {}.", crate::registry::Registry::quoted(&names))
    };
    format!("The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: {known}")
}
