//! Chaining: an orchestrator that calls one activity after the other.
//!
//! ```console
//! $ cargo run --example hello_cities
//! $ cargo run --example hello_cities -- keys list
//! $ curl -i -X POST "http://127.0.0.1:7071/api/orchestrators/hello_cities?code=<key of http_start>"
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"hello_cities", .. "runtimeStatus":"Completed", .. "output":["Hello Tokyo!","Hello Seattle!","Hello London!"], ..}
//! ```

use durable_functions::prelude::*;

#[activity_trigger]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[orchestration_trigger]
async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call_activity::<say_hello>(city).await?);
    }
    Ok(greetings)
}

#[http_trigger(auth = "function", methods = ["post"], route = "orchestrators/{function_name}")]
async fn http_start(
    req: HttpRequest,
    input: Option<Json<Value>>,
    #[durable_client] client: DurableClient,
    function_name: String,
) -> Result<HttpResponse> {
    let id = client
        .start_new_by_name(&function_name, input.map(|j| j.into_inner()))
        .await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
