//! One request's way: throttle, route, auth, disabled, execute (host.md 2.4).

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse, Url};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, PRAGMA};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use futures::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::shared::{Shared, Target};
use crate::binding::HttpInvocation;
use crate::keys::{Level, authorize_function};
use crate::{admin, webhooks};

/// Requests that are being answered.
static OUTSTANDING: AtomicUsize = AtomicUsize::new(0);

struct Outstanding;

impl Outstanding {
    fn enter() -> (Self, usize) {
        (Self, OUTSTANDING.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        OUTSTANDING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Answers one request that no route of the application itself took.
pub(super) async fn dispatch(
    req: ServiceRequest,
    shared: web::Data<Shared>,
) -> Result<ServiceResponse, actix_web::Error> {
    let mut response = answer(req, &shared).await?;
    for (name, value) in &shared.settings.custom_headers {
        if !response.headers().contains_key(name) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    Ok(response)
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
        if req.path().eq_ignore_ascii_case("/admin/host/ping") {
            return Ok(req.into_response(ping()));
        }
        let (req, body) = whole(req).await?;
        let response = admin::handle(shared.clone(), req.clone(), body).await;
        return Ok(ServiceResponse::new(req, response));
    }
    let (_guard, outstanding) = Outstanding::enter();
    if shared
        .settings
        .max_outstanding
        .is_some_and(|max| outstanding > max)
    {
        return Ok(req.into_response(too_many()));
    }
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

fn ping() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-cache"),
    );
    response
        .headers_mut()
        .insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

fn too_many() -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(
        HeaderName::from_static("x-functions-scaleout"),
        HeaderValue::from_static("1"),
    );
    response
}

async fn route(mut req: ServiceRequest, shared: &web::Data<Shared>) -> ServiceResponse {
    let Some(found) = shared.table.find(req.method().as_str(), req.path()) else {
        let response = if req.path() == "/" {
            home(shared)
        } else {
            HttpResponse::new(StatusCode::NOT_FOUND)
        };
        return req.into_response(response);
    };
    let Target { function, disabled } = *found.target;
    let values: Vec<(String, Option<String>)> = found
        .values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let granted = match authorize_function(shared, req.request(), function.name, function.auth) {
        Ok(granted) => granted,
        Err(_) => return req.into_response(HttpResponse::new(StatusCode::UNAUTHORIZED)),
    };
    let admin = granted
        .as_ref()
        .is_some_and(|grant| grant.level == Level::Admin);
    if disabled && !admin {
        return req.into_response(HttpResponse::new(StatusCode::NOT_FOUND));
    }
    if let Some(granted) = granted.filter(|_| shared.auth) {
        req.extensions_mut().insert(granted);
    }
    if function.placeholders.len() < values.len() {
        fill_match_info(&mut req, &values);
    }
    let (req, payload) = req.into_parts();
    let response = execute(&req, payload, shared, function, values).await;
    ServiceResponse::new(req, response)
}

async fn execute(
    req: &HttpRequest,
    payload: actix_web::dev::Payload,
    shared: &web::Data<Shared>,
    function: &'static crate::binding::HttpRegistration,
    values: Vec<(String, Option<String>)>,
) -> HttpResponse {
    let call = HttpInvocation::new(req.clone(), payload, shared.clone(), values);
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
    let outcome = match shared.settings.function_timeout {
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
            tracing::error!(limit = ?shared.settings.function_timeout, "the function took longer than `functionTimeout`");
            HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    tracing::info!(status = response.status().as_u16(), duration = ?began.elapsed(), "{} answered", function.name);
    response
}

/// Lets `web::Path` read the route's values: they are matched once more, against a path that is made of them.
fn fill_match_info(req: &mut ServiceRequest, values: &[(String, Option<String>)]) {
    let present: Vec<&(String, Option<String>)> =
        values.iter().filter(|(_, value)| value.is_some()).collect();
    let pattern: String = present
        .iter()
        .map(|(name, _)| format!("/{{{name}:[^/]*}}"))
        .collect();
    let path: String = present
        .iter()
        .map(|(_, value)| format!("/{}", encode(value.as_deref().unwrap_or_default())))
        .collect();
    let Ok(uri) = path.parse() else { return };
    let info = req.match_info_mut();
    info.set(Url::new(uri));
    ResourceDef::new(pattern).capture_match_info(info);
}

fn encode(value: &str) -> String {
    let kept = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    value
        .bytes()
        .map(|b| {
            if kept(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn home(shared: &Shared) -> HttpResponse {
    if !shared.settings.home_page {
        return HttpResponse::new(StatusCode::NO_CONTENT);
    }
    let page = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Durable Functions</title></head>\
                <body><h1>Your Durable Functions host is up and running.</h1></body></html>\n";
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page)
}
