//! Schedules out of settings.

use crate::registry::{Kind, Registration, Registry, TimerRun, TimerSpec};
use crate::timer::Timetable;

const fn timer(name: &'static str, schedule: &'static str) -> Registration {
    let spec = TimerSpec {
        schedule,
        run_on_startup: false,
        states: &[],
        run: TimerRun::Blocking(|_| Ok(())),
    };
    Registration {
        name,
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind: Kind::Timer(spec),
    }
}

fn timetable(timers: &[Registration], settings: &[(&str, &str)]) -> Result<Timetable, Vec<String>> {
    let setting = |name: &str| {
        let found = settings.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let registry = Registry::of(timers.iter()).unwrap();
    Timetable::of(&registry, setting)
        .map_err(|faults| faults.into_iter().map(|fault| fault.0).collect())
}

#[test]
fn a_schedule_may_be_a_setting_or_have_some_in_it() {
    let timers = [
        timer("Nightly", "%NIGHTLY%"),
        timer("b", "0 %MINUTE% * * * *"),
    ];
    let settings = [
        ("NIGHTLY", "0 0 3 * * *"),
        ("MINUTE", "7"),
        ("WEBSITE_TIME_ZONE", " Europe/Berlin"),
        ("AzureWebJobs.Nightly.Disabled", "True"),
    ];
    let timetable = timetable(&timers, &settings).unwrap();
    let shown: Vec<_> = timetable
        .iter()
        .map(|each| (each.timer.name, each.schedule.text(), each.disabled))
        .collect();
    assert_eq!(
        shown,
        [
            ("b", "0 7 * * * * Europe/Berlin".to_owned(), false),
            ("Nightly", "0 0 3 * * * Europe/Berlin".to_owned(), true)
        ]
    );
}

#[test]
fn all_faults_are_told_together() {
    let timers = [
        timer("a", "%NONE%"),
        timer("b", "%ODD%"),
        timer("c", "%EMPTY%"),
        timer("d", "5%"),
    ];
    let settings = [
        ("ODD", "61 * * * * *"),
        ("EMPTY", " "),
        ("WEBSITE_TIME_ZONE", "W. Europe Standard Time"),
    ];
    let faults = timetable(&timers, &settings).unwrap_err();
    let expected = [
        "the setting `WEBSITE_TIME_ZONE` is `W. Europe Standard Time`, expected a time zone of the IANA database",
        "the timer function `a` has the schedule `%NONE%`, but there is no setting `NONE`: give it",
        "the timer function `b` has the schedule `61 * * * * *` of the setting `ODD`: the second must be",
        "the timer function `c` has the schedule `%EMPTY%`, but there is no setting `EMPTY`",
        "the timer function `d` has the schedule `5%`: expected six fields",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn without_timers_the_time_zone_does_not_matter() {
    assert!(timetable(&[], &[("WEBSITE_TIME_ZONE", "nowhere")]).is_ok());
}
