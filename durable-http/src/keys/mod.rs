//! Access keys: made, kept encrypted in the hub's database, held in memory, compared with what requests present.
//!
//! No request costs a database call: [`Keys`] answers from a snapshot that every change replaces, of which each thread has a copy. The store is told ciphertext
//! only. What a key opens is decided in `level`, where a request carries it in `presented`, who may do what to keys in `change`.

mod change;
mod cipher;
mod error;
#[cfg(feature = "cli")]
pub(crate) mod files;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod generate;
mod key_file;
mod level;
mod load;
mod padded;
mod presented;
mod scope;
mod secret;
mod snapshot;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use actix_web::HttpRequest;
use durable_runtime::store::Store;

pub use cipher::Cipher;
pub use error::KeysError;
#[cfg(any(test, fuzzing))]
pub(crate) use fuzz::fuzz_keys_file;
pub use level::{Denied, Grant, Level};
pub use presented::presented_key;

pub(crate) use change::Changed;
pub(crate) use level::{may_administrate, may_use_extension};
pub(crate) use scope::Scope;
pub(crate) use secret::Secret;
pub(crate) use snapshot::Key;

use crate::__private::AuthLevel;
use crate::host::Shared;
use standing::Standing;

/// The keys of a host. Cheap to clone; shows none of them.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    cipher: Cipher,
    /// Lower-case names of all functions.
    functions: HashSet<String>,
    standing: Standing,
    /// One change at a time, so that the last read that replaces the snapshot is the latest.
    changing: tokio::sync::Mutex<()>,
}

impl Keys {
    /// What the presented value grants on a call of that function, or on a path that is none.
    #[must_use]
    pub fn grant(&self, presented: &str, function: Option<&str>) -> Option<Grant> {
        self.0.standing.own(|keys| keys.grant(presented, function))
    }

    /// The keys of a scope, in the order in which they were last put.
    pub(crate) fn list(&self, scope: &Scope) -> Vec<Key> {
        self.0
            .standing
            .read(|keys| keys.keys(scope).cloned().collect())
    }

    /// Whether there are such keys: any of the host's, and of a function that is known.
    pub(crate) fn knows(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Function(name) => self.0.functions.contains(name),
            _ => true,
        }
    }

    /// The key of that name, in any case; `_master` among the system keys is the master key.
    pub(crate) fn get(&self, scope: &Scope, name: &str) -> Option<Key> {
        if *scope == Scope::System && change::is_master(name) {
            return self.master();
        }
        self.0.standing.read(|keys| keys.get(scope, name).cloned())
    }

    /// The master key.
    pub(crate) fn master(&self) -> Option<Key> {
        self.0
            .standing
            .read(|keys| keys.keys(&Scope::Master).next().cloned())
    }

    /// The value of `{extension}_extension`, which is made anew if it was deleted.
    pub(crate) fn of_extension(&self, extension: &str) -> Secret {
        let name = format!("{extension}_extension");
        match self.get(&Scope::System, &name) {
            Some(key) => key.value,
            None => self.make_extension_key(&name),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Whether the request may call the function, and as whom.
///
/// # Errors
/// [`Denied::Unauthorized`] when the key is missing, unknown, or of a level that does not open the function.
pub fn authorize_function(
    shared: &Shared,
    req: &HttpRequest,
    function: &str,
    level: AuthLevel,
) -> Result<Option<Grant>, Denied> {
    if !shared.auth {
        return Ok(Some(Grant::unguarded()));
    }
    let grant = presented_key(req).and_then(|key| shared.keys.grant(&key, Some(function)));
    level::may_call(level, grant.as_ref().map(|grant| grant.level))?;
    Ok(grant)
}

/// What the key of the request grants on a path that is no function.
pub(crate) fn grant_of(shared: &Shared, req: &HttpRequest) -> Option<Grant> {
    if !shared.auth {
        return Some(Grant::unguarded());
    }
    presented_key(req).and_then(|key| shared.keys.grant(&key, None))
}
