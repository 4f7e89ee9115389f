//! `POST /instances/{id}/rewind`: takes a failed instance back to before its failure.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::ClientError;
use durable_runtime::client::Control;

use super::{Call, answer};

/// 410 for an instance that ended otherwise, as existing clients expect; 412 for one that has not ended.
pub(super) async fn rewind(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let reason = call.reason();
    match call.client.control(id, Control::Rewind { reason }).await {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(ClientError::InvalidState { status, .. }) if status.is_terminal() => {
            Ok(answer::empty(StatusCode::GONE))
        }
        Err(ClientError::InvalidState { status, .. }) => {
            let text = format!(
                "This orchestration has status {status}, but only orchestrations in the \"Failed\" state can be rewound."
            );
            Ok(answer::json(StatusCode::PRECONDITION_FAILED, &text))
        }
        Err(error) => Err(error),
    }
}
