//! The W3C trace context that a request brings.

use actix_web::http::header::HeaderMap;
use durable_runtime::DurableClient;

/// The client, whose starts hand on the context of the request with these headers. Without `traceparent` there is none, and
/// `tracestate` means nothing.
pub(crate) fn traced(client: DurableClient, headers: &HeaderMap) -> DurableClient {
    let Some(parent) = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
    else {
        return client;
    };
    let states: Vec<&str> = headers
        .get_all("tracestate")
        .filter_map(|value| value.to_str().ok())
        .collect();
    let state = (!states.is_empty()).then(|| states.join(","));
    client.traced(parent, state.as_deref())
}
