//! One request's way: throttle, route, auth, disabled, execute (host.md 2.4).

use std::future::poll_fn;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, STRICT_TRANSPORT_SECURITY};
use actix_web::{HttpRequest, HttpResponse, web};
use futures::FutureExt as _;

use super::invocation::Invocation;
use super::shared::{Shared, Target};
use super::within::Within;
use super::{Worker, home};
use crate::binding::{AuthLevel, HttpInvocation, Values};
use crate::body;
use crate::keys::{Level, authorize_function};
use crate::webhooks::origin;
use crate::{admin, receivers, webhooks};

/// Answers one request that no route of the application itself took.
pub(super) async fn dispatch(
    req: ServiceRequest,
    worker: Worker,
) -> Result<ServiceResponse, actix_web::Error> {
    let _counted = worker.tls.then(|| worker.lifecycle.arrive());
    let cors = &worker.settings.cors;
    if worker.lifecycle.is_stopping() {
        // By a connection that was open already.
        return Ok(req.into_response(stopping()));
    }
    let mut response = match cors.preflight(req.method(), req.headers()) {
        Some(preflight) => req.into_response(preflight),
        None => answer(req, &worker).await?,
    };
    finish(&worker, &mut response);
    Ok(response)
}

/// Adds the headers that every answer has.
fn finish(shared: &Shared, response: &mut ServiceResponse) {
    let settings = &shared.settings;
    for (name, value) in &settings.custom_headers {
        if !response.headers().contains_key(name) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let hsts = settings.hsts.as_ref();
    if let Some(value) = hsts.and_then(|hsts| hsts.header(&origin(response.request()))) {
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, value);
    }
    if !settings.cors.is_off() {
        let request = response.request().clone();
        settings
            .cors
            .finish(request.headers(), response.headers_mut());
    }
}

async fn answer(req: ServiceRequest, worker: &Worker) -> Result<ServiceResponse, actix_web::Error> {
    let length = req
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if length > worker.settings.max_url {
        return Ok(req.into_response(HttpResponse::new(StatusCode::URI_TOO_LONG)));
    }
    if starts_with(req.path(), "/admin/") || req.path().eq_ignore_ascii_case("/admin") {
        if let Some(response) = admin::open(req.method(), req.path()) {
            return Ok(req.into_response(response));
        }
        return administrate(req, worker).boxed_local().await;
    }
    if let Some(page) = worker.lifecycle.page() {
        let response = HttpResponse::ServiceUnavailable()
            .content_type("text/html; charset=utf-8")
            .body(page);
        return Ok(req.into_response(response));
    }
    if req.path() == "/" && worker.table.find(req.method().as_str(), "/").is_none() {
        return Ok(req.into_response(home::page(worker)));
    }
    let Some(_admitted) = worker.throttle.admit().await else {
        return Ok(req.into_response(too_many()));
    };
    if starts_with(req.path(), "/runtime/webhooks/") {
        return manage(req, worker).boxed_local().await;
    }
    Ok(route(req, worker).await)
}

// Boxed where they are called, so that a call of a function is not as large as the largest of these.

async fn administrate(
    req: ServiceRequest,
    worker: &Worker,
) -> Result<ServiceResponse, actix_web::Error> {
    let (req, body) = whole(req, worker).await?;
    let response = admin::handle((**worker).clone(), req.clone(), body).await;
    Ok(ServiceResponse::new(req, response))
}

async fn manage(req: ServiceRequest, worker: &Worker) -> Result<ServiceResponse, actix_web::Error> {
    let (req, body) = whole(req, worker).await?;
    let response = webhooks::handle(worker, &req, body).await;
    Ok(ServiceResponse::new(req, response))
}

/// Request and body as the handlers of webhooks take them.
async fn whole(
    mut req: ServiceRequest,
    worker: &Worker,
) -> Result<(HttpRequest, web::Payload), actix_web::Error> {
    let body = body::take(&mut req, worker.settings.max_body).await?;
    Ok((req.into_parts().0, body))
}

fn starts_with(path: &str, prefix: &str) -> bool {
    path.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whoever asks once more, asks the next host.
fn stopping() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, "5"))
        .force_close()
        .body("the host is stopping; ask again later")
}

fn too_many() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(
        HeaderName::from_static("x-function-scaleout"),
        HeaderValue::from_static("1"),
    );
    response
}

async fn route(mut req: ServiceRequest, worker: &Worker) -> ServiceResponse {
    let Some(found) = worker.table.find(req.method().as_str(), req.path()) else {
        return req.into_response(HttpResponse::new(StatusCode::NOT_FOUND));
    };
    let Target { function, disabled } = *found.target;
    // Receivers of webhooks ask in their own way who calls.
    let level = match function.webhook {
        Some(_) => AuthLevel::Anonymous,
        None => function.auth,
    };
    let granted = match authorize_function(worker, req.request(), function.name, level) {
        Ok(granted) => granted,
        Err(_) => return req.into_response(HttpResponse::new(StatusCode::UNAUTHORIZED)),
    };
    let admin = granted
        .as_ref()
        .is_some_and(|grant| grant.level == Level::Admin);
    if disabled && !admin {
        return req.into_response(HttpResponse::new(StatusCode::NOT_FOUND));
    }
    if let Some(webhook) = function.webhook.filter(|_| !admin)
        && let Err(response) = receivers::receive(&mut req, worker, function, webhook)
            .boxed_local()
            .await
    {
        return req.into_response(response);
    }
    let values = hand_over(&mut req, function.placeholders, found.values);
    let (req, payload) = req.into_parts();
    let payload = match body::limited(&req, payload, worker.settings.max_body) {
        Ok(payload) => payload,
        Err(response) => return ServiceResponse::new(req, response),
    };
    let granted = granted.filter(|_| worker.auth);
    let call = HttpInvocation::new(req.clone(), payload, granted, values);
    let response = execute(Invocation::new(function, call, worker.clone()), worker).await;
    ServiceResponse::new(req, response)
}

/// Waits for the function as long as callers may.
async fn execute(invocation: Invocation, worker: &Worker) -> HttpResponse {
    let (name, limit) = (invocation.name(), worker.settings.response_timeout);
    let began = invocation.began();
    let mut work = Within::new(invocation, began, limit);
    if let Some(response) = poll_fn(|cx| work.poll(cx)).await {
        return response;
    }
    // Whoever asked is told to go; the function runs to its end all the same.
    tracing::warn!(?limit, "{name} has not answered in time: 502");
    actix_web::rt::spawn(work.into_work());
    HttpResponse::new(StatusCode::BAD_GATEWAY)
}

/// Gives `web::Path` the values of the route, and returns those that parameters are bound to.
fn hand_over(
    req: &mut ServiceRequest,
    placeholders: &'static [&'static str],
    found: Vec<(&str, Option<String>)>,
) -> Values {
    let mut values = Values::with_capacity(placeholders.len());
    for (name, value) in found {
        let bound = placeholders
            .iter()
            .find(|bound| bound.eq_ignore_ascii_case(name));
        match (bound, value) {
            (bound, Some(value)) => {
                // `web::Path` decodes once more.
                let encoded = value.replace('%', "%25");
                req.match_info_mut().add_static(name.to_owned(), encoded);
                values.extend(bound.map(|&bound| (bound, Some(value))));
            }
            (bound, None) => values.extend(bound.map(|&bound| (bound, None))),
        }
    }
    values
}
