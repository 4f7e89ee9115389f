//! Keys over HTTP: list, show, renew, set, revoke; the same for the host's, the extensions' and a function's.

use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use durable_runtime::store;
use serde::Serialize;
use serde_json::Value;

use crate::body;
use crate::host::Shared;
use crate::keys::{Changed, Key, KeysError, Scope, Secret};
use crate::webhooks::{json, origin};

const MASTER: &str = "_master";

/// `GET` of all keys of a scope; `_master` is never among them.
pub(super) async fn all(shared: &Shared, req: &HttpRequest, scope: &Scope) -> HttpResponse {
    if req.method() != Method::GET || !shared.keys.knows(scope) {
        return HttpResponse::new(StatusCode::NOT_FOUND);
    }
    if let Err(error) = shared.keys.make_default(scope).await {
        return refused(&error);
    }
    let keys = shared.keys.list(scope);
    let list = List {
        keys: keys.iter().map(Shown::of).collect(),
        links: [Link::to(req)],
    };
    json(StatusCode::OK, &list)
}

/// Everything that is done to one key.
pub(super) async fn one(
    shared: &Shared,
    req: &HttpRequest,
    scope: &Scope,
    name: &str,
    payload: web::Payload,
) -> HttpResponse {
    if !shared.keys.knows(scope) {
        return HttpResponse::new(StatusCode::NOT_FOUND);
    }
    let keys = &shared.keys;
    if req.method() == Method::GET
        && let Err(error) = keys.make_default(scope).await
    {
        return refused(&error);
    }
    let answered = match *req.method() {
        Method::GET => Ok(keys.get(scope, name).map_or_else(
            || HttpResponse::new(StatusCode::NOT_FOUND),
            |key| shown(StatusCode::OK, req, name, &key),
        )),
        Method::POST => keys.renew(scope, name).await.map(|changed| {
            let created = changed.created || name.eq_ignore_ascii_case(MASTER);
            answer(req, name, &changed, created)
        }),
        Method::PUT => match value(shared, req, payload).await {
            Ok(value) => keys
                .set(scope, name, value)
                .await
                .map(|changed| answer(req, name, &changed, changed.created)),
            Err(response) => Ok(response),
        },
        Method::DELETE => {
            let gone = |()| HttpResponse::new(StatusCode::NO_CONTENT);
            keys.delete(scope, name).await.map(gone)
        }
        _ => Ok(HttpResponse::new(StatusCode::NOT_FOUND)),
    };
    answered.unwrap_or_else(|error| refused(&error))
}

fn answer(req: &HttpRequest, name: &str, changed: &Changed, created: bool) -> HttpResponse {
    if !created {
        return shown(StatusCode::OK, req, name, &changed.key);
    }
    let mut response = shown(StatusCode::CREATED, req, name, &changed.key);
    let url = format!("{}{}", origin(req), req.uri().path());
    if let Ok(url) = HeaderValue::from_str(&url) {
        response.headers_mut().insert(LOCATION, url);
    }
    response
}

fn shown(status: StatusCode, req: &HttpRequest, name: &str, key: &Key) -> HttpResponse {
    let one = One {
        name,
        value: key.value.expose(),
        links: [Link::to(req)],
    };
    json(status, &one)
}

/// The value that a body sets.
async fn value(
    shared: &Shared,
    req: &HttpRequest,
    payload: web::Payload,
) -> Result<Secret, HttpResponse> {
    if !is_json(req.headers().get(CONTENT_TYPE)) {
        return Err(HttpResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let bytes = body::read(payload, shared.settings.max_body).await?;
    let invalid = || refused(&KeysError::Value);
    let document: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    match document.get("value") {
        Some(Value::String(text)) => Ok(Secret::from(text.as_str())),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Ok(scalar.to_string().into()),
        _ => Err(invalid()),
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok());
    let media_type = text.unwrap_or_default().split(';').next();
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*media_type, "application/json" | "text/json")
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn refused(error: &KeysError) -> HttpResponse {
    match error {
        KeysError::NoSuchFunction(_) | KeysError::NoSuchKey(_) => {
            HttpResponse::new(StatusCode::NOT_FOUND)
        }
        KeysError::MasterStays | KeysError::Name(_) | KeysError::Value => {
            HttpResponse::BadRequest()
                .content_type("text/plain; charset=utf-8")
                .body(error.to_string())
        }
        KeysError::Store(store::Error::Conflict(_)) => HttpResponse::new(StatusCode::CONFLICT),
        _ => {
            tracing::error!(%error, "keys could not be changed");
            let unavailable = matches!(error, KeysError::Store(store::Error::Unavailable(_)));
            HttpResponse::new(if unavailable {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            })
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    keys: Vec<Shown<'a>>,
    links: [Link; 1],
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Shown<'a> {
    fn of(key: &'a Key) -> Self {
        Self {
            name: &key.name,
            value: key.value.expose(),
        }
    }
}

#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    value: &'a str,
    links: [Link; 1],
}

#[derive(Serialize)]
struct Link {
    rel: &'static str,
    href: String,
}

impl Link {
    /// The path of the request without its query, which may hold a key.
    fn to(req: &HttpRequest) -> Self {
        let path = super::routes::decoded(req.uri().path()).join("/");
        let href = format!("{}/{path}", origin(req));
        Self { rel: "self", href }
    }
}
