//! Failed instances go back to before their failure.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::schema::{deliveries, history, instances};
use super::super::{outbox, rows};
use super::release::Released;
use super::{instance, message};
use crate::model::RuntimeStatus;
use crate::store::{Error, PayloadKind, Receipt, Rewind};

/// [`crate::store::Change::Rewind`]. All are checked before any is written, so that a refusal leaves no trace.
pub(super) fn rewind(
    conn: &mut SqliteConnection,
    all: &[Rewind],
    released: &mut Released<'_>,
) -> Result<Receipt, Fault> {
    for one in all {
        check(conn, one)?;
    }
    let mut receipt = Receipt {
        count: all.len() as u64,
        ..Receipt::default()
    };
    for one in all {
        take_back(conn, one)?;
        outbox::put(conn, &one.outbox)?;
    }
    for (index, new) in all.iter().flat_map(|one| &one.starts).enumerate() {
        if !instance::start(conn, new, released)? {
            receipt.refused.push(index);
        }
    }
    Ok(receipt)
}

fn check(conn: &mut SqliteConnection, one: &Rewind) -> Result<(), Fault> {
    let now = instances::table
        .find(one.key.0)
        .select((instances::sequence, instances::status))
        .get_result::<(i64, i32)>(conn)
        .optional()?;
    let id = || one.id.to_string();
    let Some((sequence, status)) = now else {
        return Err(Fault::Refused(Error::NotFound(id())));
    };
    let status = rows::status(one.key.0, status)?;
    if status != RuntimeStatus::Failed {
        return Err(Fault::Refused(Error::InvalidState { id: id(), status }));
    }
    if sequence != one.expected_sequence {
        return Err(Fault::Refused(Error::Conflict(id())));
    }
    Ok(())
}

/// The sequence moves on, so that a turn made of the history that goes is a conflict.
fn take_back(conn: &mut SqliteConnection, one: &Rewind) -> Result<(), Fault> {
    let iid = one.key.0;
    let kept = i64::try_from(one.keep).unwrap_or(i64::MAX);
    let first_gone = history::table
        .filter(history::iid.eq(iid))
        .order(history::seq)
        .select(history::seq)
        .offset(kept)
        .limit(1)
        .get_result::<i64>(conn)
        .optional()?;
    if let Some(first) = first_gone {
        let gone = history::table
            .filter(history::iid.eq(iid))
            .filter(history::seq.ge(first));
        diesel::delete(gone).execute(conn)?;
    }
    diesel::update(instances::table.find(iid))
        .set((
            instances::execution_id.eq(one.execution_id.as_ref()),
            instances::status.eq(one.status.code()),
            instances::updated.eq(one.updated.micros()),
            instances::sequence.eq(one.expected_sequence + 1),
            instances::wake_at.eq(Some(0_i64)),
        ))
        .execute(conn)?;
    diesel::delete(deliveries::table.filter(deliveries::iid.eq(iid))).execute(conn)?;
    instance::drop_payload(conn, iid, PayloadKind::Output)?;
    instance::drop_payload(conn, iid, PayloadKind::Failure)?;
    for message in &one.messages {
        message::deliver(conn, message)?;
    }
    Ok(())
}
