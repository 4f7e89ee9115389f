//! `call_http` in a test of an application: no server, and no waiting.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_functions::prelude::*;
use durable_functions::testing::TestHost;

#[orchestration_trigger]
async fn long_job(ctx: OrchestrationContext) -> Result<String> {
    let job = DurableHttpRequest::post("https://example.com/jobs").with_text("work");
    Ok(ctx.call_http(job).await?.content)
}

#[tokio::test]
async fn polls_of_a_mocked_server_wait_in_virtual_time() -> Result<()> {
    let asked = AtomicU32::new(0);
    let host = TestHost::within(module_path!())
        .mock_http(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => {
                assert_eq!(request.content(), Some("work"));
                DurableHttpResponse::new(202).with_header("Location", "/jobs/1")
            }
            1..10 => DurableHttpResponse::new(202)
                .with_header("Location", "2")
                .with_header("Retry-After", "3600"),
            _ => DurableHttpResponse::new(200).with_text(request.uri()),
        })
        .start()
        .await?;
    let began = host.now();
    let status = host.run::<long_job>(()).await?;
    assert_eq!(status.output_as::<String>()?, "https://example.com/jobs/2");
    assert_eq!(host.now(), began + Duration::from_secs(30 + 9 * 3600));
    Ok(())
}

#[tokio::test]
async fn test_without_a_mock_says_how_to_give_one() -> Result<()> {
    let host = TestHost::within(module_path!()).start().await?;
    let failure = host.run::<long_job>(()).await?.failure.unwrap();
    assert!(failure.message.contains("mock_http"), "{failure:?}");
    Ok(())
}
