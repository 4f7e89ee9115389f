//! Eternal: works, rests, and begins anew with `continue_as_new`, so that its history never grows.
//!
//! ```console
//! $ cargo run --example eternal
//! $ curl -X POST http://127.0.0.1:7071/api/start_cleaning
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"clean_for_ever", .. "runtimeStatus":"Running", "input":3, .. "customStatus":"cleaned 3 times", ..}
//! $ curl -X POST "<terminatePostUri of the answer, {text} replaced by enough>"
//! ```

use std::time::Duration;

use durable_functions::prelude::*;

#[activity_trigger]
async fn clean_up() {}

#[orchestration_trigger]
pub(crate) async fn clean_for_ever(ctx: OrchestrationContext, times: u64) -> Result<()> {
    ctx.call_activity::<clean_up>(()).await?;
    ctx.set_custom_status(&format!("cleaned {} times", times + 1));
    ctx.create_timer(Duration::from_secs(10)).await;
    ctx.continue_as_new(times + 1)
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_cleaning(
    req: HttpRequest,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<clean_for_ever>(0).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
