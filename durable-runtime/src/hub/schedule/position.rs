//! [`Position`]: where one schedule stands, and what follows from that. Pure: no clock, no store.

use std::time::Duration;

use chrono::DateTime;

use crate::model::Timestamp;
use crate::store::TimerRecord;
use crate::timer::{Schedule, ScheduledTimer, TimerInfo};

/// A run that begins later than this is past due.
const PUNCTUAL: Duration = Duration::from_secs(10);

/// Where one schedule stands.
#[derive(Debug)]
pub(super) struct Position {
    record: TimerRecord,
    schedule: Schedule,
    /// Since when a host is there: instants before that were missed.
    since: Timestamp,
    /// Another host has the run until then.
    not_before: Timestamp,
    /// Whether the store does not know it yet.
    changed: bool,
}

/// A run that is to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// The instant that it is for.
    pub(super) scheduled: Timestamp,
    pub(super) past_due: bool,
    /// Of the host's start, not of the schedule.
    pub(super) on_startup: bool,
}

impl Position {
    /// From what was stored, if anything was. A run that was missed stays due when the schedule has changed; what a disabled function
    /// missed it did not.
    pub(super) fn at_start(
        timer: &ScheduledTimer,
        stored: Option<TimerRecord>,
        now: Timestamp,
    ) -> Self {
        let schedule = timer.schedule.clone();
        let mut record = stored.clone().unwrap_or_else(|| TimerRecord {
            name: timer.timer.name.to_lowercase(),
            schedule: String::new(),
            last: None,
            next: Timestamp::MAX,
            deliveries: 0,
            sequence: 0,
        });
        if timer.disabled {
            // Nothing to forget of what was never stored.
            record.schedule.clear();
            (record.next, record.deliveries) = (Timestamp::MAX, 0);
            let changed = stored.is_some_and(|stored| stored != record);
            return Self {
                record,
                schedule,
                since: now,
                not_before: Timestamp::MIN,
                changed,
            };
        }
        let text = schedule.text();
        if record.schedule != text && record.next > now {
            (record.next, record.deliveries) = (after(&schedule, now), 0);
        }
        record.schedule = text;
        let changed = stored.is_none_or(|stored| stored != record);
        Self {
            record,
            schedule,
            since: now,
            not_before: Timestamp::MIN,
            changed,
        }
    }

    /// Another host was faster: it is left alone until the next instant, which finds what became of its run.
    pub(super) fn lose(&mut self, stored: TimerRecord, now: Timestamp) {
        self.record = stored;
        self.not_before = after(&self.schedule, now);
        self.changed = false;
    }

    /// Follows a clock that was set back: else the next run would be as late as the clock once was. The instant that was run for last is
    /// not run for again.
    pub(super) fn follow(&mut self, now: Timestamp) {
        let mut expected = after(&self.schedule, now);
        if self.record.last == Some(expected) {
            expected = after(&self.schedule, expected);
        }
        self.since = self.since.min(now);
        self.not_before = self.not_before.min(expected);
        if self.record.next > expected {
            self.record.next = expected;
            self.changed = true;
        }
    }

    pub(super) fn record(&self) -> &TimerRecord {
        &self.record
    }

    /// When to look again.
    pub(super) fn next(&self) -> Timestamp {
        self.record.next.max(self.not_before)
    }

    /// How often the run that is due was begun.
    pub(super) fn deliveries(&self) -> u32 {
        self.record.deliveries
    }

    /// Whether it is still to be written down.
    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// The run to be made at that time: one for all that were missed, the latest of them.
    pub(super) fn due(&self, now: Timestamp) -> Option<Due> {
        let next = self.record.next;
        if self.next() > now {
            return None;
        }
        let scheduled = self.schedule.last(next.to_utc(), now.to_utc()).into();
        Some(Due {
            scheduled,
            past_due: next <= self.since || next.until(now) > PUNCTUAL,
            on_startup: false,
        })
    }

    /// The run of the host's start.
    pub(super) fn on_startup(&self, now: Timestamp) -> Due {
        Due {
            scheduled: now,
            past_due: false,
            on_startup: true,
        }
    }

    /// What the function is told.
    pub(super) fn info(&self, due: &Due, now: Timestamp) -> TimerInfo {
        let mut info = TimerInfo::on_time(due.scheduled.to_utc());
        info.is_past_due = due.past_due;
        info.last = self
            .record
            .last
            .map_or(DateTime::UNIX_EPOCH, Timestamp::to_utc);
        info.next = after(&self.schedule, now).to_utc();
        info
    }

    pub(super) fn begin(&mut self) {
        self.record.deliveries += 1;
        self.changed = true;
    }

    /// It was not written down that it is begun.
    pub(super) fn undo(&mut self) {
        self.record.deliveries -= 1;
        self.changed = false;
    }

    /// The host has stopped the run, and is not taken down by it.
    pub(super) fn give_back(&mut self) {
        self.record.deliveries = self.record.deliveries.saturating_sub(1);
        self.changed = true;
    }

    /// Instants that passed during the run are left out.
    pub(super) fn end(&mut self, due: &Due, now: Timestamp) {
        self.record.last = Some(due.scheduled);
        // The clock may have been set back since.
        self.skip(now.max(due.scheduled));
    }

    /// On to the next instant that is still to come.
    pub(super) fn skip(&mut self, now: Timestamp) {
        if self.record.next <= now {
            self.record.next = after(&self.schedule, now);
        }
        self.record.deliveries = 0;
        self.changed = true;
    }

    pub(super) fn written(&mut self) {
        self.record.sequence += 1;
        self.changed = false;
    }
}

fn after(schedule: &Schedule, now: Timestamp) -> Timestamp {
    schedule
        .after(now.to_utc())
        .map_or(Timestamp::MAX, Timestamp::from)
}
