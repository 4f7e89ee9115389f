//! [`Within`]: a future with a time limit that costs nothing while it has not to wait.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A future with a time limit. Its timer is made when it has to wait for the first time: most calls never do, and a timer is
/// more work than many of them.
#[derive(Debug)]
pub(super) struct Within<F> {
    work: F,
    limit: Limit,
}

#[derive(Debug)]
enum Limit {
    Never,
    At(Instant),
    Armed(Pin<Box<Sleep>>),
}

impl<F: Future + Unpin> Within<F> {
    /// `began` is what the limit counts from; `None`: there is no limit.
    pub(super) fn new(work: F, began: Instant, limit: Option<Duration>) -> Self {
        let end = limit.and_then(|limit| began.checked_add(limit));
        Self {
            work,
            limit: end.map_or(Limit::Never, Limit::At),
        }
    }

    /// The future, as far as it has come.
    pub(super) fn into_work(self) -> F {
        self.work
    }

    /// `None` at the limit, after which the future may be taken on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        if let Poll::Ready(output) = Pin::new(&mut self.work).poll(cx) {
            return Poll::Ready(Some(output));
        }
        if let Limit::At(end) = self.limit {
            self.limit = Limit::Armed(Box::pin(sleep_until(end)));
        }
        match &mut self.limit {
            Limit::Armed(timer) => timer.as_mut().poll(cx).map(|()| None),
            Limit::Never | Limit::At(_) => Poll::Pending,
        }
    }
}
