//! [`EntitySignal`]: a signal that was sent, whose time may still be set.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::context::Operation;
use crate::model::HistoryEvent;
use crate::replay::OneWay;

/// A signal to an entity. It is sent when its sender's work is committed, kept or not.
pub struct EntitySignal(Origin);

enum Origin {
    Orchestration(OneWay),
    Entity(Arc<Operation>, usize),
}

impl EntitySignal {
    pub(crate) fn of_orchestration(action: OneWay) -> Self {
        Self(Origin::Orchestration(action))
    }

    pub(crate) fn of_entity(operation: Arc<Operation>, index: usize) -> Self {
        Self(Origin::Entity(operation, index))
    }

    /// Not before this instant; without any order among those that are due.
    pub fn at(self, at: DateTime<Utc>) {
        match self.0 {
            Origin::Orchestration(action) => action.alter(|action| {
                if let HistoryEvent::EntityOperationSignaled { due, .. } = &mut action.event {
                    *due = Some(at.into());
                }
            }),
            Origin::Entity(operation, index) => operation.postpone(index, at.into()),
        }
    }
}

impl fmt::Debug for EntitySignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntitySignal")
    }
}
