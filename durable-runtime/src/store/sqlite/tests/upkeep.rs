//! A hub is looked after while another process holds it.

use anyhow::{bail, ensure};

use crate::model::{ExecutionStarted, RuntimeStatus};
use crate::store::sqlite::{
    OpenError, Options, SqliteStore, backup, check, info, peek_history, read_holder, reset,
};
use crate::store::{Change, InstanceKey, NewInstance, Parts, Reuse, Store as _};

async fn with_one_instance(path: &std::path::Path) -> anyhow::Result<SqliteStore> {
    let store = SqliteStore::open(Options::new(path))?;
    let started = ExecutionStarted {
        name: "f".into(),
        version: String::new(),
        execution_id: "e".into(),
        parent: None,
        scheduled_start: None,
        generation: 0,
        tags: Default::default(),
        trace_parent: None,
        input: None,
    };
    let new = NewInstance {
        key: InstanceKey(store.ids().next()),
        id: "one".into(),
        started,
        created: chrono::Utc::now().into(),
        reuse: Reuse::NonRunning,
        on_refused: None,
    };
    let (done, stored) = tokio::sync::oneshot::channel();
    store.submit(
        Change::Create(Box::new(new)),
        Box::new(|result| drop(done.send(result))),
    );
    stored.await??;
    Ok(store)
}

#[tokio::test]
async fn a_copy_made_beside_the_holder_is_whole() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (path, copy) = (
        folder.path().join("hub.db"),
        folder.path().join("b/copy.db"),
    );
    let store = with_one_instance(&path).await?;
    backup(&path, &copy)?;
    ensure!(check(&path)?.is_empty() && check(&copy)?.is_empty());
    let told = info(&copy)?;
    ensure!(told.instances == [(RuntimeStatus::Pending, 1)] && told.entities == 0);
    ensure!(told.schema == info(&path)?.schema && told.bytes > 0);
    ensure!(peek_history(&copy, "one")? == Some(Vec::new()));
    ensure!(peek_history(&copy, "other")?.is_none());
    ensure!(backup(&path, &copy).is_err(), "an existing file stays");
    store.close().await;
    let copy = SqliteStore::open(Options::new(&copy))?;
    ensure!(copy.find("one", Parts::ALL).await?.is_some());
    copy.close().await;
    Ok(())
}

#[tokio::test]
async fn only_a_hub_that_nobody_holds_is_reset() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let store = with_one_instance(&path).await?;
    match reset(&path) {
        Err(OpenError::Held { .. }) => {}
        other => bail!("{other:?}"),
    }
    store.close().await;
    reset(&path)?;
    ensure!(!path.exists() && read_holder(&path)?.is_none());
    let store = SqliteStore::open(Options::new(&path))?;
    ensure!(store.find("one", Parts::ALL).await?.is_none());
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn damage_is_found() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    with_one_instance(&path).await?.close().await;
    super::opening::sql(
        &path,
        "PRAGMA foreign_keys = OFF; INSERT INTO history (iid, seq, events) VALUES (99, 0, '[]')",
    )?;
    let found = check(&path)?;
    ensure!(
        found.len() == 1 && found[0].contains("history"),
        "{found:?}"
    );
    Ok(())
}

#[test]
fn what_is_no_hub_is_left_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("other.db");
    ensure!(info(&path).is_err() && !path.exists());
    super::opening::sql(&path, "CREATE TABLE mine (a)")?;
    match check(&path) {
        Err(OpenError::Foreign { .. }) => Ok(()),
        other => bail!("{other:?}"),
    }
}
