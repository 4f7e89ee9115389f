//! The floor of W4: a bare actix-web handler that has the rows of one such orchestration written, in the same two commits, by bare diesel.
//!
//! One thread writes, in groups as the engine's does: whatever queued while the last transaction was flushed. A handler sends it a step
//! and waits until that is durable, twice. There is no engine: no code of users, no JSON, no check of what is there already.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use actix_web::{HttpResponse, web};
use anyhow::{Context as _, ensure};
use diesel::prelude::*;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::bare::schema::{history, instances, payloads};
use crate::bare::{self, INPUT, Instance, Last, OUTPUT};

/// What the engine wrote for one orchestration.
#[derive(Clone)]
struct Rows {
    instance: Instance,
    turns: Vec<String>,
    input: String,
    output: String,
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
        let connection = bare::new_database(folder).await?;
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

/// The writer. Numbers are given in the order in which instances are asked for.
fn write(connection: SqliteConnection, rows: &Rows, asked: &Receiver<Step>) -> anyhow::Result<()> {
    let mut created = 0;
    let mut iids = 1..;
    bare::write_groups(
        connection,
        asked,
        |connection, step| match step {
            Step::Create(_) => {
                created += 1;
                create(connection, rows, created)
            }
            Step::End(iid, _) => bare::end(connection, *iid, &rows.last()),
        },
        |group| {
            for step in group {
                // A client that left at the end of a round hears nothing.
                match step {
                    Step::Create(tell) => drop(tell.send(iids.next().context("a number")?)),
                    Step::End(_, tell) => drop(tell.send(())),
                }
            }
            Ok(())
        },
    )
}

fn create(connection: &mut SqliteConnection, rows: &Rows, iid: i64) -> QueryResult<()> {
    let instance = Instance {
        iid,
        id: Uuid::new_v4().simple().to_string(),
        ..rows.instance.clone()
    };
    bare::create(connection, &instance, Some(&rows.input), &rows.turns[0])
}

impl Rows {
    fn last(&self) -> Last<'_> {
        Last {
            seq: 1,
            updated: self.instance.updated,
            events: &self.turns[1],
            status: 1,
            output: Some(&self.output),
        }
    }

    fn of(path: &Path, id: &str) -> anyhow::Result<Self> {
        let mut connection = bare::connect(path)?;
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
