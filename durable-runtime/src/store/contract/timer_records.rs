//! Where the schedules of timer functions stand.

use anyhow::ensure;

use super::given;
use super::given::at;
use crate::store::{Change, Error, Store, TimerRecord};

fn record(name: &str, sequence: i64) -> TimerRecord {
    TimerRecord {
        name: name.to_owned(),
        schedule: "0 * * * * *".to_owned(),
        last: None,
        next: at(60_000_000),
        deliveries: 0,
        sequence,
    }
}

pub(crate) async fn a_timer_is_read_back_as_it_was_last_written<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    ensure!(store.timers().await?.is_empty());
    given.write(Change::Timer(record("hourly", 0))).await?;
    given.write(Change::Timer(record("daily", 0))).await?;
    let moved_on = TimerRecord {
        schedule: "30 * * * * * Europe/Berlin".to_owned(),
        last: Some(at(60_000_000)),
        next: at(90_000_000),
        deliveries: 2,
        ..record("hourly", 1)
    };
    given.write(Change::Timer(moved_on.clone())).await?;
    let expected = [
        record("daily", 1),
        TimerRecord {
            sequence: 2,
            ..moved_on
        },
    ];
    let found = store.timers().await?;
    ensure!(found == expected, "{found:?}");
    Ok(())
}

pub(crate) async fn one_of_two_hosts_takes_a_run<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.write(Change::Timer(record("hourly", 0))).await?;
    let claim = |deliveries| TimerRecord {
        deliveries,
        ..record("hourly", 1)
    };
    let (one, other) = (
        given.submit(Change::Timer(claim(1))),
        given.submit(Change::Timer(claim(2))),
    );
    ensure!(one.await?.is_ok());
    let refused = other.await?;
    ensure!(
        matches!(&refused, Err(Error::Conflict(name)) if name == "hourly"),
        "{refused:?}"
    );
    for wrong in [0, 1, 3] {
        let refused = given.write(Change::Timer(record("hourly", wrong))).await;
        ensure!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    let missing = given.write(Change::Timer(record("unknown", 1))).await;
    ensure!(matches!(missing, Err(Error::Conflict(_))), "{missing:?}");
    let found = store.timers().await?;
    ensure!(found.len() == 1 && found[0].deliveries == 1, "{found:?}");
    Ok(())
}
