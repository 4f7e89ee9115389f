//! Versions: instances that are under way keep the code they began with; new ones begin with the new code.
//!
//! ```console
//! $ cargo run --example versions
//! $ curl -X POST http://127.0.0.1:7071/api/start_greeting
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"greet", .. "runtimeStatus":"Completed", .. "output":"Good day, and welcome", ..}
//! $ target/debug/examples/versions instances start greet --version 1.0 --id old
//! $ target/debug/examples/versions instances get old
//! ```
//!
//! The last one shows what the old code says: `"Hello"`.

use durable_functions::prelude::*;

#[activity_trigger]
async fn say(text: String) -> String {
    text
}

/// What runs in instances of version 1.0: never changed again, removed when the last of them has ended.
#[orchestration_trigger(name = "greet", version = "1.0")]
pub(crate) async fn greet_before(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_activity::<say>("Hello").await?)
}

#[orchestration_trigger(name = "greet", version = "2.0")]
pub(crate) async fn greet(ctx: OrchestrationContext) -> Result<String> {
    let first = ctx.call_activity::<say>("Good day").await?;
    let second = ctx.call_activity::<say>("and welcome").await?;
    Ok(format!("{first}, {second}"))
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_greeting(
    req: HttpRequest,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<greet>(()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
