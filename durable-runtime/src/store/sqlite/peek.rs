//! Reading beside the process that owns the hub: the file, not the lock.

use std::path::Path;
use std::time::Duration;

use super::open::{Durability, Place};
use super::{KeyRecord, OpenError, query};

/// All keys of the hub at `path`, whoever holds it; nothing is changed and nothing is made. Blocks.
///
/// This is how a tool of the hub's owner finds the key with which it then speaks to the running host.
///
/// # Errors
/// A file that is not there or is no hub, and what SQLite says.
pub fn peek_keys(path: &Path) -> Result<Vec<KeyRecord>, OpenError> {
    // SQLite would make the file.
    path.metadata().map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let place = Place {
        path: Some(path.to_owned()),
        busy_timeout: Duration::from_secs(2),
        durability: Durability::Full,
    };
    query::keys(&mut place.reader()?)
        .map_err(|fault| place.failed(crate::store::Error::from(fault)))
}
