//! [`Error`]: what a caller of the store can do next.

use crate::model::RuntimeStatus;

/// Why the store refused or could not do something.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The instance moved on since it was loaded: drop it and load again.
    #[error("instance `{0}` was changed by another writer")]
    Conflict(String),
    /// An instance of that id exists, in a state that must not be replaced.
    #[error("an orchestration instance with the status {status} already exists: `{id}`")]
    AlreadyExists {
        /// The id.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// No instance of that id.
    #[error("no instance `{0}`")]
    NotFound(String),
    /// The instance is in a status that does not allow this.
    #[error("instance `{id}` is {status}")]
    InvalidState {
        /// The id.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// The host no longer owns the partition: nothing was written.
    #[error("the lease of partition {0} was lost")]
    LeaseLost(i32),
    /// This one change can never be written (too large, malformed): only it fails.
    #[error("the change cannot be stored: {0}")]
    Content(String),
    /// The disk or the server does not take writes now: full, read-only, locked, gone. Try again later.
    #[error("the hub's database takes no writes: {0}")]
    Unavailable(String),
    /// What is stored makes no sense.
    #[error("the hub's database is damaged: {0}")]
    Corrupt(String),
    /// Anything else that the database says.
    #[error("the hub's database failed: {0}")]
    Backend(String),
}

impl Error {
    /// Whether the same change may succeed later, unchanged.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
