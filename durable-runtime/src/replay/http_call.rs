//! [`HttpCall`]: the future of `call_http`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::FusedFuture;

use super::task::{Handle, read};
use crate::durable_http::DurableHttpResponse;
use crate::model::TaskError;

/// A request that is sent, retried and polled for as its [`crate::DurableHttpRequest`] says. Dropping it ends the request if it is under way.
#[must_use = "a call that is dropped at once asks for nothing; await it or keep it"]
pub struct HttpCall {
    handle: Handle,
}

impl HttpCall {
    pub(super) const fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl Future for HttpCall {
    type Output = Result<DurableHttpResponse, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.handle.poll(cx).map(read)
    }
}

impl FusedFuture for HttpCall {
    fn is_terminated(&self) -> bool {
        self.handle.is_done()
    }
}

impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall")
            .field("done", &self.handle.is_done())
            .finish_non_exhaustive()
    }
}
