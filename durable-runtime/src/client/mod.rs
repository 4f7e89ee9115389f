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
