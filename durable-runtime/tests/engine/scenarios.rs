//! Scenarios of the reference's suites, by what they show.

use std::time::Duration;

use durable_runtime::model::HistoryEvent;
use durable_runtime::{ClientError, InstanceQuery, RuntimeStatus, StatusOptions};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::functions::*;
use crate::host::{Host, Residency};

/// Each scenario three times: resident, evicted after each turn, and with the process gone after each commit. What it leaves is the same
/// each time (`same.rs`), in the order that it names; it gives the reason where that is not [`Order::Settled`].
macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident($host:ident $(, $adjust:expr)? $(; $order:ident: $($why:ident)+)?) { $($body:tt)* })*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            static LEFT: tokio::sync::OnceCell<crate::same::Left> = tokio::sync::OnceCell::const_new();

            async fn run(mode: crate::host::Mode) -> crate::same::Left {
                #[allow(unused_mut, unused_assignments, reason = "not every scenario has settings")]
                let mut adjust: fn(&mut durable_runtime::hub::Settings) = |_| ();
                $(adjust = $adjust;)?
                let $host = Host::in_mode(mode, adjust);
                $($body)*
                #[allow(unused_mut, unused_assignments, reason = "not every scenario has another order")]
                let mut order = crate::same::Order::Settled;
                $(order = crate::same::Order::$order;)?
                crate::same::Left::by(&$host.client, order).await
            }

            /// Run once for the others.
            async fn in_memory() -> &'static crate::same::Left {
                LEFT.get_or_init(|| run(crate::host::Mode::Resident)).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn resident() {
                in_memory().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn evicted_after_each_turn() {
                run(crate::host::Mode::Evicted).await.assert_same_as(in_memory().await);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn gone_after_each_commit() {
                run(crate::host::Mode::Mortal).await.assert_same_as(in_memory().await);
            }
        }
    )*};
}
pub(crate) use scenarios;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_of_three_is_killed_after_each_commit_but_that_of_its_start() {
    let host = Host::mortal(|_| ());
    let deaths = host.deaths();
    let id = host.client.start_new::<hello_cities>(()).await.unwrap();
    host.end(&id).await;
    assert_eq!(deaths(), 3);
}

scenarios! {
    // Vector 1.
    chain_of_three_says_hello(host) {
        let id = host.client.start_new::<hello_cities>(()).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.output, Some(json!(["Hello Tokyo!", "Hello Seattle!", "Hello London!"])));
        let turns = host.client.events(&id).await.unwrap().unwrap();
        let kinds: Vec<&str> = turns.iter().flatten().map(HistoryEvent::kind).collect();
        let (begin, end) = ("OrchestratorStarted", "OrchestratorCompleted");
        let (asks, done) = ("TaskScheduled", "TaskCompleted");
        let step = [begin, done, asks, end];
        let history: [&[&str]; 4] = [&[begin, "ExecutionStarted", asks, end], &step, &step, &[begin, done, "ExecutionCompleted", end]];
        assert_eq!(kinds, history.concat());
    }

    // Vector 2.
    orchestrator_without_awaits_has_the_smallest_history(host) {
        let id = host.client.start_new::<empty>(()).await.unwrap();
        assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Completed);
        let turns = host.client.events(&id).await.unwrap().unwrap();
        let kinds: Vec<&str> = turns.iter().flatten().map(HistoryEvent::kind).collect();
        assert_eq!(kinds, ["OrchestratorStarted", "ExecutionStarted", "ExecutionCompleted", "OrchestratorCompleted"]);
    }

    // Vector 3.
    falsy_values_survive(host) {
        let values = json!([null, 0, "", false, []]);
        let id = host.client.start_new_by_name("round_trip", &values).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(values));
    }

    // Vector 4.
    thousand_parallel_activities_keep_argument_order(host; PerSender: they run side by side) {
        let id = host.client.start_new::<fan_out>(1_000u64).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!((0..1000u64).map(|i| i * i).sum::<u64>())));
    }

    // Vector 90.
    unordered_pool_of_two_thousand_finishes(host; PerSender: they run side by side) {
        let id = host.client.start_new::<unordered>(2_000u64).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!((0..2000u64).map(|i| i * i).sum::<u64>())));
    }

    /// The first to arrive has the instance loaded, with the rows of those that arrive in memory a moment later.
    each_of_many_events_at_once_counts_once(host; PerSender: there are many clients) {
        let id = host.client.start_new::<counts>(400u32).await.unwrap();
        let host = host.interrupt().await;
        let raises = (0..400).map(|_| host.client.raise_event(&id, "incr", ()));
        for raised in join_all(raises).await {
            raised.unwrap();
        }
        host.client.raise_event(&id, "done", ()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(400)));
    }

    // Vector 6.
    unhandled_failure_names_orchestrator_and_activity(host) {
        let id = host.client.start_new::<fails>(()).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.runtime_status, RuntimeStatus::Failed);
        let text = end.output.unwrap().to_string();
        assert!(text.contains("'fails'") && text.contains("'boom'") && text.contains("kaboom"), "{text}");
    }

    // Vector 7.
    failure_of_a_childs_activity_is_nested_in_both_orchestrations(host) {
        let id = host.client.start_new::<parent_of_fails>(()).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.runtime_status, RuntimeStatus::Failed);
        let mut next = end.failure.as_ref();
        let mut chain = Vec::new();
        while let Some(failure) = next {
            chain.push((&*failure.error_type, &*failure.message));
            next = failure.inner.as_deref();
        }
        let (orchestration, activity) = (
            r#"The orchestrator function 'fails' failed: "The activity function 'boom' failed: "kaboom". See the function execution logs for additional details.". See the function execution logs for additional details."#,
            r#"The activity function 'boom' failed: "kaboom". See the function execution logs for additional details."#,
        );
        let error = "durable_functions::TaskError";
        assert_eq!(chain, [(error, orchestration), (error, activity), ("Boom", "kaboom")]);
    }

    retries_wait_in_history(host) {
        let id = host.client.start_new::<retries>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(3)));
        let kinds = host.kinds(&id).await;
        assert_eq!(kinds.iter().filter(|kind| **kind == "TaskScheduled").count(), 3, "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| **kind == "TimerFired").count(), 2, "{kinds:?}");
    }

    fired_timers_say_when_they_were_due(host) {
        let id = host.client.start_new::<retries>(()).await.unwrap();
        host.end(&id).await;
        let status = host.client.get_status_with(&id, StatusOptions::new().with_history()).await;
        let history = status.unwrap().unwrap().history.unwrap();
        let due = |kind: &str| -> Vec<String> {
            let rows = history.iter().filter(|row| row["EventType"] == kind);
            rows.map(|row| row["FireAt"].as_str().unwrap().to_owned()).collect()
        };
        let created = due("TimerCreated");
        assert_eq!(created.len(), 2);
        assert_ne!(created[0], created[1]);
        assert_eq!(due("TimerFired"), created);
    }

    // Vector 21.
    events_wait_for_their_waiter_in_order(host; PerSender: a client and a timer) {
        let id = host.client.start_new::<sum_of_events>(5usize).await.unwrap();
        for n in 0..5 {
            host.client.raise_event(&id, "add", n).await.unwrap();
        }
        assert_eq!(host.end(&id).await.output, Some(json!(26)));
    }

    // Vector 23.
    counter_continues_as_new_and_loses_no_event(host; PerSender: a generation may begin with its event or wait for it) {
        let id = host.client.start_new::<counter>(0).await.unwrap();
        for name in ["incr", "incr", "INCR", "decr", "incr", "end"] {
            host.client.raise_event(&id, name, Value::Null).await.unwrap();
        }
        let end = host.end(&id).await;
        assert_eq!((end.output, end.input), (Some(json!(3)), Some(json!(3))));
    }

    // Vector 33.
    each_generation_shows_its_count(host) {
        let id = host.client.start_new::<counter>(0).await.unwrap();
        for (name, shown) in [("incr", 1), ("incr", 2), ("incr", 3), ("decr", 2), ("incr", 3)] {
            host.client.raise_event(&id, name, Value::Null).await.unwrap();
            crate::events::until_status(&host, &id, &json!(shown)).await;
        }
        host.client.raise_event(&id, "end", Value::Null).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.output, Some(json!(3)));
        assert_eq!(end.input, Some(json!(3)));
        assert_eq!(end.custom_status, Some(json!(3)));
    }

    thousand_generations_pass(host) {
        let id = host.client.start_new::<generations>(1_000u32).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("done")));
        assert_eq!(host.kinds(&id).await, ["ExecutionStarted", "ExecutionCompleted"]);
    }

    event_beats_its_timeout_or_not(host) {
        let late = host.client.start_new::<approval>(30u64).await.unwrap();
        assert_eq!(host.end(&late).await.output, Some(json!("escalated")));
        let early = host.client.start_new::<approval>(3_600_000u64).await.unwrap();
        host.client.raise_event(&early, "Approval", true).await.unwrap();
        assert_eq!(host.end(&early).await.output, Some(json!("approved")));
        assert_eq!(host.kinds(&early).await, ["ExecutionStarted", "TimerCreated", "EventRaised", "ExecutionCompleted"]);
    }

    // Vector 34.
    children_answer_their_parent(host; PerSender: two children) {
        let id = host.client.start_new::<parent>(()).with_instance_id("p").await.unwrap();
        let output = host.end(&id).await.output;
        assert_eq!(output, Some(json!([{ "squared": 9, "parent": "p" }, { "squared": 16, "parent": "p" }])));
        assert_eq!(host.client.get_status("p-b").await.unwrap().unwrap().parent_instance_id.as_deref(), Some("p"));
    }

    // Vectors 35 and 36.
    child_id_of_a_live_instance_or_of_the_caller_fails_the_call(host) {
        let live = host.client.start_new::<approval>(3_600_000u64).with_instance_id("live").await.unwrap();
        let id = host.client.start_new::<taken_child>("live").await.unwrap();
        assert!(host.end(&id).await.output.unwrap().to_string().contains("already exists"));
        let own = host.client.start_new::<taken_child>("OWN").with_instance_id("own").await.unwrap();
        assert!(host.end(&own).await.output.unwrap().to_string().contains("must not have the id of its caller"));
        host.client.terminate(&live, "enough").await.unwrap();
        host.end(&live).await;
    }

    timed_out_activity_is_told(host) {
        let id = host.client.start_new::<gives_up_on_activity>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("timed out")));
        // The process that is gone took the activity with it.
        while host.is_one_process() && !CANCELLED.lock().unwrap().contains(&id) {
            tokio::task::yield_now().await;
        }
    }

    code_that_waits_for_nothing_durable_fails(host) {
        let id = host.client.start_new::<waits_for_nothing_durable>(()).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!(end.failure.unwrap().error_type, "NonDeterminismError");
        let id = host.client.start_new::<panics>(()).await.unwrap();
        let failure = host.end(&id).await.failure.unwrap();
        assert_eq!((&*failure.error_type, &*failure.message), ("panic", "out of cheese"));
    }

    // Vector 53.
    unknown_names_are_said_with_the_known_ones(host) {
        let id = host.client.start_new::<unknown_activity>(()).await.unwrap();
        let text = host.end(&id).await.output.unwrap().to_string();
        assert!(text.contains("'nope'") && text.contains("'say_hello'"), "{text}");
        let error = host.client.start_new_by_name("nope", ()).await.unwrap_err();
        assert!(matches!(error, ClientError::UnknownFunction { known, .. } if known.contains(&"hello_cities".to_owned())));
    }

    // Vector 52.
    custom_status_has_its_limit(host) {
        let fits = host.client.start_new::<too_much_status>(8_701usize).await.unwrap();
        assert_eq!(host.end(&fits).await.runtime_status, RuntimeStatus::Completed);
        let over = host.client.start_new::<too_much_status>(8_702usize).await.unwrap();
        let failure = host.end(&over).await.failure.unwrap();
        assert!(failure.error_type == "UsageError" && failure.message.contains("16 KB"), "{failure:?}");
    }

    // Vector 46.
    guids_differ_from_each_other(host) {
        let id = host.client.start_new::<deterministic>(()).await.unwrap();
        let (a, b, replaying) = host.end(&id).await.output_as::<(String, String, bool)>().unwrap();
        assert!(a != b && !replaying);
    }

    // Vector 30.
    detached_start_and_event_both_leave(host; PerSender: the event may find the first turn over) {
        let id = host.client.start_new::<starts_another>(()).await.unwrap();
        let other: String = host.end(&id).await.output_as().unwrap();
        assert_eq!(host.end(&other).await.output, Some(json!("approved")));
    }

    // Vector 40.
    suspended_instance_keeps_what_arrives(host; PerSender: the last event may find the last generation under way) {
        let id = host.client.start_new::<counter>(0).await.unwrap();
        host.client.suspend(&id, "wait").await.unwrap();
        until(&host, &id, RuntimeStatus::Suspended).await;
        assert!(matches!(host.client.suspend(&id, "again").await, Err(ClientError::InvalidState { .. })));
        for _ in 0..10 {
            host.client.raise_event(&id, "incr", ()).await.unwrap();
        }
        host.client.raise_event(&id, "end", ()).await.unwrap();
        assert_eq!(host.client.get_status(&id).await.unwrap().unwrap().custom_status, Some(json!(0)));
        host.client.resume(&id, "go").await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(10)));
    }

    // Vector 41.
    termination_keeps_the_reason_and_comes_once(host) {
        let id = host.client.start_new::<counter>(0).await.unwrap();
        host.client.terminate(&id, "sayōnara").await.unwrap();
        let end = host.end(&id).await;
        assert_eq!((end.runtime_status, end.output), (RuntimeStatus::Terminated, Some(json!("sayōnara"))));
        let again = host.client.terminate(&id, "x").await;
        assert!(matches!(again, Err(ClientError::InvalidState { status: RuntimeStatus::Terminated, .. })), "{again:?}");
        let late = host.client.raise_event(&id, "incr", ()).await;
        assert!(matches!(late, Err(ClientError::InvalidState { status: RuntimeStatus::Terminated, .. })), "{late:?}");
        let status = host.client.get_status_with(&id, StatusOptions::new().with_history()).await;
        let history = status.unwrap().unwrap().history.unwrap();
        let of = |kind: &str| history.iter().filter(|event| event["EventType"] == kind).count();
        assert_eq!([of("ExecutionTerminated"), of("ExecutionCompleted"), of("EventRaised")], [1, 1, 0], "{history:?}");
        assert!(matches!(host.client.raise_event("nobody", "x", 1).await, Err(ClientError::NotFound(_))));
        assert_eq!(host.client.purge_instance(&id).await.unwrap(), 1);
        assert!(host.client.get_status(&id).await.unwrap().is_none());
    }

    // Vector 55.
    hundred_racers_have_one_winner(host) {
        let starts = (0..100).map(|_| host.client.start_new::<approval>(3_600_000u64).with_instance_id("race"));
        let won = join_all(starts).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(won, 1);
        host.client.raise_event("race", "approval", true).await.unwrap();
        host.end("race").await;
        host.client.start_new::<approval>(1u64).with_instance_id("race").await.unwrap();
        assert_eq!(host.end("race").await.output, Some(json!("escalated")));
    }

    // Vector 60.
    scheduled_start_is_pending_until_due(host) {
        let due = chrono::Utc::now() + Duration::from_millis(300);
        let id = host.client.start_new::<hello_cities>(()).scheduled_at(due).await.unwrap();
        let status = host.client.get_status(&id).await.unwrap().unwrap();
        assert!(status.runtime_status == RuntimeStatus::Pending || chrono::Utc::now() >= due, "{status:?}");
        assert!(host.end(&id).await.created_time <= chrono::Utc::now());
        assert!(chrono::Utc::now() >= due);
    }

    restart_goes_on_where_it_stopped(host; PerSender: the stop may leave the event unread) {
        let waiting = host.client.start_new::<counter>(0).await.unwrap();
        host.client.raise_event(&waiting, "incr", ()).await.unwrap();
        let timer = host.client.start_new::<approval>(400u64).await.unwrap();
        let host = host.interrupt().await;
        host.client.raise_event(&waiting, "end", ()).await.unwrap();
        assert_eq!(host.end(&waiting).await.output, Some(json!(1)));
        assert_eq!(host.end(&timer).await.output, Some(json!("escalated")));
    }

    // Vector 62: in the order of creation, or with a prefix in that of the ids.
    pages_hold_what_is_asked_for_in_order(host) {
        let ids = ["page-3", "page-0", "page-4", "page-1", "page-2"];
        for id in ids {
            host.client.start_new::<approval>(3_600_000u64).with_instance_id(id).await.unwrap();
            // Those created in the same microsecond are in the order of their ids.
            let created = host.client.get_status(id).await.unwrap().unwrap().created_time;
            while chrono::Utc::now() - created < chrono::TimeDelta::microseconds(2) {}
        }
        host.client.start_new::<empty>(()).with_instance_id("other").await.unwrap();
        for id in ["page-3", "page-4", "page-2"] {
            host.client.raise_event(id, "approval", true).await.unwrap();
            host.end(id).await;
        }
        host.end("other").await;
        let every = InstanceQuery::new();
        let in_order = ["page-3", "page-0", "page-4", "page-1", "page-2", "other"];
        assert_eq!(pages(&host, every.clone()).await.concat(), in_order);
        let ended = every.with_status([RuntimeStatus::Completed]);
        assert_eq!(pages(&host, ended).await.concat(), ["page-3", "page-4", "page-2", "other"]);
        let some = InstanceQuery::new().with_id_prefix("page-");
        let pairs = [&["page-0", "page-1"][..], &["page-2", "page-3"], &["page-4"]];
        assert_eq!(pages(&host, some.clone()).await, pairs);
        let ended = some.clone().with_status([RuntimeStatus::Completed]);
        assert_eq!(pages(&host, ended).await, [&["page-2", "page-3"][..], &["page-4"]]);
        let running = some.clone().with_status([RuntimeStatus::Running]);
        assert_eq!(pages(&host, running).await.concat(), ["page-0", "page-1"]);
        let either = some.with_status([RuntimeStatus::Running, RuntimeStatus::Completed]);
        assert_eq!(pages(&host, either).await, pairs);
        for id in ["page-0", "page-1"] {
            host.client.terminate(id, "").await.unwrap();
            host.end(id).await;
        }
    }
}

/// The ids on each page of two.
async fn pages(host: &Host, query: InstanceQuery) -> Vec<Vec<String>> {
    let mut query = query.with_page_size(2);
    let mut pages = Vec::new();
    loop {
        let page = host.client.list_instances(query.clone()).await.unwrap();
        let ids = page.items.into_iter().map(|status| status.instance_id);
        pages.push(ids.collect());
        let Some(token) = page.continuation_token else {
            return pages;
        };
        query = query.with_continuation(token);
    }
}

/// The status comes with a commit; waits by asking again, since no signal tells of it.
pub(crate) async fn until(host: &Host, id: &str, status: RuntimeStatus) {
    let deadline = tokio::time::Instant::now() + crate::host::PATIENCE;
    while host
        .client
        .get_status(id)
        .await
        .unwrap()
        .unwrap()
        .runtime_status
        != status
    {
        assert!(tokio::time::Instant::now() < deadline, "never {status}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_activity_is_given_up() {
    let host = Host::new(Residency::Resident);
    let id = host
        .client
        .start_new::<calls_a_hanging_activity>(())
        .await
        .unwrap();
    assert_eq!(host.end(&id).await.output, Some(json!("FunctionTimeout")));
}
