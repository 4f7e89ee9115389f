//! Running a function by hand: `{"input": ".."}`, answered before it is done; how it went is in the log.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, dev};
use durable_runtime::DurableClient;
use durable_runtime::model::Payload;
use serde::Deserialize;
use serde_json::Value;

use super::{empty, text};
use crate::binding::HttpInvocation;
use crate::body;
use crate::host::{HttpListed, Invocation, Shared, Worker};
use crate::webhooks::too_large;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    input: Value,
}

pub(super) async fn run(
    shared: &web::Data<Shared>,
    req: &HttpRequest,
    name: &str,
    payload: web::Payload,
) -> HttpResponse {
    if shared.lifecycle.is_offline() {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    let Some(listed) = shared.function(name) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let bytes = match body::read(payload, shared.settings.max_body).await {
        Ok(bytes) => bytes,
        Err(response) => return response,
    };
    let input = match serde_json::from_slice::<Option<Body>>(&bytes) {
        Ok(Some(Body { input })) => input,
        _ => return wrong(),
    };
    let input = match input {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) => Some(input.to_string()),
        Value::Array(_) | Value::Object(_) => return wrong(),
    };
    if let Some(http) = &listed.http {
        http_function(shared, req, http, input);
        return empty(StatusCode::ACCEPTED);
    }
    let (client, name) = (shared.client.clone(), listed.name.clone());
    let input = value_of(input);
    let fault = input.as_ref().and_then(|input| too_large(&client, input));
    if let Some(fault) = fault {
        return text(StatusCode::PAYLOAD_TOO_LARGE, fault);
    }
    match listed.trigger {
        "orchestrationTrigger" => log(&name, orchestrator(client, name.clone(), input)),
        "activityTrigger" => log(&name, activity(client, name.clone(), input)),
        "timerTrigger" => log(&name, timer(client, name.clone())),
        trigger => {
            let why = format!("a function with `{trigger}` cannot be run by hand");
            return text(StatusCode::BAD_REQUEST, why);
        }
    }
    empty(StatusCode::ACCEPTED)
}

fn wrong() -> HttpResponse {
    let expected = r#"expected {"input": ..} with a string, a number, true, false or null; write other JSON as a string"#;
    text(StatusCode::BAD_REQUEST, expected)
}

/// The administrator's own request, with the input as its body.
fn http_function(
    shared: &web::Data<Shared>,
    req: &HttpRequest,
    http: &HttpListed,
    input: Option<String>,
) {
    let body = dev::Payload::from(Bytes::from(input.unwrap_or_default()));
    let values = http.function.placeholders.iter();
    let values = values.map(|&name| (name, None)).collect();
    let call = HttpInvocation::new(req.clone(), body, None, values);
    let invocation = Invocation::new(http.function, call, Worker::new(shared.clone()));
    // Its own log line says how it went.
    actix_web::rt::spawn(async move { drop(invocation.await) });
}

/// JSON if it is some, else a string.
fn value_of(input: Option<String>) -> Option<Payload> {
    let text = input?;
    let parsed = Payload::parse(text.clone());
    parsed.or_else(|_| Payload::of(&text)).ok()
}

async fn orchestrator(
    client: DurableClient,
    name: String,
    input: Option<Payload>,
) -> Result<String, durable_runtime::Error> {
    let id = client.start_new_by_name(&name, input).await?;
    Ok(format!("started the instance {id}"))
}

async fn activity(
    client: DurableClient,
    name: String,
    input: Option<Payload>,
) -> Result<String, durable_runtime::Error> {
    client.run_activity(&name, input).await?;
    Ok("done".to_owned())
}

async fn timer(client: DurableClient, name: String) -> Result<String, durable_runtime::Error> {
    client.run_timer(&name).await?;
    Ok("done".to_owned())
}

/// Runs it and says how it went.
fn log(name: &str, work: impl Future<Output = Result<String, durable_runtime::Error>> + 'static) {
    let name = name.to_owned();
    actix_web::rt::spawn(async move {
        match work.await {
            Ok(outcome) => tracing::info!(function = name, outcome, "run by hand"),
            Err(error) => tracing::error!(function = name, %error, "run by hand"),
        }
    });
}
