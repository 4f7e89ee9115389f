//! How many requests may be here, and how many of them run.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many requests may be here, and how many of them run. Costs nothing where neither is limited.
#[derive(Debug)]
pub(crate) struct Throttle {
    max_outstanding: Option<usize>,
    outstanding: AtomicUsize,
    concurrent: Option<Semaphore>,
}

/// A request that was let in; dropped, it makes room.
#[derive(Debug)]
pub(crate) struct Admitted<'a> {
    counted: Option<&'a AtomicUsize>,
    _running: Option<SemaphorePermit<'a>>,
}

impl Throttle {
    pub(crate) fn new(max_outstanding: Option<usize>, max_concurrent: Option<usize>) -> Self {
        Self {
            max_outstanding,
            outstanding: AtomicUsize::new(0),
            concurrent: max_concurrent.map(Semaphore::new),
        }
    }

    /// Waits for its turn; `None`: too many are waiting already.
    pub(crate) async fn admit(&self) -> Option<Admitted<'_>> {
        let mut admitted = Admitted {
            counted: None,
            _running: None,
        };
        if let Some(max) = self.max_outstanding {
            let before = self.outstanding.fetch_add(1, Ordering::Relaxed);
            admitted.counted = Some(&self.outstanding);
            if before >= max {
                return None;
            }
        }
        if let Some(concurrent) = &self.concurrent {
            admitted._running = concurrent.acquire().await.ok();
        }
        Some(admitted)
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(outstanding) = self.counted {
            outstanding.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_too_many_is_turned_away_until_another_leaves() {
        let throttle = Throttle::new(Some(1), Some(1));
        let first = throttle.admit().await;
        assert!(first.is_some());
        assert!(throttle.admit().await.is_none());
        drop(first);
        assert!(throttle.admit().await.is_some());
    }
}
