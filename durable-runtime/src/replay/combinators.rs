//! `when_all` and `when_any` (spec 1.12, D7).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{FusedFuture, JoinAll, SelectAll, join_all, select_all};
use serde_json::Value;

use crate::model::TaskError;

/// Waits for all, then gives the results in argument order, or the first failure in that order.
#[must_use = "futures do nothing unless awaited"]
pub struct WhenAll<F: Future> {
    inner: Option<JoinAll<F>>,
}

impl<F: Future> WhenAll<F> {
    pub(super) fn new(all: impl IntoIterator<Item = F>) -> Self {
        Self {
            inner: Some(join_all(all)),
        }
    }
}

impl<F, O, E> Future for WhenAll<F>
where
    F: Future<Output = Result<O, E>>,
    E: Into<TaskError>,
{
    type Output = Result<Vec<O>, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = &mut self.inner else {
            return Poll::Pending;
        };
        let Poll::Ready(results) = Pin::new(inner).poll(cx) else {
            return Poll::Pending;
        };
        self.inner = None;
        Poll::Ready(merge(results))
    }
}

impl<F, O, E> FusedFuture for WhenAll<F>
where
    F: Future<Output = Result<O, E>>,
    E: Into<TaskError>,
{
    fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }
}

impl<F: Future> fmt::Debug for WhenAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenAll")
            .field("done", &self.inner.is_none())
            .finish_non_exhaustive()
    }
}

/// The first failure carries the others: their messages in its properties, under `others`.
fn merge<O, E: Into<TaskError>>(results: Vec<Result<O, E>>) -> Result<Vec<O>, TaskError> {
    let mut values = Vec::with_capacity(results.len());
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => failures.push(error.into()),
        }
    }
    let mut failures = failures.into_iter();
    let Some(mut first) = failures.next() else {
        return Ok(values);
    };
    let others: Vec<Value> = failures
        .map(|other| Value::String(other.to_string()))
        .collect();
    if let (TaskError::Failed(failure), false) = (&mut first, others.is_empty()) {
        failure
            .properties
            .insert("others".to_owned(), Value::Array(others));
    }
    Err(first)
}

/// Waits for the first: its output, its index, the rest.
#[must_use = "futures do nothing unless awaited"]
pub struct WhenAny<F: Future + Unpin> {
    inner: Option<SelectAll<F>>,
}

impl<F: Future + Unpin> WhenAny<F> {
    /// `all` must not be empty.
    pub(super) fn new(all: Vec<F>) -> Self {
        Self {
            inner: Some(select_all(all)),
        }
    }
}

impl<F: Future + Unpin> Future for WhenAny<F> {
    type Output = (F::Output, usize, Vec<F>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = &mut self.inner else {
            return Poll::Pending;
        };
        let Poll::Ready(first) = Pin::new(inner).poll(cx) else {
            return Poll::Pending;
        };
        self.inner = None;
        Poll::Ready(first)
    }
}

impl<F: Future + Unpin> FusedFuture for WhenAny<F> {
    fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }
}

impl<F: Future + Unpin> fmt::Debug for WhenAny<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenAny")
            .field("done", &self.inner.is_none())
            .finish_non_exhaustive()
    }
}
