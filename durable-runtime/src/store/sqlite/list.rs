//! Pages of instances. Each page is a walk along one index from where the last page ended, whatever its number.

use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::fault::Fault;
use super::query;
use super::rows::InstanceRow;
use super::schema::instances;
use crate::model::{RuntimeStatus, Timestamp};
use crate::store::{InstanceRecord, ListQuery, Parts};

#[diesel::declare_sql_function]
extern "SQL" {
    /// SQLite's `lower`, of ASCII letters only, as its `NOCASE`.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

type Rows<'a> = instances::BoxedQuery<'a, Sqlite>;

/// A page of instances with their payloads.
pub(super) fn list(
    conn: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<Vec<InstanceRecord>, Fault> {
    let parts = Parts {
        input: query.input,
        result: true,
    };
    conn.transaction(|conn| {
        let rows = match &query.id_prefix {
            Some(prefix) => by_id(query, prefix)
                .limit(size(query.limit))
                .select(InstanceRow::as_select())
                .load(conn)?,
            None => by_created(conn, query)?,
        };
        rows.into_iter()
            .map(|row| query::record(conn, row, parts))
            .collect()
    })
}

/// Surrogate keys of the oldest ended orchestrations that match; entities never end.
pub(super) fn ended(
    conn: &mut SqliteConnection,
    created_from: Option<Timestamp>,
    created_to: Option<Timestamp>,
    statuses: &[RuntimeStatus],
    limit: usize,
) -> Result<Vec<i64>, Fault> {
    let wanted = |status: &RuntimeStatus| {
        status.is_terminal() && (statuses.is_empty() || statuses.contains(status))
    };
    let statuses: Vec<_> = RuntimeStatus::ALL.into_iter().filter(wanted).collect();
    if statuses.is_empty() {
        return Ok(Vec::new());
    }
    let query = ListQuery {
        statuses,
        created_from,
        created_to,
        entities: false,
        limit,
        ..ListQuery::default()
    };
    Ok(by_created(conn, &query)?
        .into_iter()
        .map(|row| row.iid)
        .collect())
}

/// Surrogate keys of the oldest orchestrations that ended so by then. What ended by then was created by then: the index on
/// creation bounds the walk.
pub(super) fn expired(
    conn: &mut SqliteConnection,
    status: RuntimeStatus,
    ended_to: Timestamp,
    limit: usize,
) -> Result<Vec<i64>, Fault> {
    if !status.is_terminal() {
        return Ok(Vec::new());
    }
    let rows = without_entities(instances::table.into_boxed())
        .filter(instances::status.eq(status.code()))
        .filter(instances::created.le(ended_to.micros()))
        .filter(instances::updated.le(ended_to.micros()))
        .order((instances::created, instances::id))
        .limit(size(limit));
    Ok(rows.select(instances::iid).load(conn)?)
}

/// In the order of creation. One walk per status: an `IN` would have SQLite sort all that match before it gives the first.
fn by_created(conn: &mut SqliteConnection, query: &ListQuery) -> Result<Vec<InstanceRow>, Fault> {
    if query.statuses.len() < 2 {
        return walk(conn, query, query.statuses.first().copied());
    }
    let mut statuses = query.statuses.clone();
    statuses.sort_unstable();
    statuses.dedup();
    let mut rows = Vec::new();
    for status in statuses {
        rows.extend(walk(conn, query, Some(status))?);
    }
    rows.sort_unstable_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    rows.truncate(query.limit);
    Ok(rows)
}

fn walk(
    conn: &mut SqliteConnection,
    query: &ListQuery,
    status: Option<RuntimeStatus>,
) -> Result<Vec<InstanceRow>, Fault> {
    let from = query.created_from.map(Timestamp::micros);
    let to = query.created_to.map(Timestamp::micros);
    let mut rows = Vec::new();
    let mut lowest = from;
    // Rows of the cursor's own instant, then all later ones: two walks, since SQLite would scan its way through an `OR`.
    if let Some(cursor) = &query.after {
        let at = cursor.created.micros();
        if from.is_none_or(|from| from <= at) && to.is_none_or(|to| at <= to) {
            let same = rows_of(query, status)
                .filter(instances::created.eq(at))
                .filter(instances::id.gt(&cursor.id));
            rows = load(conn, same.order(instances::id), query.limit)?;
        }
        lowest = Some(from.map_or(at + 1, |from| from.max(at + 1)));
    }
    if rows.len() < query.limit {
        let mut later = rows_of(query, status).order((instances::created, instances::id));
        if let Some(lowest) = lowest {
            later = later.filter(instances::created.ge(lowest));
        }
        if let Some(to) = to {
            later = later.filter(instances::created.le(to));
        }
        rows.extend(load(conn, later, query.limit - rows.len())?);
    }
    Ok(rows)
}

fn load(
    conn: &mut SqliteConnection,
    rows: Rows<'_>,
    limit: usize,
) -> Result<Vec<InstanceRow>, Fault> {
    Ok(rows
        .limit(size(limit))
        .select(InstanceRow::as_select())
        .load(conn)?)
}

fn rows_of(query: &ListQuery, status: Option<RuntimeStatus>) -> Rows<'_> {
    let mut rows = instances::table.into_boxed();
    if let Some(status) = status {
        rows = rows.filter(instances::status.eq(status.code()));
    }
    if let Some(name) = &query.name {
        rows = rows.filter(instances::name.eq(name));
    }
    if query.entities {
        rows
    } else {
        without_entities(rows)
    }
}

/// Ids that begin with `@` lie between `@` and `A`.
fn without_entities(rows: Rows<'_>) -> Rows<'_> {
    rows.filter(instances::id.lt("@").or(instances::id.ge("A")))
}

/// In the order of ids, along the index of ids. What else is asked for is hidden from the planner behind `+ 0` and `lower`,
/// or it might walk another index and sort.
fn by_id<'a>(query: &'a ListQuery, prefix: &'a str) -> Rows<'a> {
    let mut rows = instances::table.order(instances::id).into_boxed();
    let after = query
        .after
        .as_ref()
        .map(|cursor| cursor.id.as_str())
        .filter(|id| *id >= prefix);
    rows = match after {
        Some(after) => rows.filter(instances::id.gt(after)),
        None => rows.filter(instances::id.ge(prefix)),
    };
    if let Some(end) = successor(prefix) {
        rows = rows.filter(instances::id.lt(end));
    }
    if !query.statuses.is_empty() {
        let codes: Vec<i32> = query.statuses.iter().map(|status| status.code()).collect();
        rows = rows.filter((instances::status + 0).eq_any(codes));
    }
    if let Some(name) = &query.name {
        rows = rows.filter(lower(instances::name).eq(name.to_ascii_lowercase()));
    }
    if let Some(from) = query.created_from {
        rows = rows.filter((instances::created + 0).ge(from.micros()));
    }
    if let Some(to) = query.created_to {
        rows = rows.filter((instances::created + 0).le(to.micros()));
    }
    if query.entities {
        rows
    } else {
        without_entities(rows)
    }
}

/// The smallest text that is larger than every text that begins so; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = ((last as u32 + 1)..=(char::MAX as u32)).find_map(char::from_u32) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

fn size(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
