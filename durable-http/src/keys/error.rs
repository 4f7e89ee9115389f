//! [`KeysError`]: why keys could not be read, made or changed.

use std::path::PathBuf;

use durable_runtime::store;

/// Why keys could not be read, made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The hub's database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// `AzureWebEncryptionKey` is not what it must be.
    #[error(
        "the setting `AzureWebEncryptionKey` (or one of `AzureWebEncryptionKey_..`) must be 64 hexadecimal digits (32 bytes), but {0}"
    )]
    Setting(String),
    /// The key file cannot be read, made or understood.
    #[error("the key file `{path}`, which encrypts the hub's keys, {problem}")]
    KeyFile {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A stored key cannot be decrypted.
    #[error(
        "the {what} in the hub's database cannot be decrypted with {with}: it was encrypted with another. \
         Put back the right one; keys are never replaced silently"
    )]
    Undecryptable {
        /// Which key.
        what: String,
        /// The setting or file that does not fit.
        with: String,
    },
    /// No function of that name has keys.
    #[error("no HTTP function `{0}`")]
    NoSuchFunction(String),
    /// No key of that name.
    #[error("there is no key `{0}`")]
    NoSuchKey(String),
    /// `_master` cannot be deleted.
    #[error("Cannot delete System Key.")]
    MasterStays,
    /// A name that no key can have.
    #[error(
        "`{0}` cannot name a key: expected 1 to 128 characters without `/` and control characters"
    )]
    Name(String),
    /// A value that no key can have.
    #[error("Invalid key value")]
    Value,
}
