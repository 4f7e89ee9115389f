//! Group commit, and the change that spoils its group.

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use diesel::SqliteConnection;
use tempfile::TempDir;

use super::super::writer::Work;
use super::super::{Durability, SqliteStore};
use super::{in_file, in_memory};
use crate::store::contract::given;
use crate::store::{Change, Error, InstanceKey, NewInstance, Receipt, Reuse, Store};

#[tokio::test]
async fn a_thousand_changes_share_few_flushes() -> anyhow::Result<()> {
    let (store, _keep) = in_file()?;
    let given = given(&store);
    let before = store.flushes();
    let answers: Vec<_> = (0..1000)
        .map(|number| {
            given.submit(Change::Create(Box::new(
                given.instance(&format!("i{number}")),
            )))
        })
        .collect();
    for answer in answers {
        answer.await??;
    }
    let flushes = store.flushes() - before;
    ensure!(flushes < 200, "{flushes} flushes for 1000 changes");
    store.close().await;
    Ok(())
}

/// What a log begins with.
const HEADER: u64 = 32;

/// While the writer is held up, a group gathers; one of it fails half-way through its writes.
#[tokio::test]
async fn only_the_guilty_change_fails() -> anyhow::Result<()> {
    let (store, ()) = in_memory()?;
    let given = given(&store);
    let taken = given.running("victim").await?;
    let before = store.flushes();
    let held = store.sabotage("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n");
    let gathered = async {
        let mut answers = Vec::new();
        for number in 0..50 {
            let mut new = given.instance(&format!("i{number}"));
            if number == 30 {
                // Removes the victim, then stumbles over another instance's key.
                new = NewInstance {
                    key: InstanceKey(taken.0 + 1),
                    id: "victim".into(),
                    reuse: Reuse::Any,
                    ..new
                };
            }
            answers.push(given.submit(Change::Create(Box::new(new))));
        }
        let mut results = Vec::new();
        for answer in answers {
            results.push(answer.await);
        }
        results
    };
    let (_, results) = futures::join!(held, gathered);
    for (number, result) in results.into_iter().enumerate() {
        let result = result?;
        ensure!(
            if number == 30 {
                matches!(result, Err(Error::Content(_)))
            } else {
                result.is_ok()
            },
            "{number}: {result:?}"
        );
    }
    let victim = given.load("victim").await?;
    ensure!(
        victim.record.key == taken && victim.sequence == 1,
        "the guilty change left a trace"
    );
    ensure!(
        store.flushes() - before < 10,
        "{} flushes",
        store.flushes() - before
    );
    Ok(())
}

/// A later turn of an instance must not be told of before an earlier one, however many were stored with that, and however slow their
/// receivers are.
#[tokio::test]
async fn answers_keep_the_order_of_their_commits() -> anyhow::Result<()> {
    const MANY: usize = 50;
    let (store, _keep) = in_file()?;
    let given = given(&store);
    let told = Arc::new(Mutex::new(Vec::new()));
    let before = store.flushes();
    let (open, gate) = mpsc::channel::<()>();
    let mut gate = Some(gate);
    let mut submit = |number: usize| {
        let (told, gate) = (Arc::clone(&told), gate.take());
        let new = given.instance(&format!("i{number}"));
        let done = move |_: Result<Receipt, Error>| {
            if let Some(gate) = gate {
                let _ = gate.recv();
            }
            if let Ok(mut told) = told.lock() {
                told.push(number);
            }
        };
        store.submit(Change::Create(Box::new(new)), Box::new(done));
    };
    let flushed = async |flushes: u64| {
        while store.flushes() < before + flushes {
            tokio::task::yield_now().await;
        }
    };
    let (gathered, hold) = mpsc::channel::<()>();
    let hold = move |_: &mut SqliteConnection| {
        let _ = hold.recv();
    };
    let held = store.work.send(Work::Job(Box::new(hold)));
    ensure!(held.is_ok(), "the writer is gone");
    (0..MANY).for_each(&mut submit);
    gathered.send(())?;
    flushed(1).await;
    submit(MANY);
    flushed(2).await;
    submit(MANY + 1);
    // Whatever the writer says of the second group it has said by now.
    flushed(3).await;
    ensure!(
        told.lock().is_ok_and(|told| told.is_empty()),
        "overtaken: {told:?}"
    );
    open.send(())?;
    store.close().await;
    let told = told.lock().map_err(|error| anyhow!("{error}"))?;
    ensure!(*told == (0..MANY + 2).collect::<Vec<_>>(), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn the_log_is_restarted_past_its_limit() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let options = super::Options {
        wal_limit: 1 << 20,
        ..super::Options::new(&path)
    };
    let store = super::SqliteStore::open(options)?;
    let given = given(&store);
    let mut largest = 0;
    for number in 0..40 {
        let mut new = given.instance(&format!("i{number}"));
        new.started.input = Some(crate::model::Payload::text(&"x".repeat(200_000)));
        given.write(Change::Create(Box::new(new))).await?;
        largest = largest.max(std::fs::metadata(folder.path().join("hub.db-wal"))?.len());
    }
    ensure!(largest < 2 << 20, "the log grew to {largest} bytes");
    store.close().await;
    Ok(())
}

/// How long the log is, and its file.
async fn log_and_file(store: &SqliteStore, path: &Path) -> anyhow::Result<(u64, u64)> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let look = move |conn: &mut SqliteConnection| {
        let _ = answer.send(super::super::wal::end(conn));
    };
    let asked = store.work.send(Work::Job(Box::new(look)));
    ensure!(asked.is_ok(), "the writer is gone");
    let log = answered.await?.context("no answer")?;
    Ok((log, std::fs::metadata(path)?.len()))
}

/// A store after so many commits of one small change each, and its folder.
async fn after_small_commits(
    count: usize,
    durability: Durability,
) -> anyhow::Result<(SqliteStore, TempDir)> {
    let folder = tempfile::tempdir()?;
    let mut options = super::Options::new(folder.path().join("hub.db"));
    options.durability = durability;
    let store = SqliteStore::open(options)?;
    let given = given(&store);
    for number in 0..count {
        let new = given.instance(&format!("i{number}"));
        given.write(Change::Create(Box::new(new))).await?;
    }
    Ok((store, folder))
}

#[tokio::test]
async fn small_commits_that_are_flushed_find_room_in_the_log() -> anyhow::Result<()> {
    for durability in [Durability::Full, Durability::Relaxed] {
        let (store, folder) = after_small_commits(100, durability).await?;
        let (log, file) = log_and_file(&store, &folder.path().join("hub.db-wal")).await?;
        let room = file.saturating_sub(log + HEADER);
        match durability {
            Durability::Full => ensure!(room > 0, "no room behind {log} bytes"),
            Durability::Relaxed => ensure!(room == 0, "{room} bytes of room behind {log}"),
        }
        store.close().await;
    }
    Ok(())
}

/// A copy of the files, as a crash leaves them: the log is read up to its end, and not what lies behind.
#[tokio::test]
async fn a_log_with_room_is_read_whole_after_a_crash() -> anyhow::Result<()> {
    const COUNT: usize = 100;
    let (store, folder) = after_small_commits(COUNT, Durability::Full).await?;
    let (log, file) = log_and_file(&store, &folder.path().join("hub.db-wal")).await?;
    ensure!(file > log + HEADER, "no room behind {log} bytes");
    let copy = tempfile::tempdir()?;
    for name in ["hub.db", "hub.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name))?;
    }
    let again = SqliteStore::open(super::Options::new(copy.path().join("hub.db")))?;
    for number in 0..COUNT {
        given(&again).load(&format!("i{number}")).await?;
    }
    given(&again).running("one more").await?;
    again.close().await;
    store.close().await;
    Ok(())
}

#[test]
fn a_store_that_is_dropped_still_writes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let (told, heard) = std::sync::mpsc::channel();
    {
        let store = super::SqliteStore::open(super::Options::new(&path))?;
        let new = given(&store).instance("one");
        store.submit(
            Change::Create(Box::new(new)),
            Box::new(move |result| drop(told.send(result))),
        );
    }
    heard.recv_timeout(Duration::from_secs(10))??;
    Ok(())
}
