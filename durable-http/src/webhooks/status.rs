//! `GET /instances/{id}`: one instance, live ones from memory.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::client::{OrchestrationStatus, PendingWork, StatusOptions};
use durable_runtime::model::RuntimeStatus;
use durable_runtime::store::{InstanceRecord, Parts};
use durable_runtime::{ClientError, DurableClient};
use serde::Serialize;

use super::links::{origin, poll_again};
use super::query::Query;
use super::status_object::StatusObject;
use super::{Call, answer};

pub(super) async fn status(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let Some(shown) = show(&call.client, id, call.query).await? else {
        return Ok(answer::empty(StatusCode::NOT_FOUND));
    };
    let error_on_failure = || call.query.flag("returnInternalServerErrorOnFailure") == Some(true);
    let code = match shown.status() {
        RuntimeStatus::Failed if error_on_failure() => StatusCode::INTERNAL_SERVER_ERROR,
        status if status.is_terminal() => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let mut response = match call.query.flag("showPendingWork") {
        Some(true) => shown.with_pending(code, call.client.pending_work(id).await?),
        _ => shown.answer(code),
    };
    if code == StatusCode::ACCEPTED {
        let mut url = origin(call.req);
        let path = call.req.uri().path_and_query();
        url.push_str(path.map_or("/", |path| path.as_str()));
        poll_again(&mut response, &url, "5");
    }
    Ok(response)
}

/// What a query for a status found.
pub(super) enum Shown {
    Record {
        record: Arc<InstanceRecord>,
        input: bool,
    },
    WithHistory(Box<OrchestrationStatus>),
}

impl Shown {
    pub(super) fn answer(&self, code: StatusCode) -> HttpResponse {
        match self {
            Self::Record { record, input } => answer::json(code, &StatusObject::of(record, *input)),
            Self::WithHistory(status) => answer::json(code, status),
        }
    }

    /// Ours: one member more, what the instance waits for.
    fn with_pending(&self, code: StatusCode, pending_work: Option<PendingWork>) -> HttpResponse {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a, T> {
            #[serde(flatten)]
            status: &'a T,
            pending_work: Option<PendingWork>,
        }
        match self {
            Self::Record { record, input } => {
                let status = &StatusObject::of(record, *input);
                answer::json(
                    code,
                    &Body {
                        status,
                        pending_work,
                    },
                )
            }
            Self::WithHistory(status) => answer::json(
                code,
                &Body {
                    status: &**status,
                    pending_work,
                },
            ),
        }
    }

    fn status(&self) -> RuntimeStatus {
        match self {
            Self::Record { record, .. } => record.status,
            Self::WithHistory(status) => status.runtime_status,
        }
    }
}

/// Reads what the query's `showInput`, `showHistory` and `showHistoryOutput` ask for.
pub(super) async fn show(
    client: &DurableClient,
    id: &str,
    query: Query<'_>,
) -> Result<Option<Shown>, ClientError> {
    let input = query.flag("showInput").unwrap_or(true);
    if query.flag("showHistory") != Some(true) {
        let parts = if input { Parts::ALL } else { Parts::NO_INPUT };
        let record = client.record(id, parts).await?;
        return Ok(record.map(|record| Shown::Record { record, input }));
    }
    let mut options = StatusOptions::new().with_history();
    if query.flag("showHistoryOutput") == Some(true) {
        options = options.with_history_output();
    }
    if !input {
        options = options.without_input();
    }
    let status = client.get_status_with(id, options).await?;
    Ok(status.map(|status| Shown::WithHistory(Box::new(status))))
}
