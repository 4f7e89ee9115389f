//! `POST /orchestrators/{name}` and `.../{name}/{id}`: starts an instance, and waits for it if asked to.

use actix_web::{HttpResponse, web};
use durable_runtime::ClientError;
use durable_runtime::client::{IdFault, check_instance_id};
use durable_runtime::model::Payload;

use super::{Call, answer, wait};
use crate::body;
use crate::trace::traced;

pub(super) async fn start(
    call: &Call<'_>,
    name: &str,
    id: Option<&str>,
    payload: web::Payload,
) -> Result<HttpResponse, ClientError> {
    let wait = match wait::of_query(call) {
        Ok(wait) => wait,
        Err(answer) => return Ok(answer),
    };
    let input = match input(call, payload).await {
        Ok(input) => input,
        Err(answer) => return Ok(answer),
    };
    let registry = call.client.registry();
    if let Some(Err(known)) = registry.map(|registry| registry.check_start(name)) {
        return Err(ClientError::UnknownFunction {
            name: name.to_owned(),
            known: known.into_iter().map(Into::into).collect(),
        });
    }
    if let Some(Err(fault)) = id.map(check_instance_id) {
        return Ok(answer::bad_argument(reference_text(fault)));
    }
    let client = traced(call.client.clone().into_owned(), call.req.headers());
    let mut start = client.start_new_by_name(name, input);
    if let Some(id) = id {
        start = start.with_instance_id(id);
    }
    if let Some(version) = call.query.get("version") {
        start = start.with_version(version);
    }
    match wait {
        Some((timeout, interval)) if interval > timeout => {
            start.await?;
            Ok(answer::bad_argument(&wait::too_short(timeout, interval)))
        }
        Some((timeout, _)) => wait::to_end(call, start, timeout).await,
        None => wait::started(call, &start.await?, None).await,
    }
}

async fn input(call: &Call<'_>, payload: web::Payload) -> Result<Option<Payload>, HttpResponse> {
    let bytes = body::read(payload, call.shared.settings.max_body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    super::json_of(call, &bytes).map(Some)
}

/// The reference's texts, with its swapped arguments.
fn reference_text(fault: IdFault) -> &'static str {
    match fault {
        IdFault::LeadingAt => {
            "instanceId (Parameter 'Orchestration instance ids must not start with @.')"
        }
        IdFault::TooLong => "Instance ID lengths must not exceed 256 characters.",
        IdFault::Dots => {
            "instanceId (Parameter 'Orchestration instance ids must not be . or .., which no URL could name.')"
        }
        IdFault::Empty | IdFault::Forbidden => {
            "instanceId (Parameter 'Orchestration instance ids must not contain /, \\, #, ?, or control characters.')"
        }
    }
}
