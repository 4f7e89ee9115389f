//! Two hosts: an orchestration here has work done by an orchestration there, and waits for it as long as it takes.
//!
//! `call_http` follows the 202 of the other host by itself, with durable timers in between: this host may be killed and started again at
//! any moment, and goes on asking where it stopped.
//!
//! ```console
//! $ cargo run --example async_http_api -- --no-auth --script-root there --port 7072
//! $ cargo run --example durable_http -- --no-auth --script-root here
//! $ curl -i -X POST -d '"http://127.0.0.1:7072/api/own/60"' http://127.0.0.1:7071/api/commissions
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"commission", .. "runtimeStatus":"Running", .. "customStatus":"at work", ..}
//! ```

use std::time::Duration;

use durable_functions::prelude::*;

#[orchestration_trigger]
async fn commission(ctx: OrchestrationContext, url: String) -> Result<Value> {
    ctx.set_custom_status("at work");
    let policy = HttpRetryPolicy::new(5, Duration::from_secs(1))
        .with_backoff_coefficient(2.0)
        .with_status_codes([429, 500, 502, 503, 504]);
    // Every attempt carries the same `Idempotency-Key`, by which a server can tell that the work was started already.
    let request = DurableHttpRequest::post(url)
        .with_timeout(Duration::from_secs(30))
        .with_retry(policy);
    let answer = ctx.call_http(request).await?;
    if answer.status >= 400 {
        return Err(Error::msg(format!(
            "refused with {}: {}",
            answer.status, answer.content
        )));
    }
    ctx.set_custom_status("done");
    answer.json()
}

#[http_trigger(methods = ["post"], route = "commissions")]
async fn order(
    req: HttpRequest,
    url: Json<String>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<commission>(url.into_inner()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
