//! What floors are made of: the rows that the engine writes, written by bare diesel, on one thread, in groups as the engine's are: whatever
//! queued while the last transaction was flushed. No code of users, no JSON, no check of what is there already.

mod fixed;
// The store's own: what it writes is what is written here.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "a floor has not all tables, and whoever is told of them is another crate"
)]
#[path = "../../durable-runtime/src/store/sqlite/schema.rs"]
pub(crate) mod schema;

use std::path::Path;
use std::sync::mpsc::Receiver;

use anyhow::Context as _;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use durable_functions::store::Store as _;
use durable_functions::store::sqlite::{Options, SqliteStore};

pub(crate) use fixed::Fixed;
use schema::{history, instances, payloads};

/// As the store's writer has it.
const GROUP: usize = 2_000;
pub(crate) const INPUT: i32 = 0;
pub(crate) const OUTPUT: i32 = 1;

/// A row of `instances`.
#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = instances)]
pub(crate) struct Instance {
    pub(crate) iid: i64,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) execution_id: String,
    pub(crate) generation: i64,
    pub(crate) status: i32,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) wake_at: Option<i64>,
    pub(crate) sequence: i64,
    pub(crate) partition_id: i32,
    pub(crate) parent: Option<String>,
    pub(crate) scheduled_start: Option<i64>,
    pub(crate) tags: Option<String>,
    pub(crate) trace_parent: Option<String>,
}

/// The turn that ends an instance.
pub(crate) struct Last<'a> {
    pub(crate) seq: i64,
    pub(crate) updated: i64,
    pub(crate) events: &'a str,
    pub(crate) status: i32,
    pub(crate) output: Option<&'a str>,
}

/// A new database in `folder`, its schema made by the store itself.
pub(crate) async fn new_database(folder: &Path) -> anyhow::Result<SqliteConnection> {
    let path = folder.join("floor.db");
    SqliteStore::open(Options::new(&path))?.close().await;
    connect(&path)
}

/// With the settings of the store's writer.
pub(crate) fn connect(path: &Path) -> anyhow::Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path.to_str().context("a path in UTF-8")?)?;
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON; \
         PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY",
    )?;
    Ok(conn)
}

/// Commits whatever queued and tells what was in it, until nobody asks or wants to be told; empties the log at the end as the store does.
pub(crate) fn write_groups<S>(
    mut conn: SqliteConnection,
    asked: &Receiver<S>,
    mut apply: impl FnMut(&mut SqliteConnection, &S) -> QueryResult<()>,
    mut tell: impl FnMut(Vec<S>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while let Ok(first) = asked.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(more) = asked.try_recv()
        {
            group.push(more);
        }
        conn.immediate_transaction(|conn| group.iter().try_for_each(|step| apply(conn, step)))?;
        tell(group)?;
    }
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The instance with its first turn.
pub(crate) fn create(
    conn: &mut SqliteConnection,
    instance: &Instance,
    input: Option<&str>,
    events: &str,
) -> QueryResult<()> {
    diesel::insert_into(instances::table)
        .values(instance)
        .execute(conn)?;
    if let Some(input) = input {
        put(conn, instance.iid, INPUT, input)?;
    }
    append(conn, instance.iid, 0, events)
}

/// The turn that ends it.
pub(crate) fn end(conn: &mut SqliteConnection, iid: i64, turn: &Last<'_>) -> QueryResult<()> {
    struct End;
    let last = (
        instances::sequence.eq(turn.seq + 1),
        instances::updated.eq(turn.updated),
        instances::status.eq(turn.status),
        instances::wake_at.eq(None::<i64>),
    );
    Fixed::new(End, iid, last).execute(conn)?;
    append(conn, iid, turn.seq, turn.events)?;
    match turn.output {
        Some(output) => put(conn, iid, OUTPUT, output),
        None => Ok(()),
    }
}

/// A row of history.
pub(crate) fn append(
    conn: &mut SqliteConnection,
    iid: i64,
    seq: i64,
    events: &str,
) -> QueryResult<()> {
    diesel::insert_into(history::table)
        .values((
            history::iid.eq(iid),
            history::seq.eq(seq),
            history::events.eq(events),
        ))
        .execute(conn)
        .map(drop)
}

fn put(conn: &mut SqliteConnection, iid: i64, kind: i32, value: &str) -> QueryResult<()> {
    diesel::insert_into(payloads::table)
        .values((
            payloads::iid.eq(iid),
            payloads::kind.eq(kind),
            payloads::value.eq(value),
        ))
        .execute(conn)
        .map(drop)
}
