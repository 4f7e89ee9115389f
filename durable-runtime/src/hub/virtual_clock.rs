//! [`VirtualClock`]: the clock of tests. It stands still, or runs beside the wall clock, and is moved by hand or by whoever waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use futures::future::BoxFuture;
use tokio::sync::Notify;

use super::clock::Clock;
use crate::model::Timestamp;

/// A clock that can be moved on, never back.
#[derive(Debug)]
pub struct VirtualClock {
    reading: Mutex<Reading>,
    moved: Arc<Notify>,
    moving: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    Still(Timestamp),
    /// The wall clock, and so much more.
    Ahead(Duration),
}

impl VirtualClock {
    /// It shows the wall clock's time of now, and stands still.
    #[must_use]
    pub fn still() -> Self {
        Self::new(Reading::Still(Utc::now().into()))
    }

    /// It runs with the wall clock.
    #[must_use]
    pub fn running() -> Self {
        Self::new(Reading::Ahead(Duration::ZERO))
    }

    fn new(reading: Reading) -> Self {
        Self {
            reading: Mutex::new(reading),
            moved: Arc::default(),
            moving: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it moves only when it is told to.
    pub(crate) fn stands_still(&self) -> bool {
        matches!(*self.lock(), Reading::Still(_))
    }

    /// Held by whoever decides where to move it.
    pub(crate) fn alone(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on to `at`; does nothing if it is later already.
    pub(crate) fn move_to(&self, at: Timestamp) {
        match &mut *self.lock() {
            Reading::Still(now) => *now = at.max(*now),
            Reading::Ahead(by) => {
                let now = Timestamp::from(Utc::now()).plus(*by);
                *by = by.saturating_add(now.until(at));
            }
        }
        self.moved.notify_waiters();
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        match *self.lock() {
            Reading::Still(now) => now,
            Reading::Ahead(by) => Timestamp::from(Utc::now()).plus(by),
        }
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let moved = Arc::clone(&self.moved).notified_owned();
        let span = (!self.stands_still()).then(|| self.now().until(at));
        Box::pin(async move {
            match span {
                None => moved.await,
                Some(span) => tokio::select! {
                    () = moved => {}
                    () = tokio::time::sleep(span) => {}
                },
            }
        })
    }

    fn horizon(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn it_moves_on_and_never_back_and_wakes_who_waits() {
        for clock in [VirtualClock::still(), VirtualClock::running()] {
            let later = clock.now().plus(Duration::from_secs(3_600));
            let mut wait = clock.wait_until(later);
            if clock.stands_still() {
                assert!((&mut wait).now_or_never().is_none());
                assert_eq!(clock.now(), clock.now());
            }
            clock.move_to(later);
            assert!(clock.now() >= later, "{clock:?}");
            clock.move_to(Timestamp::MIN);
            assert!(clock.now() >= later, "{clock:?}");
        }
    }
}
