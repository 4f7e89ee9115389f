//! [`Error`]: what functions fail with.

use std::error::Error as StdError;
use std::fmt;

use crate::model::{FailureDetails, TaskError};
use crate::replay::Continuation;
use crate::type_name::type_name;

/// The result of a function. The error is [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// What a function fails with: any error, by `?`.
///
/// It takes whatever is `Into<Box<dyn std::error::Error + Send + Sync>>`: every error type, `anyhow::Error`, `String`, `&str`. What callers
/// see of it is [`FailureDetails`]: the type's name, the message, the chain of causes.
///
/// ```
/// use durable_runtime::{Error, Result};
///
/// fn parse(text: &str) -> Result<i32> {
///     if text.is_empty() {
///         return Err(Error::non_retriable("nothing to parse").with_type("Empty"));
///     }
///     Ok(text.parse()?)
/// }
/// assert!(parse("x").is_err_and(|e| e.downcast_ref::<std::num::ParseIntError>().is_some()));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    error_type: String,
    non_retriable: bool,
}

enum Kind {
    Source(Source),
    /// Not a failure: `return ctx.continue_as_new(..)`.
    Continue(Continuation),
}

impl Error {
    /// An error that is only a text.
    #[must_use]
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::source(message.to_string().into(), "Error")
    }

    /// Wrong use: the same whoever is told, and never worth a retry.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::non_retriable(Self::msg(message)).with_type("UsageError")
    }

    /// The same error, marked so that no retry policy tries again.
    #[must_use]
    pub fn non_retriable(error: impl Into<Self>) -> Self {
        let mut error = error.into();
        error.0.non_retriable = true;
        error
    }

    /// The same error under another type name, as `FailureDetails::error_type` shows it. The default is the Rust type's.
    #[must_use]
    pub fn with_type(mut self, error_type: impl Into<String>) -> Self {
        self.0.error_type = error_type.into();
        self
    }

    /// The error inside, if it is of that type.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match &self.0.kind {
            Kind::Source(source) => source.downcast_ref(),
            Kind::Continue(_) => None,
        }
    }

    /// Whether a retry policy must not try again.
    #[must_use]
    pub fn is_non_retriable(&self) -> bool {
        self.0.non_retriable
    }

    /// What history and callers see of this error (spec 1.16).
    #[must_use]
    pub fn to_failure(&self) -> FailureDetails {
        let mut failure = match &self.0.kind {
            Kind::Source(source) => match source.downcast_ref::<TaskError>() {
                Some(TaskError::Failed(inner)) => {
                    let mut failure = FailureDetails::new(&self.0.error_type, text_of_task(inner))
                        .with_inner(inner.clone());
                    failure.is_non_retriable = inner.is_non_retriable;
                    failure
                }
                _ => {
                    let mut failure = FailureDetails::new(&self.0.error_type, source.to_string());
                    failure.inner = source.source().map(|cause| Box::new(cause_of(cause)));
                    failure
                }
            },
            Kind::Continue(_) => FailureDetails::new(
                "UsageError",
                "`continue_as_new` was returned by a function that is not an orchestrator",
            ),
        };
        failure.is_non_retriable |= self.0.non_retriable;
        failure
    }

    pub(crate) fn continuation(continuation: Continuation) -> Self {
        Self(Box::new(Inner {
            kind: Kind::Continue(continuation),
            error_type: "ContinueAsNew".to_owned(),
            non_retriable: false,
        }))
    }

    pub(crate) fn into_continuation(self) -> Result<Continuation> {
        match self.0.kind {
            Kind::Continue(continuation) => Ok(continuation),
            Kind::Source(_) => Err(self),
        }
    }

    fn source(source: Source, error_type: &str) -> Self {
        Self(Box::new(Inner {
            kind: Kind::Source(source),
            error_type: error_type.to_owned(),
            non_retriable: false,
        }))
    }
}

/// The reference's sentence for a task whose failure nobody handled.
fn text_of_task(failure: &FailureDetails) -> String {
    let property = |name: &str| {
        failure
            .properties
            .get(name)
            .and_then(serde_json::Value::as_str)
    };
    match (property("functionKind"), property("functionName")) {
        (Some(kind), Some(name)) => format!(
            "The {kind} function '{name}' failed: \"{}\". See the function execution logs for additional details.",
            failure.message
        ),
        _ => failure.message.clone(),
    }
}

/// The causes of an error are known by their messages alone: Rust keeps no names of types behind `dyn Error`.
fn cause_of(cause: &(dyn StdError + 'static)) -> FailureDetails {
    if let Some(TaskError::Failed(failure)) = cause.downcast_ref::<TaskError>() {
        return failure.clone();
    }
    let mut failure = FailureDetails::new("Error", cause.to_string());
    failure.inner = cause.source().map(|next| Box::new(cause_of(next)));
    failure
}

impl<E: Into<Source> + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let name = type_name::<E>();
        let texts = ["&str", "alloc::string::String", "anyhow::Error"];
        let is_text = texts.contains(&&*name);
        Self::source(error.into(), if is_text { "Error" } else { &name })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Source(source) => source.fmt(f),
            Kind::Continue(_) => f.write_str("continue as new"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Source(source) => write!(f, "{}: {source:?}", self.0.error_type),
            Kind::Continue(continuation) => continuation.fmt(f),
        }
    }
}
