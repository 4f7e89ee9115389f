//! `DELETE /instances?createdTimeFrom=..`: removes the ended instances of a span of time.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::ClientError;
use durable_runtime::client::PurgeFilter;

use super::purge::Purged;
use super::query::StatusFilter;
use super::{Call, answer};

/// Without a start of the span nothing is removed. Unlike the reference, what has not ended always stays, and statuses that end
/// no instance match none.
pub(super) async fn purge_matching(call: &Call<'_>) -> Result<HttpResponse, ClientError> {
    let Some(from) = call.query.time("createdTimeFrom") else {
        let text = "Please provide value for 'createdTimeFrom' parameter.";
        return Ok(answer::json(StatusCode::BAD_REQUEST, text));
    };
    let mut filter = PurgeFilter::new().created_from(from.to_utc());
    if let Some(to) = call.query.time("createdTimeTo") {
        filter = filter.created_to(to.to_utc());
    }
    match call.query.statuses("runtimeStatus") {
        StatusFilter::Any(statuses) => filter = filter.with_status(statuses),
        StatusFilter::Unknown => return Ok(answer::empty(StatusCode::NOT_FOUND)),
    }
    match call.client.purge_instances(filter).await? {
        0 => Ok(answer::empty(StatusCode::NOT_FOUND)),
        instances_deleted => Ok(answer::json(StatusCode::OK, &Purged { instances_deleted })),
    }
}
