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
            instance::insert_begun(conn, new, &row, released)?;
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
    struct End;
    let (status, wake_at) = (turn.status.code(), turn.wake_at.map(Timestamp::micros));
    let sequence = instances::sequence.eq(turn.expected_sequence + 1);
    let next = (sequence, instances::updated.eq(turn.updated.micros()));
    let (status_is, wake_is) = (instances::status.eq(status), instances::wake_at.eq(wake_at));
    // Most turns leave both as they are, and an end changes both: one statement tells, and does it.
    if turn.status.is_terminal() {
        let is_there = instances::iid
            .eq(turn.key.0)
            .and(instances::sequence.eq(turn.expected_sequence));
        let ended = Fixed::new(End, is_there, (next, status_is, wake_is)).execute(conn)?;
        return match ended {
            1 => renew(conn, turn),
            _ => Err(conflict(turn)),
        };
    }
    if advance_unchanged(conn, turn, status, wake_at)? {
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
        return Err(conflict(turn));
    };
    let row = instances::iid.eq(turn.key.0);
    match (old_status == status, old_wake == wake_at) {
        (true, true) => Fixed::new(Neither, row, next).execute(conn)?,
        (true, false) => Fixed::new(Wake, row, (next, wake_is)).execute(conn)?,
        (false, true) => Fixed::new(Status, row, (next, status_is)).execute(conn)?,
        (false, false) => Fixed::new(Both, row, (next, status_is, wake_is)).execute(conn)?,
    };
    renew(conn, turn)
}

fn conflict(turn: &TurnCommit) -> Fault {
    Fault::Refused(Error::Conflict(turn.id.to_string()))
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
    for id in &turn.consumed {
        diesel::delete(inbox::table.find((iid, id))).execute(conn)?;
    }
    for task in &turn.settled {
        diesel::delete(deliveries::table.find((iid, task))).execute(conn)?;
    }
    // An instance that is created here has neither yet.
    if turn.create.is_some() {
        return Ok(());
    }
    if turn.status.is_terminal() {
        return drop_leftovers(conn, iid);
    }
    // One that wakes at once needs no look at its inbox.
    if turn.wake_at.is_none_or(|at| at.micros() != 0) {
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

/// What waits for an instance that has ended: seldom anything. To delete by a part of a key, SQLite makes a table of its own for the rows
/// that it finds, if any or not: it costs less to look first.
fn drop_leftovers(conn: &mut SqliteConnection, iid: i64) -> Result<(), Fault> {
    let left = inbox::table.filter(inbox::iid.eq(iid));
    if left
        .select(min(inbox::id))
        .get_result::<Option<i64>>(conn)?
        .is_some()
    {
        diesel::delete(left).execute(conn)?;
    }
    let left = deliveries::table.filter(deliveries::iid.eq(iid));
    let first = left.select(min(deliveries::task_id));
    if first.get_result::<Option<i64>>(conn)?.is_some() {
        diesel::delete(left).execute(conn)?;
    }
    Ok(())
}
