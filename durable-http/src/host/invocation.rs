//! [`Invocation`]: a function that runs, within its time limit and with its line in the log.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use futures::FutureExt as _;
use futures::future::{CatchUnwind, LocalBoxFuture};
use tokio::time::Instant;
use tracing::Span;

use super::Worker;
use super::within::Within;
use crate::binding::{HttpInvocation, HttpRegistration};

type Work = CatchUnwind<AssertUnwindSafe<LocalBoxFuture<'static, HttpResponse>>>;

/// A function that runs to its end or its time limit, and says so in the log.
pub(crate) struct Invocation {
    function: &'static HttpRegistration,
    /// `None` once it has ended.
    work: Option<Within<Work>>,
    began: Instant,
    span: Span,
    /// Counts it as long as it is there.
    worker: Worker,
}

impl Invocation {
    pub(crate) fn new(
        function: &'static HttpRegistration,
        call: HttpInvocation,
        worker: Worker,
    ) -> Self {
        let began = Instant::now();
        // Not the system's randomness, which is a system call: nothing depends on it but that lines can be told apart.
        let id = tracing::enabled!(tracing::Level::INFO)
            .then(|| uuid::Builder::from_random_bytes(rand::random()).into_uuid());
        let span = tracing::info_span!(
            "http",
            function = function.name,
            invocation = id.map(|id| tracing::field::display(id.simple()))
        );
        let work = span.in_scope(|| AssertUnwindSafe((function.call)(call)).catch_unwind());
        let work = Within::new(work, began, worker.settings.function_timeout);
        worker.lifecycle.begin();
        Self {
            function,
            work: Some(work),
            began,
            span,
            worker,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.function.name
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }
}

impl Future for Invocation {
    type Output = HttpResponse;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HttpResponse> {
        let this = &mut *self;
        // Entering a span that nobody looks at still asks whether somebody does.
        let _entered = (!this.span.is_disabled()).then(|| this.span.enter());
        let Some(work) = &mut this.work else {
            return Poll::Pending;
        };
        let outcome = ready!(work.poll(cx));
        this.work = None;
        let response = match outcome {
            Some(Ok(response)) => response,
            Some(Err(panic)) => {
                tracing::error!(panic = text(&*panic), "the function panicked");
                HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
            }
            None => {
                let limit = this.worker.settings.function_timeout;
                tracing::error!(?limit, "the function took longer than `functionTimeout`");
                HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        log(this.function.name, &response, this.began.elapsed());
        Poll::Ready(response)
    }
}

impl Drop for Invocation {
    fn drop(&mut self) {
        if self.work.is_some() {
            let _entered = self.span.enter();
            self.work = None;
        }
        self.worker.lifecycle.end();
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}

/// The one line of an invocation. What our own errors say has been logged where they became answers.
fn log(function: &str, response: &HttpResponse, duration: Duration) {
    let status = response.status();
    if !status.is_server_error() {
        tracing::info!(status = status.as_u16(), ?duration, "{function} answered");
        return;
    }
    let ours = |error: &actix_web::Error| {
        error.as_error::<durable_runtime::Error>().is_some()
            || error.as_error::<durable_runtime::ClientError>().is_some()
    };
    let error = response.error().filter(|error| !ours(error));
    let error = error.map(tracing::field::display);
    tracing::error!(
        status = status.as_u16(),
        ?duration,
        error,
        "{function} failed"
    );
}
