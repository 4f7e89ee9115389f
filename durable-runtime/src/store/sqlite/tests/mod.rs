//! What is true of SQLite alone, after what is true of every store.

mod disk;
mod grouping;
mod opening;
mod peeking;
mod plans;
mod programs;
mod restart;
mod upkeep;
mod visits;

mod contract_in_file {
    crate::store::contract::suite!(super::in_file());
}

mod contract_in_memory {
    crate::store::contract::suite!(super::in_memory());
}

use tempfile::TempDir;

use super::{Options, SqliteStore};

fn in_file() -> anyhow::Result<(SqliteStore, TempDir)> {
    let folder = tempfile::tempdir()?;
    Ok((
        SqliteStore::open(Options::new(folder.path().join("new/hub.db")))?,
        folder,
    ))
}

fn in_memory() -> anyhow::Result<(SqliteStore, ())> {
    Ok((SqliteStore::in_memory()?, ()))
}
