//! A turn: all of it in a handful of prepared statements.

use diesel::SqliteConnection;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::rows::{self, InstanceRow};
use super::super::schema::{deliveries, history, inbox, instances};
use super::fixed::Fixed;
use super::{instance, message};
use crate::model::Timestamp;
use crate::store::{Error, NewGeneration, PayloadKind, Receipt, TurnCommit};

/// [`crate::store::Change::Turn`]. The row comes first: it is what can refuse.
pub(super) fn commit(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<Receipt, Fault> {
    match &turn.create {
        Some(new) => {
            let row = InstanceRow::first_turn(new, turn)?;
            instance::clear(conn, new)?;
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
        if !instance::start(conn, new)? {
            receipt.refused.push(index);
        }
    }
    for message in &turn.messages {
        message::deliver(conn, message)?;
    }
    Ok(receipt)
}

fn sets_input(turn: &TurnCommit) -> bool {
    turn.payloads.iter().any(|(kind, _)| *kind == PayloadKind::Input)
}

/// The small row moves on, if it is where the turn left it.
fn advance(conn: &mut SqliteConnection, turn: &TurnCommit) -> Result<(), Fault> {
    #[derive(Clone, Copy)]
    struct Advance;
    #[derive(Clone, Copy)]
    struct Renew;
    let row = instances::table
        .find(turn.key.0)
        .filter(instances::sequence.eq(turn.expected_sequence));
    let next = (
        instances::status.eq(turn.status.code()),
        instances::updated.eq(turn.updated.micros()),
        instances::wake_at.eq(turn.wake_at.map(Timestamp::micros)),
        instances::sequence.eq(turn.expected_sequence + 1),
    );
    let changed = match &turn.new_generation {
        None => Fixed::new(Advance, diesel::update(row).set(next)).execute(conn)?,
        Some(NewGeneration {
            execution_id,
            generation,
            version,
        }) => {
            let renewed = (
                instances::execution_id.eq(execution_id.as_ref()),
                instances::generation.eq(rows::generation_code(*generation)?),
                instances::version.eq(version),
            );
            Fixed::new(Renew, diesel::update(row).set((next, renewed))).execute(conn)?
        }
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::Refused(Error::Conflict(turn.id.to_string())))
    }
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
        let waiting = diesel::select(exists(inbox::table.filter(inbox::iid.eq(iid)))).get_result::<bool>(conn)?;
        if waiting {
            message::wake(conn, iid)?;
        }
    }
    Ok(())
}
