//! The receivers of 1.x webhooks, `webhook = "genericJson" | "github" | "slack"`: they check who sends and read what is sent before the
//! function runs (host.md 2.8 of the reference). The level of the function does not count; the master key needs no receiver.

mod event;
mod generic;
mod github;
mod secret;
mod slack;
#[cfg(test)]
mod tests;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpResponse};
use serde::Serialize;

use crate::binding::{HttpRegistration, Webhook};
use crate::body;
use crate::host::Shared;
use crate::webhooks::json;

use event::Received;
pub use event::WebhookEvent;
use secret::{Ask, client_id, secret_of};

/// What a receiver makes of a request: what the function is given, or the answer that ends it.
type Judged = Result<Received, HttpResponse>;

/// Lets a request through to its function, with its body still to be read and what it says among its extensions.
pub(crate) async fn receive(
    req: &mut ServiceRequest,
    shared: &Shared,
    function: &HttpRegistration,
    webhook: Webhook,
) -> Result<(), HttpResponse> {
    if req.method() != "POST" {
        let (method, name) = (req.method(), receiver_name(webhook));
        let text = format!(
            "The HTTP '{method}' method is not supported by the '{name}' WebHook receiver."
        );
        return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, &text));
    }
    if webhook != Webhook::GitHub && !is_secure(req, shared) {
        let name = receiver_name(webhook);
        let text = format!(
            "The WebHook receiver '{name}' requires HTTPS in order to be secure. Please register a WebHook URI of type 'https'."
        );
        return Err(refuse(StatusCode::BAD_REQUEST, &text));
    }
    let client_id = client_id(req.request());
    let secret = secret_of(shared, function.name, &client_id, webhook)?;
    if webhook == Webhook::GenericJson {
        // Nothing of the body is read for who has no key.
        generic::check_code(req.request(), &secret)?;
    }
    let limit = shared.settings.max_body;
    let payload = body::take(req, limit).await;
    let payload = payload.map_err(HttpResponse::from_error)?;
    let bytes = body::read(payload, limit).await?;
    let ask = Ask {
        req: req.request(),
        body: &bytes,
        client_id,
        secret: &secret,
    };
    let received = match webhook {
        Webhook::GenericJson => generic::judge(&ask),
        Webhook::GitHub => github::judge(&ask),
        Webhook::Slack => slack::judge(&ask),
    }?;
    req.extensions_mut().insert(received);
    req.set_payload(Payload::from(bytes));
    Ok(())
}

const fn receiver_name(webhook: Webhook) -> &'static str {
    match webhook {
        Webhook::GenericJson => "genericjson",
        Webhook::GitHub => "github",
        Webhook::Slack => "slack",
    }
}

/// Whether nobody could have read the key on its way here. A proxy on this machine speaks for others.
fn is_secure(req: &ServiceRequest, shared: &Shared) -> bool {
    let (proxied, _) = shared.settings.proxies.said(req.request());
    let local = req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    let secure = match proxied {
        Some(scheme) => scheme == "https",
        None => local || req.app_config().secure(),
    };
    secure || shared.settings.webhooks_over_http
}

/// `{"Message":..}`.
fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        message: &'a str,
    }
    json(status, &Body { message })
}

/// The media type, in lower case and without parameters.
fn media_type(headers: &actix_web::http::header::HeaderMap) -> String {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = text.unwrap_or_default().split(';').next();
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

/// The body as JSON, if it says that it is some.
fn json_of(ask: &Ask<'_>) -> Result<Bytes, HttpResponse> {
    let media_type = media_type(ask.req.headers());
    let is_json = media_type
        .split_once('/')
        .filter(|(main, _)| matches!(*main, "application" | "text"))
        .is_some_and(|(_, sub)| sub == "json" || sub.ends_with("+json"));
    let expected = "The WebHook request must contain an entity body formatted as JSON.";
    if !is_json {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, expected));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(ask.body)
        .map(|_| ask.body.clone())
        .map_err(|_| refuse(StatusCode::BAD_REQUEST, expected))
}
