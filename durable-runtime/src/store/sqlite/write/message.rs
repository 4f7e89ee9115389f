//! Messages into inboxes.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows;
use super::super::schema::{inbox, instances};
use super::fixed::Fixed;
use super::instance::{self, Found};
use crate::model::RuntimeStatus;
use crate::store::{Error, NewMessage, Receipt};

/// [`crate::store::Change::Message`]: a client's message, for a receiver that must exist and be in one of the statuses.
pub(super) fn accept(
    conn: &mut SqliteConnection,
    message: &NewMessage,
    accepted: &[RuntimeStatus],
) -> Result<Receipt, Fault> {
    let Some(found) = instance::find(conn, &message.to)? else {
        return Err(Fault::Refused(Error::NotFound(message.to.to_string())));
    };
    if !accepted.contains(&found.status) {
        return Err(Fault::Refused(Error::InvalidState {
            id: message.to.to_string(),
            status: found.status,
        }));
    }
    put(conn, message, &found)?;
    Ok(Receipt {
        status: Some(found.status),
        ..Receipt::default()
    })
}

/// An instance's message: dropped if the receiver does not exist or has ended.
pub(super) fn deliver(conn: &mut SqliteConnection, message: &NewMessage) -> Result<(), Fault> {
    match instance::find(conn, &message.to)? {
        Some(found) if !found.status.is_terminal() => put(conn, message, &found),
        _ => Ok(()),
    }
}

fn put(conn: &mut SqliteConnection, message: &NewMessage, to: &Found) -> Result<(), Fault> {
    diesel::insert_into(inbox::table)
        .values((
            inbox::iid.eq(to.iid),
            inbox::id.eq(message.id),
            inbox::execution_id.eq(message.execution_id.as_deref()),
            inbox::event.eq(rows::json(&message.event)?),
            inbox::created.eq(message.created.micros()),
        ))
        .execute(conn)?;
    if to.wake_at != Some(0) {
        wake(conn, to.iid)?;
    }
    Ok(())
}

/// The instance wants to be looked at now.
pub(super) fn wake(conn: &mut SqliteConnection, iid: i64) -> Result<(), Fault> {
    struct Wake;
    Fixed::new(Wake, iid, instances::wake_at.eq(Some(0_i64))).execute(conn)?;
    Ok(())
}
