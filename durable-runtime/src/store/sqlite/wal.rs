//! The write-ahead log is kept short by the writer itself, off the path of commits where that can be.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// Pages given back to the file system in one idle moment.
const VACUUM_PAGES: u32 = 1000;

/// When to copy the log into the database.
#[derive(Debug)]
pub(super) struct Wal {
    /// The log; `None` for a database in memory.
    path: Option<PathBuf>,
    limit: u64,
    /// Past this size it is restarted: the limit, or more if a reader was in the way last time.
    next: u64,
    dirty: bool,
    busy_ms: u128,
}

impl Wal {
    pub(super) fn new(database: Option<&Path>, limit: u64, busy_ms: u128) -> Self {
        let path = database.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        });
        Self {
            path,
            limit,
            next: limit,
            dirty: false,
            busy_ms,
        }
    }

    /// Whether something was committed that an idle moment should copy.
    pub(super) const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// After a commit: restarts the log if it has grown past its limit. A reader in the way is not waited for long; the log
    /// then grows by another eighth before the next attempt.
    pub(super) fn committed(&mut self, conn: &mut SqliteConnection) {
        let Some(path) = &self.path else { return };
        self.dirty = true;
        let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
        if size <= self.next {
            return;
        }
        if self.truncate(conn) {
            self.next = self.limit;
            self.dirty = false;
        } else {
            self.next = size + self.limit / 8;
        }
    }

    /// Nothing to do for a moment: copies what can be copied without waiting, and gives free pages back.
    pub(super) fn idle(&mut self, conn: &mut SqliteConnection) {
        self.dirty = false;
        let work =
            format!("PRAGMA wal_checkpoint(PASSIVE); PRAGMA incremental_vacuum({VACUUM_PAGES})");
        if let Err(error) = conn.batch_execute(&work) {
            tracing::debug!(%error, "the write-ahead log was not copied; the next idle moment tries again");
        }
    }

    /// At the end: leaves an empty log.
    pub(super) fn finish(&self, conn: &mut SqliteConnection) {
        if self.path.is_some() && !self.truncate(conn) {
            tracing::debug!("the write-ahead log was not emptied; the next start does it");
        }
    }

    fn truncate(&self, conn: &mut SqliteConnection) -> bool {
        #[derive(QueryableByName)]
        struct Answer {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            busy: i32,
        }
        // Diesel finalises the statement before the next one, so that the checkpoint is over.
        let brief = conn.batch_execute("PRAGMA busy_timeout = 50");
        let answer =
            diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Answer>(conn);
        let restored = conn.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy_ms));
        if let Err(error) = brief.and(restored) {
            tracing::debug!(%error, "the busy time-out was not set");
        }
        answer.is_ok_and(|answer| answer.busy == 0)
    }
}
