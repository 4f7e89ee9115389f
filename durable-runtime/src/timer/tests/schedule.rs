//! When schedules run.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use proptest::prelude::*;

use crate::timer::ncrontab::{self, Fields};
use crate::timer::{Schedule, Zone};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The next instants after one, as the schedule's clock shows them.
fn next(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let zone: Zone = zone.parse().unwrap();
    let schedule = Schedule::parse(schedule, zone).unwrap();
    let instants = std::iter::successors(schedule.after(at(after)), |at| schedule.after(*at));
    let show = |at: DateTime<Utc>| {
        let local = at.with_timezone(&zone.0);
        local.format("%Y-%m-%d %H:%M:%S %:z").to_string()
    };
    instants.map(show).take(count).collect()
}

#[test]
fn the_next_instants_are_those_that_every_field_allows() {
    for (schedule, after, expected) in [
        (
            "0 */5 * * * *",
            "2026-01-01T00:00:00Z",
            ["2026-01-01 00:05:00", "2026-01-01 00:10:00"],
        ),
        (
            "*/20 * * * * *",
            "2026-01-01T00:00:19.999Z",
            ["2026-01-01 00:00:20", "2026-01-01 00:00:40"],
        ),
        (
            "0 30 9 * * MON-FRI",
            "2026-01-02T09:30:00Z",
            ["2026-01-05 09:30:00", "2026-01-06 09:30:00"],
        ),
        // Both fields of days must allow it.
        (
            "0 0 0 13 * FRI",
            "2026-01-01T00:00:00Z",
            ["2026-02-13 00:00:00", "2026-03-13 00:00:00"],
        ),
        (
            "0 0 12 31 * *",
            "2026-01-31T12:00:00Z",
            ["2026-03-31 12:00:00", "2026-05-31 12:00:00"],
        ),
        (
            "59 59 23 31 12 *",
            "2026-12-31T23:59:59Z",
            ["2027-12-31 23:59:59", "2028-12-31 23:59:59"],
        ),
        (
            "0 0 0 29 2 *",
            "2096-03-01T00:00:00Z",
            ["2104-02-29 00:00:00", "2108-02-29 00:00:00"],
        ),
        (
            "0 0 * 29 2 SUN",
            "2033-01-01T00:00:00Z",
            ["2060-02-29 00:00:00", "2060-02-29 01:00:00"],
        ),
        (
            "10 15 8,20 * * *",
            "2026-01-01T08:15:10Z",
            ["2026-01-01 20:15:10", "2026-01-02 08:15:10"],
        ),
    ] {
        let expected = expected.map(|at| format!("{at} +00:00"));
        assert_eq!(next(schedule, "UTC", after, 2), expected, "{schedule}");
    }
}

/// In Berlin 02:00 to 03:00 is skipped on 2026-03-29.
#[test]
fn a_time_that_the_clock_skips_runs_once_at_the_next_there_is() {
    let daily = next("0 30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
    assert_eq!(
        daily,
        [
            "2026-03-28 02:30:00 +01:00",
            "2026-03-29 03:00:00 +02:00",
            "2026-03-30 02:30:00 +02:00"
        ]
    );
    let twice_skipped = next(
        "0 0,30 2,3 * * *",
        "Europe/Berlin",
        "2026-03-28T23:00:00Z",
        3,
    );
    assert_eq!(
        twice_skipped,
        [
            "2026-03-29 03:00:00 +02:00",
            "2026-03-29 03:30:00 +02:00",
            "2026-03-30 02:00:00 +02:00"
        ]
    );
}

/// In Berlin 02:00 to 03:00 is there twice on 2026-10-25.
#[test]
fn a_time_that_the_clock_shows_twice_runs_the_first_time() {
    let daily = next("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(
        daily,
        ["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"]
    );
    // Asked between the two.
    let later = next("0 30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1);
    assert_eq!(later, ["2026-10-26 02:30:00 +01:00"]);
}

#[test]
fn every_hour_is_every_hour_that_passes() {
    let spring = next("0 30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(
        spring,
        ["2026-03-29 01:30:00 +01:00", "2026-03-29 03:30:00 +02:00"]
    );
    let on_the_change = next("0 0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(
        on_the_change,
        ["2026-03-29 03:00:00 +02:00", "2026-03-29 04:00:00 +02:00"]
    );
    let autumn = next("0 0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4);
    assert_eq!(
        autumn,
        [
            "2026-10-25 02:00:00 +02:00",
            "2026-10-25 02:00:00 +01:00",
            "2026-10-25 03:00:00 +01:00",
            "2026-10-25 04:00:00 +01:00"
        ]
    );
}

/// In Beirut the hour before midnight is there twice, the date too.
#[test]
fn a_date_that_comes_back_counts_again() {
    let hours = next("0 30 * 24 10 *", "Asia/Beirut", "2026-10-24T20:00:00Z", 2);
    assert_eq!(
        hours,
        ["2026-10-24 23:30:00 +03:00", "2026-10-24 23:30:00 +02:00"]
    );
}

#[test]
fn a_day_that_a_zone_left_out_runs_at_its_end() {
    // Samoa went from the 29th to the 31st of December 2011.
    let noon = next("0 0 12 * * *", "Pacific/Apia", "2011-12-29T22:00:00Z", 2);
    assert_eq!(
        noon,
        ["2011-12-31 00:00:00 +14:00", "2011-12-31 12:00:00 +14:00"]
    );
}

#[test]
fn the_last_instant_until_now_is_found_however_many_were_missed() {
    for (schedule, first, until, expected) in [
        (
            "0 */5 * * * *",
            "2026-01-01T00:05:00Z",
            "2026-01-01T00:05:00Z",
            "2026-01-01T00:05:00Z",
        ),
        (
            "0 */5 * * * *",
            "2026-01-01T00:05:00Z",
            "2026-01-01T00:09:59Z",
            "2026-01-01T00:05:00Z",
        ),
        (
            "0 */5 * * * *",
            "2026-01-01T00:05:00Z",
            "2026-01-01T00:10:00Z",
            "2026-01-01T00:10:00Z",
        ),
        (
            "* * * * * *",
            "2000-01-01T00:00:00Z",
            "2026-01-01T00:10:00.5Z",
            "2026-01-01T00:10:00Z",
        ),
        // Nothing in the second half of the time.
        (
            "* * * * 1 *",
            "2026-01-01T00:00:00Z",
            "2026-12-01T00:00:00Z",
            "2026-01-31T23:59:59Z",
        ),
        (
            "0 0 0 1 1 *",
            "1990-01-01T00:00:00Z",
            "2026-12-31T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
    ] {
        let schedule = Schedule::parse(schedule, Zone::default()).unwrap();
        assert_eq!(
            schedule.last(at(first), at(until)),
            at(expected),
            "{}",
            schedule.text()
        );
    }
}

#[test]
fn schedules_are_told_apart_by_fields_and_zone() {
    let text = |schedule: &str, zone: &str| {
        Schedule::parse(schedule, zone.parse().unwrap())
            .unwrap()
            .text()
    };
    assert_eq!(text(" 0  0 * * * * ", "UTC"), "0 0 * * * *");
    assert_eq!(
        text("0 0 * * * *", "Europe/Berlin"),
        "0 0 * * * * Europe/Berlin"
    );
}

#[test]
fn far_from_any_year_nothing_runs() {
    let schedule: Schedule = "* * * * * *".parse().unwrap();
    assert_eq!(schedule.after(DateTime::<Utc>::MAX_UTC), None);
    assert_eq!(schedule.after(DateTime::<Utc>::MIN_UTC), None);
    assert_eq!(schedule.after(at("9999-12-31T23:59:59Z")), None);
}

/// A field as somebody might write it.
fn field(first: u32, last: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        1 => (first..=last).prop_map(|value| value.to_string()),
        1 => (1..20u32).prop_map(|step| format!("*/{step}")),
        1 => (first..=last, first..=last).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => proptest::collection::vec(first..=last, 1..4)
            .prop_map(|all| all.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
    ]
}

/// Whether a clock that shows this time is at an instant of the schedule.
fn allows(fields: &Fields, shown: &(impl Datelike + Timelike)) -> bool {
    [
        (fields.seconds, shown.second()),
        (fields.minutes, shown.minute()),
        (fields.hours, shown.hour()),
        (fields.days, shown.day()),
        (fields.months, shown.month()),
        (fields.weekdays, shown.weekday().num_days_from_sunday()),
    ]
    .iter()
    .all(|(bits, value)| bits & (1 << value) != 0)
}

proptest! {
    /// Against looking at each second.
    #[test]
    fn nothing_is_left_out_and_nothing_added(
        second in field(0, 59), minute in field(0, 59), hour in field(0, 23), weekday in field(0, 6),
        from in 0i64..4_000_000_000, micros in 0u32..1_000_000,
    ) {
        let text = format!("{second} {minute} {hour} * * {weekday}");
        let schedule: Schedule = text.parse().unwrap();
        let fields = ncrontab::parse(&text).unwrap();
        let from = DateTime::from_timestamp(from, micros * 1000).unwrap();
        let whole = from.with_nanosecond(0).unwrap();
        let seconds = (1..10_000).map(|more| whole + TimeDelta::seconds(more));
        let expected = seconds.into_iter().find(|at| allows(&fields, at));
        let found = schedule.after(from).unwrap();
        match expected {
            Some(expected) => prop_assert_eq!(found, expected),
            None => prop_assert!(found - whole >= TimeDelta::seconds(10_000) && allows(&fields, &found)),
        }
    }

    /// Hourly ones, around the days on which clocks are changed.
    #[test]
    fn hours_pass_alike_everywhere(
        second in field(0, 59), minute in field(0, 59),
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
        // March 2026 to April 2027, near every change.
        from in 1_772_323_200i64..1_806_537_600,
    ) {
        let zone: Zone = zone.parse().unwrap();
        let text = format!("{second} {minute} * * * *");
        let schedule = Schedule::parse(&text, zone).unwrap();
        let fields = ncrontab::parse(&text).unwrap();
        let from = DateTime::from_timestamp(from, 0).unwrap();
        let mut seconds = (1..8_000).map(|more| from + TimeDelta::seconds(more));
        let expected = seconds.find(|at| allows(&fields, &at.with_timezone(&zone.0)));
        prop_assert_eq!(schedule.after(from), expected);
    }

    /// Instants only go on, and the last until one of them is itself.
    #[test]
    fn instants_grow_and_the_last_is_among_them(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 28),
        zone in proptest::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
        from in 1_772_323_200i64..1_806_537_600, more in 0i64..100_000_000,
    ) {
        let schedule = Schedule::parse(&format!("0 {minute} {hour} {day} * *"), zone.parse().unwrap()).unwrap();
        let first = schedule.after(DateTime::from_timestamp(from, 0).unwrap()).unwrap();
        let until = first + TimeDelta::seconds(more);
        let last = schedule.last(first, until);
        prop_assert!(first <= last && last <= until);
        prop_assert!(schedule.after(last).unwrap() > until);
        prop_assert_eq!(schedule.last(first, last), last);
    }
}
