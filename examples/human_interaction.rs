//! Human interaction: waits for somebody to approve, and goes on without them when the time is over.
//!
//! ```console
//! $ cargo run --example human_interaction
//! $ curl -X POST http://127.0.0.1:7071/api/start_request -d '{"amount":1500}'
//! $ curl -X POST -H "Content-Type: application/json" "<sendEventPostUri of the answer, {eventName} replaced by approval>" -d true
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"approve_expense", .. "runtimeStatus":"Completed", .. "output":"approved", ..}
//! ```
//!
//! Without the event it is `"output":"escalated"` after three days.

use std::time::Duration;

use durable_functions::prelude::*;

#[activity_trigger]
async fn ask_manager(request: Value) {
    println!("please approve: {request}");
}

#[activity_trigger]
async fn escalate(request: Value) {
    println!("nobody answered: {request}");
}

#[orchestration_trigger]
pub(crate) async fn approve_expense(ctx: OrchestrationContext, request: Value) -> Result<String> {
    ctx.call_activity::<ask_manager>(request.clone()).await?;
    let approval = ctx.wait_for_external_event::<bool>("approval");
    match approval
        .with_timeout(Duration::from_secs(3 * 24 * 3600))
        .await
    {
        Ok(true) => Ok("approved".into()),
        Ok(false) => Ok("rejected".into()),
        Err(TaskError::Timeout) => {
            ctx.call_activity::<escalate>(request).await?;
            Ok("escalated".into())
        }
        Err(other) => Err(other.into()),
    }
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_request(
    req: HttpRequest,
    request: Json<Value>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client
        .start_new::<approve_expense>(request.into_inner())
        .await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
