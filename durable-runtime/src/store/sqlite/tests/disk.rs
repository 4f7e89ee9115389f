//! A disk that takes nothing for a while: turns wait, clients are told, nothing is lost.

use anyhow::ensure;

use super::{Options, SqliteStore, in_file, in_memory};
use crate::model::{Payload, RuntimeStatus};
use crate::store::contract::{given, raise, turn};
use crate::store::{Change, Error, PayloadKind, Purge, Store};

/// Turns before and while the disk takes nothing, and clients meanwhile; then it takes again.
async fn outage(store: &SqliteStore, begin: &str, end: &str) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("one").await?;
    store.sabotage(begin).await?;
    let turns: Vec<_> = (0..3)
        .map(|sequence| {
            let mut commit = given.turn(key, "one", sequence);
            commit.payloads = vec![(
                PayloadKind::Output,
                Some(Payload::text(
                    &"x".repeat(100_000 + usize::try_from(sequence).unwrap_or(0)),
                )),
            )];
            given.submit(turn(commit))
        })
        .collect();
    let mut large = given.instance("large");
    large.started.input = Some(Payload::text(&"x".repeat(200_000)));
    let mut first = given.turn(large.key, "large", 0);
    first.create = Some(Box::new(large));
    let clients = [
        turn(first),
        raise(given.message("one", "x")),
        Change::Keys(Vec::new()),
    ];
    for client in clients {
        let refused = given.write(client).await;
        ensure!(
            matches!(&refused, Err(error @ Error::Unavailable(text)) if error.is_retryable() && text.contains("help:")),
            "{refused:?}"
        );
    }
    ensure!(store.backlog() == 3, "{} wait", store.backlog());
    ensure!(
        given.load("one").await?.sequence == 0,
        "reads go on, and see nothing of what is not written"
    );
    store.sabotage(end).await?;
    for answer in turns {
        answer.await??;
    }
    let loaded = given.load("one").await?;
    ensure!(loaded.sequence == 3 && loaded.history.len() == 3 && loaded.inbox.is_empty());
    ensure!(
        loaded
            .record
            .output
            .is_some_and(|output| output.as_str().len() == 100_004),
        "the last turn must be the last"
    );
    ensure!(given.status("large").await?.is_none());
    given.ended("large", RuntimeStatus::Completed, 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_delays_turns() -> anyhow::Result<()> {
    let (store, _keep) = in_file()?;
    outage(
        &store,
        "PRAGMA max_page_count = 1",
        "PRAGMA max_page_count = 1000000",
    )
    .await?;
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn a_full_memory_database_does_the_same() -> anyhow::Result<()> {
    let (store, ()) = in_memory()?;
    outage(
        &store,
        "PRAGMA max_page_count = 1",
        "PRAGMA max_page_count = 1000000",
    )
    .await
}

#[tokio::test]
async fn a_read_only_database_delays_turns() -> anyhow::Result<()> {
    let (store, _keep) = in_file()?;
    outage(&store, "PRAGMA query_only = ON", "PRAGMA query_only = OFF").await?;
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn a_store_can_be_closed_while_the_disk_is_full() -> anyhow::Result<()> {
    let (store, _keep) = in_file()?;
    let given = given(&store);
    let key = given.pending("one").await?;
    store.sabotage("PRAGMA query_only = ON").await?;
    let kept = given.submit(turn(given.turn(key, "one", 0)));
    store.close().await;
    ensure!(matches!(kept.await?, Err(Error::Unavailable(_))));
    Ok(())
}

/// What was removed could still be written to, by this process and to no end.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_elsewhere_delays_turns() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (path, away) = (folder.path().join("hub.db"), folder.path().join("away.db"));
    let store = SqliteStore::open(Options::new(&path))?;
    let given = given(&store);
    let key = given.pending("one").await?;
    let kept = given.submit(turn(given.turn(key, "one", 0)));
    kept.await??;
    std::fs::rename(&path, &away)?;
    let kept = given.submit(turn(given.turn(key, "one", 1)));
    for replaced in [false, true] {
        if replaced {
            std::fs::write(&path, "")?;
        }
        let refused = given.write(raise(given.message("one", "x"))).await;
        ensure!(
            matches!(&refused, Err(error @ Error::Unavailable(text))
                if error.is_retryable() && text.contains("hub.db` was removed or replaced") && text.contains("help:")),
            "{refused:?}"
        );
    }
    ensure!(store.backlog() == 1, "the turn waits");
    std::fs::rename(&away, &path)?;
    kept.await??;
    given.write(raise(given.message("one", "x"))).await?;
    store.close().await;
    Ok(())
}

/// Another program that writes to the file is waited for.
#[tokio::test]
async fn a_locked_database_delays_turns() -> anyhow::Result<()> {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let store = SqliteStore::open(Options {
        busy_timeout: std::time::Duration::from_millis(20),
        ..Options::new(&path)
    })?;
    let given = given(&store);
    let key = given.pending("one").await?;
    let mut other = SqliteConnection::establish(&path.to_string_lossy())?;
    other.batch_execute("BEGIN IMMEDIATE")?;
    let kept = given.submit(turn(given.turn(key, "one", 0)));
    let refused = given
        .write(Change::Purge(Purge::One {
            id: "one".to_owned(),
            running: true,
        }))
        .await;
    ensure!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    other.batch_execute("ROLLBACK")?;
    kept.await??;
    store.close().await;
    Ok(())
}

/// The real thing: a file system with no space left.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs root: mounts a file system of three megabytes"]
async fn a_full_file_system_delays_turns() -> anyhow::Result<()> {
    use std::process::Command;

    let folder = tempfile::tempdir()?;
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
        .arg(folder.path())
        .status()?;
    ensure!(mounted.success(), "mount: {mounted}");
    let tried = async {
        let store = SqliteStore::open(Options::new(folder.path().join("hub.db")))?;
        let given = given(&store);
        let key = given.pending("one").await?;
        let ballast = folder.path().join("ballast");
        let _full = std::fs::write(&ballast, vec![0; 4 << 20]);
        let mut commit = given.turn(key, "one", 0);
        commit.payloads = vec![(
            PayloadKind::Output,
            Some(Payload::text(&"x".repeat(300_000))),
        )];
        let kept = given.submit(turn(commit));
        let mut large = given.instance("large");
        large.started.input = Some(Payload::text(&"x".repeat(300_000)));
        let refused = given.write(Change::Create(Box::new(large))).await;
        ensure!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        std::fs::remove_file(&ballast)?;
        kept.await??;
        ensure!(given.load("one").await?.sequence == 1);
        store.close().await;
        Ok(())
    }
    .await;
    Command::new("umount").arg(folder.path()).status()?;
    tried
}
