//! Sub-orchestrations over generations, failures and retries.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{Error, OrchestrationContext, Result, RetryPolicy, RuntimeStatus};
use futures::future::{FutureExt, select};
use serde_json::{Value, json};

use crate::functions::{approval, child, fails, generations};
use crate::host::{Host, PATIENCE};
use crate::scenarios::{scenarios, until};

static TRIES: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

#[activity_trigger]
async fn third_time(key: String) -> Result<u32> {
    let mut tries = TRIES.lock().unwrap();
    let tries = tries.entry(key).or_default();
    *tries += 1;
    if *tries < 3 {
        Err(Error::msg("not yet"))
    } else {
        Ok(*tries)
    }
}

#[orchestration_trigger]
async fn flaky(ctx: OrchestrationContext, key: String) -> Result<u32> {
    Ok(ctx.call_activity::<third_time>(key).await?)
}

#[orchestration_trigger]
async fn patient_parent(ctx: OrchestrationContext, named: bool) -> Result<u32> {
    let policy = RetryPolicy::new(5, Duration::from_millis(5));
    let mut call = ctx.call_sub_orchestrator::<flaky>(ctx.instance_id().to_owned());
    if named {
        call = call.with_instance_id(format!("{}-child", ctx.instance_id()));
    }
    Ok(call.with_retry(policy).await?)
}

#[orchestration_trigger]
async fn parent_of_generations(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_sub_orchestrator::<generations>(30u32).await?)
}

#[orchestration_trigger]
async fn catches(ctx: OrchestrationContext) -> Result<(String, bool)> {
    let failure = ctx.call_sub_orchestrator::<fails>(()).await.unwrap_err();
    Ok((failure.to_string(), failure.is_caused_by("Boom")))
}

#[orchestration_trigger]
async fn waits(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.wait_for_external_event("go").await?)
}

#[orchestration_trigger]
async fn renews_itself(ctx: OrchestrationContext, first: Option<String>) -> Result<u32> {
    let own = format!("{}:0", ctx.execution_id());
    let call = ctx.call_sub_orchestrator::<waits>(());
    let Some(first) = first else {
        select(call, std::future::ready(()).boxed()).await;
        return ctx.continue_as_new(own);
    };
    ctx.set_custom_status(&[first, own]);
    Ok(call.await?)
}

#[orchestration_trigger]
async fn leaves_its_child_alone(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx
        .start_orchestration::<approval>(3_600_000u64)
        .id()
        .to_owned())
}

/// The children of the first and the second generation, once there are both.
async fn both_children(host: &Host, id: &str) -> [String; 2] {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let status = host.client.get_status(id).await.unwrap().unwrap();
        let known = status.custom_status.unwrap_or_default();
        if let Ok(children) = serde_json::from_value::<[String; 2]>(known)
            && host
                .client
                .get_status(&children[1])
                .await
                .unwrap()
                .is_some()
        {
            return children;
        }
        assert!(tokio::time::Instant::now() < deadline, "never both");
        tokio::task::yield_now().await;
    }
}

scenarios! {
    // Vector 34.
    only_a_child_has_a_parent(host) {
        let id = host.client.start_new::<child>(3u64).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!({ "squared": 9, "parent": null })));
        let id = host.client.start_new::<catches>(()).await.unwrap();
        let (text, caused) = host.end(&id).await.output_as::<(String, bool)>().unwrap();
        assert!(text.contains("kaboom") && caused, "{text}");
    }

    // Vector 37.
    child_that_continues_as_new_still_answers(host) {
        let id = host.client.start_new::<parent_of_generations>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!("done")));
    }

    // Vector 38: under a given id each attempt replaces the failed instance.
    child_that_fails_twice_succeeds_at_the_third_attempt(host) {
        for named in [false, true] {
            let id = host.client.start_new::<patient_parent>(named).await.unwrap();
            assert_eq!(host.end(&id).await.output, Some(json!(3)), "named: {named}");
            let kinds = host.kinds(&id).await;
            let created = kinds.iter().filter(|kind| **kind == "SubOrchestrationInstanceCreated");
            assert_eq!(created.count(), 3, "{kinds:?}");
        }
    }

    // Vector 39.
    parent_ends_while_a_detached_child_runs(host) {
        let id = host.client.start_new::<leaves_its_child_alone>(()).await.unwrap();
        let other: String = host.end(&id).await.output_as().unwrap();
        until(&host, &other, RuntimeStatus::Running).await;
        let status = host.client.get_status(&other).await.unwrap().unwrap();
        assert!(!status.is_terminal() && status.parent_instance_id.is_none(), "{status:?}");
        host.client.raise_event(&other, "approval", true).await.unwrap();
        assert_eq!(host.end(&other).await.output, Some(json!("approved")));
    }

    /// The generation that called the first one is over; both are children of the instance.
    children_of_earlier_generations_end_and_go_with_their_parent(host) {
        let id = host.client.start_new::<renews_itself>(None).await.unwrap();
        let children = both_children(&host, &id).await;
        host.client.terminate(&id, "enough").recursive().await.unwrap();
        for id in children.iter().chain([&id]) {
            let end = host.end(id).await;
            assert_eq!((end.runtime_status, end.output), (RuntimeStatus::Terminated, Some(json!("enough"))), "{id}");
        }
        assert_eq!(host.client.purge_instance(&id).recursive().await.unwrap(), 3);
        for id in children {
            assert!(host.client.get_status(&id).await.unwrap().is_none(), "{id}");
        }
    }

    // Vectors 36 and 50: the first generation's child answers an execution that is over.
    answer_to_an_earlier_generation_is_dropped(host) {
        let id = host.client.start_new::<renews_itself>(None).await.unwrap();
        let [first, own] = children_of(&host, &id).await;
        assert_ne!(first, own);
        for child in [&first, &own] {
            until(&host, child, RuntimeStatus::Running).await;
        }
        host.client.raise_event(&first, "go", 1).await.unwrap();
        assert_eq!(host.end(&first).await.output, Some(json!(1)));
        host.client.raise_event(&own, "go", 2).await.unwrap();
        let end = host.end(&id).await;
        assert_eq!((end.runtime_status, end.output), (RuntimeStatus::Completed, Some(json!(2))));
        let kinds = host.kinds(&id).await;
        let answers = kinds.iter().filter(|kind| **kind == "SubOrchestrationInstanceCompleted");
        assert_eq!(answers.count(), 1, "{kinds:?}");
    }
}

/// Waits, by asking again, until the second generation shows both children, and both exist.
async fn children_of(host: &Host, id: &str) -> [String; 2] {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = host.client.get_status(id).await.unwrap().unwrap();
        let shown: Option<[String; 2]> = now
            .custom_status
            .clone()
            .and_then(|status: Value| serde_json::from_value(status).ok());
        if let Some(children) = shown {
            return children;
        }
        assert!(tokio::time::Instant::now() < deadline, "{now:?}");
        tokio::task::yield_now().await;
    }
}
