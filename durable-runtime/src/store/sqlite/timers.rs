//! Where the schedules of timer functions stand: the row, its read and its write, each a function of a connection.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::fault::Fault;
use super::schema::timers;
use crate::model::Timestamp;
use crate::store::{Error, Receipt, TimerRecord};

/// One row of `timers`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = timers, treat_none_as_null = true)]
struct TimerRow {
    name: String,
    schedule: String,
    last: Option<i64>,
    next: i64,
    deliveries: i32,
    sequence: i64,
}

/// All of them, by name.
pub(super) fn all(conn: &mut SqliteConnection) -> Result<Vec<TimerRecord>, Fault> {
    let rows = timers::table
        .order(timers::name)
        .select(TimerRow::as_select())
        .load(conn)?;
    let record = |row: TimerRow| TimerRecord {
        name: row.name,
        schedule: row.schedule,
        last: row.last.map(Timestamp::from_micros),
        next: Timestamp::from_micros(row.next),
        deliveries: u32::try_from(row.deliveries).unwrap_or(0),
        sequence: row.sequence,
    };
    Ok(rows.into_iter().map(record).collect())
}

/// [`crate::store::Change::Timer`].
pub(super) fn put(conn: &mut SqliteConnection, timer: &TimerRecord) -> Result<Receipt, Fault> {
    let found = timers::table
        .find(&timer.name)
        .select(timers::sequence)
        .get_result::<i64>(conn)
        .optional()?;
    if found.unwrap_or(0) != timer.sequence {
        return Err(Fault::Refused(Error::Conflict(timer.name.clone())));
    }
    let row = TimerRow {
        name: timer.name.clone(),
        schedule: timer.schedule.clone(),
        last: timer.last.map(Timestamp::micros),
        next: timer.next.micros(),
        deliveries: i32::try_from(timer.deliveries).unwrap_or(i32::MAX),
        sequence: timer.sequence + 1,
    };
    diesel::insert_into(timers::table)
        .values(&row)
        .on_conflict(timers::name)
        .do_update()
        .set(&row)
        .execute(conn)?;
    Ok(Receipt::default())
}
