//! [`FailureDetails`] and [`TaskError`]: why a task failed, as history keeps it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why an activity, orchestration or operation failed. Serialised in history and status.
///
/// Source of the members: `FailureDetails` of the Durable Task SDKs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureDetails {
    /// The Rust type of the error, or what `Error::with_type` says; `panic` for a panic. A type of this library goes by the name that
    /// it is exported by, as in `durable_functions::TaskError`.
    pub error_type: String,
    /// The error's `Display`.
    pub message: String,
    /// Where it happened, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// The cause, and so on down the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<Box<Self>>,
    /// Whether a retry policy must not try again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_non_retriable: bool,
    /// Anything else that callers may want to look at.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

impl FailureDetails {
    /// A failure of the given type and message, retriable, without cause.
    #[must_use]
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
            stack_trace: None,
            inner: None,
            is_non_retriable: false,
            properties: Map::new(),
        }
    }

    /// The same failure, marked as not worth a retry.
    #[must_use]
    pub fn non_retriable(mut self) -> Self {
        self.is_non_retriable = true;
        self
    }

    /// The same failure with a cause.
    #[must_use]
    pub fn with_inner(mut self, inner: Self) -> Self {
        self.inner = Some(Box::new(inner));
        self
    }

    /// The same failure as the caller of a function sees it: `properties` says whose it is.
    pub(crate) fn of_function(mut self, kind: &str, name: &str) -> Self {
        self.properties
            .insert("functionKind".to_owned(), kind.into());
        self.properties
            .insert("functionName".to_owned(), name.into());
        self
    }

    /// Whether this failure or one of its causes is of the type, named in full or by its last segment (spec 1.16).
    #[must_use]
    pub fn is_caused_by(&self, error_type: &str) -> bool {
        let last = |name: &str| {
            name.rsplit([':', '.'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let mut next = Some(self);
        while let Some(failure) = next {
            if failure.error_type == error_type || last(&failure.error_type) == error_type {
                return true;
            }
            next = failure.inner.as_deref();
        }
        false
    }
}

impl fmt::Display for FailureDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why awaiting a durable task gave no value. An ordinary error: it can be matched, cloned, and passed on with `?`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TaskError {
    /// The task failed.
    Failed(FailureDetails),
    /// The task's time-out passed first.
    Timeout,
}

impl TaskError {
    /// The failure, unless it was a time-out.
    #[must_use]
    pub fn failure(&self) -> Option<&FailureDetails> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Timeout => None,
        }
    }

    /// Whether the failure or one of its causes is of the type (see [`FailureDetails::is_caused_by`]).
    #[must_use]
    pub fn is_caused_by(&self, error_type: &str) -> bool {
        self.failure()
            .is_some_and(|failure| failure.is_caused_by(error_type))
    }

    /// Wrong use of the API: an unknown name, a value over its limit.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Failed(FailureDetails::new("UsageError", message).non_retriable())
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Timeout => f.write_str("the task timed out"),
        }
    }
}

impl std::error::Error for TaskError {}
