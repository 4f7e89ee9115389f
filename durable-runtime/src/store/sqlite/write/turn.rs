//! A turn: all of it in a handful of prepared statements.

use diesel::SqliteConnection;
use diesel::dsl::min;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::outbox;
use super::super::rows::{self, InstanceRow};
use super::super::schema::{deliveries, history, inbox, instances};
use super::fixed::Fixed;
use super::release::Released;
use super::{instance, message};
use crate::model::Timestamp;
use crate::store::{Error, NewGeneration, PayloadKind, Receipt, TurnCommit};

/// [`crate::store::Change::Turn`]. The row comes first: it is what can refuse.
pub(super) fn commit(
    conn: &mut SqliteConnection,
    turn: &TurnCommit,
    released: &mut Released<'_>,
) -> Result<Receipt, Fault> {
    match &turn.create {
        Some(new) => {
            let row = InstanceRow::first_turn(new, turn)?;
            // Whoever makes a first turn knows what was there.
            instance::clear(conn, new, released)?;
            instance::insert(conn, &row)?;
            if let Some(input) = new.started.input.as_ref().filter(|_| !sets_input(turn)) {
                instance::put_payload(conn, row.iid, PayloadKind::Input, input.as_str())?;
            }
        }
        None => advance(conn, turn)?,
    }
    append(conn, turn)?;
    for (kind, payload) in &turn.payloads {
        match payload {
            Some(payload) => instance::put_payload(conn, turn.key.0, *kind, payload.as_str())?,
            None => instance::drop_payload(conn, turn.key.0, *kind)?,
        }
    }
    settle(conn, turn)?;
    let mut receipt = Receipt::default();
    for (index, new) in turn.starts.iter().enumerate() {
        if !instance::start(conn, new, released)? {
            receipt.refused.push(index);
        }
    }
    for message in &turn.messages {
        message::deliver(conn, message)?;
    }
    outbox::put(conn, &turn.outbox)?;
    Ok(receipt)
}

fn sets_input(turn: &TurnCommit) -> bool {
    turn.payloads
        .iter()
        .any(|(kind, _)| *kind == PayloadKind::Input)
}

/// The small row moves on, if it is where the turn left it.
///
/// SQLite writes an index anew when one of its columns is set, even to the value that it has: so only what changes is set.
fn advance(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<(), Fault> {
    struct Neither;
    struct Wake;
    struct Status;
    struct Both;
    let (status, wake_at) = (turn.status.code(), turn.wake_at.map(Timestamp::micros));
    // Most turns leave both as they are: one statement tells, and does it. No such luck for one that ends its instance.
    if !turn.status.is_terminal() && advance_unchanged(conn, turn, status, wake_at)? {
        return renew(conn, turn);
    }
    let now = instances::table.find(turn.key.0).select((
        instances::sequence,
        instances::status,
        instances::wake_at,
    ));
    let now: Option<(i64, i32, Option<i64>)> = now.get_result(conn).optional()?;
    let Some((_, old_status, old_wake)) =
        now.filter(|(sequence, ..)| *sequence == turn.expected_sequence)
    else {
        return Err(Fault::Refused(Error::Conflict(turn.id.to_string())));
    };
    let row = instances::iid.eq(turn.key.0);
    let sequence = instances::sequence.eq(turn.expected_sequence + 1);
    let next = (sequence, instances::updated.eq(turn.updated.micros()));
    let (status_is, wake_is) = (instances::status.eq(status), instances::wake_at.eq(wake_at));
    match (old_status == status, old_wake == wake_at) {
        (true, true) => Fixed::new(Neither, row, next).execute(conn)?,
        (true, false) => Fixed::new(Wake, row, (next, wake_is)).execute(conn)?,
        (false, true) => Fixed::new(Status, row, (next, status_is)).execute(conn)?,
        (false, false) => Fixed::new(Both, row, (next, status_is, wake_is)).execute(conn)?,
    };
    renew(conn, turn)
}

/// Moves the row on if that is all that changes in it.
fn advance_unchanged(
    conn: &mut SqliteConnection,
    turn: &TurnCommit,
    status: i32,
    wake_at: Option<i64>,
) -> Result<bool, Fault> {
    struct AtOnce;
    struct Later;
    let next = (
        instances::sequence.eq(turn.expected_sequence + 1),
        instances::updated.eq(turn.updated.micros()),
    );
    let is_there = instances::iid
        .eq(turn.key.0)
        .and(instances::sequence.eq(turn.expected_sequence))
        .and(instances::status.eq(status));
    let moved = match wake_at {
        Some(at) => {
            let is_there = is_there.and(instances::wake_at.eq(at));
            Fixed::new(AtOnce, is_there, next).execute(conn)?
        }
        None => {
            let is_there = is_there.and(instances::wake_at.is_null());
            Fixed::new(Later, is_there, next).execute(conn)?
        }
    };
    Ok(moved == 1)
}

/// The row takes the new generation.
fn renew(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<(), Fault> {
    let Some(NewGeneration {
        execution_id,
        generation,
        version,
    }) = &turn.new_generation
    else {
        return Ok(());
    };
    let renewed = (
        instances::execution_id.eq(execution_id.as_ref()),
        instances::generation.eq(rows::generation_code(*generation)?),
        instances::version.eq(version),
    );
    diesel::update(instances::table.find(turn.key.0))
        .set(renewed)
        .execute(conn)?;
    Ok(())
}

/// One row of history per turn; an older generation's rows go first.
fn append(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<(), Fault> {
    if turn.new_generation.is_some() && turn.expected_sequence > 0 {
        diesel::delete(history::table.filter(history::iid.eq(turn.key.0))).execute(conn)?;
    }
    if let Some(events) = &turn.events {
        diesel::insert_into(history::table)
            .values((
                history::iid.eq(turn.key.0),
                history::seq.eq(turn.expected_sequence),
                history::events.eq(events),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What the turn has taken in leaves its queue; what came in meanwhile keeps the instance awake, unless it has ended.
fn settle(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<(), Fault> {
    let iid = turn.key.0;
    if turn.status.is_terminal() {
        diesel::delete(inbox::table.filter(inbox::iid.eq(iid))).execute(conn)?;
        diesel::delete(deliveries::table.filter(deliveries::iid.eq(iid))).execute(conn)?;
        return Ok(());
    }
    for id in &turn.consumed {
        diesel::delete(inbox::table.find((iid, id))).execute(conn)?;
    }
    for task in &turn.settled {
        diesel::delete(deliveries::table.find((iid, task))).execute(conn)?;
    }
    // An instance that is created here has no inbox yet, and one that wakes at once needs no look at it.
    let wakes_at_once = turn.wake_at.is_some_and(|at| at.micros() == 0);
    if turn.create.is_none() && !wakes_at_once {
        let waiting: Option<i64> = inbox::table
            .filter(inbox::iid.eq(iid))
            .select(min(inbox::due))
            .get_result(conn)?;
        if let Some(due) = waiting.filter(|due| turn.wake_at.is_none_or(|at| *due < at.micros())) {
            message::wake(conn, iid, due)?;
        }
    }
    Ok(())
}
