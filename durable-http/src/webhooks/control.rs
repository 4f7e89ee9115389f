//! What terminate, suspend and resume have in common: 202, 404, 410 of an ended instance, 500 of one that is already so.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::ClientError;
use durable_runtime::client::Control;

use super::{Call, answer};

pub(super) async fn tell(
    call: &Call<'_>,
    id: &str,
    control: Control,
) -> Result<HttpResponse, ClientError> {
    let verb = match control {
        Control::Suspend { .. } => "suspend",
        Control::Resume { .. } => "resume",
        _ => "terminate",
    };
    match call.client.control(id, control).await {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(ClientError::InvalidState { status, .. }) if status.is_terminal() => {
            Ok(answer::empty(StatusCode::GONE))
        }
        Err(ClientError::InvalidState { status, .. }) => Ok(answer::wrong(&format!(
            "Cannot {verb} the orchestration instance {id} because instance is in the {status} state."
        ))),
        Err(error) => Err(error),
    }
}
