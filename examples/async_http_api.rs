//! The async HTTP API pattern in its three forms: work that takes longer than a request may, behind HTTP.
//!
//! Whoever starts the work gets `202 Accepted` with a `Location` to ask at and a `Retry-After` to wait for, until the answer is another
//! status. Browsers, scripts and `ctx.call_http` (see the example `durable_http`) all follow that.
//!
//! ```console
//! $ cargo run --example async_http_api -- --no-auth
//! $ curl -i -X POST http://127.0.0.1:7071/api/full/3
//! $ curl -i -X POST http://127.0.0.1:7071/api/own/3
//! $ curl -i -X POST http://127.0.0.1:7071/api/wait/1/10
//! ```

use std::time::Duration;

use durable_functions::actix_web::HttpResponseBuilder;
use durable_functions::actix_web::http::header::{LOCATION, RETRY_AFTER};
use durable_functions::prelude::*;

#[activity_trigger]
pub(crate) async fn render_page(page: u32) -> String {
    format!("page {page}")
}

#[orchestration_trigger]
pub(crate) async fn render(ctx: OrchestrationContext, pages: u32) -> Result<Vec<String>> {
    let mut rendered = Vec::new();
    for page in 1..=pages {
        rendered.push(ctx.call_activity::<render_page>(page).await?);
        ctx.create_timer(Duration::from_secs(1)).await;
    }
    Ok(rendered)
}

/// The whole payload: whoever started the work may ask for it, end it, suspend it. Its links hold a key.
#[http_trigger(methods = ["post"], route = "full/{pages:int}")]
async fn start_full(
    req: HttpRequest,
    #[durable_client] client: DurableClient,
    pages: u32,
) -> Result<HttpResponse> {
    let id = client.start_new::<render>(pages).await?;
    Ok(client.create_check_status_response(&req, &id))
}

/// An endpoint of one's own: whoever started the work may ask for it, and do nothing else. No link holds a key.
#[http_trigger(methods = ["post"], route = "own/{pages:int}")]
async fn start_own(#[durable_client] client: DurableClient, pages: u32) -> Result<HttpResponse> {
    let id = client.start_new::<render>(pages).await?;
    Ok(accepted(&id).finish())
}

/// Where the second form points. The id is a guid that nobody guesses.
#[http_trigger(auth = "anonymous", methods = ["get"], route = "status/{id}")]
async fn status(#[durable_client] client: DurableClient, id: String) -> Result<HttpResponse> {
    let Some(status) = client.get_status(&id).await? else {
        return Ok(HttpResponse::NotFound().finish());
    };
    let body = json!({ "currentStatus": status.runtime_status, "result": status.output });
    Ok(match status.is_terminal() {
        true => HttpResponse::Ok().json(body),
        false => accepted(&id).json(body),
    })
}

fn accepted(id: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Accepted();
    response
        .insert_header((LOCATION, format!("/api/status/{id}")))
        .insert_header((RETRY_AFTER, "1"));
    response
}

/// Waits a while first: what ends in time is answered at once, and only what takes longer with 202 and the payload.
#[http_trigger(methods = ["post"], route = "wait/{pages:int}/{seconds:int}")]
async fn start_and_wait(
    req: HttpRequest,
    #[durable_client] client: DurableClient,
    pages: u32,
    seconds: u64,
) -> Result<HttpResponse> {
    let id = client.start_new::<render>(pages).await?;
    let (timeout, interval) = (Duration::from_secs(seconds), Duration::from_secs(1));
    let waited = client.wait_for_completion_or_create_check_status_response(
        &req,
        &id,
        timeout,
        interval.min(timeout),
    );
    Ok(waited.await?)
}

durable_functions::main!();
