//! What a host does while it is there.

use super::given::{FAILS, HELD, Host, PANICS, PLAIN, at, is_pending, on_startup, timer};

#[tokio::test]
async fn each_instant_of_the_schedule_is_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("every_five", "0 */5 * * * *", PLAIN)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:01:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:05:00Z").await;
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T00:05:00.003Z");
    let first = host.run().await;
    assert_eq!(first.scheduled, at("2026-01-01T00:05:00Z"));
    assert_eq!(first.last, at("1970-01-01T00:00:00Z"));
    assert_eq!(first.next, at("2026-01-01T00:10:00Z"));
    assert!(!first.is_past_due);
    host.clock.is_awaited_until("2026-01-01T00:10:00Z").await;
    host.clock.set("2026-01-01T00:10:00Z");
    let second = host.run().await;
    assert_eq!(second.scheduled, at("2026-01-01T00:10:00Z"));
    assert_eq!(second.last, at("2026-01-01T00:05:00Z"));
    host.clock.is_awaited_until("2026-01-01T00:15:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
}

#[tokio::test]
async fn several_timers_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [
        timer("held", "0 * * * * *", HELD),
        timer("plain", "30 * * * * *", PLAIN),
    ];
    let mut host = Host::start(folder.path(), "2026-01-01T00:00:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:01:00Z").await;
    host.clock.is_awaited_until("2026-01-01T00:00:30Z").await;
    host.clock.set("2026-01-01T00:00:30Z");
    assert_eq!(host.named_run().await.0, "plain");
    host.clock.is_awaited_until("2026-01-01T00:01:30Z").await;
    host.clock.set("2026-01-01T00:01:00Z");
    assert_eq!(host.named_run().await.0, "held");
    host.clock.set("2026-01-01T00:01:30Z");
    assert_eq!(host.named_run().await.0, "plain");
    host.leave.add_permits(1);
    host.stop().await;
}

#[tokio::test]
async fn a_run_never_meets_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = Host::start(
        folder.path(),
        "2026-01-01T00:00:30Z",
        &[timer("held", "0 * * * * *", HELD)],
    );
    host.clock.is_awaited_until("2026-01-01T00:01:00Z").await;
    host.clock.set("2026-01-01T00:01:00Z");
    host.run().await;
    // Two instants pass while it runs.
    host.clock.set("2026-01-01T00:03:30Z");
    host.leave.add_permits(1);
    host.clock.is_awaited_until("2026-01-01T00:04:00Z").await;
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T00:04:00Z");
    let next = host.run().await;
    assert_eq!(next.scheduled, at("2026-01-01T00:04:00Z"));
    assert_eq!(next.last, at("2026-01-01T00:01:00Z"));
    assert!(!next.is_past_due);
    host.leave.add_permits(1);
    host.stop().await;
}

#[tokio::test]
async fn a_failure_or_a_panic_does_not_end_the_schedule() {
    for (name, run) in [("fails", FAILS), ("panics", PANICS)] {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Host::start(
            folder.path(),
            "2026-01-01T00:00:30Z",
            &[timer(name, "0 * * * * *", run)],
        );
        for minute in ["01", "02", "03"] {
            let instant = format!("2026-01-01T00:{minute}:00Z");
            host.clock.is_awaited_until(&instant).await;
            host.clock.set(&instant);
            assert_eq!(host.run().await.scheduled, at(&instant), "{name}");
        }
        host.stop().await;
    }
}

#[tokio::test]
async fn on_startup_it_runs_at_once_and_then_as_scheduled() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [on_startup(timer("plain", "0 0 * * * *", PLAIN))];
    let mut host = Host::start(folder.path(), "2026-01-01T00:30:00Z", &timers);
    let first = host.run().await;
    assert_eq!(first.scheduled, at("2026-01-01T00:30:00Z"));
    assert_eq!(first.next, at("2026-01-01T01:00:00Z"));
    assert!(!first.is_past_due);
    host.clock.is_awaited_until("2026-01-01T01:00:00Z").await;
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T01:00:00Z");
    let second = host.run().await;
    assert_eq!(second.scheduled, at("2026-01-01T01:00:00Z"));
    assert_eq!(second.last, at("2026-01-01T00:30:00Z"));
    host.stop().await;
}

#[tokio::test]
async fn a_host_that_finds_out_late_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("plain", "0 * * * * *", PLAIN)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:00:30Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:01:00Z").await;
    // The machine slept.
    host.clock.set("2026-01-01T09:30:10Z");
    let late = host.run().await;
    assert!(late.is_past_due);
    assert_eq!(late.scheduled, at("2026-01-01T09:30:00Z"));
    host.clock.is_awaited_until("2026-01-01T09:31:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_what_runs_and_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("held", "0 * * * * *", HELD)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:00:30Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:01:00Z").await;
    host.clock.set("2026-01-01T00:01:00Z");
    host.run().await;
    let (leave, clock) = (host.leave.clone(), host.clock.clone());
    let mut stopping = Box::pin(host.stopping());
    assert!(is_pending(&mut stopping));
    clock.set("2026-01-01T00:02:00Z");
    leave.add_permits(1);
    stopping.await;
    // Its end was written down: it is not run again.
    let timers = [timer("held", "0 * * * * *", HELD)];
    let host = Host::start(folder.path(), "2026-01-01T00:02:10Z", &timers);
    assert_eq!(host.record().await.deliveries, 0);
    assert_eq!(
        host.record().await.last,
        Some(at("2026-01-01T00:01:00Z").into())
    );
    host.stop().await;
}

#[tokio::test]
async fn nothing_begins_before_it_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("plain", "0 * * * * *", PLAIN)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:00:30Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:01:00Z").await;
    let query_only = |on| {
        host.store.sabotage(if on {
            "PRAGMA query_only = ON"
        } else {
            "PRAGMA query_only = OFF"
        })
    };
    query_only(true).await.unwrap();
    host.clock.set("2026-01-01T00:01:00Z");
    host.clock.is_awaited_until("2026-01-01T00:01:01Z").await;
    query_only(false).await.unwrap();
    assert!(host.is_quiet());
    host.clock.set("2026-01-01T00:01:01Z");
    assert_eq!(host.run().await.scheduled, at("2026-01-01T00:01:00Z"));
    host.clock.is_awaited_until("2026-01-01T00:02:00Z").await;
    assert_eq!(host.record().await.deliveries, 0);
    host.stop().await;
}

#[tokio::test]
async fn what_came_due_in_a_pause_is_made_up_for_once_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let timers = [timer("every_five", "0 */5 * * * *", PLAIN)];
    let mut host = Host::start(folder.path(), "2026-01-01T00:01:00Z", &timers);
    host.clock.is_awaited_until("2026-01-01T00:05:00Z").await;
    host.pause(true);
    for now in ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"] {
        host.clock.set(now);
        // Whoever else was woken by the clock has its turn.
        tokio::task::yield_now().await;
        assert!(host.is_quiet());
    }
    host.clock.set("2026-01-01T00:11:00Z");
    host.pause(false);
    let run = host.run().await;
    assert!(run.is_past_due);
    assert_eq!(run.scheduled, at("2026-01-01T00:10:00Z"));
    host.clock.is_awaited_until("2026-01-01T00:15:00Z").await;
    assert!(host.is_quiet());
    host.stop().await;
}
