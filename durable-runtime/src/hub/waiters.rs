//! Who waits for the end of an instance: told by the commit, not by polling.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::store::InstanceRecord;

/// An instance as its end left it.
pub(crate) type End = Arc<InstanceRecord>;

/// Waiters by instance id.
#[derive(Default)]
pub(crate) struct Waiters {
    count: AtomicUsize,
    all: Mutex<HashMap<String, Vec<oneshot::Sender<End>>>>,
}

impl Waiters {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<oneshot::Sender<End>>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many instances somebody waits for.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Resolves when the instance ends, from now on.
    pub(crate) fn wait(&self, id: &str) -> oneshot::Receiver<End> {
        let (sender, receiver) = oneshot::channel();
        self.add(id, sender);
        receiver
    }

    /// Tells `sender` when the instance ends, from now on, unless nobody listens any more.
    pub(crate) fn add(&self, id: &str, sender: oneshot::Sender<End>) {
        if sender.is_closed() {
            return;
        }
        let mut all = self.lock();
        let waiting = all.entry(id.to_owned()).or_default();
        // Those who gave up are cleared away by the next who comes.
        waiting.retain(|other| !other.is_closed());
        waiting.push(sender);
        self.count.store(all.len(), Ordering::Release);
    }

    /// Clears away who waits for this one and is dropped before what this gives.
    pub(crate) fn leaving<'a>(&'a self, id: &'a str) -> Leaving<'a> {
        Leaving { waiters: self, id }
    }

    /// The instance has ended.
    pub(crate) fn tell(&self, end: &End) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut all = self.lock();
        for sender in all.remove(&*end.id).into_iter().flatten() {
            let _ = sender.send(Arc::clone(end));
        }
        self.count.store(all.len(), Ordering::Release);
    }
}

/// See [`Waiters::leaving`].
pub(crate) struct Leaving<'a> {
    waiters: &'a Waiters,
    id: &'a str,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut all = self.waiters.lock();
        if let Some(waiting) = all.get_mut(self.id) {
            waiting.retain(|other| !other.is_closed());
            if waiting.is_empty() {
                all.remove(self.id);
            }
        }
        self.waiters.count.store(all.len(), Ordering::Release);
    }
}
