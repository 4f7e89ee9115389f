//! `POST /orchestrators/{name}` and `.../{name}/{id}`: starts an instance, and waits for it if asked to.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use durable_runtime::ClientError;
use durable_runtime::client::{IdFault, check_instance_id};
use durable_runtime::model::Payload;

use super::links::Links;
use super::wait::{Waiting, too_short};
use super::{Call, answer};
use crate::body;

/// Spans longer than this are more than the reference's clock can hold.
const LONGEST: f64 = 922_337_203_685.0;

pub(super) async fn start(
    call: &Call<'_>,
    name: &str,
    id: Option<&str>,
    payload: web::Payload,
) -> Result<HttpResponse, ClientError> {
    let wait = match wait_of(call) {
        Ok(wait) => wait,
        Err(answer) => return Ok(answer),
    };
    let input = match input(call, payload).await {
        Ok(input) => input,
        Err(answer) => return Ok(answer),
    };
    let registry = call.client.registry();
    if let Some(registry) = registry.filter(|registry| !registry.has_orchestrator(name)) {
        return Err(ClientError::UnknownFunction {
            name: name.to_owned(),
            known: registry
                .orchestrator_names()
                .into_iter()
                .map(Into::into)
                .collect(),
        });
    }
    if let Some(Err(fault)) = id.map(check_instance_id) {
        return Ok(answer::bad_argument(reference_text(fault)));
    }
    let mut start = call.client.start_new_by_name(name, input);
    if let Some(id) = id {
        start = start.with_instance_id(id);
    }
    if let Some(version) = call.query.get("version") {
        start = start.with_version(version);
    }
    if let Some(parent) = call.header("traceparent") {
        start = start.with_trace_parent(parent.to_owned());
    }
    let id = start.await?;
    let links = Links::seen_by(call.req, &call.client, Some(call.shared));
    match wait {
        None => Ok(links.check_status(&id, false)),
        Some((timeout, interval)) if interval > timeout => {
            Ok(answer::bad_argument(&too_short(timeout, interval)))
        }
        Some((timeout, interval)) => {
            let waiting = Waiting {
                client: call.client.clone(),
                links,
                query: call.req.query_string().to_owned(),
                timeout: span(timeout),
                retry_interval: span(interval),
                error_on_failure: false,
            };
            waiting.answer(&id).await
        }
    }
}

/// Time-out and interval in seconds, if both are given.
fn wait_of(call: &Call<'_>) -> Result<Option<(f64, f64)>, HttpResponse> {
    let (timeout, interval) = (
        call.query.seconds("timeout"),
        call.query.seconds("pollingInterval"),
    );
    for seconds in [timeout, interval].into_iter().flatten() {
        if seconds.is_nan() {
            return Err(answer::bad_argument(
                "TimeSpan does not accept floating point Not-a-Number values.",
            ));
        }
        if seconds.abs() > LONGEST {
            return Err(answer::wrong(
                "TimeSpan overflowed because the duration is too long.",
            ));
        }
    }
    Ok(timeout.zip(interval))
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

async fn input(call: &Call<'_>, payload: web::Payload) -> Result<Option<Payload>, HttpResponse> {
    let bytes = body::read(payload, call.shared.settings.max_body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    super::json_of(&bytes).map(Some)
}

/// The reference's texts, with its swapped arguments.
fn reference_text(fault: IdFault) -> &'static str {
    match fault {
        IdFault::LeadingAt => {
            "instanceId (Parameter 'Orchestration instance ids must not start with @.')"
        }
        IdFault::TooLong => "Instance ID lengths must not exceed 256 characters.",
        IdFault::Empty | IdFault::Forbidden => {
            "instanceId (Parameter 'Orchestration instance ids must not contain /, \\, #, ?, or control characters.')"
        }
    }
}
