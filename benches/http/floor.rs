//! The floor of W4: a bare actix-web handler that has the rows of one such orchestration written, in the same two commits, by bare diesel.
//!
//! One thread writes, in groups as the engine's does: whatever queued while the last transaction was flushed. A handler sends it a step
//! and waits until that is durable, twice. There is no engine: no code of users, no JSON, no check of what is there already.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use actix_web::{HttpResponse, web};
use anyhow::{Context as _, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use durable_functions::store::Store as _;
use durable_functions::store::sqlite::{Options, SqliteStore};
use tokio::sync::oneshot;
use uuid::Uuid;

/// As the store's writer has it.
const GROUP: usize = 2_000;
const INPUT: i32 = 0;
const OUTPUT: i32 = 1;

diesel::table! {
    instances (iid) {
        iid -> BigInt,
        id -> Text,
        name -> Text,
        version -> Text,
        execution_id -> Text,
        generation -> BigInt,
        status -> Integer,
        created -> BigInt,
        updated -> BigInt,
        wake_at -> Nullable<BigInt>,
        sequence -> BigInt,
        partition_id -> Integer,
    }
}

diesel::table! {
    history (iid, seq) {
        iid -> BigInt,
        seq -> BigInt,
        events -> Text,
    }
}

diesel::table! {
    payloads (iid, kind) {
        iid -> BigInt,
        kind -> Integer,
        value -> Text,
    }
}

/// What the engine wrote for one orchestration.
#[derive(Clone)]
struct Rows {
    instance: Instance,
    turns: Vec<String>,
    input: String,
    output: String,
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = instances)]
struct Instance {
    iid: i64,
    id: String,
    name: String,
    version: String,
    execution_id: String,
    generation: i64,
    status: i32,
    created: i64,
    updated: i64,
    wake_at: Option<i64>,
    sequence: i64,
    partition_id: i32,
}

/// Asks for the rows of one commit more; told when they are durable.
enum Step {
    /// The instance with its first turn. Told its number.
    Create(oneshot::Sender<i64>),
    /// The turn that ends it.
    End(i64, oneshot::Sender<()>),
}

/// The thread that writes.
pub(crate) struct Floor {
    steps: Sender<Step>,
    writer: JoinHandle<anyhow::Result<()>>,
}

/// What a handler has of it.
#[derive(Clone)]
pub(crate) struct Handle(Sender<Step>);

impl Floor {
    /// Writes into a new database in `folder` what `written`, the engine's, holds of the orchestration `id`.
    pub(crate) async fn start(folder: &Path, written: &Path, id: &str) -> anyhow::Result<Self> {
        let rows = Rows::of(written, id)?;
        let path = folder.join("floor.db");
        // The schema, made by the store itself.
        SqliteStore::open(Options::new(&path))?.close().await;
        let connection = connect(&path)?;
        let (steps, asked) = channel();
        let writer = std::thread::spawn(move || write(connection, &rows, &asked));
        Ok(Self { steps, writer })
    }

    pub(crate) fn handle(&self) -> Handle {
        Handle(self.steps.clone())
    }

    /// Once every handle is gone.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        drop(self.steps);
        let ended = self.writer.join();
        ended.map_err(|_| anyhow::anyhow!("the floor's writer panicked"))?
    }
}

/// The handler: two commits, one after the other.
pub(crate) async fn answer(handle: web::Data<Handle>, _: web::Bytes) -> HttpResponse {
    match two_commits(&handle.0).await {
        Some(()) => HttpResponse::Ok().body("8"),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn two_commits(steps: &Sender<Step>) -> Option<()> {
    let (tell, told) = oneshot::channel();
    steps.send(Step::Create(tell)).ok()?;
    let iid = told.await.ok()?;
    let (tell, told) = oneshot::channel();
    steps.send(Step::End(iid, tell)).ok()?;
    told.await.ok()
}

/// Commits whatever queued, and tells who was in it.
fn write(
    mut connection: SqliteConnection,
    rows: &Rows,
    asked: &Receiver<Step>,
) -> anyhow::Result<()> {
    let mut created = 0;
    while let Ok(first) = asked.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(more) = asked.try_recv()
        {
            group.push(more);
        }
        let before = created;
        connection.immediate_transaction(|connection| {
            group.iter().try_for_each(|step| match step {
                Step::Create(_) => {
                    created += 1;
                    create(connection, rows, created)
                }
                Step::End(iid, _) => end(connection, rows, *iid),
            })
        })?;
        let mut iids = before + 1..;
        for step in group {
            // A client that left at the end of a round hears nothing.
            match step {
                Step::Create(tell) => drop(tell.send(iids.next().context("a number")?)),
                Step::End(_, tell) => drop(tell.send(())),
            }
        }
    }
    connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn create(connection: &mut SqliteConnection, rows: &Rows, iid: i64) -> QueryResult<()> {
    let instance = Instance {
        iid,
        id: Uuid::new_v4().simple().to_string(),
        ..rows.instance.clone()
    };
    diesel::insert_into(instances::table)
        .values(instance)
        .execute(connection)?;
    put(connection, iid, INPUT, &rows.input)?;
    append(connection, iid, 0, &rows.turns[0])
}

fn end(connection: &mut SqliteConnection, rows: &Rows, iid: i64) -> QueryResult<()> {
    // Prepared once, as diesel's own `UPDATE` is not.
    diesel::sql_query(
        "UPDATE instances SET sequence = 2, updated = ?, status = ?, wake_at = NULL WHERE iid = ?",
    )
    .bind::<BigInt, _>(rows.instance.updated)
    .bind::<Integer, _>(1)
    .bind::<BigInt, _>(iid)
    .execute(connection)?;
    append(connection, iid, 1, &rows.turns[1])?;
    put(connection, iid, OUTPUT, &rows.output)
}

fn append(connection: &mut SqliteConnection, iid: i64, seq: i64, events: &str) -> QueryResult<()> {
    diesel::insert_into(history::table)
        .values((
            history::iid.eq(iid),
            history::seq.eq(seq),
            history::events.eq(events),
        ))
        .execute(connection)
        .map(drop)
}

fn put(connection: &mut SqliteConnection, iid: i64, kind: i32, value: &str) -> QueryResult<()> {
    diesel::insert_into(payloads::table)
        .values((
            payloads::iid.eq(iid),
            payloads::kind.eq(kind),
            payloads::value.eq(value),
        ))
        .execute(connection)
        .map(drop)
}

impl Rows {
    fn of(path: &Path, id: &str) -> anyhow::Result<Self> {
        let mut connection = connect(path)?;
        let mut instance: Instance = instances::table
            .filter(instances::id.eq(id))
            .first(&mut connection)?;
        let iid = instance.iid;
        let turns: Vec<String> = history::table
            .filter(history::iid.eq(iid))
            .order(history::seq)
            .select(history::events)
            .load(&mut connection)?;
        ensure!(turns.len() == 2, "{} turns instead of two", turns.len());
        let mut value = |kind: i32| -> QueryResult<String> {
            let row = payloads::table.find((iid, kind));
            row.select(payloads::value).first(&mut connection)
        };
        let (input, output) = (value(INPUT)?, value(OUTPUT)?);
        // As its first turn leaves it.
        (instance.status, instance.wake_at, instance.sequence) = (0, Some(0), 1);
        Ok(Self {
            instance,
            turns,
            input,
            output,
        })
    }
}

/// With the settings of the store's writer.
fn connect(path: &Path) -> anyhow::Result<SqliteConnection> {
    let mut connection = SqliteConnection::establish(path.to_str().context("a path in UTF-8")?)?;
    connection.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON; \
         PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY",
    )?;
    Ok(connection)
}
