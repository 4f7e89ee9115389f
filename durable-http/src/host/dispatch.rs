//! One request's way: throttle, route, auth, disabled, execute (host.md 2.4).

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use futures::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::home;
use super::shared::{Shared, Target};
use crate::binding::{AuthLevel, HttpInvocation, HttpRegistration, Values};
use crate::body;
use crate::keys::{Level, authorize_function};
use crate::webhooks::origin;
use crate::{admin, receivers, webhooks};

/// Answers one request that no route of the application itself took.
pub(super) async fn dispatch(
    req: ServiceRequest,
    shared: web::Data<Shared>,
) -> Result<ServiceResponse, actix_web::Error> {
    let settings = &shared.settings;
    let _counted = shared.tls.then(|| shared.lifecycle.arrive());
    if let Some(preflight) = settings.cors.preflight(req.method(), req.headers()) {
        let mut response = req.into_response(preflight);
        finish(&shared, &mut response);
        return Ok(response);
    }
    let mut response = answer(req, &shared).await?;
    finish(&shared, &mut response);
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

async fn answer(
    req: ServiceRequest,
    shared: &web::Data<Shared>,
) -> Result<ServiceResponse, actix_web::Error> {
    let length = req
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if length > shared.settings.max_url {
        return Ok(req.into_response(HttpResponse::new(StatusCode::URI_TOO_LONG)));
    }
    if starts_with(req.path(), "/admin/") || req.path().eq_ignore_ascii_case("/admin") {
        if let Some(response) = admin::open(req.method(), req.path()) {
            return Ok(req.into_response(response));
        }
        let (req, body) = whole(req).await?;
        let response = admin::handle(shared.clone(), req.clone(), body).await;
        return Ok(ServiceResponse::new(req, response));
    }
    if let Some(page) = shared.lifecycle.page() {
        let response = HttpResponse::ServiceUnavailable()
            .content_type("text/html; charset=utf-8")
            .body(page);
        return Ok(req.into_response(response));
    }
    if req.path() == "/" && shared.table.find(req.method().as_str(), "/").is_none() {
        return Ok(req.into_response(home::page(shared)));
    }
    let Some(_admitted) = shared.throttle.admit().await else {
        return Ok(req.into_response(too_many()));
    };
    if starts_with(req.path(), "/runtime/webhooks/") {
        let (req, body) = whole(req).await?;
        let response = webhooks::handle(shared.clone(), req.clone(), body).await;
        return Ok(ServiceResponse::new(req, response));
    }
    Ok(route(req, shared).await)
}

/// Request and body as the handlers of webhooks take them.
async fn whole(mut req: ServiceRequest) -> Result<(HttpRequest, web::Payload), actix_web::Error> {
    let body = req.extract::<web::Payload>().await?;
    Ok((req.into_parts().0, body))
}

fn starts_with(path: &str, prefix: &str) -> bool {
    path.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn too_many() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(
        HeaderName::from_static("x-function-scaleout"),
        HeaderValue::from_static("1"),
    );
    response
}

async fn route(mut req: ServiceRequest, shared: &web::Data<Shared>) -> ServiceResponse {
    let Some(found) = shared.table.find(req.method().as_str(), req.path()) else {
        return req.into_response(HttpResponse::new(StatusCode::NOT_FOUND));
    };
    let Target { function, disabled } = *found.target;
    // Receivers of webhooks ask in their own way who calls.
    let level = match function.webhook {
        Some(_) => AuthLevel::Anonymous,
        None => function.auth,
    };
    let granted = match authorize_function(shared, req.request(), function.name, level) {
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
        && let Err(response) = receivers::receive(&mut req, shared, function, webhook).await
    {
        return req.into_response(response);
    }
    if let Some(granted) = granted.filter(|_| shared.auth) {
        req.extensions_mut().insert(granted);
    }
    let values = hand_over(&mut req, function.placeholders, found.values);
    let (req, payload) = req.into_parts();
    let response = execute(&req, payload, shared, function, values).await;
    ServiceResponse::new(req, response)
}

async fn execute(
    req: &HttpRequest,
    payload: actix_web::dev::Payload,
    shared: &web::Data<Shared>,
    function: &'static HttpRegistration,
    values: Values,
) -> HttpResponse {
    let payload = match body::limited(req, payload, shared.settings.max_body) {
        Ok(payload) => payload,
        Err(response) => return response,
    };
    let call = HttpInvocation::new(req.clone(), payload, shared.clone(), values);
    let mut work = Box::pin(invoke(function, call, shared.clone()));
    let Some(limit) = shared.settings.response_timeout else {
        return work.await;
    };
    match tokio::time::timeout(limit, &mut work).await {
        Ok(response) => response,
        Err(_) => {
            // Whoever asked is told to go; the function runs to its end all the same.
            tracing::warn!(?limit, "{} has not answered in time: 502", function.name);
            actix_web::rt::spawn(work);
            HttpResponse::new(StatusCode::BAD_GATEWAY)
        }
    }
}

/// Runs the function to its end or its time limit, and says so in the log.
pub(crate) async fn invoke(
    function: &'static HttpRegistration,
    call: HttpInvocation,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let limit = shared.settings.function_timeout;
    let _counted = shared.lifecycle.begin();
    let began = Instant::now();
    let invocation = tracing::enabled!(tracing::Level::INFO).then(Uuid::new_v4);
    let span = tracing::info_span!(
        "http",
        function = function.name,
        invocation = invocation.map(|id| tracing::field::display(id.simple()))
    );
    let work = AssertUnwindSafe(async move { (function.call)(call).await })
        .catch_unwind()
        .instrument(span.clone());
    let outcome = match limit {
        None => Some(work.await),
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
    };
    let _entered = span.enter();
    let response = match outcome {
        Some(Ok(response)) => response,
        Some(Err(panic)) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned());
            tracing::error!(panic = text.unwrap_or_default(), "the function panicked");
            HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
        None => {
            tracing::error!(?limit, "the function took longer than `functionTimeout`");
            HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    log(function.name, &response, began.elapsed());
    response
}

/// The one line of an invocation. What our own errors say has been logged where they became answers.
fn log(function: &str, response: &HttpResponse, duration: Duration) {
    let status = response.status();
    if !status.is_server_error() {
        tracing::info!(status = status.as_u16(), ?duration, "{function} answered");
        return;
    }
    let ours = |error: &actix_web::Error| {
        error.as_error::<durable_runtime::Error>().is_some()
            || error.as_error::<durable_runtime::ClientError>().is_some()
    };
    let error = response.error().filter(|error| !ours(error));
    let error = error.map(tracing::field::display);
    tracing::error!(
        status = status.as_u16(),
        ?duration,
        error,
        "{function} failed"
    );
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
