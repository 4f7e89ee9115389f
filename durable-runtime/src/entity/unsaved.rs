//! [`Unsaved`]: an object that could not be serialised, and what that means where failures are not rolled back (spec 3.3).
//!
//! There a batch is stored as its last operation leaves the object: one that cannot be serialised is handed on, and may be mended. If it is
//! not, nothing of the batch has happened.

use std::any::Any;
use std::fmt;

use super::mailbox::{Outbox, Outgoing};
use crate::model::{EntityMessage, FailureDetails, HistoryEvent};

/// What becomes of what a failing operation did.
#[derive(Debug)]
pub(crate) enum Rollback {
    /// It leaves no trace.
    Yes,
    /// It stays; with what the operation before could not store.
    No(Option<Unsaved>),
}

/// An object that is newer than the state.
pub(crate) struct Unsaved {
    pub(super) object: Box<dyn Any + Send>,
    /// Why it is not the state.
    pub(crate) failure: FailureDetails,
}

impl fmt::Debug for Unsaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsaved")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// The batch as a whole came to nothing: each operation fails so, unless it has failed by itself, and what it sent is not sent.
    pub(crate) fn fail(&mut self, failure: &FailureDetails) {
        for answer in &mut self.answers {
            if answer.result.is_ok() {
                answer.result = Err(failure.clone());
            }
        }
        self.outgoing.retain_mut(|outgoing| {
            let Outgoing::Message { event, .. } = outgoing else {
                return false;
            };
            match event {
                HistoryEvent::EntityOperationCompleted { id, .. } => {
                    *event = HistoryEvent::EntityOperationFailed {
                        id: *id,
                        failure: Box::new(failure.clone()),
                    };
                    true
                }
                // Locks are no operation's doing.
                HistoryEvent::Entity(message) => !matches!(**message, EntityMessage::Operation(_)),
                _ => true,
            }
        });
        self.state_changed = false;
    }
}
