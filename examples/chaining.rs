//! Chaining: each activity takes what the last one gave, and the host may die between any two.
//!
//! ```console
//! $ cargo run --example chaining
//! $ curl -X POST http://127.0.0.1:7071/api/start_order -d '"tea"'
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"order", .. "runtimeStatus":"Completed", .. "output":"tea, reserved, paid, shipped", ..}
//! ```

use durable_functions::prelude::*;

#[activity_trigger]
async fn reserve(item: String) -> String {
    format!("{item}, reserved")
}

#[activity_trigger]
async fn pay(order: String) -> String {
    format!("{order}, paid")
}

#[activity_trigger]
async fn ship(order: String) -> String {
    format!("{order}, shipped")
}

#[orchestration_trigger]
pub(crate) async fn order(ctx: OrchestrationContext, item: String) -> Result<String> {
    let reserved = ctx.call_activity::<reserve>(item).await?;
    let paid = ctx.call_activity::<pay>(reserved).await?;
    Ok(ctx.call_activity::<ship>(paid).await?)
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_order(
    req: HttpRequest,
    item: Json<String>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<order>(item.into_inner()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
