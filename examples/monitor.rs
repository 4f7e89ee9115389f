//! Monitor: looks again and again, less and less often, until there is something to see or the time is over.
//!
//! ```console
//! $ cargo run --example monitor
//! $ curl -X POST http://127.0.0.1:7071/api/start_watch -d '"Oslo"'
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"watch_weather", .. "runtimeStatus":"Running", .. "customStatus":"Oslo is rainy", ..}
//! ```
//!
//! After some minutes: `"output":"Oslo is clear"`. What waits costs a row in the hub, not a thread.

use std::time::Duration;

use durable_functions::prelude::*;

#[activity_trigger]
pub(crate) async fn sky(_city: String) -> String {
    // A real one asks a weather service.
    let minute = durable_functions::chrono::Utc::now().timestamp() / 60;
    let sky = if minute % 5 == 0 { "clear" } else { "rainy" };
    sky.to_owned()
}

#[orchestration_trigger]
pub(crate) async fn watch_weather(ctx: OrchestrationContext, city: String) -> Result<String> {
    let end = ctx.current_utc_datetime() + Duration::from_secs(6 * 3600);
    let mut pause = Duration::from_secs(10);
    while ctx.current_utc_datetime() < end {
        let sky = ctx.call_activity::<sky>(&city).await?;
        let seen = format!("{city} is {sky}");
        if sky == "clear" {
            return Ok(seen);
        }
        ctx.set_custom_status(&seen);
        ctx.create_timer(pause).await;
        pause = (pause * 2).min(Duration::from_secs(600));
    }
    Ok(format!("{city} never cleared up"))
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_watch(
    req: HttpRequest,
    city: Json<String>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<watch_weather>(city.into_inner()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
