//! [`Fault`]: what a query came to, sorted by what can be done about it.

use std::any::Any;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::store::Error;

/// Why a query gave nothing. Which kind it is decides what happens to the group that it is in.
#[derive(Debug)]
pub(super) enum Fault {
    /// A check said no, before anything was written.
    Refused(Error),
    /// This change can never be written.
    Content(String),
    /// The disk, or whoever holds the file, does not take writes now.
    Disk(String),
    /// What is stored makes no sense.
    Corrupt(String),
    /// Anything else.
    Backend(String),
}

impl Fault {
    /// What was caught of a panic.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Backend(format!("the store panicked: {}", text.unwrap_or_default()))
    }

    /// A value that cannot be serialised.
    pub(super) fn unwritable(error: &serde_json::Error) -> Self {
        Self::Content(error.to_string())
    }

    /// A stored value that cannot be read.
    pub(super) fn unreadable(what: &str, iid: i64, error: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("{what} of instance number {iid}: {error}"))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Content(text) => Self::Content(text),
            Fault::Disk(text) => Self::Unavailable(text),
            Fault::Corrupt(text) => Self::Corrupt(text),
            Fault::Backend(text) => Self::Backend(text),
        }
    }
}

impl From<DieselError> for Fault {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(
                DatabaseErrorKind::Unknown | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => by_message(info.message()),
            DieselError::DatabaseError(_, info) => Self::Content(info.message().to_owned()),
            DieselError::SerializationError(error) => Self::Content(error.to_string()),
            DieselError::DeserializationError(error) => Self::Corrupt(error.to_string()),
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            other => Self::Backend(other.to_string()),
        }
    }
}

/// Diesel passes on SQLite's text but not its code. The texts are those of `sqlite3ErrStr` and have not changed since 2013.
fn by_message(message: &str) -> Fault {
    const DISK: [(&str, &str); 11] = [
        ("database or disk is full", "free some space on it"),
        ("disk I/O error", "look at the disk and its mount"),
        (
            "attempt to write a readonly database",
            "make the file and its folder writable for this user",
        ),
        (
            "database is locked",
            "another program writes to the file: end it",
        ),
        (
            "database table is locked",
            "another program writes to the file: end it",
        ),
        (
            "database schema is locked",
            "another program writes to the file: end it",
        ),
        (
            "unable to open database file",
            "look at the folder's rights, and whether it is still there",
        ),
        ("out of memory", "give the process more memory"),
        (
            "locking protocol",
            "the file system does not lock files: use a local one",
        ),
        (
            "access permission denied",
            "make the file and its folder writable for this user",
        ),
        (
            "large file support is disabled",
            "the file has outgrown its file system",
        ),
    ];
    const CORRUPT: [&str; 2] = ["database disk image is malformed", "file is not a database"];
    if let Some((_, help)) = DISK.iter().find(|(text, _)| message.contains(text)) {
        Fault::Disk(format!("{message}; help: {help}"))
    } else if CORRUPT.iter().any(|text| message.contains(text)) {
        Fault::Corrupt(format!(
            "{message}; help: restore the hub's database from a backup"
        ))
    } else if message.contains("too big") || message.contains("constraint failed") {
        Fault::Content(message.to_owned())
    } else {
        Fault::Backend(message.to_owned())
    }
}
