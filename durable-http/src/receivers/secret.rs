//! Whose secret a request is held against.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::refuse;
use crate::binding::Webhook;
use crate::host::Shared;
use crate::keys::{Scope, Secret};

const DEFAULT: &str = "default";

/// A request as receivers see it.
pub(super) struct Ask<'a> {
    pub(super) req: &'a HttpRequest,
    pub(super) body: &'a Bytes,
    pub(super) client_id: String,
    pub(super) secret: &'a Secret,
}

/// The first value of that name in the query, in any case, unless it is blank.
pub(super) fn query(req: &HttpRequest, name: &str) -> Option<String> {
    form_urlencoded::parse(req.query_string().as_bytes())
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

/// Who says to send: the header `x-functions-clientid`, else the query's `clientid`, else `default`.
pub(super) fn client_id(req: &HttpRequest) -> String {
    let header = req.headers().get("x-functions-clientid");
    let header = header.and_then(|value| value.to_str().ok());
    let header = header.filter(|value| !value.is_empty()).map(str::to_owned);
    header
        .or_else(|| query(req, "clientid"))
        .unwrap_or_else(|| DEFAULT.to_owned())
}

/// The key of that name: of the function, else of the host.
pub(super) fn secret_of(
    shared: &Shared,
    function: &str,
    client_id: &str,
    webhook: Webhook,
) -> Result<Secret, HttpResponse> {
    let own = shared.keys.get(&Scope::function(function), client_id);
    let key = own.or_else(|| shared.keys.get(&Scope::Host, client_id));
    let shortest = if webhook == Webhook::GenericJson {
        32
    } else {
        16
    };
    let problem = match key {
        Some(key) if (shortest..=128).contains(&key.value.expose().chars().count()) => {
            return Ok(key.value);
        }
        Some(_) => format!("the key is not of {shortest} to 128 characters; set another"),
        None => "there is no key of that name; make one".to_owned(),
    };
    tracing::error!(function, client_id, problem, "a webhook cannot be checked");
    let text = "The WebHook receiver has no usable secret for this client id.";
    Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, text))
}

/// Compares in a time that says nothing of the values.
pub(super) fn is_same(presented: &str, secret: &Secret) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(presented).ct_eq(&digest(secret.expose())).into()
}
