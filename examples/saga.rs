//! Saga: when a later step fails, the earlier ones are undone in reverse order.
//!
//! ```console
//! $ cargo run --example saga
//! $ curl -X POST http://127.0.0.1:7071/api/start_trip -d '"Atlantis"'
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"trip", .. "runtimeStatus":"Completed", .. "output":{"booked":[],"undone":["hotel","flight"],"reason":..}, ..}
//! ```

use std::time::Duration;

use durable_functions::prelude::*;

#[activity_trigger]
async fn book((what, city): (String, String)) -> Result<String> {
    if city == "Atlantis" && what == "car" {
        return Err(Error::non_retriable("no roads in Atlantis").with_type("SoldOut"));
    }
    Ok(what)
}

/// Undoing must not fail for good: it is tried until it works.
#[activity_trigger]
async fn cancel(booking: String) -> String {
    booking
}

#[orchestration_trigger]
pub(crate) async fn trip(ctx: OrchestrationContext, city: String) -> Result<Value> {
    let patient = RetryPolicy::new(1_000, Duration::from_secs(5)).with_backoff_coefficient(2.0);
    let mut booked = Vec::new();
    for what in ["flight", "hotel", "car"] {
        let call = ctx.call_activity::<book>((what.to_owned(), city.clone()));
        match call
            .with_retry(RetryPolicy::new(3, Duration::from_secs(1)))
            .await
        {
            Ok(booking) => booked.push(booking),
            Err(failure) => {
                let mut undone = Vec::new();
                while let Some(booking) = booked.pop() {
                    let call = ctx.call_activity::<cancel>(booking);
                    undone.push(call.with_retry(patient.clone()).await?);
                }
                let reason = failure.to_string();
                return Ok(json!({ "booked": booked, "undone": undone, "reason": reason }));
            }
        }
    }
    Ok(json!({ "booked": booked, "undone": [] }))
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_trip(
    req: HttpRequest,
    city: Json<String>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<trip>(city.into_inner()).await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
