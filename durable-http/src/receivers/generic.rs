//! `genericJson`: the key is in the query (or the header `x-functions-key`), the event in `action`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::event::{CHANGE, Received};
use super::secret::{Ask, is_same, query};
use super::{Judged, json_of, refuse};
use crate::keys::Secret;

pub(super) fn check_code(req: &HttpRequest, secret: &Secret) -> Result<(), HttpResponse> {
    let header = || {
        let value = req.headers().get("x-functions-key")?.to_str().ok()?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    };
    // The other way round than for ordinary functions.
    let Some(code) = query(req, "code").or_else(header) else {
        let text = "The WebHook verification request must contain a 'code' query parameter.";
        return Err(refuse(StatusCode::BAD_REQUEST, text));
    };
    if is_same(&code, secret) {
        return Ok(());
    }
    let text =
        "The 'code' query parameter provided in the HTTP request did not match the expected value.";
    Err(refuse(StatusCode::BAD_REQUEST, text))
}

pub(super) fn judge(ask: &Ask<'_>) -> Judged {
    let data = json_of(ask)?;
    let event = query(ask.req, "action").unwrap_or_else(|| CHANGE.to_owned());
    Ok(Received::of(event, ask, data))
}
