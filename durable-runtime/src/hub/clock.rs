//! The one real clock. Everything else asks it, so that tests can turn another by hand.

use std::fmt;
use std::time::Duration;

use chrono::Utc;
use futures::future::BoxFuture;

use crate::model::Timestamp;

/// Tells the time, and waits for it.
pub(crate) trait Clock: Send + Sync + fmt::Debug + 'static {
    fn now(&self) -> Timestamp;
    /// Resolves at `at`, or a little earlier: whoever waits looks at [`Self::now`] again.
    fn wait_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
    /// How far ahead timers of instances that are not in memory have an entry there; `None`: all of them.
    fn horizon(&self) -> Option<Duration> {
        Some(super::recovery::HORIZON)
    }
}

/// The wall clock. Looks again at least every 10 s, so that a clock set forward is noticed.
#[derive(Debug)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let span = self.now().until(at).min(Duration::from_secs(10));
        Box::pin(tokio::time::sleep(span))
    }
}
