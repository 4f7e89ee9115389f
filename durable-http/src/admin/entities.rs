//! Care of entities, for which there is no webhook.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::text;
use crate::host::Shared;
use crate::webhooks::json;

/// Removes those that are empty, and releases locks that are left over.
pub(super) async fn clean(shared: &Shared) -> HttpResponse {
    match shared.client.clean_entity_storage().await {
        Ok(cleaned) => json(StatusCode::OK, &cleaned),
        Err(error) => {
            tracing::warn!(%error, "entities could not be cleaned");
            text(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}
