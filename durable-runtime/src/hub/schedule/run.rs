//! One run of a timer function: bounded in time, and whatever becomes of it, one line in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::Instrument;

use super::super::{Engine, user_code};
use crate::error::Error;
use crate::model::FailureDetails;
use crate::registry::TimerRun;
use crate::timer::{ScheduledTimer, TimerInfo, TimerInvocation};

/// Runs it to its end; `None` if the hub stopped before that.
pub(super) async fn run(
    engine: &Arc<Engine>,
    timer: &ScheduledTimer,
    info: TimerInfo,
) -> Option<()> {
    let name = timer.timer.name;
    let (scheduled, past_due) = (info.scheduled, info.is_past_due);
    let invocation = TimerInvocation {
        function: name,
        info,
        states: Arc::clone(&engine.states),
        client: engine.client.clone(),
    };
    let limit = engine.settings.function_timeout;
    let span = tracing::info_span!("timer", function = name);
    let began = Instant::now();
    let work = match timer.timer.spec.run {
        TimerRun::Async(run) => resumable(name, run, invocation, limit).boxed(),
        TimerRun::Blocking(run) => blocking(name, run, invocation, limit).boxed(),
    };
    let _running = engine.pause.begin();
    let result = tokio::select! {
        result = work.instrument(span) => result,
        () = engine.stopped.cancelled() => {
            tracing::warn!(function = name, "the timer function did not end before the host; the next start runs it again");
            return None;
        }
    };
    let duration = began.elapsed();
    match result {
        Ok(()) => {
            tracing::info!(function = name, outcome = "ok", ?duration, %scheduled, past_due, "timer function ended");
        }
        Err(failure) => {
            tracing::error!(function = name, outcome = failure.error_type, error = failure.message, ?duration, %scheduled, past_due, "timer function ended");
        }
    }
    Some(())
}

type Outcome = Result<(), FailureDetails>;

async fn resumable(
    name: &'static str,
    run: fn(TimerInvocation) -> BoxFuture<'static, Result<(), Error>>,
    invocation: TimerInvocation,
    limit: Option<Duration>,
) -> Outcome {
    let work = user_code::resumable(run, invocation);
    match limit {
        None => work.await,
        Some(limit) => match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => {
                let text = format!("the timer function `{name}` took longer than {limit:?}");
                Err(FailureDetails::new("FunctionTimeout", text))
            }
        },
    }
}

/// A thread cannot be stopped: one that takes too long is waited for all the same, so that no second one starts beside it.
async fn blocking(
    name: &'static str,
    run: fn(TimerInvocation) -> Result<(), Error>,
    invocation: TimerInvocation,
    limit: Option<Duration>,
) -> Outcome {
    let mut task = user_code::blocking(move || run(invocation));
    if let Some(limit) = limit
        && let Ok(result) = tokio::time::timeout(limit, &mut task).await
    {
        return user_code::outcome(result);
    }
    if let Some(limit) = limit {
        tracing::warn!(
            function = name,
            "the timer function takes longer than {limit:?}; it cannot be stopped, as it is not async"
        );
    }
    user_code::outcome(task.await)
}
