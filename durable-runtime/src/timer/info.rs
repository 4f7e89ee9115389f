//! [`TimerInfo`]: what a timer function can know of its run.

use chrono::{DateTime, Utc};

/// What a timer function can know of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerInfo {
    /// Whether no host was there at the instant: the run is made up for, once, however many were missed.
    pub is_past_due: bool,
    /// The instant that the run before this one was for; 1970 if there was none.
    pub last: DateTime<Utc>,
    /// The instant of the schedule that comes next.
    pub next: DateTime<Utc>,
    /// The instant that this run is for: of the schedule (if some were missed, the latest of them), or of the host's start.
    pub scheduled: DateTime<Utc>,
}

impl TimerInfo {
    /// Of a first run, right on time. The next is due a minute later.
    pub(crate) fn on_time(now: DateTime<Utc>) -> Self {
        Self {
            is_past_due: false,
            last: DateTime::UNIX_EPOCH,
            next: now
                .checked_add_signed(chrono::TimeDelta::minutes(1))
                .unwrap_or(now),
            scheduled: now,
        }
    }
}
