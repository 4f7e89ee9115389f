//! The testing kit, as an application's tests use it: under a plain `#[tokio::test]`, whose runtime has one thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::testing::{
    TestHost, activity_context, entity_context, entity_context_of, timer_info,
};
use durable_runtime::{
    ActivityContext, ClientError, DurableHttpRequest, DurableHttpResponse, Error,
    OrchestrationContext, Result, RetryPolicy, RuntimeStatus, State, TaskError,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What functions noted, with the virtual time of the note.
#[derive(Default)]
struct Notes(Mutex<Vec<(i64, String)>>);

#[activity_trigger]
async fn note((at, text): (DateTime<Utc>, String), notes: State<Notes>) {
    let mut notes = notes.0.lock().unwrap();
    notes.push((at.timestamp(), text));
}

#[activity_trigger]
async fn read_notes(notes: State<Notes>) -> Vec<(i64, String)> {
    notes.0.lock().unwrap().clone()
}

#[activity_trigger]
async fn takes_real_time(millis: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    millis
}

#[activity_trigger]
fn blocks(millis: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(millis));
    millis
}

#[activity_trigger]
async fn until_cancelled(ctx: ActivityContext) {
    ctx.cancellation_token().cancelled().await;
}

#[activity_trigger]
async fn charge(cents: u64) -> Result<String> {
    Ok(format!("{cents} really charged"))
}

#[orchestration_trigger]
async fn waits_a_month(ctx: OrchestrationContext) -> DateTime<Utc> {
    ctx.create_timer(30 * DAY).await;
    ctx.current_utc_datetime()
}

#[orchestration_trigger]
async fn approval(ctx: OrchestrationContext) -> Result<String> {
    let decision = ctx.wait_for_external_event::<String>("decision");
    match decision.with_timeout(3 * DAY).await {
        Ok(text) => Ok(text),
        Err(TaskError::Timeout) => Ok("timed out".to_owned()),
        Err(other) => Err(other.into()),
    }
}

#[orchestration_trigger]
async fn notes_each_minute(ctx: OrchestrationContext, name: String) -> Result<()> {
    ctx.create_timer(MINUTE).await;
    let now = ctx.current_utc_datetime();
    ctx.call_activity::<note>((now, name.clone())).await?;
    ctx.continue_as_new(name)
}

#[orchestration_trigger]
async fn race(ctx: OrchestrationContext, millis: u64) -> Result<String> {
    let mut timer = ctx.create_timer(Duration::from_millis(1));
    let mut work = ctx.call_activity::<takes_real_time>(millis);
    let winner = tokio::select! {
        () = &mut timer => "timer",
        _ = &mut work => "activity",
    };
    Ok(winner.to_owned())
}

#[orchestration_trigger]
async fn all_at_once(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let began = ctx.current_utc_datetime();
    let helpers = [3_u32, 1, 2].map(|hours| {
        let ctx = ctx.clone();
        async move {
            ctx.create_timer(hours * HOUR).await;
            ctx.call_activity::<blocks>(1_u64).await?;
            ctx.call_activity::<takes_real_time>(1_u64).await?;
            Ok::<_, TaskError>(ctx.current_utc_datetime())
        }
    });
    let ends = ctx.when_all(helpers.map(Box::pin)).await?;
    Ok(ends
        .iter()
        .map(|end| (*end - began).num_seconds())
        .collect())
}

#[orchestration_trigger]
async fn gives_up(ctx: OrchestrationContext) -> Result<String> {
    let call = ctx.call_activity::<until_cancelled>(()).with_timeout(HOUR);
    Ok(match call.await {
        Err(TaskError::Timeout) => format!("gave up at {}", ctx.current_utc_datetime()),
        other => format!("{other:?}"),
    })
}

#[orchestration_trigger]
async fn pays(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    let policy = RetryPolicy::new(3, DAY);
    Ok(ctx
        .call_activity::<charge>(cents)
        .with_retry(policy)
        .await?)
}

#[orchestration_trigger]
async fn parent(ctx: OrchestrationContext) -> Result<String> {
    let child = ctx.call_sub_orchestrator::<waits_a_month>(()).await?;
    let detached = ctx.start_orchestration::<pays>(1_u64);
    let detached = detached.scheduled_at(child + DAY);
    Ok(detached.id().to_owned())
}

#[tokio::test]
async fn waiting_for_a_month_takes_no_time_and_ends_at_the_very_instant() {
    let host = TestHost::new().start().await.unwrap();
    let began = host.now();
    let status = host.run::<waits_a_month>(()).await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Completed);
    assert_eq!(
        status.output_as::<DateTime<Utc>>().unwrap(),
        began + 30 * DAY
    );
    assert_eq!(host.now(), began + 30 * DAY);
}

#[tokio::test]
async fn time_stands_still_until_somebody_waits() {
    let host = TestHost::new().start().await.unwrap();
    let began = host.now();
    let client = host.client();
    let (raised, silent) = (
        client.start_new::<approval>(()).await.unwrap(),
        client.start_new::<approval>(()).await.unwrap(),
    );
    client
        .raise_event(&raised, "decision", "yes")
        .await
        .unwrap();
    for (id, expected) in [(raised, "yes"), (silent, "timed out")] {
        let status = client.wait_for_completion(&id, MINUTE).await.unwrap();
        assert_eq!(status.output_as::<String>().unwrap(), expected);
    }
    assert_eq!(host.now(), began + 3 * DAY);
}

#[tokio::test]
async fn advance_fires_each_timer_at_its_own_instant_in_order() {
    let host = TestHost::new()
        .with_state(Notes::default())
        .start()
        .await
        .unwrap();
    let began = host.now();
    let client = host.client();
    let a = client.start_new::<notes_each_minute>("a").await.unwrap();
    host.advance(Duration::from_secs(30)).await;
    client.start_new::<notes_each_minute>("b").await.unwrap();
    host.advance(HOUR).await;
    assert_eq!(host.now(), began + HOUR + Duration::from_secs(30));
    let notes = host.run::<note_reader>(()).await.unwrap();
    let notes = notes.output_as::<Vec<(i64, String)>>().unwrap();
    let expected = (1..=60).flat_map(|n| {
        let at = |by| (began + n * MINUTE + Duration::from_secs(by)).timestamp();
        [(at(0), "a".to_owned()), (at(30), "b".to_owned())]
    });
    assert_eq!(notes, expected.collect::<Vec<_>>());
    client.terminate(&a, "enough").await.unwrap();
    let status = client.wait_for_completion(&a, MINUTE).await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Terminated);
}

#[orchestration_trigger]
async fn note_reader(ctx: OrchestrationContext) -> Result<Vec<(i64, String)>> {
    Ok(ctx.call_activity::<read_notes>(()).await?)
}

#[tokio::test]
async fn time_does_not_pass_while_an_activity_runs() {
    let host = TestHost::new().start().await.unwrap();
    for millis in [0, 1, 5, 20] {
        let status = host.run::<race>(millis).await.unwrap();
        assert_eq!(status.output_as::<String>().unwrap(), "activity");
    }
}

#[tokio::test]
async fn many_runs_end_at_the_same_virtual_instants() {
    let host = TestHost::new().start().await.unwrap();
    for _ in 0..50 {
        let status = host.run::<all_at_once>(()).await.unwrap();
        assert_eq!(
            status.output_as::<Vec<i64>>().unwrap(),
            [3 * 3_600, 3_600, 2 * 3_600]
        );
    }
}

#[tokio::test]
async fn runs_side_by_side_share_the_clock() {
    let host = TestHost::new().start().await.unwrap();
    let began = host.now();
    let runs = (0..20).map(|_| host.run::<waits_a_month>(()));
    for status in futures::future::join_all(runs).await {
        assert_eq!(
            status.unwrap().output_as::<DateTime<Utc>>().unwrap(),
            began + 30 * DAY
        );
    }
}

#[tokio::test]
async fn advance_does_not_wait_for_an_activity_that_waits_for_it() {
    let host = TestHost::new().start().await.unwrap();
    let began = host.now();
    let id = host.client().start_new::<gives_up>(()).await.unwrap();
    host.advance(HOUR).await;
    let status = host.client().wait_for_completion(&id, MINUTE).await;
    let text = status.unwrap().output_as::<String>().unwrap();
    assert_eq!(text, format!("gave up at {}", began + HOUR));
}

#[tokio::test]
async fn children_and_scheduled_starts_run_in_virtual_time() {
    let host = TestHost::new().start().await.unwrap();
    let began = host.now();
    let status = host.run::<parent>(()).await.unwrap();
    let started = status.output_as::<String>().unwrap();
    let client = host.client();
    let status = client.get_status(&started).await.unwrap().unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Pending);
    let status = client.wait_for_completion(&started, MINUTE).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "1 really charged");
    assert_eq!(host.now(), began + 31 * DAY);

    let later = client
        .start_new::<pays>(2_u64)
        .scheduled_at(host.now() + 400 * DAY);
    let later = later.await.unwrap();
    client.wait_for_completion(&later, MINUTE).await.unwrap();
    assert_eq!(host.now(), began + 431 * DAY);
}

#[tokio::test]
async fn without_skipping_time_passes_as_outside_and_jumps_when_told_to() {
    let host = TestHost::new()
        .without_time_skipping()
        .start()
        .await
        .unwrap();
    let began = host.now();
    let status = host.run::<race>(300_u64).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "timer");
    assert!(host.now() - began < chrono::Duration::seconds(30));
    let id = host.client().start_new::<waits_a_month>(()).await.unwrap();
    host.advance(30 * DAY).await;
    let status = host.client().wait_for_completion(&id, MINUTE).await;
    assert_eq!(status.unwrap().runtime_status, RuntimeStatus::Completed);
    assert!(host.now() >= began + 30 * DAY);
}

#[tokio::test]
async fn mocks_replace_activities_and_their_errors_are_failures() {
    let calls = AtomicU32::new(0);
    let host = TestHost::new()
        .mock_activity::<charge>(move |cents| match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::msg("busy")),
            1 => panic!("out of order"),
            n => Ok(format!("{cents} at call {}", n + 1)),
        })
        .start()
        .await
        .unwrap();
    let began = host.now();
    let status = host.run::<pays>(7_u64).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "7 at call 3");
    assert_eq!(host.now(), began + 2 * DAY);
}

#[tokio::test]
async fn a_failure_of_a_mock_has_its_type() {
    let host = TestHost::new()
        .mock_activity::<charge>(|_| {
            Err(Error::non_retriable(Error::msg("no money")).with_type("PaymentDeclined"))
        })
        .start()
        .await
        .unwrap();
    let status = host.run::<pays>(7_u64).await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Failed);
    assert!(status.failure.unwrap().is_caused_by("PaymentDeclined"));
}

#[tokio::test]
async fn what_is_not_mocked_runs_for_real() {
    let host = TestHost::new()
        .mock_activity::<note>(|_| Ok(()))
        .start()
        .await
        .unwrap();
    let status = host.run::<pays>(7_u64).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "7 really charged");
}

#[tokio::test]
async fn a_missing_state_fails_only_the_function_that_asks_for_it() {
    let host = TestHost::new().start().await.unwrap();
    let status = host.run::<note_reader>(()).await.unwrap();
    let text = status.failure.unwrap().to_string();
    assert!(
        text.contains("`read_notes`") && text.contains("Notes"),
        "{text}"
    );
    let status = host.run::<pays>(1_u64).await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Completed);
}

#[tokio::test]
async fn an_orchestration_that_would_wait_for_ever_is_told() {
    let host = TestHost::new().start().await.unwrap();
    let error = host.run::<waits_for_nobody>(()).await.unwrap_err();
    assert!(error.to_string().contains("wait for ever"), "{error}");
}

#[orchestration_trigger]
async fn waits_for_nobody(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.wait_for_external_event("nothing").await?)
}

#[tokio::test]
async fn an_event_that_comes_late_is_not_forever() {
    let host = TestHost::new().start().await.unwrap();
    let client = host.client();
    let waits = client.start_new::<waits_for_nobody>(()).await.unwrap();
    let (status, ()) = futures::join!(client.wait_for_completion(&waits, MINUTE), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.raise_event(&waits, "Nothing", ()).await.unwrap();
    });
    assert_eq!(status.unwrap().runtime_status, RuntimeStatus::Completed);
}

mod one {
    use super::*;

    #[orchestration_trigger(name = "twin")]
    pub(super) async fn twin(ctx: OrchestrationContext) -> Result<String> {
        Ok(ctx.call_activity::<which>(()).await?)
    }

    #[activity_trigger(name = "which")]
    pub(super) async fn which() -> String {
        "one".to_owned()
    }

    mod tests {
        use super::*;

        #[tokio::test]
        async fn a_test_module_stands_for_the_one_around_it() {
            let host = TestHost::within(module_path!()).start().await.unwrap();
            let status = host.run::<twin>(()).await.unwrap();
            assert_eq!(status.output_as::<String>().unwrap(), "one");
            let error = host.client().start_new::<pays>(1_u64).await.unwrap_err();
            assert!(
                matches!(error, ClientError::UnknownFunction { .. }),
                "{error}"
            );
        }
    }
}

mod two {
    use super::*;

    pub(super) mod below {
        use super::*;

        #[orchestration_trigger(name = "Deep")]
        pub(in super::super) async fn deep(ctx: OrchestrationContext) -> Result<String> {
            Ok(ctx.call_activity::<charge>(3_u64).await?)
        }
    }

    #[tokio::test]
    async fn a_mock_makes_an_activity_of_another_module_known() {
        let host = TestHost::within(module_path!());
        let unknown = host.start().await.unwrap();
        let status = unknown.run::<below::deep>(()).await.unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Failed);
        let host = TestHost::within(module_path!())
            .mock_activity::<charge>(|cents| Ok(format!("{cents} mocked")))
            .start()
            .await
            .unwrap();
        let status = host.run::<below::deep>(()).await.unwrap();
        assert_eq!(status.output_as::<String>().unwrap(), "3 mocked");
    }
}

#[tokio::test]
async fn plain_functions_are_called_as_they_are() {
    let ctx = activity_context();
    let call = until_cancelled(ctx.clone());
    ctx.cancellation_token().cancel();
    call.await;
}

#[durable_macros::entity_trigger]
impl Tally {
    pub fn add(&mut self, n: i64) -> i64 {
        self.sum += n;
        self.sum
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Tally {
    sum: i64,
}

#[orchestration_trigger]
async fn calls_http(ctx: OrchestrationContext, url: String) -> Result<String> {
    let response = ctx.call_http(DurableHttpRequest::get(url)).await?;
    Ok(format!("{} {}", response.status, response.content))
}

#[tokio::test]
async fn http_is_answered_by_the_mock_polls_in_virtual_time_included() {
    let asked = AtomicU32::new(0);
    let host = TestHost::new()
        .mock_http(move |request| match asked.fetch_add(1, Ordering::Relaxed) {
            0..3 => DurableHttpResponse::new(202)
                .with_header("Location", "https://example.com/status")
                .with_header("Retry-After", "600"),
            _ => DurableHttpResponse::new(200).with_text(request.uri().to_owned()),
        })
        .start()
        .await
        .unwrap();
    let began = host.now();
    let status = host.run::<calls_http>("https://example.com/jobs").await;
    assert_eq!(
        status.unwrap().output_as::<String>().unwrap(),
        "200 https://example.com/status"
    );
    assert_eq!(host.now(), began + 30 * MINUTE);
}

#[tokio::test]
async fn a_request_that_nobody_answers_says_what_is_missing() {
    let host = TestHost::new().start().await.unwrap();
    let status = host.run::<calls_http>("https://example.com/").await;
    let text = status.unwrap().failure.unwrap().to_string();
    assert!(text.contains("mock_http"), "{text}");
}

#[tokio::test]
async fn entities_answer_and_scheduled_signals_come_in_virtual_time() {
    let host = TestHost::new().start().await.unwrap();
    let client = host.client();
    assert_eq!(client.entity::<Tally>("a").add(5).await.unwrap(), 5);
    let later = host.now() + HOUR;
    let signal = client.entity::<Tally>("a").signal().add(7).at(later);
    signal.await.unwrap();
    let sum = || async {
        client
            .read_entity_state::<Tally>("a")
            .await
            .unwrap()
            .unwrap()
            .sum
    };
    host.advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!(sum().await, 5);
    host.advance(Duration::from_secs(1)).await;
    assert_eq!(sum().await, 12);
}

#[tokio::test]
async fn arguments_of_entities_and_timers_are_made() {
    let ctx = entity_context::<Tally>("a");
    assert_eq!((ctx.operation(), ctx.id().key()), ("get", "a"));
    assert!(ctx.state::<i64>().unwrap().is_none());
    let ctx = entity_context_of::<Tally>("a", "add", 5).unwrap();
    assert_eq!((ctx.operation(), ctx.input::<i64>().unwrap()), ("add", 5));
    assert_eq!(
        timer_info(DateTime::UNIX_EPOCH).scheduled,
        DateTime::UNIX_EPOCH
    );
}

/// Timer functions in virtual time.
mod scheduled {
    use durable_macros::{durable_client, timer_trigger};
    use durable_runtime::{DurableClient, TimerInfo};

    use super::*;

    #[orchestration_trigger]
    async fn notes_a_run(ctx: OrchestrationContext, past_due: bool) -> Result<()> {
        let note = (ctx.current_utc_datetime(), format!("past due: {past_due}"));
        Ok(ctx.call_activity::<noted>(note).await?)
    }

    #[activity_trigger]
    async fn noted((at, text): (DateTime<Utc>, String), notes: State<Notes>) {
        notes.0.lock().unwrap().push((at.timestamp(), text));
    }

    // By settings, so that the other tests of this file run none of them.
    #[timer_trigger(schedule = "%HOURLY%")]
    async fn hourly(timer: TimerInfo, #[durable_client] client: DurableClient) -> Result<()> {
        client.start_new::<notes_a_run>(timer.is_past_due).await?;
        Ok(())
    }

    #[timer_trigger(schedule = "%NIGHTLY%")]
    async fn nightly(#[durable_client] client: DurableClient) -> Result<()> {
        client.start_new::<notes_a_run>(true).await?;
        Ok(())
    }

    #[orchestration_trigger]
    async fn sleeps_a_day(ctx: OrchestrationContext) -> Vec<(i64, String)> {
        ctx.create_timer(DAY).await;
        ctx.call_activity::<listed>(()).await.unwrap()
    }

    #[activity_trigger]
    async fn listed(notes: State<Notes>) -> Vec<(i64, String)> {
        notes.0.lock().unwrap().clone()
    }

    #[orchestration_trigger]
    async fn lists(ctx: OrchestrationContext) -> Vec<(i64, String)> {
        ctx.call_activity::<listed>(()).await.unwrap()
    }

    async fn notes(host: &durable_runtime::testing::RunningTestHost) -> Vec<(i64, String)> {
        host.run::<lists>(()).await.unwrap().output_as().unwrap()
    }

    fn host() -> TestHost {
        let host = TestHost::within(module_path!()).with_state(Notes::default());
        host.with_setting("Hourly", "0 0 * * * *")
    }

    #[tokio::test]
    async fn advance_runs_a_schedule_at_each_of_its_instants() {
        let host = host().start().await.unwrap();
        assert_eq!(notes(&host).await, []);
        host.advance(5 * HOUR).await;
        let first = (host.now().timestamp() - 5 * 3_600) / 3_600 + 1;
        let expected: Vec<_> = (first..first + 5)
            .map(|hour| (hour * 3_600, "past due: false".to_owned()))
            .collect();
        assert_eq!(notes(&host).await, expected);
    }

    #[tokio::test]
    async fn a_jump_runs_a_schedule_once_for_all_that_it_missed() {
        let host = host().start().await.unwrap();
        let end = host.run::<sleeps_a_day>(()).await.unwrap();
        host.advance(Duration::ZERO).await;
        let notes = notes(&host).await;
        assert_eq!(notes.len(), 1, "{notes:?} {end:?}");
        assert_eq!(
            notes[0],
            (host.now().timestamp(), "past due: true".to_owned())
        );
    }

    #[tokio::test]
    async fn a_schedule_alone_makes_no_time_pass() {
        let host = host().start().await.unwrap();
        let before = host.now();
        let error = host.run::<waits_for_nobody_here>(()).await.unwrap_err();
        assert!(error.to_string().contains("wait for ever"), "{error}");
        assert_eq!(host.now(), before);
    }

    #[orchestration_trigger]
    async fn waits_for_nobody_here(ctx: OrchestrationContext) -> Result<()> {
        Ok(ctx.wait_for_external_event("never").await?)
    }

    #[tokio::test]
    async fn schedules_are_read_from_settings() {
        let host = host()
            .with_setting("nightly", "0 30 4 * * *")
            .with_setting("AzureWebJobs.hourly.Disabled", "true")
            .start()
            .await
            .unwrap();
        host.advance(DAY).await;
        let notes = notes(&host).await;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].0 % 86_400, (4 * 60 + 30) * 60);
    }
}
