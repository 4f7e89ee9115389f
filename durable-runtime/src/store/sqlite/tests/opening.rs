//! What is opened, and what is refused.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};

use super::super::open::Place;
use super::super::{Durability, OpenError, Options, SqliteStore, read_holder};
use crate::store::Store;

pub(super) fn sql(path: &std::path::Path, sql: &str) -> anyhow::Result<()> {
    let url = path.to_str().context("path")?;
    Ok(SqliteConnection::establish(url)?.batch_execute(sql)?)
}

#[tokio::test]
async fn a_second_one_is_told_who_holds_the_hub() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    ensure!(read_holder(&path)?.is_none());
    let store = SqliteStore::open(Options::new(&path))?;
    store.announce("http://127.0.0.1:7071")?;
    let Err(OpenError::Held {
        holder: Some(holder),
        ..
    }) = SqliteStore::open(Options::new(&path))
    else {
        bail!("opened twice")
    };
    ensure!(
        holder.pid == std::process::id() && holder.url.as_deref() == Some("http://127.0.0.1:7071")
    );
    ensure!(read_holder(&path)? == Some(holder));
    let text = SqliteStore::open(Options::new(&path))
        .err()
        .context("opened twice")?
        .to_string();
    ensure!(
        text.contains(&format!("process {}", std::process::id()))
            && text.contains("http://127.0.0.1:7071 since 2"),
        "{text}"
    );
    store.close().await;
    ensure!(read_holder(&path)?.is_none());
    SqliteStore::open(Options::new(&path))?.close().await;
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn another_name_of_the_file_is_the_same_hub() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (path, link) = (
        folder.path().join("hub.db"),
        folder.path().join("other/link.db"),
    );
    std::fs::create_dir(folder.path().join("other"))?;
    // It points at nothing yet: what is opened by it is made where it points.
    std::os::unix::fs::symlink(&path, &link)?;
    for (first, second) in [(&link, &path), (&path, &link)] {
        let store = SqliteStore::open(Options::new(first))?;
        let again = SqliteStore::open(Options::new(second));
        ensure!(matches!(again, Err(OpenError::Held { .. })), "{again:?}");
        ensure!(read_holder(second)?.is_some());
        store.close().await;
        ensure!(read_holder(second)?.is_none());
    }

    let hard = folder.path().join("hard.db");
    std::fs::hard_link(&path, &hard)?;
    for name in [&path, &hard, &link] {
        let refused = SqliteStore::open(Options::new(name));
        let text = refused.err().context("opened")?.to_string();
        ensure!(
            text.contains("has 2 names") && text.contains("help:"),
            "{text}"
        );
    }
    std::fs::remove_file(&hard)?;
    SqliteStore::open(Options::new(&link))?.close().await;
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn the_hub_s_files_are_their_owner_s_alone() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(Options::new(folder.path().join("hub.db")))?;
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path())? {
        let file = file?;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "{:?} has {mode:o}", file.path());
        names.push(file.file_name().into_string().unwrap_or_default());
    }
    names.sort();
    ensure!(
        names == ["hub.db", "hub.db-shm", "hub.db-wal", "hub.db.lock"],
        "{names:?}"
    );
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn a_newer_schema_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    SqliteStore::open(Options::new(&path))?.close().await;
    sql(
        &path,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')",
    )?;
    match SqliteStore::open(Options::new(&path)) {
        Err(OpenError::Newer { found, known, .. }) => {
            ensure!(found == "99990101000000" && known < found)
        }
        other => bail!("{other:?}"),
    }
    ensure!(
        read_holder(&path)?.is_none(),
        "a refused open must let go of the lock"
    );
    Ok(())
}

#[test]
fn files_of_others_are_left_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let other = folder.path().join("other.db");
    sql(&other, "CREATE TABLE mine (a)")?;
    let before = std::fs::read(&other)?;
    ensure!(matches!(
        SqliteStore::open(Options::new(&other)),
        Err(OpenError::Foreign { .. })
    ));
    ensure!(std::fs::read(&other)? == before);
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "no database at all, only some text that is long enough to be looked at".repeat(20),
    )?;
    ensure!(matches!(
        SqliteStore::open(Options::new(&text)),
        Err(OpenError::Database { .. })
    ));
    let blocked = text.join("hub.db");
    ensure!(matches!(
        SqliteStore::open(Options::new(blocked)),
        Err(OpenError::Io { .. })
    ));
    Ok(())
}

#[test]
fn the_file_is_set_up_for_durability() -> anyhow::Result<()> {
    use diesel::prelude::*;

    #[derive(QueryableByName, Debug, PartialEq)]
    struct Settings {
        #[diesel(sql_type = diesel::sql_types::Text)]
        journal_mode: String,
        #[diesel(sql_type = diesel::sql_types::Integer)]
        synchronous: i32,
        #[diesel(sql_type = diesel::sql_types::Integer)]
        auto_vacuum: i32,
        #[diesel(sql_type = diesel::sql_types::Integer)]
        foreign_keys: i32,
    }
    let folder = tempfile::tempdir()?;
    let place = Place {
        path: Some(folder.path().join("hub.db")),
        busy_timeout: Duration::ZERO,
        durability: Durability::Full,
    };
    let mut conn = place.writer()?;
    let query = "SELECT journal_mode, synchronous, auto_vacuum, foreign_keys \
                 FROM pragma_journal_mode, pragma_synchronous, pragma_auto_vacuum, pragma_foreign_keys";
    let found: Settings = diesel::sql_query(query).get_result(&mut conn)?;
    ensure!(
        found
            == Settings {
                journal_mode: "wal".to_owned(),
                synchronous: 2,
                auto_vacuum: 2,
                foreign_keys: 1
            },
        "{found:?}"
    );
    let mut reader = place.reader()?;
    ensure!(
        reader.batch_execute("DELETE FROM meta").is_err(),
        "a reader must not write"
    );
    Ok(())
}

/// `PRAGMA synchronous`: 1 is NORMAL, 2 is FULL.
#[test]
fn commits_are_flushed_unless_the_options_say_otherwise() -> anyhow::Result<()> {
    #[derive(diesel::QueryableByName)]
    struct Is {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        synchronous: i32,
    }
    let folder = tempfile::tempdir()?;
    let mut options = Options::new(folder.path().join("hub.db"));
    ensure!(options.durability == Durability::Full);
    for (durability, expected) in [(Durability::Full, 2), (Durability::Relaxed, 1)] {
        options.durability = durability;
        let mut conn = Place::of(&options, options.path.clone()).writer()?;
        let found: Is = diesel::sql_query("PRAGMA synchronous").get_result(&mut conn)?;
        ensure!(
            found.synchronous == expected,
            "{durability:?}: {}",
            found.synchronous
        );
    }
    Ok(())
}
