//! [`Busy`]: whether anything is under way, told by those who do it: who waits for the end of it needs no look at a clock.
//!
//! Work is handed on before it is let go: a commit's call-back queues the next turn, and only then ends. So a count of zero means that nothing
//! will happen any more unless a timer comes due or somebody outside asks for something.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Counts what is under way: turns queued or made, changes not yet answered, slots of activities, messages between two of these.
#[derive(Debug, Default)]
pub(crate) struct Busy(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    works: AtomicUsize,
    /// The last one ended.
    ended: Notify,
    /// The first one began.
    began: Notify,
}

/// Something that is under way until this is dropped.
#[must_use = "it ends when this is dropped"]
pub(crate) struct Work(Arc<Count>);

impl Busy {
    /// Something begins.
    pub(crate) fn begin(&self) -> Work {
        if self.0.works.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.began.notify_waiters();
        }
        Work(Arc::clone(&self.0))
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.0.works.load(Ordering::SeqCst) == 0
    }

    /// Resolves when nothing is under way.
    pub(crate) async fn quiet(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.is_quiet() {
                return;
            }
            ended.await;
        }
    }

    /// Resolves when something begins while nothing else is under way, from this call on.
    pub(crate) fn stirred(&self) -> Notified<'_> {
        self.0.began.notified()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if self.0.works.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn quiet_is_told_by_the_last_one_alone() {
        let busy = Busy::default();
        assert!(busy.quiet().now_or_never().is_some());
        let (one, other) = (busy.begin(), busy.begin());
        let mut quiet = Box::pin(busy.quiet());
        assert!(quiet.as_mut().now_or_never().is_none());
        drop(one);
        assert!(quiet.as_mut().now_or_never().is_none());
        drop(other);
        assert!(quiet.now_or_never().is_some());
    }

    #[test]
    fn what_begins_after_the_call_is_noticed_however_short() {
        let busy = Busy::default();
        let stirred = busy.stirred();
        drop(busy.begin());
        assert!(stirred.now_or_never().is_some());
        assert!(busy.stirred().now_or_never().is_none());
    }
}
