//! Waiting for an instance within a request: its output if it ends in time, else the links.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use durable_runtime::client::Start;
use durable_runtime::model::RuntimeStatus;
use durable_runtime::store::InstanceRecord;
use durable_runtime::{ClientError, DurableClient};
use tokio::time::{Instant, sleep};

use super::links::Links;
use super::query::Query;
use super::status;
use super::status_object::Output;
use super::{Call, answer};

/// Seconds beyond which a span is more than the reference's clock can hold.
const LONGEST_SPAN: f64 = 922_337_203_685.0;
/// Later than this no clock goes; nobody waits so long.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) client: DurableClient,
    pub(crate) links: Links,
    /// Of the request: what the status is to show.
    pub(crate) query: String,
    pub(crate) timeout: Duration,
    pub(crate) retry_interval: Duration,
    pub(crate) error_on_failure: bool,
}

impl Waiting {
    /// The answer, at the latest when the time is over, or when the host stops. The commit that ends the instance wakes it; the interval only matters
    /// while there is no such instance.
    pub(crate) async fn answer(&self, id: &str) -> Result<HttpResponse, ClientError> {
        if self.retry_interval > self.timeout {
            return Err(ClientError::InvalidArgument(too_short(
                self.timeout.as_secs_f64(),
                self.retry_interval.as_secs_f64(),
            )));
        }
        tokio::select! {
            // First, so that an end that is there is shown whatever the host does.
            biased;
            response = self.wait(id) => response,
            () = self.client.closed() => Ok(self.links.check_status(id, self.error_on_failure)),
        }
    }

    async fn wait(&self, id: &str) -> Result<HttpResponse, ClientError> {
        let deadline = Instant::now() + self.timeout.min(LONGEST);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.client.wait_for_record(id, left).await {
                Ok(record) => {
                    let (client, query) = (&self.client, Query::new(&self.query));
                    return ended(client, query, &record, self.error_on_failure).await;
                }
                Err(ClientError::NotFound(_)) if !left.is_zero() => {
                    let pause = self.retry_interval.max(Duration::from_millis(10));
                    sleep(pause.min(left)).await;
                }
                Err(ClientError::NotFound(_) | ClientError::Timeout) => {
                    return Ok(self.links.check_status(id, self.error_on_failure));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What is answered of an instance that has ended: its output, or how else it ended.
async fn ended(
    client: &DurableClient,
    query: Query<'_>,
    record: &InstanceRecord,
    error_on_failure: bool,
) -> Result<HttpResponse, ClientError> {
    let status = match record.status {
        RuntimeStatus::Completed => {
            return Ok(answer::json(StatusCode::OK, &Output::of(record)));
        }
        RuntimeStatus::Failed if error_on_failure => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    let shown = status::show(client, &record.id, query).await?;
    let shown = shown.ok_or_else(|| ClientError::NotFound(record.id.to_string()))?;
    Ok(shown.answer(status))
}

/// Time-out and interval in seconds, if a request names both.
pub(super) fn of_query(call: &Call<'_>) -> Result<Option<(f64, f64)>, HttpResponse> {
    let (timeout, interval) = (
        call.query.seconds("timeout"),
        call.query.seconds("pollingInterval"),
    );
    for seconds in [timeout, interval].into_iter().flatten() {
        if seconds.is_nan() {
            return Err(answer::bad_argument(
                "TimeSpan does not accept floating point Not-a-Number values.",
            ));
        }
        if seconds.abs() > LONGEST_SPAN {
            return Err(answer::wrong(
                "TimeSpan overflowed because the duration is too long.",
            ));
        }
    }
    Ok(timeout.zip(interval))
}

/// The links of an instance that was started, or, if it was asked to wait, what became of it.
pub(super) async fn started(
    call: &Call<'_>,
    id: &str,
    wait: Option<(f64, f64)>,
) -> Result<HttpResponse, ClientError> {
    let links = Links::seen_by(call.req, &call.client, Some(call.shared));
    let Some((timeout, interval)) = wait else {
        return Ok(links.check_status(id, false));
    };
    let waiting = Waiting {
        client: call.client.clone().into_owned(),
        links,
        query: call.req.query_string().to_owned(),
        timeout: span(timeout),
        retry_interval: span(interval),
        error_on_failure: false,
    };
    waiting.answer(id).await
}

/// Starts an instance and answers what became of it, or with its links when the time is over, or when the host stops.
pub(super) async fn to_end(
    call: &Call<'_>,
    start: Start,
    timeout: f64,
) -> Result<HttpResponse, ClientError> {
    let (id, record) = start.to_end(span(timeout).min(LONGEST)).await?;
    match record {
        Some(record) => ended(&call.client, call.query, &record, false).await,
        None => started(call, &id, None).await,
    }
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// The reference's text for an interval that is longer than the whole.
pub(super) fn too_short(timeout: f64, interval: f64) -> String {
    format!("Total timeout {timeout} should be bigger than retry timeout {interval}")
}
