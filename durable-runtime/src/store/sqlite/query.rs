//! Reads of one instance, of wake-ups and of keys, each a function of a connection.

use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::fault::Fault;
use super::rows::{self, InstanceRow};
use super::schema::{deliveries, history, inbox, instances, keys, payloads};
use crate::model::{HistoryEvent, Timestamp};
use crate::store::{
    Child, HistoryMark, HistoryPart, InstanceKey, InstanceRecord, KeyRecord, LoadedInstance, Parts,
    PayloadKind, TakenUp, Wake, is_entity,
};

/// Rows of history read in one go. A longer one is read in pages, so that no read stands in the way of a checkpoint for long.
const PAGE: i64 = 1000;
/// How often an instance that changes under a paged read is read again before it is read in one go.
const ATTEMPTS: usize = 3;

/// The instance as clients see it.
pub(super) fn find(
    conn: &mut SqliteConnection,
    id: &str,
    parts: Parts,
) -> Result<Option<InstanceRecord>, Fault> {
    conn.transaction(|conn| {
        row(conn, id)?
            .map(|row| record(conn, row, parts))
            .transpose()
    })
}

/// All that is needed to run the instance.
pub(super) fn load(conn: &mut SqliteConnection, id: &str) -> Result<Option<LoadedInstance>, Fault> {
    for _ in 0..ATTEMPTS {
        match glance(conn, id)? {
            Glance::None => return Ok(None),
            Glance::Whole(loaded) => return Ok(Some(*loaded)),
            Glance::Long(before) => {
                let texts = texts(conn, &before)?;
                let same =
                    |now: &InstanceRow| now.iid == before.iid && now.sequence == before.sequence;
                let loaded = conn.transaction(|conn| match row(conn, id)? {
                    Some(now) if same(&now) => complete(conn, now, &texts).map(Some),
                    _ => Ok::<_, Fault>(None),
                })?;
                if loaded.is_some() {
                    return Ok(loaded);
                }
            }
        }
    }
    conn.transaction(|conn| row(conn, id)?.map(|row| whole(conn, row)).transpose())
}

/// As [`load`], but of a long history the first page alone, and where the next begins.
pub(super) fn take_up(conn: &mut SqliteConnection, id: &str) -> Result<Option<TakenUp>, Fault> {
    conn.transaction(|conn| {
        let Some(row) = row(conn, id)? else {
            return Ok(None);
        };
        let (texts, next) = page(conn, row.iid, 0)?;
        let rest = mark(row.iid, next);
        let loaded = complete(conn, row, &texts)?;
        Ok(Some(TakenUp { loaded, rest }))
    })
}

/// The page of a history that begins there.
pub(super) fn history(
    conn: &mut SqliteConnection,
    from: HistoryMark,
) -> Result<HistoryPart, Fault> {
    let iid = from.key.0;
    let (texts, next) = page(conn, iid, from.row)?;
    // The input belongs to the first event of all.
    let turns = texts.iter().map(|text| rows::turn(iid, text, None));
    Ok(HistoryPart {
        turns: turns.collect::<Result<_, _>>()?,
        rest: mark(iid, next),
    })
}

fn mark(iid: i64, next: Option<i64>) -> Option<HistoryMark> {
    let key = InstanceKey(iid);
    next.map(|row| HistoryMark { key, row })
}

enum Glance {
    None,
    Whole(Box<LoadedInstance>),
    Long(Box<InstanceRow>),
}

fn glance(conn: &mut SqliteConnection, id: &str) -> Result<Glance, Fault> {
    conn.transaction(|conn| match row(conn, id)? {
        None => Ok(Glance::None),
        Some(row) if row.sequence > PAGE => Ok(Glance::Long(Box::new(row))),
        Some(row) => whole(conn, row).map(Box::new).map(Glance::Whole),
    })
}

fn whole(conn: &mut SqliteConnection, row: InstanceRow) -> Result<LoadedInstance, Fault> {
    let texts = texts(conn, &row)?;
    complete(conn, row, &texts)
}

fn complete(
    conn: &mut SqliteConnection,
    row: InstanceRow,
    texts: &[String],
) -> Result<LoadedInstance, Fault> {
    let (iid, sequence) = (row.iid, row.sequence);
    let record = record(conn, row, Parts::ALL)?;
    let history = texts
        .iter()
        .map(|text| rows::turn(iid, text, record.input.as_ref()));
    let history = history.collect::<Result<Vec<Vec<HistoryEvent>>, _>>()?;
    let inbox = inbox::table
        .filter(inbox::iid.eq(iid))
        .order(inbox::id)
        .select((inbox::id, inbox::execution_id, inbox::event))
        .load::<(i64, Option<String>, String)>(conn)?;
    let inbox = inbox
        .into_iter()
        .map(|message| rows::message(iid, message))
        .collect::<Result<_, _>>()?;
    let deliveries = deliveries::table
        .filter(deliveries::iid.eq(iid))
        .order(deliveries::task_id)
        .select((deliveries::task_id, deliveries::count))
        .load::<(i64, i32)>(conn)?;
    let deliveries = deliveries
        .into_iter()
        .map(|(task, count)| (task, u32::try_from(count).unwrap_or(0)))
        .collect();
    Ok(LoadedInstance {
        record,
        sequence,
        history,
        inbox,
        deliveries,
    })
}

/// The turns' JSON, oldest first, a page at a time.
fn texts(conn: &mut SqliteConnection, row: &InstanceRow) -> Result<Vec<String>, Fault> {
    let mut texts = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let (more, then) = page(conn, row.iid, from)?;
        texts.extend(more);
        next = then;
    }
    Ok(texts)
}

/// The JSON of a page of turns, and the row after it, if there may be one.
fn page(
    conn: &mut SqliteConnection,
    iid: i64,
    from: i64,
) -> Result<(Vec<String>, Option<i64>), Fault> {
    let page = history::table
        .filter(history::iid.eq(iid))
        .filter(history::seq.ge(from))
        .order(history::seq)
        .limit(PAGE)
        .select((history::seq, history::events))
        .load::<(i64, String)>(conn)?;
    let full = i64::try_from(page.len()).is_ok_and(|rows| rows == PAGE);
    let next = page.last().filter(|_| full).map(|(last, _)| last + 1);
    Ok((page.into_iter().map(|(_, text)| text).collect(), next))
}

fn row(conn: &mut SqliteConnection, id: &str) -> Result<Option<InstanceRow>, Fault> {
    let row = instances::table
        .filter(instances::id.eq(id))
        .select(InstanceRow::as_select())
        .get_result(conn);
    Ok(row.optional()?)
}

/// The row with the payloads that are asked for.
pub(super) fn record(
    conn: &mut SqliteConnection,
    row: InstanceRow,
    parts: Parts,
) -> Result<InstanceRecord, Fault> {
    let mut record = row.into_record()?;
    let first = if parts.input {
        PayloadKind::Input
    } else {
        PayloadKind::Output
    };
    let last = if parts.result {
        PayloadKind::Failure
    } else {
        PayloadKind::Input
    };
    let last = if is_entity(&record.id) {
        record.entity = Some(Box::default());
        PayloadKind::Lock
    } else {
        last
    };
    if first <= last {
        let found = payloads::table
            .filter(payloads::iid.eq(record.key.0))
            .filter(payloads::kind.between(rows::code(first), rows::code(last)))
            .select((payloads::kind, payloads::value))
            .load::<(i32, String)>(conn)?;
        for (kind, value) in found {
            rows::place(&mut record, kind, value)?;
        }
    }
    Ok(record)
}

/// Instances that want to be looked at, after the last of the page before.
pub(super) fn wakes(
    conn: &mut SqliteConnection,
    until: Timestamp,
    after: Option<(Timestamp, InstanceKey)>,
    limit: usize,
) -> Result<Vec<Wake>, Fault> {
    let due = || {
        instances::table
            .filter(instances::wake_at.le(until.micros()))
            .order((instances::wake_at, instances::iid))
            .select((
                instances::iid,
                instances::id,
                instances::wake_at.assume_not_null(),
            ))
            .into_boxed::<diesel::sqlite::Sqlite>()
    };
    let size = |taken: usize| i64::try_from(limit - taken).unwrap_or(i64::MAX);
    // Two walks along the index instead of one with an `OR`, which SQLite would answer by scanning what came before.
    let mut found: Vec<(i64, String, i64)> = match after {
        Some((at, key)) => {
            let same = due()
                .filter(instances::wake_at.eq(at.micros()))
                .filter(instances::iid.gt(key.0));
            same.limit(size(0)).load(conn)?
        }
        None => Vec::new(),
    };
    let later = match after {
        Some((at, _)) => due().filter(instances::wake_at.gt(at.micros())),
        None => due(),
    };
    found.extend(
        later
            .limit(size(found.len()))
            .load::<(i64, String, i64)>(conn)?,
    );
    let wake = |(iid, id, at)| Wake {
        key: InstanceKey(iid),
        id,
        at: Timestamp::from_micros(at),
    };
    Ok(found.into_iter().map(wake).collect())
}

/// All keys, in the order in which they were last put.
pub(super) fn keys(conn: &mut SqliteConnection) -> Result<Vec<KeyRecord>, Fault> {
    let found = keys::table
        .order(keys::position)
        .select((keys::scope, keys::name, keys::value));
    let found = found.load::<(String, String, String)>(conn)?;
    Ok(found
        .into_iter()
        .map(|(scope, name, value)| KeyRecord { scope, name, value })
        .collect())
}

/// Instances that name that one as their parent and are younger than it: an id may have been used before.
pub(super) fn children(
    conn: &mut SqliteConnection,
    parent: InstanceKey,
    id: &str,
) -> Result<Vec<Child>, Fault> {
    // As the index is written, or it is not used.
    let of_parent = sql::<Text>("json_extract(parent, '$.instance_id')");
    let rows: Vec<(i64, String, i32)> = instances::table
        .filter(instances::parent.is_not_null())
        .filter(of_parent.eq(id))
        .filter(instances::iid.gt(parent.0))
        .order(instances::iid)
        .select((instances::iid, instances::id, instances::status))
        .load(conn)?;
    let child = |(iid, id, status): (i64, String, i32)| {
        let status = rows::status(iid, status)?;
        let id: Arc<str> = id.into();
        Ok(Child { id, status })
    };
    rows.into_iter().map(child).collect()
}
