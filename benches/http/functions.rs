//! What is served: two trivial functions, and orchestrations to start and to ask after.

use durable_functions::prelude::*;

pub(crate) const ANSWER: &str = "Hello!";

#[http_trigger(auth = "anonymous", methods = ["get"], route = "anonymous")]
async fn anonymous() -> HttpResponse {
    HttpResponse::Ok().body(ANSWER)
}

#[http_trigger(auth = "function", methods = ["get"], route = "guarded")]
async fn guarded() -> HttpResponse {
    HttpResponse::Ok().body(ANSWER)
}

#[activity_trigger]
async fn next(n: u64) -> u64 {
    n + 1
}

#[orchestration_trigger]
pub(crate) async fn one_activity(ctx: OrchestrationContext, n: u64) -> Result<u64> {
    Ok(ctx.call_activity::<next>(n).await?)
}

#[orchestration_trigger]
pub(crate) async fn waits(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event::<u64>("go").await?)
}
