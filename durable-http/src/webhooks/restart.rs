//! `POST /instances/{id}/restart`: the same function with the same input once more, under a new id or the old one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::ClientError;

use super::answer::Kind;
use super::{Call, answer, wait};

const INVALID: &str = "InstanceId does not match a valid orchestration instance.";
const RUNNING: &str = "A non-terminal instance with this instance ID already exists.";

pub(super) async fn restart(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let new_id = call.query.flag("restartWithNewInstanceId").unwrap_or(true);
    let wait = match wait::of_query(call) {
        Ok(wait) => wait,
        Err(answer) => return Ok(answer),
    };
    let refused = |text: &str| {
        let status = StatusCode::BAD_REQUEST;
        Ok(answer::exception(status, INVALID, text, Kind::Argument))
    };
    let id = match call.client.restart(id, new_id).await {
        Ok(id) => id,
        // The reference's spelling.
        Err(ClientError::NotFound(id)) => {
            return refused(&format!(
                "An orchestrastion with the instanceId {id} was not found."
            ));
        }
        Err(ClientError::UnknownFunction { name, known }) => {
            return refused(&answer::unknown_orchestrator(&name, &known));
        }
        Err(ClientError::AlreadyExists(text)) => {
            let status = StatusCode::CONFLICT;
            return Ok(answer::exception(
                status,
                RUNNING,
                &text,
                Kind::AlreadyExists,
            ));
        }
        Err(error) => return Err(error),
    };
    match wait {
        Some((timeout, interval)) if interval > timeout => {
            refused(&wait::too_short(timeout, interval))
        }
        wait => wait::started(call, &id, wait).await,
    }
}
