//! `call_http` as far as it is the engine's: what is sent when, and what history says of it. The executor is an imitation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_macros::orchestration_trigger;
use durable_runtime::durable_http::{HttpAnswer, HttpDelivery, HttpExecutor, HttpFailure};
use durable_runtime::model::Payload;
use durable_runtime::registry::{ActivityRun, ActivitySpec, Kind, Registration};
use durable_runtime::{
    ClientError, DurableHttpRequest, DurableHttpResponse, FailureDetails, HttpRetryPolicy,
    OrchestrationContext, Registry, Result, RuntimeStatus, StatusOptions, TaskError,
};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use crate::host::{Host, Residency};
use crate::scenarios::scenarios;

/// Answers by the path of the URL, and remembers what it was asked.
#[derive(Default)]
pub struct Scripted {
    pub seen: Mutex<Vec<Seen>>,
    pub cancelled: AtomicU32,
    /// What was sent under a key, each request once.
    counts: Mutex<BTreeMap<String, Vec<String>>>,
}

/// One delivery.
#[derive(Clone)]
pub struct Seen {
    pub request: DurableHttpRequest,
    /// Which request it is of: the same again if it is delivered again.
    task: String,
    pub attempt: u32,
    pub trace_parent: Option<String>,
}

impl HttpExecutor for Scripted {
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>> {
        let url = delivery.request.uri().to_owned();
        self.seen.lock().unwrap().push(Seen {
            request: delivery.request.clone(),
            task: delivery.context.idempotency_key().to_owned(),
            attempt: delivery.context.attempt(),
            trace_parent: delivery.trace_parent.clone(),
        });
        async move {
            let path: Vec<&str> = url.split('/').skip(3).collect();
            let response = match path[..] {
                ["status", code] => DurableHttpResponse::new(code.parse().unwrap()),
                ["accepted", "0"] => DurableHttpResponse::new(200).with_text("done"),
                ["accepted", left] => {
                    let left: u32 = left.parse().unwrap();
                    DurableHttpResponse::new(202)
                        .with_header("Location", format!("/accepted/{}", left - 1))
                        .with_header("Retry-After", "0")
                }
                ["lost"] => DurableHttpResponse::new(202).with_text("where?"),
                ["poll-of-flaky", key] => DurableHttpResponse::new(202)
                    .with_header("location", format!("/flaky/{key}/2"))
                    .with_header("retry-after", "0"),
                ["flaky", key, fails] => {
                    let count = self.count(key, &delivery);
                    if count > fails.parse::<usize>().unwrap() {
                        DurableHttpResponse::new(200).with_text(count.to_string())
                    } else {
                        DurableHttpResponse::new(500)
                    }
                }
                ["once-refused", key] => {
                    if self.count(key, &delivery) == 1 {
                        return Err(HttpFailure::Connect.details("not yet"));
                    }
                    DurableHttpResponse::new(200).with_text("at last")
                }
                ["poll-of-refused", key] => DurableHttpResponse::new(202)
                    .with_header("location", format!("/once-refused/{key}"))
                    .with_header("retry-after", "0"),
                ["refused"] => return Err(HttpFailure::Connect.details("nobody is there")),
                ["never"] => {
                    delivery.context.cancellation_token().cancelled().await;
                    self.cancelled.fetch_add(1, Ordering::SeqCst);
                    return Err(HttpFailure::Timeout.details("given up"));
                }
                _ => panic!("no script for {url}"),
            };
            Ok(HttpAnswer::new(response))
        }
        .boxed()
    }
}

impl Scripted {
    /// The how manieth request under that key this is.
    fn count(&self, key: &str, delivery: &HttpDelivery) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let sent = counts.entry(key.to_owned()).or_default();
        let task = delivery.context.idempotency_key();
        let known = sent.iter().position(|sent| sent == task);
        let index = known.unwrap_or_else(|| {
            sent.push(task.to_owned());
            sent.len() - 1
        });
        index + 1
    }

    /// Of each request, however often it was delivered.
    fn urls(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let mut tasks = BTreeSet::new();
        seen.iter()
            .filter(|seen| tasks.insert(&seen.task))
            .map(|seen| format!("{} {}", seen.request.method(), seen.request.uri()))
            .collect()
    }

    fn keys(&self) -> Vec<Option<String>> {
        let seen = self.seen.lock().unwrap();
        let key = |seen: &Seen| {
            seen.request
                .headers()
                .get("idempotency-key")
                .map(str::to_owned)
        };
        seen.iter().map(key).collect()
    }
}

#[orchestration_trigger]
pub async fn http_proxy(
    ctx: OrchestrationContext,
    request: DurableHttpRequest,
) -> Result<DurableHttpResponse> {
    Ok(ctx.call_http(request).await?)
}

/// Nobody awaits the call until the event comes.
#[orchestration_trigger]
pub async fn http_awaited_late(ctx: OrchestrationContext) -> Result<String> {
    let call = ctx.call_http(DurableHttpRequest::get("http://h/accepted/2"));
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(call.await?.content)
}

#[orchestration_trigger]
pub async fn http_given_up(ctx: OrchestrationContext) -> Result<String> {
    let late = ctx.create_timer(Duration::from_millis(50));
    tokio::select! {
        answer = ctx.call_http(DurableHttpRequest::get("http://h/never")) => Ok(answer?.content),
        () = late => Ok("gave up".to_owned()),
    }
}

#[orchestration_trigger]
pub async fn http_handled(ctx: OrchestrationContext) -> Result<u32> {
    let asked = std::sync::Arc::new(AtomicU32::new(0));
    let count = std::sync::Arc::clone(&asked);
    let policy = HttpRetryPolicy::new(5, Duration::from_millis(1)).with_handler(move |failure| {
        count.fetch_add(1, Ordering::SeqCst);
        failure.properties["statusCode"] != json!(404)
    });
    let request = DurableHttpRequest::get("http://h/status/404").with_retry(policy);
    match ctx.call_http(request).await {
        Err(TaskError::Failed(_)) => Ok(asked.load(Ordering::SeqCst)),
        other => Err(format!("{other:?}").into()),
    }
}

#[orchestration_trigger]
pub async fn calls_reserved_names(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut refusals = Vec::new();
    for name in ["BuiltIn::HttpActivity", "builtin__httpactivity"] {
        let request = DurableHttpRequest::get("http://h/status/200");
        let called = ctx.call_activity_by_name::<Value>(name, request);
        refusals.push(called.await.unwrap_err().to_string());
        let child = ctx.call_sub_orchestrator_by_name::<Value>(name, ());
        refusals.push(child.await.unwrap_err().to_string());
    }
    Ok(refusals)
}

async fn proxied(host: &Host, request: DurableHttpRequest) -> (String, Value) {
    let id = host.client.start_new::<http_proxy>(request).await.unwrap();
    let end = host.end(&id).await;
    let answer = match end.runtime_status {
        RuntimeStatus::Completed => end.output.unwrap(),
        _ => serde_json::to_value(end.failure.unwrap().inner.unwrap()).unwrap(),
    };
    (id, answer)
}

fn retrying(attempts: u32) -> HttpRetryPolicy {
    HttpRetryPolicy::new(attempts, Duration::from_millis(1))
}

scenarios! {
    any_status_is_a_value(host) {
        for code in [200, 204, 304, 404, 500] {
            let url = format!("http://h/status/{code}");
            let (_, answer) = proxied(&host, DurableHttpRequest::get(url)).await;
            assert_eq!(answer["statusCode"], code);
        }
    }

    accepted_is_polled_for_with_durable_timers(host) {
        let request = DurableHttpRequest::post("http://h/accepted/2").with_text("job");
        let (id, answer) = proxied(&host, request).await;
        assert_eq!(answer["content"], "done");
        assert_eq!(host.http.urls(), ["POST http://h/accepted/2", "GET http://h/accepted/1", "GET http://h/accepted/0"]);
        let round = ["TaskScheduled", "TaskCompleted", "TimerCreated", "TimerFired"];
        let mut kinds = vec!["ExecutionStarted"];
        kinds.extend(round);
        kinds.extend(round);
        kinds.extend(&round[..2]);
        kinds.push("ExecutionCompleted");
        assert_eq!(host.kinds(&id).await, kinds);
    }

    polls_go_on_before_anybody_awaits(host; PerSender: a client and the last answer) {
        let id = host.client.start_new::<http_awaited_late>(()).await.unwrap();
        while host.http.urls().len() < 3 {
            tokio::task::yield_now().await;
        }
        host.client.raise_event(&id, "go", ()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("done")));
    }

    accepted_is_the_answer_without_polling_or_location(host) {
        let (_, answer) = proxied(&host, DurableHttpRequest::get("http://h/accepted/2").without_polling()).await;
        assert_eq!(answer["statusCode"], 202);
        let (_, answer) = proxied(&host, DurableHttpRequest::get("http://h/lost")).await;
        assert_eq!((&answer["statusCode"], &answer["content"]), (&json!(202), &json!("where?")));
        assert_eq!(host.http.urls().len(), 2);
    }

    listed_statuses_are_sent_again_under_one_key(host) {
        let request = DurableHttpRequest::post("http://h/flaky/a/2").with_retry(retrying(3).with_status_codes([500, 503]));
        let (id, answer) = proxied(&host, request).await;
        assert_eq!(answer["content"], "3");
        let keys = host.http.keys();
        let execution = host.client.get_status(&id).await.unwrap().unwrap().execution_id;
        let key = Some(format!("{id}:{execution}:0"));
        assert_eq!(keys, [key.clone(), key.clone(), key]);
        let attempts: Vec<u32> = host.http.seen.lock().unwrap().iter().map(|seen| seen.attempt).collect();
        assert_eq!(attempts, [1, 2, 3]);
    }

    unlisted_statuses_are_values_and_exhausted_ones_fail(host) {
        let listed = DurableHttpRequest::get("http://h/status/404").with_retry(retrying(3).with_status_codes([500]));
        let (_, answer) = proxied(&host, listed).await;
        assert_eq!(answer["statusCode"], 404);
        let every = DurableHttpRequest::get("http://h/status/503").with_retry(retrying(3));
        let (_, failure) = proxied(&host, every).await;
        assert_eq!((&failure["errorType"], &failure["properties"]["statusCode"]), (&json!("HttpRequestException"), &json!(503)));
        assert_eq!(host.http.urls().len(), 4);
    }

    failures_are_sent_again_and_say_their_kind(host) {
        let (_, failure) = proxied(&host, DurableHttpRequest::get("http://h/refused").with_retry(retrying(2))).await;
        assert_eq!((&failure["errorType"], &failure["properties"]["kind"]), (&json!("HttpRequestException"), &json!("connect")));
        assert_eq!(host.http.urls().len(), 2);
    }

    polls_have_attempts_of_their_own(host) {
        let request = DurableHttpRequest::get("http://h/poll-of-flaky/b").with_retry(retrying(3));
        let (_, answer) = proxied(&host, request).await;
        assert_eq!(answer["content"], "3");
        assert_eq!(host.http.urls().len(), 4);
    }

    rewound_call_sends_what_failed_once_more(host) {
        let poll = DurableHttpRequest::post("http://h/poll-of-refused/r1");
        let status = DurableHttpRequest::get("http://h/flaky/r2/1").with_retry(retrying(1));
        for (request, content, sent) in [(poll, "at last", 3), (status, "2", 2)] {
            let before = host.http.urls().len();
            let id = host.client.start_new::<http_proxy>(request).await.unwrap();
            assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Failed);
            host.client.rewind(&id, "the server is back").await.unwrap();
            let end = host.end(&id).await;
            assert_eq!(end.output.unwrap()["content"], content);
            assert_eq!(host.http.urls().len() - before, sent);
        }
    }

    handler_decides_by_the_status(host) {
        let id = host.client.start_new::<http_handled>(()).await.unwrap();
        assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Completed);
        assert_eq!(host.http.urls().len(), 1);
    }

    request_that_cannot_be_sent_fails_the_call(host) {
        let (id, failure) = proxied(&host, DurableHttpRequest::get("http://h/x").with_text("body")).await;
        assert_eq!((&failure["errorType"], &failure["properties"]["kind"]), (&json!("HttpRequestException"), &json!("invalid")));
        assert_eq!(host.kinds(&id).await, ["ExecutionStarted", "ExecutionCompleted"]);
    }

    dropped_call_is_told(host) {
        let id = host.client.start_new::<http_given_up>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("gave up")));
        // The process that is gone took the request with it.
        while host.is_one_process() && host.http.cancelled.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }

    only_what_changes_something_carries_a_key_and_the_users_wins(host) {
        for method in ["GET", "PUT", "DELETE", "POST", "PATCH"] {
            proxied(&host, DurableHttpRequest::new(method, "http://h/status/200")).await;
        }
        let own = DurableHttpRequest::post("http://h/status/200").with_header("IDEMPOTENCY-KEY", "mine");
        proxied(&host, own).await;
        let keys = host.http.keys();
        assert_eq!(keys.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true, true, true]);
        assert_eq!(keys[5].as_deref(), Some("mine"));
    }

    traceparent_reaches_the_executor(host) {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = DurableHttpRequest::get("http://h/accepted/1");
        let id = host.client.start_new::<http_proxy>(request).with_trace_parent(parent).await.unwrap();
        host.end(&id).await;
        let seen = host.http.seen.lock().unwrap().clone();
        assert!(seen.len() == 2 && seen.iter().all(|seen| seen.trace_parent.as_deref() == Some(parent)));
    }

    requests_in_flight_take_no_slot_of_an_activity(host) {
        let waiting = (0..40).map(|_| host.client.start_new::<http_proxy>(DurableHttpRequest::get("http://h/never")));
        let waiting = join_all(waiting).await;
        while host.http.urls().len() < 40 {
            tokio::task::yield_now().await;
        }
        let id = host.client.start_new_by_name("hello_cities", ()).await.unwrap();
        assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Completed);
        for id in waiting.into_iter().map(Result::unwrap) {
            host.client.terminate(&id, "enough").await.unwrap();
            host.end(&id).await;
        }
    }

    // Vector 81.
    reserved_names_cannot_be_started_or_called(host) {
        for name in ["BuiltIn::HttpActivity", "BuiltIn__HttpActivity", "BuiltIn__HttpPollOrchestrator"] {
            let started = host.client.start_new_by_name(name, DurableHttpRequest::get("http://h/status/200")).await;
            assert!(matches!(started, Err(ClientError::UnknownFunction { .. })), "{started:?}");
        }
        let id = host.client.start_new::<calls_reserved_names>(()).await.unwrap();
        let refusals: Vec<String> = host.end(&id).await.output_as().unwrap();
        assert!(refusals.iter().all(|text| text.contains("doesn't exist")), "{refusals:?}");
        assert!(host.http.urls().is_empty());
    }

    shown_history_has_no_secrets_of_urls_and_headers(host) {
        let request = DurableHttpRequest::get("http://me:s3cret@h/lost")
            .with_header("Authorization", "s3cret")
            .with_header("x-shown", "shown");
        let id = host.client.start_new::<http_proxy>(request).await.unwrap();
        host.end(&id).await;
        let options = StatusOptions::new().with_history().with_history_output();
        let status = host.client.get_status_with(&id, options).await.unwrap().unwrap();
        let history = status.history.unwrap();
        let row = history.iter().find(|row| row["FunctionName"] == "BuiltIn::HttpActivity").unwrap();
        let text = row.to_string();
        assert!(!text.contains("s3cret") && text.contains("x-shown") && text.contains("where?"), "{text}");
    }
}

#[test]
fn reserved_names_cannot_be_registered() {
    for name in [
        "BuiltIn::HttpActivity",
        "BuiltIn__HttpActivity",
        "builtin__x",
    ] {
        let registration = Registration {
            name,
            module: module_path!(),
            file: file!(),
            line: line!(),
            kind: Kind::Activity(ActivitySpec {
                timeout: None,
                max_concurrency: None,
                rate: None,
                states: &[],
                run: ActivityRun::Blocking(|_| Ok(Payload::null())),
            }),
        };
        let faults = Registry::of([registration].iter()).unwrap_err();
        assert!(faults[0].0.contains("are reserved"), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_between_polls_goes_on_with_the_poll() {
    let host = Host::new(Residency::Resident);
    let id = host
        .client
        .start_new::<http_awaited_late>(())
        .await
        .unwrap();
    while host.http.urls().is_empty() {
        tokio::task::yield_now().await;
    }
    let host = host.restart(Residency::Resident).await;
    host.client.raise_event(&id, "go", ()).await.unwrap();
    assert_eq!(host.end(&id).await.output, Some(json!("done")));
    let urls = host.http.urls();
    assert_eq!(
        urls.iter().filter(|url| url.ends_with("/0")).count(),
        1,
        "{urls:?}"
    );
}
