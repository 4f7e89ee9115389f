//! [`Pause`]: whether functions may begin. While the host is drained or offline none does; what runs goes on to its end.
//!
//! Activities keep their own flag, under the lock of their queue. Orchestrators go on: what they ask for waits.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Whether timer functions and batches of entities may begin, and how many run.
#[derive(Debug)]
pub(crate) struct Pause {
    paused: watch::Sender<bool>,
    running: AtomicUsize,
}

/// A timer function or a batch that runs; dropped, it has ended.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pause {
    pub(super) fn new(paused: bool) -> Self {
        Self {
            paused: watch::Sender::new(paused),
            running: AtomicUsize::new(0),
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Says whether anything may begin; what waits is told.
    pub(super) fn set(&self, paused: bool) {
        self.paused.send_replace(paused);
    }

    /// Resolves when things may begin again; `None`: they may now.
    pub(super) fn end(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let mut paused = self.paused.subscribe();
        let waits = *paused.borrow();
        waits.then_some(async move {
            // Without its engine nothing begins anyway.
            let _ = paused.wait_for(|paused| !paused).await;
        })
    }

    /// Counts one that runs.
    pub(super) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(&self.running)
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}
