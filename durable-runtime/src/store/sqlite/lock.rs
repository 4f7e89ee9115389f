//! The lock file beside the database: one process owns a hub, and the next one is told who.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{OpenError, file};
use crate::model::Timestamp;

/// Who holds a hub's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// When it opened the database.
    pub started: Timestamp,
    /// Where it listens, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Who holds the hub's database at `path` now, if anybody does and has said so.
///
/// # Errors
/// What the file system says about the lock file, unless there is none.
pub fn read_holder(path: &Path) -> io::Result<Option<Holder>> {
    let mut file = match File::open(beside(&file::resolved(path))) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| None),
        Err(TryLockError::WouldBlock) => Ok(told(&mut file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The lock, held until it is released or dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: Mutex<File>,
    holder: Mutex<Holder>,
    abandoned: bool,
}

impl Lock {
    /// Takes the lock of the database at `path`, which is its own, not that of a link to it.
    pub(super) fn take(path: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let place = beside(path);
        let failed = |source| OpenError::Io {
            path: place.clone(),
            source,
        };
        let mut file = file::private()
            .read(true)
            .create(true)
            .truncate(false)
            .open(&place)
            .map_err(failed)?;
        if !try_for_a_moment(&file).map_err(failed)? {
            return Err(OpenError::Held {
                path: path.to_owned(),
                holder: told(&mut file),
            });
        }
        let written = file.metadata().map_err(failed)?.len();
        let lock = Self {
            // Whoever lets go of it empties it.
            abandoned: written > 0,
            file: Mutex::new(file),
            holder: Mutex::new(Holder {
                pid: std::process::id(),
                started: now,
                url: None,
            }),
        };
        lock.write().map_err(failed)?;
        Ok(lock)
    }

    /// Whether the last holder died with it.
    pub(super) const fn was_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Tells those who come later where this process listens.
    pub(super) fn announce(&self, url: &str) -> io::Result<()> {
        self.holder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .url = Some(url.to_owned());
        self.write()
    }

    /// Lets go. The file stays: removing it would race with whoever opens it now.
    pub(super) fn release(&self) {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.set_len(0).and_then(|()| file.unlock()) {
            tracing::warn!(%error, "the hub's lock file could not be released; the end of this process will");
        }
    }

    fn write(&self) -> io::Result<()> {
        let text =
            serde_json::to_vec(&*self.holder.lock().unwrap_or_else(PoisonError::into_inner))?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }
}

/// Not at once: [`read_holder`] holds it for a moment to find out.
fn try_for_a_moment(file: &File) -> io::Result<bool> {
    for _ in 0..5 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// What the holder wrote; nothing while it writes, nor where a lock keeps readers out.
fn told(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
