//! The activity that `call_http` asks for: the host's executor sends, within the time that any function has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;

use super::{Cell, Engine, bounded};
use crate::activity::ActivityContext;
use crate::durable_http::{
    DurableHttpRequest, HttpDelivery, HttpExecutor, HttpFailure, of_status, redact_url,
};
use crate::model::{FailureDetails, Payload};
use crate::replay::panic_text;
use crate::trace;

pub(super) async fn run(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    input: Option<&Payload>,
    context: &ActivityContext,
) -> Result<Payload, FailureDetails> {
    let Some(executor) = &engine.settings.http.executor else {
        let text = "this host sends no HTTP requests: it was built without the feature `http-client`, or the hub was given no executor; \
            a test gives it one with `mock_http`";
        return Err(HttpFailure::Invalid.details(text));
    };
    let request = input.map(Payload::read::<DurableHttpRequest>);
    let request = match request {
        Some(Ok(request)) => request,
        Some(Err(error)) => return Err(unreadable(&error.to_string())),
        None => return Err(unreadable("there is none")),
    };
    let snapshot = cell.lock().snapshot.clone();
    let trace = snapshot
        .as_ref()
        .and_then(|record| record.trace_parent.as_deref());
    let (trace_parent, trace_state) = trace.map(trace::split).unzip();
    let delivery = HttpDelivery {
        request,
        context: context.clone(),
        trace_parent: trace_parent.map(str::to_owned),
        trace_state: trace_state.flatten().map(str::to_owned),
    };
    let (work, began) = (send(&**executor, delivery), Instant::now());
    match engine.settings.function_timeout {
        None => work.await,
        Some(limit) => {
            let grace = engine.settings.cancellation_grace;
            bounded(work, (limit, began), grace, context).await
        }
    }
}

fn unreadable(reason: &str) -> FailureDetails {
    HttpFailure::Invalid.details(format!("the recorded request cannot be read: {reason}"))
}

async fn send(
    executor: &dyn HttpExecutor,
    delivery: HttpDelivery,
) -> Result<Payload, FailureDetails> {
    // An executor may be a test's closure, which panics as it likes.
    let retry = delivery.request.retry().cloned();
    let method = delivery.request.method().to_owned();
    let url = redact_url(delivery.request.uri());
    let sent = AssertUnwindSafe(async { executor.execute(delivery).await }).catch_unwind();
    let answer = match sent.await {
        Ok(answer) => answer?,
        Err(panic) => return Err(FailureDetails::new("panic", panic_text(&*panic))),
    };
    // Recorded as a failure, so that a rewind sends it again.
    let status = answer.response.status;
    if retry.is_some_and(|retry| retry.is_failure(status)) {
        return Err(of_status(status, &method, &url));
    }
    Payload::of(&answer).map_err(|error| {
        HttpFailure::Invalid.details(format!("the answer cannot be kept: {error}"))
    })
}
