//! [`Reply`]: what whoever starts an instance is told.

use tokio::sync::oneshot;

use super::waiters::{End, Waiters};
use crate::store::Error;

/// Told once whether the start was stored; if the end is waited for, of that too.
pub(crate) struct Reply {
    stored: oneshot::Sender<Result<(), Error>>,
    end: Option<oneshot::Sender<End>>,
}

impl Reply {
    /// For one who goes on when the start is stored.
    pub(crate) fn when_stored() -> (Self, oneshot::Receiver<Result<(), Error>>) {
        let (stored, told) = oneshot::channel();
        (Self { stored, end: None }, told)
    }

    /// For one who waits for the end: woken by that alone, or by a refusal, which closes both.
    pub(crate) fn at_end() -> (
        Self,
        oneshot::Receiver<Result<(), Error>>,
        oneshot::Receiver<End>,
    ) {
        let (stored, told) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let end = Some(end);
        (Self { stored, end }, told, ended)
    }

    /// The start of `id` is stored: the end is waited for from here on, before anything leaves that leads to it.
    pub(crate) fn expect_end(&mut self, id: &str, waiters: &Waiters) {
        if let Some(end) = self.end.take() {
            waiters.add(id, end);
        }
    }

    /// The start is stored, and can be seen.
    pub(crate) fn stored(self) {
        let _ = self.stored.send(Ok(()));
    }

    /// The start is refused.
    pub(crate) fn refused(self, error: Error) {
        let _ = self.stored.send(Err(error));
    }
}
