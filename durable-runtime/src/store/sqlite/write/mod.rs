//! Writes: one file per change, each a function of a connection inside a transaction. No threads, no clock.
//!
//! A function checks before it writes: [`Fault::Refused`] promises that it left no trace, so that the rest of its group can go on.
//! After any other fault the writer rolls the group back.

mod entity;
mod fixed;
mod instance;
mod keys;
mod message;
mod purge;
mod release;
mod rewind;
mod turn;

use diesel::SqliteConnection;
use diesel::prelude::*;

use self::release::Released;
use super::fault::Fault;
use super::schema::{deliveries, instances};
use super::{outbox, timers};
use crate::store::{Change, Error, Ids, InstanceKey, NewMessage, Receipt};

/// Writes one change.
pub(super) fn apply(
    conn: &mut SqliteConnection,
    ids: &Ids,
    change: &Change,
) -> Result<Receipt, Fault> {
    let mut released = Released::nothing(ids);
    let receipt = match change {
        Change::Turn(turn) => turn::commit(conn, turn, &mut released),
        Change::Create(new) => instance::create(conn, new, &mut released),
        Change::Message { message, accepted } => message::accept(conn, message, accepted),
        Change::Redeliver { key, tasks } => redeliver(conn, *key, tasks),
        Change::Return { key, tasks } => give_back(conn, *key, tasks),
        Change::Rewind(all) => rewind::rewind(conn, all, &mut released),
        Change::Purge(which) => purge::purge(conn, which, &mut released),
        Change::Keys(changes) => keys::apply(conn, changes),
        Change::Timer(record) => timers::put(conn, record),
        Change::Sent(ids) => outbox::remove(conn, ids),
    };
    receipt.map(|receipt| released.into_receipt(receipt))
}

/// The largest id from [`crate::store::Ids`] that comes with the change and may be stored; 0 if none.
pub(super) fn highest_id(change: &Change) -> i64 {
    // What is put before all others has its id with the other sign.
    let message = |message: &NewMessage| message.id.abs();
    match change {
        Change::Turn(turn) => {
            let starts = turn.starts.iter().chain(turn.create.as_deref());
            let keys =
                starts.flat_map(|new| [new.key.0, new.on_refused.as_ref().map_or(0, message)]);
            let messages = turn.messages.iter().map(message);
            let outbox = turn.outbox.iter().map(|record| record.id);
            messages.chain(keys).chain(outbox).max().unwrap_or(0)
        }
        Change::Create(new) => new.key.0.max(new.on_refused.as_ref().map_or(0, message)),
        Change::Message { message: told, .. } => message(told),
        Change::Rewind(all) => {
            let starts = all.iter().flat_map(|one| &one.starts);
            let keys =
                starts.flat_map(|new| [new.key.0, new.on_refused.as_ref().map_or(0, message)]);
            let messages = all.iter().flat_map(|one| &one.messages).map(message);
            let outbox = all.iter().flat_map(|one| &one.outbox);
            let outbox = outbox.map(|record| record.id);
            messages.chain(keys).chain(outbox).max().unwrap_or(0)
        }
        Change::Redeliver { .. }
        | Change::Return { .. }
        | Change::Purge(_)
        | Change::Keys(_)
        | Change::Timer(_)
        | Change::Sent(_) => 0,
    }
}

/// The first delivery of an activity is implied by its `TaskScheduled`: the first row says two.
fn redeliver(
    conn: &mut SqliteConnection,
    key: InstanceKey,
    tasks: &[i64],
) -> Result<Receipt, Fault> {
    let known = instances::table
        .find(key.0)
        .select(instances::iid)
        .get_result::<i64>(conn)
        .optional()?;
    if known.is_none() {
        return Err(Fault::Refused(Error::NotFound(format!("number {}", key.0))));
    }
    // No `ON CONFLICT .. DO UPDATE`: diesel would prepare it anew each time, and a start of the host counts thousands.
    for task in tasks {
        let counted: Option<i32> = deliveries::table
            .find((key.0, task))
            .select(deliveries::count)
            .get_result(conn)
            .optional()?;
        diesel::replace_into(deliveries::table)
            .values((
                deliveries::iid.eq(key.0),
                deliveries::task_id.eq(task),
                deliveries::count.eq(counted.unwrap_or(1) + 1),
            ))
            .execute(conn)?;
    }
    Ok(Receipt {
        count: tasks.len() as u64,
        ..Receipt::default()
    })
}

/// A count of one says no more than its `TaskScheduled` does, and stays: the next delivery is the second again.
fn give_back(
    conn: &mut SqliteConnection,
    key: InstanceKey,
    tasks: &[i64],
) -> Result<Receipt, Fault> {
    let counted = deliveries::table
        .filter(deliveries::iid.eq(key.0))
        .filter(deliveries::task_id.eq_any(tasks))
        .filter(deliveries::count.gt(1));
    let count = diesel::update(counted)
        .set(deliveries::count.eq(deliveries::count - 1))
        .execute(conn)?;
    Ok(Receipt {
        count: count as u64,
        ..Receipt::default()
    })
}
