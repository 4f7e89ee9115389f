//! `DELETE /instances/{id}`: removes an ended instance with its history.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::ClientError;
use durable_runtime::client::busy_entity;
use serde::Serialize;

use super::{Call, answer};

/// How many are gone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Purged {
    pub(super) instances_deleted: u64,
}

pub(super) async fn purge(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let mut purge = call.client.purge_instance(id);
    if call.query.flag("recursive") == Some(true) {
        purge = purge.recursive();
    }
    match purge.await {
        Ok(0) | Err(ClientError::NotFound(_)) if !id.starts_with('@') => {
            Ok(answer::empty(StatusCode::NOT_FOUND))
        }
        Err(ClientError::NotFound(_)) => Ok(answer::json(
            StatusCode::OK,
            &Purged {
                instances_deleted: 0,
            },
        )),
        Ok(instances_deleted) => Ok(answer::json(StatusCode::OK, &Purged { instances_deleted })),
        Err(ClientError::InvalidState { .. }) if id.starts_with('@') => Ok(answer::json(
            StatusCode::PRECONDITION_FAILED,
            &busy_entity(id),
        )),
        Err(ClientError::InvalidState { status, .. }) => {
            let text = format!(
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID {id} has status {status}"
            );
            Ok(answer::json(StatusCode::PRECONDITION_FAILED, &text))
        }
        Err(error) => Err(error),
    }
}
