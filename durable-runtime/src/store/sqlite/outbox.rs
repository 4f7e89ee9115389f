//! What waits to be sent: the row, its read and its writes, each a function of a connection.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::fault::Fault;
use super::rows;
use super::schema::outbox;
use crate::store::{OutboxRecord, Receipt};

/// The oldest ones.
pub(super) fn oldest(
    conn: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<OutboxRecord>, Fault> {
    let rows: Vec<(i64, String, String)> = outbox::table
        .order(outbox::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(conn)?;
    let record = |(id, instance_id, event): (i64, String, String)| {
        let event = serde_json::from_str(&event).map_err(|error| {
            let text = format!("record {id} of the outbox cannot be read: {error}");
            Fault::Corrupt(text)
        })?;
        Ok(OutboxRecord {
            id,
            instance_id: instance_id.into(),
            event,
        })
    };
    rows.into_iter().map(record).collect()
}

/// Puts them behind what waits already.
pub(super) fn put(conn: &mut SqliteConnection, records: &[OutboxRecord]) -> Result<(), Fault> {
    for record in records {
        diesel::insert_into(outbox::table)
            .values((
                outbox::id.eq(record.id),
                outbox::instance_id.eq(&*record.instance_id),
                outbox::event.eq(rows::json(&record.event)?),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// [`crate::store::Change::Sent`].
pub(super) fn remove(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Receipt, Fault> {
    let mut receipt = Receipt::default();
    for id in ids {
        receipt.count += diesel::delete(outbox::table.find(id)).execute(conn)? as u64;
    }
    Ok(receipt)
}
