//! The futures of the client: options first, then `.await`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::{ClientError, DurableClient};
use crate::hub::StartRequest;
use crate::model::{HistoryEvent, Payload, RuntimeStatus};
use crate::store::InstanceRecord;

/// A request to the hub, sent when it is polled first.
#[must_use = "nothing is sent unless it is awaited"]
pub struct Call<T>(BoxFuture<'static, Result<T, ClientError>>);

impl<T: Send + 'static> Call<T> {
    pub(super) fn new(
        future: impl Future<Output = Result<T, ClientError>> + Send + 'static,
    ) -> Self {
        Self(future.boxed())
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(cx)
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

/// A request that takes options until it is polled first.
pub(super) enum Lazy<R, T> {
    Options(Option<R>),
    Sent(BoxFuture<'static, Result<T, ClientError>>),
}

impl<R, T> Lazy<R, T> {
    pub(super) fn new(request: R) -> Self {
        Self::Options(Some(request))
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        send: impl FnOnce(R) -> BoxFuture<'static, Result<T, ClientError>>,
    ) -> Poll<Result<T, ClientError>> {
        if let Self::Options(options) = self {
            match options.take() {
                Some(request) => *self = Self::Sent(send(request)),
                None => return Poll::Pending,
            }
        }
        match self {
            Self::Sent(future) => future.poll_unpin(cx),
            Self::Options(_) => Poll::Pending,
        }
    }

    pub(super) fn alter(&mut self, alter: impl FnOnce(&mut R)) {
        if let Self::Options(Some(request)) = self {
            alter(request);
        }
    }
}

/// A start; gives the new instance's id once it is durable.
#[must_use = "nothing is started unless it is awaited"]
pub struct Start {
    client: DurableClient,
    state: Lazy<Result<StartRequest, ClientError>, String>,
}

impl Start {
    pub(super) fn new(client: DurableClient, request: Result<StartRequest, ClientError>) -> Self {
        Self {
            client,
            state: Lazy::Options(Some(request)),
        }
    }

    fn with(mut self, set: impl FnOnce(&mut StartRequest)) -> Self {
        self.state.alter(|request| {
            if let Ok(request) = request {
                set(request);
            }
        });
        self
    }

    /// Under this id; the default is a new GUID. An id that is taken by an instance that has not ended is refused.
    pub fn with_instance_id(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.with(|request| request.instance_id = Some(id))
    }

    /// Not before this instant; `Pending` until then.
    pub fn scheduled_at(self, at: DateTime<Utc>) -> Self {
        self.with(|request| request.scheduled_at = Some(at.into()))
    }

    /// In this version; the default is what the function declares, else the host's.
    pub fn with_version(self, version: impl Into<String>) -> Self {
        let version = version.into();
        self.with(|request| request.version = Some(version))
    }

    /// Starts it and waits for its end: its id, and what [`DurableClient::record`] would show from then on; `None` for that if the time is
    /// over first, or the host stops. Cheaper than to wait for both one after the other: nobody is woken when the start is stored.
    ///
    /// # Errors
    /// As those of the start itself.
    #[doc(hidden)]
    pub async fn to_end(
        self,
        timeout: Duration,
    ) -> Result<(String, Option<Arc<InstanceRecord>>), ClientError> {
        match self.state {
            Lazy::Options(Some(request)) => {
                let engine = self.client.engine().await?;
                engine.start_to_end(request?, timeout).await
            }
            // It was polled before.
            Lazy::Options(None) | Lazy::Sent(_) => Ok((self.await?, None)),
        }
    }

    /// The W3C trace context that the instance hands on.
    pub fn with_trace_parent(self, trace_parent: impl Into<String>) -> Self {
        let trace_parent = trace_parent.into();
        self.with(|request| request.trace_parent = Some(trace_parent))
    }
}

impl Future for Start {
    type Output = Result<String, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client.clone();
        self.state.poll(cx, |request| {
            async move {
                // Named, so that it is all that is kept while the start waits.
                let started = client.engine().await?.start(request?);
                started.await
            }
            .boxed()
        })
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}

/// A termination; durable when it returns, processed soon after.
#[must_use = "nothing is terminated unless it is awaited"]
pub struct Terminate {
    client: DurableClient,
    state: Lazy<(String, Option<String>, bool), ()>,
}

impl Terminate {
    pub(super) fn new(client: DurableClient, id: String, reason: Option<String>) -> Self {
        Self {
            client,
            state: Lazy::Options(Some((id, reason, false))),
        }
    }

    /// Its children too, and theirs.
    pub fn recursive(mut self) -> Self {
        self.state.alter(|request| request.2 = true);
        self
    }
}

impl Future for Terminate {
    type Output = Result<(), ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client.clone();
        self.state.poll(cx, |(id, reason, recursive)| {
            let event = HistoryEvent::ExecutionTerminated { reason, recursive };
            async move { client.engine().await?.send(&id, event, &LIVE).await }.boxed()
        })
    }
}

impl fmt::Debug for Terminate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terminate")
    }
}

/// Statuses of instances that have not ended.
pub(super) const LIVE: [RuntimeStatus; 4] = [
    RuntimeStatus::Pending,
    RuntimeStatus::Running,
    RuntimeStatus::Suspended,
    RuntimeStatus::ContinuedAsNew,
];

pub(super) fn input_of(
    input: Result<Payload, serde_json::Error>,
) -> Result<Option<Payload>, ClientError> {
    let payload = input.map_err(|e| {
        ClientError::InvalidArgument(format!("the input cannot be serialised: {e}"))
    })?;
    Ok((!payload.is_null()).then_some(payload))
}
