//! What follows from where a schedule stands, as far as no host shows it: other hosts, clocks that are set back.

use chrono::{DateTime, Utc};

use super::super::position::Position;
use super::given::{PLAIN, at, timer};
use crate::model::Timestamp;
use crate::registry::Registry;
use crate::timer::{ScheduledTimer, Timetable};

fn hourly() -> ScheduledTimer {
    let registry = Registry::of([timer("hourly", "0 0 * * * *", PLAIN)].iter()).unwrap();
    let timetable = Timetable::of(&registry, |_| None).unwrap();
    timetable.iter().next().unwrap().clone()
}

fn instant(text: &str) -> Timestamp {
    let at: DateTime<Utc> = at(text);
    at.into()
}

#[test]
fn a_run_that_another_host_took_is_left_to_it() {
    let now = instant("2026-01-01T00:30:00Z");
    let mut mine = Position::at_start(&hourly(), None, now);
    mine.written();
    let mut others = Position::at_start(&hourly(), Some(mine.record().clone()), now);
    let one = instant("2026-01-01T01:00:00Z");
    assert!(mine.due(one).is_some());
    others.begin();
    others.written();
    mine.lose(others.record().clone(), one);
    assert_eq!(mine.due(instant("2026-01-01T01:10:00Z")), None);
    assert_eq!(mine.next(), instant("2026-01-01T02:00:00Z"));
    // The other one never came to its end.
    let again = mine.due(instant("2026-01-01T02:00:00Z")).unwrap();
    assert!(again.past_due);
    assert_eq!(again.scheduled, instant("2026-01-01T02:00:00Z"));
}

#[test]
fn a_clock_that_was_wrong_does_not_hold_the_schedule_up() {
    let wrong = instant("2036-01-01T00:30:00Z");
    let mut position = Position::at_start(&hourly(), None, wrong);
    let due = position.due(instant("2036-01-01T01:00:00Z")).unwrap();
    position.begin();
    position.end(&due, instant("2036-01-01T01:00:01Z"));
    position.follow(instant("2026-01-01T05:30:00Z"));
    let six = instant("2026-01-01T06:00:00Z");
    assert_eq!(position.next(), six);
    assert!(!position.due(six).unwrap().past_due);
    let stored = position.record().clone();
    let mut restarted =
        Position::at_start(&hourly(), Some(stored), instant("2026-01-01T05:31:00Z"));
    restarted.follow(instant("2026-01-01T05:31:00Z"));
    assert_eq!(restarted.next(), six);
}

#[test]
fn a_clock_that_goes_back_a_little_does_not_repeat_a_run() {
    let mut position = Position::at_start(&hourly(), None, instant("2026-01-01T00:30:00Z"));
    let due = position.due(instant("2026-01-01T01:00:00Z")).unwrap();
    position.begin();
    let back = instant("2026-01-01T00:59:59Z");
    position.end(&due, back);
    position.follow(back);
    assert_eq!(position.next(), instant("2026-01-01T02:00:00Z"));
}
