//! Asynchronous HTTP API: a long job answers 202 at once and is polled where `Location` says, with its progress in `customStatus`.
//!
//! ```console
//! $ cargo run --example async_http_api
//! $ curl -i -X POST http://127.0.0.1:7071/api/start_job
//! HTTP/1.1 202 Accepted
//! location: http://127.0.0.1:7071/runtime/webhooks/durabletask/instances/..
//! $ curl -i "<location>"
//! HTTP/1.1 202 Accepted
//! {.. "runtimeStatus":"Running", .. "customStatus":{"step":2,"of":5}, ..}
//! ```

use std::time::Duration;

use durable_functions::prelude::*;

const STEPS: u32 = 5;

#[activity_trigger]
async fn work(step: u32) -> u32 {
    step * step
}

#[orchestration_trigger]
pub(crate) async fn job(ctx: OrchestrationContext) -> Result<u32> {
    let mut sum = 0;
    for step in 1..=STEPS {
        ctx.set_custom_status(&json!({ "step": step, "of": STEPS }));
        sum += ctx.call_activity::<work>(step).await?;
        ctx.create_timer(Duration::from_secs(2)).await;
    }
    Ok(sum)
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_job(
    req: HttpRequest,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<job>(()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
