//! What outlives a host.

use super::given::{HELD, Host, PLAIN, at, on_startup, timer};
use crate::model::Timestamp;

const HOURLY: &str = "0 0 * * * *";

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("hourly", HOURLY, PLAIN)];
    let host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;

    let mut host = Host::start(folder.path(), "2026-01-01T05:10:00Z", &timers);
    let run = host.run().await;
    assert!(run.is_past_due);
    assert_eq!(run.scheduled, at("2026-01-01T05:00:00Z"));
    assert_eq!(run.next, at("2026-01-01T06:00:00Z"));
    host.clock.is_awaited_until("2026-01-01T06:00:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;

    // Nothing was missed since.
    let mut host = Host::start(folder.path(), "2026-01-01T05:59:59Z", &timers);
    host.clock.is_awaited_until("2026-01-01T06:00:00Z").await;
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T06:00:00Z");
    let run = host.run().await;
    assert!(!run.is_past_due);
    assert_eq!(run.last, at("2026-01-01T05:00:00Z"));
    host.stop().await;
}

#[tokio::test]
async fn what_a_crash_cut_off_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("held", HOURLY, HELD)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.clock.set("2026-01-01T01:00:00Z");
    host.run().await;
    assert_eq!(host.record().await.deliveries, 1);
    host.crash().await;

    let mut host = Host::start(folder.path(), "2026-01-01T01:00:10Z", &timers);
    let again = host.run().await;
    assert!(again.is_past_due);
    assert_eq!(again.scheduled, at("2026-01-01T01:00:00Z"));
    assert_eq!(host.record().await.deliveries, 2);
    host.leave.add_permits(1);
    host.clock.is_awaited_until("2026-01-01T02:00:00Z").await;
    assert_eq!(host.record().await.deliveries, 0);
    host.stop().await;
}

#[tokio::test]
async fn what_its_host_stopped_is_run_again_and_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("held", HOURLY, HELD)];
    let start = |now| Host::hasty(folder.path(), now, &timers);
    let host = start("2026-01-01T00:30:00Z");
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;
    for _ in 0..2 {
        let mut host = start("2026-01-01T01:30:00Z");
        let run = host.run().await;
        assert_eq!(run.scheduled, at("2026-01-01T01:00:00Z"));
        assert_eq!(host.record().await.deliveries, 1);
        // It ends only when it is told to.
        host.stop().await;
    }
}

#[tokio::test]
async fn what_takes_its_host_down_each_time_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("held", HOURLY, HELD)];
    let host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;
    for _ in 0..10 {
        let mut host = Host::start(folder.path(), "2026-01-01T01:30:00Z", &timers);
        host.run().await;
        host.crash().await;
    }
    let mut host = Host::start(folder.path(), "2026-01-01T01:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T02:00:00Z").await;
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T02:00:00Z");
    assert_eq!(host.run().await.scheduled, at("2026-01-01T02:00:00Z"));
    host.leave.add_permits(1);
    host.stop().await;
}

#[tokio::test]
async fn a_start_is_one_run_be_it_missed_or_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [on_startup(timer("hourly", HOURLY, PLAIN))];
    let mut host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    host.run().await;
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;
    let mut host = Host::start(folder.path(), "2026-01-01T01:30:00Z", &timers);
    let run = host.run().await;
    assert!(run.is_past_due);
    assert_eq!(run.scheduled, at("2026-01-01T01:00:00Z"));
    assert_eq!(run.last, at("2026-01-01T00:30:00Z"));
    host.clock.is_awaited_until("2026-01-01T02:00:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
}

#[tokio::test]
async fn a_disabled_timer_does_not_run_and_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("Hourly", HOURLY, PLAIN)];
    let host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;

    let disabled = |name: &str| (name == "AzureWebJobs.Hourly.Disabled").then(|| "1".to_owned());
    let another = on_startup(timer("other", "0 0 12 * * *", PLAIN));
    let timers = [timer("Hourly", HOURLY, PLAIN), another];
    let mut host = Host::with_settings(folder.path(), "2026-01-01T01:30:00Z", &timers, disabled);
    // The other one shows that the schedules were taken up.
    assert_eq!(host.named_run().await.0, "other");
    host.clock.is_awaited_until("2026-01-01T12:00:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;

    let timers = [timer("Hourly", HOURLY, PLAIN)];
    let mut host = Host::start(folder.path(), "2026-01-01T05:30:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T06:00:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
}

#[tokio::test]
async fn a_new_schedule_counts_from_now_but_what_was_missed_stays() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(
        folder.path(),
        "2026-01-01T00:30:00Z",
        &[timer("job", HOURLY, PLAIN)],
    );
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    host.stop().await;
    let mut host = Host::start(
        folder.path(),
        // Not five minutes before the instant that is awaited: the hub itself looks ahead then.
        "2026-01-01T00:41:00Z",
        &[timer("job", "0 45 * * * *", PLAIN)],
    );
    host.clock.is_awaited_until("2026-01-01T00:45:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
    let mut host = Host::start(
        folder.path(),
        "2026-01-01T02:10:00Z",
        &[timer("job", "0 30 8 * * *", PLAIN)],
    );
    let missed = host.run().await;
    assert!(missed.is_past_due);
    assert_eq!(missed.scheduled, at("2026-01-01T00:45:00Z"));
    host.clock.is_awaited_until("2026-01-01T08:30:00Z").await;
    assert_eq!(
        host.record().await.next,
        Timestamp::from(at("2026-01-01T08:30:00Z"))
    );
    host.stop().await;
}
