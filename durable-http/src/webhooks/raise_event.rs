//! `POST /instances/{id}/raiseEvent/{name}`: an external event for an instance that has not ended.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use durable_runtime::ClientError;
use durable_runtime::store::Parts;

use super::{Call, answer};
use crate::body;

const NO_PAYLOADS: Parts = Parts {
    input: false,
    result: false,
};

pub(super) async fn raise_event(
    call: &Call<'_>,
    id: &str,
    name: &str,
    payload: web::Payload,
) -> Result<HttpResponse, ClientError> {
    match call.client.record(id, NO_PAYLOADS).await? {
        None => return Ok(answer::empty(StatusCode::NOT_FOUND)),
        Some(record) if record.status.is_terminal() => {
            return Ok(answer::empty(StatusCode::GONE));
        }
        Some(_) => {}
    }
    if !is_json(call.header(CONTENT_TYPE.as_str())) {
        let text = "Only application/json request content is supported";
        return Ok(answer::message(StatusCode::BAD_REQUEST, text));
    }
    let read = body::read(payload, call.shared.settings.max_body).await;
    let data = match read.and_then(|bytes| super::json_of(call, &bytes)) {
        Ok(data) => data,
        Err(answer) => return Ok(answer),
    };
    match call.client.raise_event(id, name, data).await {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        // It ended since it was looked at.
        Err(ClientError::InvalidState { .. }) => Ok(answer::empty(StatusCode::GONE)),
        Err(error) => Err(error),
    }
}

/// Exactly `application/json`, whatever its parameters.
fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|text| {
        let media_type = text.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_proper_is_json() {
        for (text, expected) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/json"), false),
            (Some("application/problem+json"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(is_json(text), expected, "{text:?}");
        }
    }
}
