//! `/entities..`: read, list, signal. Wrong arguments are told in the short form here.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durable_runtime::model::Payload;
use durable_runtime::{ClientError, EntityId, EntityIdFault, EntityQuery};

use super::list::CONTINUATION;
use super::{Call, answer};
use crate::body;

/// However many are asked for: a page is held in memory.
const LARGEST_PAGE: i32 = 10_000;

/// `GET /entities/{name}/{key}`; `$` is the empty key.
pub(super) async fn read(
    call: &Call<'_>,
    name: &str,
    key: &str,
) -> Result<HttpResponse, ClientError> {
    let key = if key == "$" { "" } else { key };
    let state = call.client.entity_state(&EntityId::new(name, key)).await?;
    Ok(match state {
        Some(state) => answer::written(StatusCode::OK, state.as_str().as_bytes().to_vec()),
        None => answer::empty(StatusCode::NOT_FOUND),
    })
}

/// `GET /entities` and `GET /entities/{name}`.
pub(super) async fn list(call: &Call<'_>, name: Option<&str>) -> Result<HttpResponse, ClientError> {
    let top = call.query.int("top").unwrap_or(100).min(LARGEST_PAGE);
    let Some(top) = usize::try_from(top).ok().filter(|top| *top > 0) else {
        return Ok(bad("'top' must be greater than zero"));
    };
    let mut query = EntityQuery::new().with_page_size(top);
    if let Some(name) = name {
        query = query.with_name(name);
    }
    if let Some(from) = call.query.time("lastOperationTimeFrom") {
        query = query.last_operation_from(from.to_utc());
    }
    if let Some(to) = call.query.time("lastOperationTimeTo") {
        query = query.last_operation_to(to.to_utc());
    }
    if !call.query.flag("fetchState").unwrap_or(false) {
        query = query.without_state();
    }
    let token = call
        .header(CONTINUATION.as_str())
        .filter(|token| !token.is_empty());
    if let Some(token) = token {
        match STANDARD.decode(token).map(String::from_utf8) {
            Ok(Ok(id)) => query = query.with_continuation(id),
            _ => return Ok(bad("the continuation token is not one of this host's")),
        }
    }
    let page = match call.client.list_entities(query).await {
        Ok(page) => page,
        Err(ClientError::InvalidArgument(text)) => return Ok(bad(&text)),
        Err(error) => return Err(error),
    };
    let mut response = answer::json(StatusCode::OK, &page.items);
    if let Some(token) = page.continuation_token
        && let Ok(token) = HeaderValue::try_from(STANDARD.encode(token))
    {
        response.headers_mut().insert(CONTINUATION, token);
    }
    Ok(response)
}

/// `POST /entities/{name}[/{key}]`: the operation is `op`.
pub(super) async fn signal(
    call: &Call<'_>,
    name: Option<&str>,
    key: Option<&str>,
    payload: web::Payload,
) -> Result<HttpResponse, ClientError> {
    let id = match target(name, key) {
        Ok(id) => id,
        Err(fault) => return Ok(bad(&fault.to_string())),
    };
    let input = match input(call, payload).await {
        Ok(input) => input,
        Err(answer) => return Ok(answer),
    };
    let operation = call.query.get("op").unwrap_or_default();
    send(call, &id, &operation, input).await
}

/// `DELETE /entities/{name}[/{key}]`: the operation is `delete`.
pub(super) async fn delete(
    call: &Call<'_>,
    name: Option<&str>,
    key: Option<&str>,
) -> Result<HttpResponse, ClientError> {
    match target(name, key) {
        Ok(id) => send(call, &id, "delete", None).await,
        Err(fault) => Ok(bad(&fault.to_string())),
    }
}

async fn send(
    call: &Call<'_>,
    id: &EntityId,
    operation: &str,
    input: Option<Payload>,
) -> Result<HttpResponse, ClientError> {
    match call.client.signal_entity(id, operation, input).await {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(ClientError::InvalidArgument(text)) => Ok(bad(&text)),
        Err(ClientError::UnknownFunction { name, .. }) => {
            let registry = call.client.registry();
            let text = registry.map(|registry| registry.no_entity(&name));
            Ok(bad(&text.unwrap_or_default()))
        }
        Err(error) => Err(error),
    }
}

fn target(name: Option<&str>, key: Option<&str>) -> Result<EntityId, EntityIdFault> {
    let id = EntityId::new(name.unwrap_or_default(), key.unwrap_or_default());
    id.fault().map_or(Ok(id), Err)
}

/// JSON if it says so, else its text; nothing at all is no input.
async fn input(call: &Call<'_>, payload: web::Payload) -> Result<Option<Payload>, HttpResponse> {
    let bytes = body::read(payload, call.shared.settings.max_body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let content_type = call.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let text = Payload::text(&String::from_utf8_lossy(&bytes));
        return super::fitting(call, text).map(Some);
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(&error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    let value = Payload::parse(text).map_err(|error| unreadable(&error.to_string()))?;
    super::fitting(call, value).map(Some)
}

fn unreadable(text: &str) -> HttpResponse {
    bad(&format!("Could not parse JSON content: {text}"))
}

fn bad(text: &str) -> HttpResponse {
    answer::message(StatusCode::BAD_REQUEST, text)
}
