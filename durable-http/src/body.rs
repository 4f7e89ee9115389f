//! Bodies, up to the host's limit.

use actix_web::dev;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt as _;

/// The whole body; beyond `limit` bytes 413, a broken one 400, both empty.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, HttpResponse> {
    match payload.to_bytes_limited(limit).await {
        Err(_) => Err(HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(error)) => Err(HttpResponse::new(error.error_response().status())),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

/// The body for a function, however it is read: one that says that it is too long is 413 at once, one that does not say its
/// length breaks off where it is too long.
pub(crate) fn limited(
    req: &HttpRequest,
    payload: dev::Payload,
    limit: usize,
) -> Result<dev::Payload, HttpResponse> {
    if matches!(payload, dev::Payload::None) {
        return Ok(payload);
    }
    let length = req.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    match length {
        Some(length) if length > limit as u64 => {
            Err(HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Some(_) => Ok(payload),
        None => {
            let mut left = limit;
            let counted = payload.map(move |chunk| {
                let chunk = chunk?;
                left = left
                    .checked_sub(chunk.len())
                    .ok_or(PayloadError::Overflow)?;
                Ok(chunk)
            });
            Ok(dev::Payload::Stream {
                payload: Box::pin(counted),
            })
        }
    }
}
