//! [`Failure`]: why a command did not do what it was asked to.

use durable_runtime::store;
use durable_runtime::store::sqlite::OpenError;

use crate::keys::KeysError;

/// Why a command did not do what it was asked to. It is printed, and the exit status is 1.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The program around the tool.
    #[error("{0}")]
    App(durable_runtime::Error),
    /// The hub's file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The hub's database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Its keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The running host cannot be reached.
    #[error("the host at {url} does not answer: {problem}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// Files, standard input and output.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A refusal in plain words.
    #[error("{0}")]
    Refused(String),
}

impl From<durable_runtime::Error> for Failure {
    fn from(error: durable_runtime::Error) -> Self {
        Self::App(error)
    }
}

impl Failure {
    pub(super) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }

    pub(super) fn no_instance(id: &str) -> Self {
        Self::Refused(format!("there is no instance `{id}`"))
    }

    pub(super) fn ended(id: &str) -> Self {
        Self::Refused(format!("the instance `{id}` has ended"))
    }
}
