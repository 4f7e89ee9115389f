//! `testing::replay`: code that still fits a recorded history is told from code that does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::testing::{History, TestHost, replay};
use durable_runtime::{DurableHttpRequest, DurableHttpResponse, OrchestrationContext, Result};

const HOUR: Duration = Duration::from_secs(3_600);

#[activity_trigger]
async fn charge(cents: u64) -> String {
    format!("{cents} charged")
}

#[activity_trigger]
async fn refund(cents: u64) -> String {
    format!("{cents} given back")
}

mod before {
    use super::*;

    #[orchestration_trigger(name = "order")]
    pub(super) async fn order(ctx: OrchestrationContext, ok: bool) -> Result<String> {
        ctx.create_timer(HOUR).await;
        let paid = ctx.call_activity::<charge>(1_u64).await?;
        if ok { Ok(paid) } else { Err("no stock")? }
    }
}

macro_rules! changed {
    ($name:ident($ctx:ident) $body:block) => {
        mod $name {
            use super::*;

            #[orchestration_trigger(name = "order")]
            pub(super) async fn order($ctx: OrchestrationContext, ok: bool) -> Result<String> {
                let _ = ok;
                $body
            }
        }
    };
}

changed!(other_activity(ctx) {
    ctx.create_timer(HOUR).await;
    Ok(ctx.call_activity::<refund>(1_u64).await?)
});
changed!(no_timer(ctx) {
    Ok(ctx.call_activity::<charge>(1_u64).await?)
});
changed!(one_more(ctx) {
    ctx.create_timer(HOUR).await;
    let paid = ctx.call_activity::<charge>(1_u64).await?;
    ctx.call_activity::<charge>(2_u64).await?;
    Ok(paid)
});
changed!(ends_early(ctx) {
    ctx.create_timer(HOUR).await;
    Ok(String::new())
});
changed!(never_fails(ctx) {
    ctx.create_timer(HOUR).await;
    Ok(ctx.call_activity::<charge>(1_u64).await?)
});

async fn recorded(ok: bool) -> History {
    let host = TestHost::within(concat!(module_path!(), "::before"))
        .mock_activity::<charge>(|_| Ok("paid".to_owned()))
        .start()
        .await
        .unwrap();
    let id = host.run::<before::order>(ok).await.unwrap().instance_id;
    let turns = host.client().events(&id).await.unwrap().unwrap();
    History::from_json(&History::to_json(&id, &turns).unwrap()).unwrap()
}

#[tokio::test]
async fn code_that_fits_is_told_from_code_that_does_not() {
    let (good, bad) = (recorded(true).await, recorded(false).await);
    replay::<before::order>(&good).unwrap();
    replay::<before::order>(&bad).unwrap();
    replay::<never_fails::order>(&good).unwrap();
    for (result, parts) in [
        (
            replay::<other_activity::order>(&good),
            ["`charge`", "`refund`"],
        ),
        (
            replay::<no_timer::order>(&good),
            ["TimerCreated", "`charge`"],
        ),
        (
            replay::<one_more::order>(&good),
            ["#2 TaskScheduled", "records nothing"],
        ),
        (
            replay::<ends_early::order>(&good),
            ["`charge`", "asks for nothing"],
        ),
        (
            replay::<never_fails::order>(&bad),
            ["it failed", "completes"],
        ),
    ] {
        let text = result.unwrap_err().to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

mod requests {
    use super::*;

    #[orchestration_trigger]
    pub(super) async fn polls(ctx: OrchestrationContext) -> Result<String> {
        let job = DurableHttpRequest::post("https://me:s3cret@example.com/jobs?code=s3cret")
            .with_header("Authorization", "Bearer s3cret");
        Ok(ctx.call_http(job).await?.content)
    }
}

#[tokio::test]
async fn recorded_requests_have_no_credentials_and_fit_all_the_same() {
    let host = TestHost::within(concat!(module_path!(), "::requests"))
        .mock_http(|request| match request.method() {
            "POST" => DurableHttpResponse::new(202)
                .with_header("Location", "/jobs/1?sig=s3cret")
                .with_header("Set-Cookie", "s3cret"),
            _ => DurableHttpResponse::new(200).with_text("done"),
        })
        .start()
        .await
        .unwrap();
    let status = host.run::<requests::polls>(()).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "done");
    let turns = host.client().events(&status.instance_id).await.unwrap();
    let text = History::to_json(&status.instance_id, &turns.unwrap()).unwrap();
    assert!(text.contains("/jobs/1?sig=***"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    replay::<requests::polls>(&History::from_json(&text).unwrap()).unwrap();
}

#[test]
fn an_instance_that_has_not_begun_fits() {
    replay::<before::order>(&History::from_json("[]").unwrap()).unwrap();
}
