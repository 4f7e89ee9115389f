//! Speculation (law 1; off unless the settings say otherwise): an activity may start before the turn that asks for it is durable.
//!
//! Only the start leaves early. The result waits here until the turn is durable, so that nothing is built on what may not be there
//! after a crash, and the journal has the turn that asks before the one that is answered. A turn that is refused takes its activities
//! with it: they are told to stop, and what they return is dropped.
//!
//! Not for a turn that begins an instance for a client (the store may refuse the id) or a generation (its id is not durable yet).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Engine;
use super::cell::Inbound;
use super::resident::Effects;

/// The fate of one turn, as its activities see it.
pub(crate) struct Ahead(Mutex<Fate>);

enum Fate {
    /// Not known yet; what the activities returned meanwhile.
    Open(Vec<Inbound>),
    Durable,
    Void,
}

impl Ahead {
    fn lock(&self) -> MutexGuard<'_, Fate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An activity has ended: gives its result back if it may be delivered now.
    pub(super) fn admit(&self, result: Inbound) -> Option<Inbound> {
        match &mut *self.lock() {
            Fate::Open(results) => {
                results.push(result);
                None
            }
            Fate::Durable => Some(result),
            Fate::Void => None,
        }
    }

    /// The turn is durable: these results came before it was.
    pub(super) fn prove(&self) -> Vec<Inbound> {
        match std::mem::replace(&mut *self.lock(), Fate::Durable) {
            Fate::Open(results) => results,
            Fate::Durable | Fate::Void => Vec::new(),
        }
    }

    /// The turn was refused: no result counts.
    pub(super) fn refute(&self) {
        *self.lock() = Fate::Void;
    }
}

impl Engine {
    /// Whether the activities of a turn start now; `begins`: it begins an instance for a client.
    pub(super) fn starts_ahead(&self, effects: &Effects, begins: bool) -> Option<Arc<Ahead>> {
        let may = self.settings.speculative && !begins && !effects.new_generation;
        let wants = may && !effects.ended && !effects.activities.is_empty();
        wants.then(|| Arc::new(Ahead(Mutex::new(Fate::Open(Vec::new())))))
    }
}
