//! The activity that `call_http` asks for: the host's executor sends, within the time that any function has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{ActivityTask, Cell, Engine, bounded, context_of};
use crate::durable_http::{DurableHttpRequest, HttpDelivery, HttpExecutor, HttpFailure};
use crate::model::{FailureDetails, Payload};
use crate::replay::panic_text;

pub(super) async fn run(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    task: &ActivityTask,
    token: &CancellationToken,
) -> Result<Payload, FailureDetails> {
    let Some(executor) = &engine.settings.http.executor else {
        let text = "this host sends no HTTP requests: it was built without the feature `http-client`, or the hub was given no executor";
        return Err(HttpFailure::Invalid.details(text));
    };
    let request = task.input.as_ref().map(Payload::read::<DurableHttpRequest>);
    let request = match request {
        Some(Ok(request)) => request,
        Some(Err(error)) => return Err(unreadable(&error.to_string())),
        None => return Err(unreadable("there is none")),
    };
    let snapshot = cell.lock().snapshot.clone();
    let delivery = HttpDelivery {
        request,
        context: context_of(cell, task, token),
        trace_parent: snapshot.and_then(|record| record.trace_parent.clone()),
    };
    let work = send(&**executor, delivery);
    match engine.settings.function_timeout {
        None => work.await,
        Some(limit) => {
            let grace = engine.settings.cancellation_grace;
            bounded(work, limit, grace, token, &task.name).await
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
    let sent = AssertUnwindSafe(async { executor.execute(delivery).await }).catch_unwind();
    let answer = match sent.await {
        Ok(answer) => answer?,
        Err(panic) => return Err(FailureDetails::new("panic", panic_text(&*panic))),
    };
    Payload::of(&answer).map_err(|error| {
        HttpFailure::Invalid.details(format!("the answer cannot be kept: {error}"))
    })
}
