//! What is there after the end: of the store, and of the process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::{Options, SqliteStore};
use crate::model::RuntimeStatus;
use crate::store::contract::{given, raise, turn};
use crate::store::{Change, Purge, Store};

const CHILD: &str = "DURABLE_STORE_TEST_CHILD";

#[tokio::test]
async fn a_closed_hub_is_found_as_it_was_left() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let store = SqliteStore::open(Options::new(&path))?;
    given(&store).running("one").await?;
    given(&store)
        .write(raise(given(&store).message("one", "x")))
        .await?;
    store.close().await;
    let log = std::fs::metadata(folder.path().join("hub.db-wal")).map_or(0, |log| log.len());
    ensure!(log == 0, "a log of {log} bytes was left");
    let store = SqliteStore::open(Options::new(&path))?;
    let loaded = given(&store).load("one").await?;
    ensure!(loaded.sequence == 1 && loaded.inbox.len() == 1 && loaded.record.input.is_some());
    ensure!(given(&store).awake(0).await? == ["one"]);
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn ids_are_not_used_again_after_a_purge() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let mut last = 0;
    for _ in 0..3 {
        let store = SqliteStore::open(Options::new(&path))?;
        let key = given(&store)
            .ended("one", RuntimeStatus::Completed, 1)
            .await?;
        ensure!(key.0 > last, "{} after {last}", key.0);
        last = key.0;
        given(&store)
            .write(Change::Purge(Purge::One {
                id: "one".to_owned(),
                running: false,
            }))
            .await?;
        store.close().await;
    }
    Ok(())
}

/// What is put before all others in an inbox has its id with the other sign: it is used up all the same.
#[tokio::test]
async fn ids_of_either_sign_are_not_used_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let store = SqliteStore::open(Options::new(&path))?;
    given(&store).running("one").await?;
    let used = 1 << 40;
    let mut message = given(&store).message("one", "x");
    message.id = -used;
    given(&store).write(raise(message)).await?;
    store.close().await;
    let store = SqliteStore::open(Options::new(&path))?;
    let next = store.ids().next();
    ensure!(next > used, "{next} after {used}");
    store.close().await;
    Ok(())
}

/// Not a test of its own: the process that is killed.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() -> anyhow::Result<()> {
    let Some(path) = std::env::var_os(CHILD) else {
        return Ok(());
    };
    let store = SqliteStore::open(Options::new(path))?;
    let given = given(&store);
    let key = given.pending("one").await?;
    for sequence in 0.. {
        given.write(turn(given.turn(key, "one", sequence))).await?;
        println!("\ncommitted {sequence}");
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_answered() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let name = concat!(module_path!(), "::child_that_writes_until_it_is_killed");
    let name = name.split_once("::").context("crate")?.1;
    let mut child = Command::new(std::env::current_exe()?)
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("stdout")?).lines();
    let mut answered = 0;
    for line in lines {
        if let Some(sequence) = line?.strip_prefix("committed ") {
            answered = sequence.parse::<i64>()? + 1;
        }
        if answered == 300 {
            child.kill()?;
        }
    }
    child.wait()?;
    ensure!(answered >= 300, "the child ended after {answered} turns");
    let store = SqliteStore::open(Options::new(&path))?;
    let loaded = given(&store).load("one").await?;
    ensure!(
        loaded.sequence >= answered && loaded.sequence <= answered + 1,
        "{} turns, {answered} answered",
        loaded.sequence
    );
    ensure!(i64::try_from(loaded.history.len())? == loaded.sequence);
    store.close().await;
    Ok(())
}
