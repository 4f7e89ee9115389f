//! Fan-out/fan-in: many activities side by side, then one sum of what they found.
//!
//! ```console
//! $ cargo run --example fan_out_fan_in
//! $ curl -X POST http://127.0.0.1:7071/api/start_count -d '["to be", "or not", "to be or not to be"]'
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"count_words", .. "runtimeStatus":"Completed", .. "output":10, ..}
//! ```

use durable_functions::prelude::*;

/// Not async: it computes, on the blocking pool.
#[activity_trigger]
fn words(text: String) -> usize {
    text.split_whitespace().count()
}

#[orchestration_trigger]
pub(crate) async fn count_words(ctx: OrchestrationContext, texts: Vec<String>) -> Result<usize> {
    let counts = texts
        .into_iter()
        .map(|text| ctx.call_activity::<words>(text));
    Ok(ctx.when_all(counts).await?.into_iter().sum())
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_count(
    req: HttpRequest,
    texts: Json<Vec<String>>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<count_words>(texts.into_inner()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
