//! Rows of entities: an entity exists from the first message to it.

use diesel::SqliteConnection;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows::{self, InstanceRow};
use super::super::schema::{inbox, payloads};
use super::instance::{self, Found};
use crate::model::{EntityId, RuntimeStatus};
use crate::store::{NewMessage, PayloadKind, Receipt, is_entity};

/// The row of the entity that a message is for, made if there is none. The message's id, which nothing else has, becomes the row's.
pub(super) fn find_or_insert(
    conn: &mut SqliteConnection,
    message: &NewMessage,
) -> Result<Option<Found>, Fault> {
    if let Some(found) = instance::find(conn, &message.to)? {
        return Ok(Some(found));
    }
    let Some(id) = message.to.parse::<EntityId>().ok() else {
        return Ok(None);
    };
    let row = InstanceRow {
        iid: message.id,
        id: message.to.to_string(),
        name: format!("@{}", id.name()),
        version: String::new(),
        execution_id: format!("{:032x}", message.id),
        generation: 0,
        status: RuntimeStatus::Running.code(),
        created: message.created.micros(),
        updated: message.created.micros(),
        wake_at: None,
        sequence: 0,
        partition_id: 0,
        parent: None,
        scheduled_start: None,
        tags: None,
        trace_parent: None,
    };
    instance::insert(conn, &row)?;
    Ok(Some(Found {
        iid: row.iid,
        status: RuntimeStatus::Running,
        wake_at: None,
    }))
}

/// Whether somebody holds its lock, or waits for it: without the row the lock would hold nobody off, and no answer would ever come. Signals
/// whose time has not come are not waited for.
pub(super) fn is_busy(conn: &mut SqliteConnection, iid: i64) -> Result<bool, Fault> {
    let lock = payloads::table.find((iid, rows::code(PayloadKind::Lock)));
    let waiting = inbox::table
        .filter(inbox::iid.eq(iid))
        .filter(inbox::due.eq(0));
    Ok(diesel::select(exists(lock)).get_result::<bool>(conn)?
        || diesel::select(exists(waiting)).get_result::<bool>(conn)?)
}

/// Removes an entity without state, lock and messages; leaves any other alone.
pub(super) fn clean(conn: &mut SqliteConnection, id: &str) -> Result<Receipt, Fault> {
    let Some(found) = instance::find(conn, id)?.filter(|_| is_entity(id)) else {
        return Ok(Receipt::default());
    };
    let kept = [PayloadKind::State, PayloadKind::Lock].map(rows::code);
    let has_payload = exists(
        payloads::table
            .filter(payloads::iid.eq(found.iid))
            .filter(payloads::kind.eq_any(kept)),
    );
    let has_message = exists(inbox::table.filter(inbox::iid.eq(found.iid)));
    if diesel::select(has_payload).get_result::<bool>(conn)?
        || diesel::select(has_message).get_result::<bool>(conn)?
    {
        return Ok(Receipt::default());
    }
    instance::remove(conn, found.iid)?;
    Ok(Receipt {
        count: 1,
        ..Receipt::default()
    })
}
