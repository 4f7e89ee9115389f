//! Users' functions, called so that whatever they do becomes a value: panics are caught here, at the one boundary.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::{JoinError, JoinHandle};

use crate::error::Error;
use crate::model::FailureDetails;
use crate::replay::{Misuse, panic_text};

/// Runs an async function.
pub(super) async fn resumable<I, T>(
    run: fn(I) -> BoxFuture<'static, Result<T, Error>>,
    invocation: I,
) -> Result<T, FailureDetails> {
    let made = catch_unwind(AssertUnwindSafe(|| run(invocation)));
    let result = match made {
        Ok(future) => AssertUnwindSafe(future).catch_unwind().await,
        Err(panic) => Err(panic),
    };
    match result {
        Ok(result) => result.map_err(|error| error.to_failure()),
        Err(panic) => Err(of_panic(panic)),
    }
}

/// Starts a function that is not async on the blocking pool; [`outcome`] reads what comes of it.
pub(super) fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> JoinHandle<Result<T, Error>> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(run))
}

/// What became of [`blocking`].
pub(super) fn outcome<T>(result: Result<Result<T, Error>, JoinError>) -> Result<T, FailureDetails> {
    match result {
        Ok(result) => result.map_err(|error| error.to_failure()),
        Err(error) if error.is_panic() => Err(of_panic(error.into_panic())),
        Err(error) => Err(Error::msg(error).to_failure()),
    }
}

fn of_panic(panic: Box<dyn Any + Send>) -> FailureDetails {
    match panic.downcast::<Misuse>() {
        Ok(misuse) => misuse.0,
        Err(panic) => FailureDetails::new("panic", panic_text(&*panic)),
    }
}
