//! The administration API: `/admin/..`, for `_master` only. So far keys; every other path is 404.
//!
//! This file routes and lets in; what a path names is found in `path`, what is done to keys in `keys`.

mod keys;
mod path;
#[cfg(test)]
mod tests;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::host::Shared;
use crate::keys::{Denied, grant_of, may_administrate};
use crate::principal::of_platform;
use path::Target;

/// Answers any request below `/admin`.
pub(crate) async fn handle(
    shared: web::Data<Shared>,
    req: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let granted = grant_of(&shared, &req).map(|grant| grant.level);
    match may_administrate(granted) {
        // The platform knows who calls, but that is no key.
        Err(Denied::Unauthorized) if of_platform(&shared, &req).is_some() => {
            return HttpResponse::new(StatusCode::FORBIDDEN);
        }
        Err(Denied::Unauthorized) => return unauthorized(),
        Err(Denied::Forbidden) => return HttpResponse::new(StatusCode::FORBIDDEN),
        Ok(()) => {}
    }
    let path = path::decoded(req.uri().path());
    match Target::of(&path) {
        Some(Target { scope, name: None }) => keys::all(&shared, &req, &scope),
        Some(Target {
            scope,
            name: Some(name),
        }) => keys::one(&shared, &req, &scope, &name, payload).await,
        None => HttpResponse::new(StatusCode::NOT_FOUND),
    }
}

fn unauthorized() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::UNAUTHORIZED);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}
