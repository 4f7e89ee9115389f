//! Timer functions from outside: attributes, settings, state and client, as an application has them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::path::Path;

use durable_functions::chrono::Utc;
use durable_functions::prelude::*;
use durable_functions::testing::timer_info;
use tokio::sync::mpsc;

/// What ran, in order.
type Reports = mpsc::UnboundedSender<(&'static str, TimerInfo)>;

#[timer_trigger(
    name = "Nightly",
    schedule = "%NIGHTLY_SCHEDULE%",
    run_on_startup = true
)]
async fn nightly(
    timer: TimerInfo,
    reports: State<Reports>,
    #[durable_client] client: DurableClient,
) -> Result<()> {
    let id = client
        .start_new::<report>("night")
        .with_instance_id("report")
        .await?;
    client
        .wait_for_completion(id, std::time::Duration::from_secs(60))
        .await?;
    reports.send(("nightly", timer))?;
    Ok(())
}

#[timer_trigger(schedule = "0 0 0 1 1 *", run_on_startup)]
fn on_the_blocking_pool(reports: State<Reports>, timer: TimerInfo) {
    let _ = reports.send(("blocking", timer));
}

#[timer_trigger(schedule = "* * * * * *")]
async fn every_second(reports: State<Reports>, timer: TimerInfo) -> anyhow::Result<()> {
    reports.send(("every_second", timer))?;
    anyhow::bail!("the schedule goes on all the same")
}

#[timer_trigger(schedule = "0 * * * *")]
fn hourly() {}

#[orchestration_trigger]
async fn report(_ctx: OrchestrationContext, of: String) -> String {
    of
}

fn host(folder: &Path) -> (Host, mpsc::UnboundedReceiver<(&'static str, TimerInfo)>) {
    let (reports, received) = mpsc::unbounded_channel();
    let host = Host::new()
        .with_script_root(folder)
        .with_state(reports)
        .with_setting("AzureWebJobs.every_second.Disabled", "true")
        .without_http();
    (host, received)
}

#[tokio::test]
async fn startup_runs_have_state_and_client() {
    let folder = tempfile::tempdir().unwrap();
    let (host, mut reports) = host(folder.path());
    let host = host
        .with_setting("NIGHTLY_SCHEDULE", "0 0 3 1 1 *")
        .start()
        .await
        .unwrap();
    let mut ran = vec![reports.recv().await.unwrap(), reports.recv().await.unwrap()];
    ran.sort_by_key(|(name, _)| *name);
    let [(first, _), (second, timer)] = ran.as_slice() else {
        panic!("{ran:?}")
    };
    assert_eq!((*first, *second), ("blocking", "nightly"));
    assert_eq!(timer.next.format("%m-%d %H").to_string(), "01-01 03");
    let report = host.client().get_status("report").await.unwrap().unwrap();
    assert_eq!(report.output, Some(json!("night")));
    host.shutdown().await.unwrap();
    assert!(reports.recv().await.is_none(), "nothing else ran");
}

#[tokio::test]
async fn the_wall_clock_drives_them() {
    let folder = tempfile::tempdir().unwrap();
    let (host, mut reports) = host(folder.path());
    let host = host
        .with_setting("NIGHTLY_SCHEDULE", "0 0 3 1 1 *")
        .with_setting("AzureWebJobs.every_second.Disabled", "false")
        .start()
        .await
        .unwrap();
    let mut last = None;
    while last.is_none() {
        let (name, timer) = reports.recv().await.unwrap();
        if name == "every_second" && timer.last.timestamp() > 0 {
            assert!(timer.last < timer.scheduled && timer.scheduled < timer.next);
            last = Some(timer);
        }
    }
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_settings_lack_or_get_wrong_keeps_the_host_from_starting() {
    for (setting, value, expected) in [
        (
            "OTHER",
            "",
            "the timer function `Nightly` has the schedule `%NIGHTLY_SCHEDULE%`, but there is no setting `NIGHTLY_SCHEDULE`",
        ),
        (
            "NIGHTLY_SCHEDULE",
            "0 61 * * * *",
            "the timer function `Nightly` has the schedule `0 61 * * * *` of the setting `NIGHTLY_SCHEDULE`: the minute must be 0 to 59",
        ),
        (
            "WEBSITE_TIME_ZONE",
            "Mars/Olympus",
            "the setting `WEBSITE_TIME_ZONE` is `Mars/Olympus`, expected",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (host, _reports) = host(folder.path());
        let fault = host
            .with_setting(setting, value)
            .start()
            .await
            .unwrap_err()
            .to_string();
        assert!(fault.contains(expected), "{fault}");
    }
}

#[tokio::test]
async fn a_state_that_nobody_gave_keeps_the_host_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new().with_script_root(folder.path()).without_http();
    let fault = host.start().await.unwrap_err().to_string();
    for expected in [
        "the function `Nightly` takes `State<",
        "the function `on_the_blocking_pool` takes `State<",
        "there is no setting `NIGHTLY_SCHEDULE`",
    ] {
        assert!(fault.contains(expected), "{fault}");
    }
}

#[tokio::test]
async fn they_are_plain_functions_too() {
    let (reports, mut received) = mpsc::unbounded_channel();
    on_the_blocking_pool(State::new(reports), timer_info(Utc::now()));
    assert!(!received.recv().await.unwrap().1.is_past_due);
    hourly();
}
