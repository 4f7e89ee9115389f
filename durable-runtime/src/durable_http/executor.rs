//! [`HttpExecutor`]: who sends. The engine has no HTTP of its own; a host gives it one, a test gives it an imitation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;

use super::{DurableHttpRequest, DurableHttpResponse, HttpHeaders};
use crate::activity::ActivityContext;
use crate::model::FailureDetails;

/// Sends the requests of `call_http`, one delivery at a time: no polling, no retries, which are the engine's.
pub trait HttpExecutor: Send + Sync {
    /// Sends it. Any status is an answer; a failure is made by [`super::HttpFailure::details`]. Gives up when the delivery's cancellation
    /// token fires.
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>>;
}

/// One delivery of one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpDelivery {
    /// What is to be sent.
    pub request: DurableHttpRequest,
    /// Whose it is, which attempt, and the token that fires when nobody waits any more.
    pub context: ActivityContext,
    /// The `traceparent` that the instance was started with.
    pub trace_parent: Option<String>,
    /// The `tracestate` that came with it.
    pub trace_state: Option<String>,
}

/// What came back.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// The answer.
    pub response: DurableHttpResponse,
    /// The URL that gave it, if redirects led there.
    pub effective_uri: Option<String>,
}

impl HttpAnswer {
    /// An answer that came without redirects.
    #[must_use]
    pub const fn new(response: DurableHttpResponse) -> Self {
        Self {
            response,
            effective_uri: None,
        }
    }

    /// The URL to which redirects led.
    #[must_use]
    pub fn with_effective_uri(mut self, uri: Option<String>) -> Self {
        self.effective_uri = uri;
        self
    }
}

/// As history keeps it: the answer's wire form, and where it came from.
impl Serialize for HttpAnswer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            status_code: u16,
            headers: &'a HttpHeaders,
            content: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            content_encoding: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            effective_uri: Option<&'a str>,
        }
        let response = &self.response;
        let wire = Wire {
            status_code: response.status,
            headers: &response.headers,
            content: &response.content,
            content_encoding: response.is_binary().then_some("base64"),
            effective_uri: self.effective_uri.as_deref(),
        };
        wire.serialize(serializer)
    }
}

/// How a hub does durable HTTP.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Who sends; without one every `call_http` fails.
    pub executor: Option<Arc<dyn HttpExecutor>>,
    /// The wait between two polls when a 202 names none.
    pub poll_interval: Duration,
    /// Whether POST and PATCH carry an `Idempotency-Key`.
    pub idempotency_keys: bool,
    /// Requests that are under way at one time; they take no slot of an activity.
    pub max_concurrent: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            executor: None,
            poll_interval: Duration::from_secs(30),
            idempotency_keys: true,
            max_concurrent: 256,
        }
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("executor", &self.executor.is_some())
            .field("poll_interval", &self.poll_interval)
            .field("idempotency_keys", &self.idempotency_keys)
            .field("max_concurrent", &self.max_concurrent)
            .finish()
    }
}
