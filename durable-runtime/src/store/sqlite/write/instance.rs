//! Rows of `instances` and `payloads`: made, found, taken away.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows::{self, InstanceRow};
use super::super::schema::{instances, payloads};
use super::message;
use super::release::Released;
use crate::model::RuntimeStatus;
use crate::store::{Error, NewInstance, PayloadKind, Receipt, Reuse};

/// Surrogate key, status and wake-up of an instance.
pub(super) struct Found {
    pub(super) iid: i64,
    pub(super) status: RuntimeStatus,
    pub(super) wake_at: Option<i64>,
}

/// Looks an instance up by its id. Not by `first`: its `LIMIT ?` has SQLite prepare the query anew whenever it is bound.
pub(super) fn find(conn: &mut SqliteConnection, id: &str) -> Result<Option<Found>, Fault> {
    let row = instances::table
        .filter(instances::id.eq(id))
        .select((instances::iid, instances::status, instances::wake_at))
        .get_result::<(i64, i32, Option<i64>)>(conn)
        .optional()?;
    row.map(|(iid, status, wake_at)| {
        Ok(Found {
            iid,
            status: rows::status(iid, status)?,
            wake_at,
        })
    })
    .transpose()
}

/// [`crate::store::Change::Create`].
pub(super) fn create(
    conn: &mut SqliteConnection,
    new: &NewInstance,
    released: &mut Released<'_>,
) -> Result<Receipt, Fault> {
    let mut receipt = Receipt::default();
    if new.on_refused.is_none() {
        admit(conn, new, released)?;
    } else if !start(conn, new, released)? {
        receipt.refused.push(0);
    }
    Ok(receipt)
}

/// Creates a pending instance; or sends `on_refused`, if there is one, and says no.
pub(super) fn start(
    conn: &mut SqliteConnection,
    new: &NewInstance,
    released: &mut Released<'_>,
) -> Result<bool, Fault> {
    match admit(conn, new, released) {
        Ok(()) => Ok(true),
        Err(Fault::Refused(_)) => {
            if let Some(refusal) = &new.on_refused {
                message::deliver(conn, refusal)?;
            }
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}

fn admit(
    conn: &mut SqliteConnection,
    new: &NewInstance,
    released: &mut Released<'_>,
) -> Result<(), Fault> {
    let row = InstanceRow::pending(new)?;
    if clear(conn, new, released)? {
        released.note_replaced(&new.id);
    }
    insert(conn, &row)?;
    match &new.started.input {
        Some(input) => put_payload(conn, row.iid, PayloadKind::Input, input.as_str()),
        None => Ok(()),
    }
}

/// Makes room for a new instance: removes the one that has its id, or refuses. Whether that one was live.
fn clear(
    conn: &mut SqliteConnection,
    new: &NewInstance,
    released: &mut Released<'_>,
) -> Result<bool, Fault> {
    let Some(found) = find(conn, &new.id)? else {
        return Ok(false);
    };
    let live = !found.status.is_terminal();
    if new.reuse == Reuse::NonRunning && live {
        return Err(Fault::Refused(Error::AlreadyExists {
            id: new.id.to_string(),
            status: found.status,
        }));
    }
    if live {
        released.let_go(conn, found.iid)?;
    }
    remove(conn, found.iid)?;
    Ok(live)
}

/// Removes an instance; the foreign keys take with it what is its own.
pub(super) fn remove(conn: &mut SqliteConnection, iid: i64) -> Result<(), Fault> {
    diesel::delete(instances::table.find(iid)).execute(conn)?;
    Ok(())
}

/// Inserts the row of an instance whose first turn has been made, in place of the one that has its id, or refuses.
///
/// Nearly always there is none: it is looked for only if the row finds its place taken.
pub(super) fn insert_begun(
    conn: &mut SqliteConnection,
    new: &NewInstance,
    row: &InstanceRow,
    released: &mut Released<'_>,
) -> Result<(), Fault> {
    let inserted = diesel::insert_or_ignore_into(instances::table)
        .values(row)
        .execute(conn)?;
    if inserted == 0 {
        // Whoever makes a first turn knows what was there.
        clear(conn, new, released)?;
        insert(conn, row)?;
    }
    Ok(())
}

/// Inserts the row.
pub(super) fn insert(conn: &mut SqliteConnection, row: &InstanceRow) -> Result<(), Fault> {
    diesel::insert_into(instances::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// Inserts or replaces a payload.
pub(super) fn put_payload(
    conn: &mut SqliteConnection,
    iid: i64,
    kind: PayloadKind,
    value: &str,
) -> Result<(), Fault> {
    // No `ON CONFLICT .. DO UPDATE`: diesel would prepare it anew each time.
    diesel::replace_into(payloads::table)
        .values((
            payloads::iid.eq(iid),
            payloads::kind.eq(rows::code(kind)),
            payloads::value.eq(value),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes a payload.
pub(super) fn drop_payload(
    conn: &mut SqliteConnection,
    iid: i64,
    kind: PayloadKind,
) -> Result<(), Fault> {
    diesel::delete(payloads::table.find((iid, rows::code(kind)))).execute(conn)?;
    Ok(())
}
