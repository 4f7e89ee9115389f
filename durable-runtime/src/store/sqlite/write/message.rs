//! Messages into inboxes.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows;
use super::super::schema::{inbox, instances};
use super::entity;
use super::fixed::Fixed;
use super::instance::{self, Found};
use crate::model::{HistoryEvent, RuntimeStatus, Timestamp};
use crate::store::{Error, NewMessage, Receipt, is_entity};

/// [`crate::store::Change::Message`]: a client's message, for a receiver that must exist and be in one of the statuses.
pub(super) fn accept(
    conn: &mut SqliteConnection,
    message: &NewMessage,
    accepted: &[RuntimeStatus],
) -> Result<Receipt, Fault> {
    let found = if is_entity(&message.to) {
        entity::find_or_insert(conn, message)?
    } else {
        instance::find(conn, &message.to)?
    };
    let Some(found) = found else {
        return Err(Fault::Refused(Error::NotFound(message.to.to_string())));
    };
    if !accepted.contains(&found.status) {
        return Err(Fault::Refused(Error::InvalidState {
            id: message.to.to_string(),
            status: found.status,
        }));
    }
    put(conn, message, &found)?;
    show_halt(conn, message, &found)?;
    Ok(Receipt {
        status: Some(found.status),
        ..Receipt::default()
    })
}

/// One that has not begun shows at once that it is halted, or no longer: its first turn may be far off, and nothing else would tell, nor
/// let it be resumed.
fn show_halt(conn: &mut SqliteConnection, message: &NewMessage, to: &Found) -> Result<(), Fault> {
    struct Halt;
    let status = match (&message.event, to.status) {
        (HistoryEvent::ExecutionSuspended { .. }, RuntimeStatus::Pending) => {
            RuntimeStatus::Suspended
        }
        (HistoryEvent::ExecutionResumed { .. }, RuntimeStatus::Suspended) => RuntimeStatus::Pending,
        _ => return Ok(()),
    };
    let not_begun = instances::iid.eq(to.iid).and(instances::sequence.eq(0));
    Fixed::new(Halt, not_begun, instances::status.eq(status.code())).execute(conn)?;
    Ok(())
}

/// An instance's message: dropped if the receiver does not exist or has ended.
pub(super) fn deliver(conn: &mut SqliteConnection, message: &NewMessage) -> Result<(), Fault> {
    let found = if is_entity(&message.to) {
        entity::find_or_insert(conn, message)?
    } else {
        instance::find(conn, &message.to)?
    };
    match found {
        Some(found) if !found.status.is_terminal() => put(conn, message, &found),
        _ => Ok(()),
    }
}

fn put(conn: &mut SqliteConnection, message: &NewMessage, to: &Found) -> Result<(), Fault> {
    let due = message.event.due().map_or(0, Timestamp::micros);
    diesel::insert_into(inbox::table)
        .values((
            inbox::iid.eq(to.iid),
            inbox::id.eq(message.id),
            inbox::execution_id.eq(message.execution_id.as_deref()),
            inbox::event.eq(rows::json(&message.event)?),
            inbox::created.eq(message.created.micros()),
            inbox::due.eq(due),
        ))
        .execute(conn)?;
    if to.wake_at.is_none_or(|now| now > due) {
        wake(conn, to.iid, due)?;
    }
    Ok(())
}

/// The instance wants to be looked at; 0: now.
pub(super) fn wake(conn: &mut SqliteConnection, iid: i64, at: i64) -> Result<(), Fault> {
    struct Wake;
    Fixed::new(
        Wake,
        instances::iid.eq(iid),
        instances::wake_at.eq(Some(at)),
    )
    .execute(conn)?;
    Ok(())
}
