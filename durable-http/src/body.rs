//! Reads a whole body, up to the host's limit.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};

/// The body; beyond `limit` bytes 413, a broken one 400, both empty.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, HttpResponse> {
    match payload.to_bytes_limited(limit).await {
        Err(_) => Err(HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(error)) => Err(HttpResponse::new(error.error_response().status())),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}
