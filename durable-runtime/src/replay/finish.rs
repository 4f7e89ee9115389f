//! How an execution ends.

use super::context::{Continuation, ContinueOptions};
use super::slot::Buffered;
use crate::error::Error;
use crate::model::{FailureDetails, Payload, RuntimeStatus};

/// How an execution ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Completed(Payload),
    Failed(FailureDetails),
    Terminated {
        reason: Option<String>,
        recursive: bool,
    },
    ContinuedAsNew {
        input: Payload,
        options: ContinueOptions,
        carried: Vec<Carried>,
    },
}

/// An event that the next generation inherits.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) name: String,
    pub(crate) data: Payload,
}

impl End {
    /// The end that a function's result means; `unread` are the events that nobody read. An output may have `limit` bytes.
    pub(super) fn of(result: Result<Payload, Error>, unread: Vec<Buffered>, limit: usize) -> Self {
        match result.map_err(Error::into_continuation) {
            Ok(output) => match output.check(limit) {
                Ok(()) => Self::Completed(output),
                Err(error) => {
                    let text = format!("the output is too large: {error}");
                    Self::Failed(Error::usage(text).to_failure())
                }
            },
            Err(Ok(continuation)) => Self::continued(continuation, unread),
            Err(Err(error)) => Self::Failed(error.to_failure()),
        }
    }

    fn continued(mut continuation: Continuation, unread: Vec<Buffered>) -> Self {
        let (input, options) = continuation.take();
        let keep = !options.discard_events;
        let carried = unread
            .into_iter()
            .filter(|_| keep)
            .map(|event| Carried {
                name: event.name,
                data: event.data,
            })
            .collect();
        Self::ContinuedAsNew {
            input,
            options,
            carried,
        }
    }

    /// The status that this end gives the instance.
    pub(crate) const fn status(&self) -> RuntimeStatus {
        match self {
            Self::Completed(_) => RuntimeStatus::Completed,
            Self::Failed(_) => RuntimeStatus::Failed,
            Self::Terminated { .. } => RuntimeStatus::Terminated,
            Self::ContinuedAsNew { .. } => RuntimeStatus::ContinuedAsNew,
        }
    }
}
