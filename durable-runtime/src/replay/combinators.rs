//! `when_all` and `when_any` (spec 1.12, D7).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::StreamExt as _;
use futures::future::{FusedFuture, JoinAll, SelectAll, join_all, select_all};
use futures::stream::FuturesUnordered;
use pin_project_lite::pin_project;
use serde_json::Value;

use crate::model::TaskError;

/// Waits for all, then gives the results in argument order, or the first failure in that order.
#[must_use = "futures do nothing unless awaited"]
pub struct WhenAll<F: Future> {
    inner: Option<Joined<F>>,
}

enum Joined<F: Future> {
    /// All are polled each time.
    Few(JoinAll<F>),
    Many(Many<F>),
}

/// So many are polled each time at most, as [`join_all`] has it; of more, those that were woken.
const FEW: usize = 30;

/// Results lie where they belong as they come, in whatever order that is.
struct Many<F: Future> {
    waiting: FuturesUnordered<Numbered<F>>,
    results: Vec<Option<F::Output>>,
}

pin_project! {
    /// A future that tells which it is.
    struct Numbered<F> {
        index: usize,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Numbered<F> {
    type Output = (usize, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let index = *this.index;
        this.future.poll(cx).map(|output| (index, output))
    }
}

impl<F: Future> Many<F> {
    fn new(all: impl Iterator<Item = F>) -> Self {
        Self {
            // Filled as far as results have come: most come in order.
            results: Vec::with_capacity(all.size_hint().0),
            waiting: all
                .enumerate()
                .map(|(index, future)| Numbered { index, future })
                .collect(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<Option<F::Output>>> {
        while let Some((index, output)) = ready!(self.waiting.poll_next_unpin(cx)) {
            if index >= self.results.len() {
                self.results.resize_with(index + 1, || None);
            }
            self.results[index] = Some(output);
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

// Nothing is pinned in it: the futures have places of their own.
impl<F: Future> Unpin for WhenAll<F> {}

impl<F: Future> WhenAll<F> {
    pub(super) fn new(all: impl IntoIterator<Item = F>) -> Self {
        let mut all = all.into_iter();
        let first: Vec<F> = all.by_ref().take(FEW + 1).collect();
        let inner = if first.len() <= FEW {
            Joined::Few(join_all(first))
        } else {
            Joined::Many(Many::new(first.into_iter().chain(all)))
        };
        Self { inner: Some(inner) }
    }
}

impl<F, O, E> Future for WhenAll<F>
where
    F: Future<Output = Result<O, E>>,
    E: Into<TaskError>,
{
    type Output = Result<Vec<O>, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let merged = match &mut self.inner {
            None => return Poll::Pending,
            Some(Joined::Few(all)) => merge(ready!(Pin::new(all).poll(cx)).into_iter()),
            Some(Joined::Many(all)) => merge(ready!(all.poll(cx)).into_iter().flatten()),
        };
        self.inner = None;
        Poll::Ready(merged)
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
fn merge<O, E: Into<TaskError>>(
    results: impl Iterator<Item = Result<O, E>>,
) -> Result<Vec<O>, TaskError> {
    let mut values = Vec::with_capacity(results.size_hint().1.unwrap_or(0));
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
