//! [`Schedule`]: when a timer function runs.
//!
//! Where clocks are changed: a schedule that names its hours runs once for a time that the clock skips, at the next time there is, and
//! once, the first time, for one that it shows twice. A schedule of every hour follows the hours as they pass instead: nothing runs twice
//! at one instant, and no hour goes without.

use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;

use super::ncrontab::{self, Fields};
use super::zone::Zone;

const EVERY_HOUR: u64 = (1 << 24) - 1;
/// No clock was ever set further forward.
const LONGEST_GAP: i64 = 26 * 60;

/// An NCRONTAB schedule in its time zone.
///
/// ```
/// use durable_runtime::timer::{Schedule, Zone};
///
/// let schedule = Schedule::parse("0 30 9 * * MON-FRI", Zone::default())?;
/// let saturday = "2026-01-03T00:00:00Z".parse().unwrap();
/// let monday = schedule.after(saturday).unwrap();
/// assert_eq!(monday.to_rfc3339(), "2026-01-05T09:30:00+00:00");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    fields: Fields,
    zone: Zone,
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, Zone::default())
    }
}

impl Schedule {
    /// Reads six fields, `second minute hour day month day-of-week`, or five, in which the second is 0.
    ///
    /// # Errors
    /// What is wrong, what was expected and what to do.
    pub fn parse(text: &str, zone: Zone) -> Result<Self, String> {
        let fields = ncrontab::parse(text)?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { text, fields, zone })
    }

    /// The fields, and the zone if it is not UTC: two schedules that show the same are the same.
    #[must_use]
    pub fn text(&self) -> String {
        match self.zone {
            utc if utc == Zone::default() => self.text.clone(),
            zone => format!("{} {zone}", self.text),
        }
    }

    /// The first instant of the schedule that is later; `None` outside of the years 1 to 9999.
    #[must_use]
    pub fn after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !(1..10_000).contains(&instant.year()) {
            None
        } else if self.fields.hours == EVERY_HOUR {
            self.after_as_hours_pass(instant)
        } else {
            self.after_as_clocks_show(instant)
        }
    }

    /// The last instant of the schedule from `first`, which is one, to `until`.
    #[must_use]
    pub fn last(&self, first: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
        let has_more = |after: DateTime<Utc>| self.after(after).filter(|next| *next <= until);
        let Some(mut found) = has_more(first) else {
            return first;
        };
        // Whether there is one between a second and the end is true up to the last one, and then false.
        let (mut low, mut high) = (0, (until - found).num_seconds() + 1);
        let start = found;
        while low < high {
            let middle = low + (high - low) / 2;
            match has_more(start + TimeDelta::seconds(middle)) {
                Some(later) => {
                    found = later;
                    low = (later - start).num_seconds();
                }
                None => high = middle,
            }
        }
        found
    }

    fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.zone.0).naive_local()
    }

    fn after_as_clocks_show(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut shown = self.local(instant);
        loop {
            shown = self.fields.after(shown)?;
            let at = first_instant(self.zone.0, shown)?;
            if at > instant {
                return Some(at);
            }
        }
    }

    /// Between two changes of the clocks an hour is an hour; they are looked for day by day.
    fn after_as_hours_pass(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (mut from, mut offset) = (instant, self.offset(instant));
        let mut shown = self.fields.after(instant.naive_utc() + offset)?;
        loop {
            let at = (shown - offset).and_utc();
            let day_later = from.checked_add_days(Days::new(1))?;
            match self.change_between(from, day_later) {
                Some(change) if change <= at => {
                    (from, offset) = (change, self.offset(change));
                    // The very time that they were set to may be one.
                    let just_before = change.naive_utc() + offset - TimeDelta::nanoseconds(1);
                    shown = self.fields.after(just_before)?;
                }
                _ if at <= day_later => return Some(at),
                _ => from = day_later,
            }
        }
    }

    fn offset(&self, instant: DateTime<Utc>) -> TimeDelta {
        let offset = self.zone.0.offset_from_utc_datetime(&instant.naive_utc());
        TimeDelta::seconds(offset.fix().local_minus_utc().into())
    }

    /// The second at which clocks are changed.
    fn change_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = self.offset(from);
        if self.offset(to) == before {
            return None;
        }
        let from = from.with_nanosecond(0)?;
        let (mut low, mut high) = (0, (to - from).num_seconds());
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.offset(from + TimeDelta::seconds(middle)) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(from + TimeDelta::seconds(high))
    }
}

/// When a clock first shows that time, or if it skips it, the time after.
fn first_instant(zone: Tz, shown: NaiveDateTime) -> Option<DateTime<Utc>> {
    if let Some(at) = zone.from_local_datetime(&shown).earliest() {
        return Some(at.to_utc());
    }
    let minute = shown.with_second(0)?;
    (1..=LONGEST_GAP)
        .find_map(|more| {
            zone.from_local_datetime(&(minute + TimeDelta::minutes(more)))
                .earliest()
        })
        .map(|at| at.to_utc())
}

impl Fields {
    /// The first time that is later and allowed, on a clock that is never changed.
    fn after(&self, shown: NaiveDateTime) -> Option<NaiveDateTime> {
        let earliest = shown
            .with_nanosecond(0)?
            .checked_add_signed(TimeDelta::seconds(1))?;
        let (mut day, mut from) = (earliest.date(), earliest.time());
        while day.year() < 10_000 {
            if self.months & (1 << day.month()) == 0 {
                day = first_of_next_month(day)?;
                from = NaiveTime::MIN;
                continue;
            }
            if self.allows(day)
                && let Some(time) = self.time(from)
            {
                return Some(day.and_time(time));
            }
            day = day.succ_opt()?;
            from = NaiveTime::MIN;
        }
        None
    }

    fn allows(&self, day: NaiveDate) -> bool {
        let weekday = day.weekday().num_days_from_sunday();
        self.days & (1 << day.day()) != 0 && self.weekdays & (1 << weekday) != 0
    }

    /// The first allowed time of a day that is not earlier.
    fn time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let time = NaiveTime::from_hms_opt;
        let minutes = |from| at_least(self.minutes, from);
        let seconds = |from| at_least(self.seconds, from);
        if self.hours & (1 << hour) != 0 {
            if self.minutes & (1 << minute) != 0
                && let Some(second) = seconds(second)
            {
                return time(hour, minute, second);
            }
            if let Some(minute) = minutes(minute + 1) {
                return time(hour, minute, seconds(0)?);
            }
        }
        time(at_least(self.hours, hour + 1)?, minutes(0)?, seconds(0)?)
    }
}

/// The first bit from `from`.
fn at_least(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from).unwrap_or(0);
    (rest != 0).then(|| from + rest.trailing_zeros())
}

fn first_of_next_month(day: NaiveDate) -> Option<NaiveDate> {
    match day.month() {
        12 => NaiveDate::from_ymd_opt(day.year() + 1, 1, 1),
        month => NaiveDate::from_ymd_opt(day.year(), month + 1, 1),
    }
}
