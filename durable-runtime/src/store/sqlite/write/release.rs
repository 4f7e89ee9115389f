//! A live instance goes: what it has locked is let go in the transaction that removes it.

use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows;
use super::super::schema::{history, instances};
use super::message;
use crate::model::{HistoryEvent, OpenSection, Timestamp};
use crate::store::{Ids, NewMessage, Receipt};

/// What a change has done to instances that it does not name, for its receipt.
pub(super) struct Released<'a> {
    ids: &'a Ids,
    messages: Vec<NewMessage>,
    replaced: Vec<Arc<str>>,
}

impl<'a> Released<'a> {
    pub(super) const fn nothing(ids: &'a Ids) -> Self {
        Self {
            ids,
            messages: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Notes that a live instance has made room for another one of its id.
    pub(super) fn note_replaced(&mut self, id: &Arc<str>) {
        self.replaced.push(Arc::clone(id));
    }

    pub(super) fn into_receipt(self, receipt: Receipt) -> Receipt {
        Receipt {
            released: self.messages,
            replaced: self.replaced,
            ..receipt
        }
    }

    /// Tells the entities that the instance has locked, or waits for, that it is gone. Its history is all that knows them.
    pub(super) fn let_go(&mut self, conn: &mut SqliteConnection, iid: i64) -> Result<(), Fault> {
        let Some(section) = open_section(conn, iid)? else {
            return Ok(());
        };
        let (id, execution_id, updated) = instances::table
            .find(iid)
            .select((instances::id, instances::execution_id, instances::updated))
            .get_result::<(String, String, i64)>(conn)?;
        for (to, unlock) in section.unlocks(id.into(), execution_id.into()) {
            let message = NewMessage {
                id: self.ids.next(),
                to,
                execution_id: None,
                event: HistoryEvent::Entity(Box::new(unlock)),
                created: Timestamp::from_micros(updated),
            };
            message::deliver(conn, &message)?;
            self.messages.push(message);
        }
        Ok(())
    }
}

/// Few instances lock anything, and a history may be long: SQLite sorts out the turns that tell of locks.
fn open_section(conn: &mut SqliteConnection, iid: i64) -> Result<Option<OpenSection>, Fault> {
    let tells_of = |kind: &str| history::events.like(format!("%\"{kind}\"%"));
    let turns: Vec<String> = history::table
        .filter(history::iid.eq(iid))
        .filter(
            tells_of("EntityLockRequested")
                .or(tells_of("EntityLockGranted"))
                .or(tells_of("EntityUnlockSent")),
        )
        .order(history::seq)
        .select(history::events)
        .get_results(conn)?;
    let mut events = Vec::new();
    for turn in &turns {
        match rows::turn(iid, turn, None) {
            Ok(turn) => events.extend(turn),
            // It is about to go, and that may be why.
            Err(fault) => tracing::warn!(
                ?fault,
                "an instance goes whose history cannot be read: entities that it has locked stay so until their storage is cleaned"
            ),
        }
    }
    Ok(OpenSection::of(&events))
}
