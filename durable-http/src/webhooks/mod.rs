//! The management webhooks: `/runtime/webhooks/durabletask/..`, to the letter of what existing callers send and expect.
//!
//! This file is the table of routes and what every operation is handed; one operation is one file.

mod answer;
mod control;
mod document;
mod entities;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod links;
mod list;
mod make_primary;
mod path;
mod purge;
mod purge_matching;
mod query;
mod raise_event;
mod restart;
mod resume;
mod rewind;
mod start;
mod status;
mod status_object;
mod suspend;
mod terminate;
#[cfg(test)]
mod tests;
mod timestamp;
mod wait;

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use durable_runtime::model::Payload;
use durable_runtime::{ClientError, DurableClient};

pub(crate) use answer::json;
pub(crate) use document::{DESCRIBED, Described};
#[cfg(any(test, fuzzing))]
pub(crate) use fuzz::fuzz_query;
pub(crate) use links::{BASE, Links, origin};
use query::Query;
#[cfg(feature = "cli")]
pub(crate) use status_object::StatusObject;
pub(crate) use wait::Waiting;

use crate::host::Shared;
use crate::keys::{Denied, grant_of, may_use_extension};
use path::Operation;

const EXTENSION: &str = "durabletask";

/// Answers any request below `/runtime/webhooks`.
pub(crate) async fn handle(
    shared: &Shared,
    req: &HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    if !matches!(
        req.method().as_str(),
        "GET" | "PUT" | "POST" | "DELETE" | "OPTIONS"
    ) {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    let Some((extension, segments)) = path::split(req.uri().path()) else {
        return answer::empty(StatusCode::NOT_FOUND);
    };
    match may_use_extension(&extension, grant_of(shared, req).as_ref()) {
        Err(Denied::Unauthorized) => return answer::empty(StatusCode::UNAUTHORIZED),
        Err(Denied::Forbidden) => return answer::empty(StatusCode::FORBIDDEN),
        Ok(()) => {}
    }
    if !extension.eq_ignore_ascii_case(EXTENSION) {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    let Some(operation) = Operation::of(req.method().as_str(), &segments) else {
        return answer::empty(StatusCode::NOT_FOUND);
    };
    let answered = match Call::new(shared, req) {
        Ok(call) => run(&call, operation, payload).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| answer::refused(&error))
}

async fn run(
    call: &Call<'_>,
    operation: Operation<'_>,
    payload: web::Payload,
) -> Result<HttpResponse, ClientError> {
    match operation {
        Operation::Start { name, id } => start::start(call, name, id, payload).await,
        Operation::List => list::list(call).await,
        Operation::Status { id } => status::status(call, id).await,
        Operation::Purge { id } => purge::purge(call, id).await,
        Operation::PurgeMatching => purge_matching::purge_matching(call).await,
        Operation::RaiseEvent { id, name } => {
            raise_event::raise_event(call, id, name, payload).await
        }
        Operation::Terminate { id } => terminate::terminate(call, id).await,
        Operation::Suspend { id } => suspend::suspend(call, id).await,
        Operation::Resume { id } => resume::resume(call, id).await,
        Operation::Rewind { id } => rewind::rewind(call, id).await,
        Operation::Restart { id } => restart::restart(call, id).await,
        Operation::ListEntities { name } => entities::list(call, name).await,
        Operation::ReadEntity { name, key } => entities::read(call, name, key).await,
        Operation::SignalEntity { name, key } => entities::signal(call, name, key, payload).await,
        Operation::DeleteEntity { name, key } => entities::delete(call, name, key).await,
        Operation::MakePrimary => Ok(make_primary::make_primary()),
    }
}

/// What every operation is handed.
struct Call<'a> {
    shared: &'a Shared,
    req: &'a HttpRequest,
    query: Query<'a>,
    /// Of the hub that the request names.
    client: Cow<'a, DurableClient>,
}

impl<'a> Call<'a> {
    fn new(shared: &'a Shared, req: &'a HttpRequest) -> Result<Self, ClientError> {
        let query = Query::new(req.query_string());
        let (hub, connection) = (query.text("taskHub"), query.text("connection"));
        let client = match (hub.as_deref(), connection.as_deref()) {
            (None, None) => Cow::Borrowed(&shared.client),
            (hub, connection) => Cow::Owned(shared.client.of(hub, connection)?),
        };
        Ok(Self {
            shared,
            req,
            query,
            client,
        })
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.req.headers().get(name)?.to_str().ok()
    }

    fn reason(&self) -> Option<String> {
        self.query.get("reason").map(Into::into)
    }
}

/// The one JSON value that a body holds, as it was written; else the answer.
fn json_of(call: &Call<'_>, bytes: &[u8]) -> Result<Payload, HttpResponse> {
    let text = std::str::from_utf8(bytes).map_err(|error| answer::bad_json(&error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    let value = Payload::parse(text).map_err(|error| answer::bad_json(&error.to_string()))?;
    fitting(call, value)
}

/// The value, if it is not over the hub's limit; else the answer.
fn fitting(call: &Call<'_>, value: Payload) -> Result<Payload, HttpResponse> {
    match too_large(&call.client, &value) {
        None => Ok(value),
        Some(text) => Err(answer::message(StatusCode::PAYLOAD_TOO_LARGE, &text)),
    }
}

/// What is wrong with a body whose value is over the hub's limit.
pub(crate) fn too_large(client: &DurableClient, value: &Payload) -> Option<String> {
    let limit = client.payload_limit()?;
    let error = value.check(limit).err()?;
    Some(format!("the value in the body is too large: {error}"))
}
