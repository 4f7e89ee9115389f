//! The administration API: `/admin/..`, for `_master` only, but for the few paths that say no more than that the host lives.
//!
//! This file lets in and hands on; what a path means is said in `routes`.

mod entities;
mod functions;
mod host;
mod keys;
mod routes;
mod run;
#[cfg(test)]
mod tests;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue, PRAGMA, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::host::Shared;
use crate::keys::{Denied, Scope, grant_of, may_administrate};
use crate::openapi;
use crate::principal::of_platform;
use crate::webhooks::json;
use routes::Named;
pub(crate) use routes::{Operation, ROUTES, Route};

/// Answers what anybody may ask, if the path is such.
pub(crate) fn open(method: &Method, path: &str) -> Option<HttpResponse> {
    let is = |known: &str| path.trim_end_matches('/').eq_ignore_ascii_case(known);
    let fine = || HttpResponse::new(StatusCode::OK);
    match method.as_str() {
        "GET" | "POST" if is("/admin/host/ping") => {
            let mut response = fine();
            let headers = response.headers_mut();
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("no-store, no-cache"),
            );
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
            Some(response)
        }
        "GET" if is("/admin/instance/http-health") => Some(fine()),
        _ if is("/admin/warmup") => Some(fine()),
        _ => None,
    }
}

/// Answers any other request below `/admin`.
pub(crate) async fn handle(
    shared: web::Data<Shared>,
    req: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let granted = grant_of(&shared, &req).map(|grant| grant.level);
    match may_administrate(granted) {
        // The platform knows who calls, but that is no key.
        Err(Denied::Unauthorized) if of_platform(&shared, &req).is_some() => {
            return empty(StatusCode::FORBIDDEN);
        }
        Err(Denied::Unauthorized) => return unauthorized(),
        Err(Denied::Forbidden) => return empty(StatusCode::FORBIDDEN),
        Ok(()) if shared.settings.isolated_admin && !is_internal(&req) => {
            return empty(StatusCode::FORBIDDEN);
        }
        Ok(()) => {}
    }
    let path = routes::decoded(req.uri().path());
    let Some((operation, named)) = routes::find(req.method().as_str(), &path) else {
        return empty(StatusCode::NOT_FOUND);
    };
    answer(&shared, &req, operation, named, payload).await
}

async fn answer(
    shared: &web::Data<Shared>,
    req: &HttpRequest,
    operation: Operation,
    named: Named,
    payload: web::Payload,
) -> HttpResponse {
    let Named {
        function,
        key,
        scope,
    } = named;
    let of_host = scope.unwrap_or(Scope::Host);
    let of_function = Scope::function(&function);
    match operation {
        Operation::Status => host::status(shared),
        Operation::Config => host::config(shared),
        Operation::State => host::set_state(shared, payload).await,
        Operation::Drain => host::drain(shared).await,
        Operation::DrainStatus => host::drain_status(shared),
        Operation::Resume => host::resume(shared).await,
        Operation::Restart => host::restart(shared),
        Operation::SyncTriggers => host::sync_triggers(),
        Operation::CleanEntities => entities::clean(shared).await,
        Operation::Instance => host::instance(),
        Operation::Log => host::log(shared, payload).await,
        Operation::HostKeys => keys::all(shared, req, &of_host).await,
        Operation::HostKey => keys::one(shared, req, &of_host, &key, payload).await,
        Operation::Functions => functions::all(shared),
        Operation::Function => functions::one(shared, req, &function),
        Operation::Replace => functions::read_only(),
        Operation::FunctionStatus => functions::status(shared, &function),
        Operation::FunctionKeys => keys::all(shared, req, &of_function).await,
        Operation::FunctionKey => keys::one(shared, req, &of_function, &key, payload).await,
        Operation::Run => run::run(shared, req, &function, payload).await,
        Operation::OpenApi => json(StatusCode::OK, &openapi::document(shared)),
    }
}

/// Whether the platform in front of the host says that the request is its own; it takes the header from all others.
fn is_internal(req: &HttpRequest) -> bool {
    let said = req.headers().get("x-ms-platform-internal");
    said.is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"true"))
}

fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::new(status)
}

/// A refusal in plain words.
fn text(status: StatusCode, text: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}

fn unauthorized() -> HttpResponse {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}
