//! [`Standing`]: the snapshot that counts, and a copy of it for each thread that answers requests.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use thread_local::ThreadLocal;

use super::snapshot::Snapshot;

/// The snapshot that counts. A request reads its thread's own copy: that it is the latest is one look at a number that only changes with the keys,
/// where a lock would be written to by every request of every thread.
pub(super) struct Standing {
    snapshot: RwLock<Snapshot>,
    /// Counts changes; rises after the snapshot has changed and before whoever changed it is told.
    version: AtomicU64,
    copies: ThreadLocal<RefCell<Copy>>,
}

struct Copy {
    version: u64,
    snapshot: Snapshot,
}

impl Standing {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: RwLock::new(snapshot),
            version: AtomicU64::new(0),
            copies: ThreadLocal::new(),
        }
    }

    /// Reads what counts now.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        let snapshot = self.snapshot.read();
        read(&snapshot.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads this thread's copy of what counts now. `read` must not come back here.
    pub(super) fn own<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        let version = self.version.load(Ordering::Acquire);
        let copy = self.copies.get_or(|| RefCell::new(self.copy(version)));
        if copy.borrow().version != version {
            copy.replace(self.copy(version));
        }
        read(&copy.borrow().snapshot)
    }

    /// At least as new as `version`.
    fn copy(&self, version: u64) -> Copy {
        Copy {
            version,
            snapshot: self.read(Snapshot::apart),
        }
    }

    /// Changes what counts from the next request on.
    pub(super) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(&mut snapshot);
        self.version.fetch_add(1, Ordering::Release);
    }
}
