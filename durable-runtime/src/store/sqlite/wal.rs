//! The write-ahead log is kept short by the writer itself, off the path of commits where that can be, and its file a little longer than it is.
//!
//! A flush of what lies within a file is faster, by a third for a small commit, than one that makes the file longer, whose size the file
//! system has to write down. Where the log ends SQLite is asked, since to ask the file system has its price as well: on recent Linux the
//! next write after it gives the file a new time, to be written down like a size.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::Durability;

/// Pages given back to the file system in one idle moment.
const VACUUM_PAGES: u32 = 1000;
/// Bytes of one page in the log.
const FRAME: u64 = 4096 + 24;
/// What a small change is taken to write until the log is looked at.
const CHANGE: u64 = 16 << 10;
/// After so much the log is looked at.
const LOOK: u64 = 256 << 10;
/// The room that the file is to have behind the log's end: what is written until the next look, and the next but one.
const ROOM: u64 = 2 * LOOK;
/// Commits that write more get no room in advance: to fill it costs as much as it saves.
const SMALL: u64 = 128 << 10;

/// When to copy the log into the database.
#[derive(Debug)]
pub(super) struct Wal {
    /// The log; `None` for a database in memory.
    path: Option<PathBuf>,
    limit: u64,
    /// Past this size it is restarted: the limit, or more if a reader was in the way last time.
    next: u64,
    /// Whether commits are flushed, so that room in advance is of use.
    flushed: bool,
    /// About how much was written since the last look, by how many commits.
    unseen: u64,
    commits: u64,
    /// Where the log ended at the last look.
    end: u64,
    /// The length of its file, as far as is known.
    file: u64,
    dirty: bool,
    busy_ms: u128,
}

impl Wal {
    pub(super) fn new(
        database: Option<&Path>,
        limit: u64,
        durability: Durability,
        busy_ms: u128,
    ) -> Self {
        let path = database.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        });
        Self {
            path,
            limit,
            next: limit,
            flushed: durability == Durability::Full,
            unseen: 0,
            commits: 0,
            end: 0,
            file: 0,
            dirty: false,
            busy_ms,
        }
    }

    /// Whether something was committed that an idle moment should copy.
    pub(super) const fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// A change of about so many bytes will be in one of the next commits.
    pub(super) const fn expect(&mut self, bytes: u64) {
        self.unseen += CHANGE + bytes;
    }

    /// After a commit: restarts the log if it has grown past its limit. A reader in the way is not waited for long; the log
    /// then grows by another eighth before the next attempt.
    pub(super) fn committed(&mut self, conn: &mut SqliteConnection) {
        if self.path.is_none() {
            return;
        }
        self.dirty = true;
        self.commits += 1;
        if self.unseen < LOOK {
            return;
        }
        let Some(end) = end(conn) else { return };
        // Less if it began anew.
        let written = end.saturating_sub(self.end);
        let is_small = written / self.commits <= SMALL;
        (self.unseen, self.commits, self.end) = (0, 0, end);
        if end <= self.limit {
            self.next = self.limit;
        }
        if end > self.next {
            // What was copied is overwritten if no reader needs it: the next look tells.
            self.dirty = !self.checkpoint(conn, "RESTART");
            self.next = end + self.limit / 8;
        } else if self.flushed && is_small {
            self.make_room();
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
        if self.path.is_some() && !self.checkpoint(conn, "TRUNCATE") {
            tracing::debug!("the write-ahead log was not emptied; the next start does it");
        }
    }

    /// Whether all was copied, and nobody kept the log from being begun anew.
    fn checkpoint(&self, conn: &mut SqliteConnection, mode: &str) -> bool {
        let brief = conn.batch_execute("PRAGMA busy_timeout = 50");
        // Diesel finalises the statement before the next one, so that the checkpoint is over.
        let answer = checkpoint(conn, mode);
        let restored = conn.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy_ms));
        if let Err(error) = brief.and(restored) {
            tracing::debug!(%error, "the busy time-out was not set");
        }
        answer.is_ok_and(|answer| answer.busy == 0)
    }

    /// Makes the file longer if the log is about to reach its end. To SQLite the zeros are what an earlier round may have left there: a log
    /// ends where the next frame does not bear its salt and its checksum.
    fn make_room(&mut self) {
        if self.end + LOOK <= self.file {
            return;
        }
        let Some(path) = &self.path else { return };
        match lengthen(path, self.end + ROOM) {
            Ok(file) => self.file = file,
            Err(error) => {
                tracing::debug!(%error, "the write-ahead log got no room in advance");
            }
        }
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
    /// Pages in the log.
    #[diesel(sql_type = diesel::sql_types::Integer)]
    log: i32,
}

fn checkpoint(conn: &mut SqliteConnection, mode: &str) -> QueryResult<Checkpoint> {
    diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(conn)
}

/// Where the log ends.
pub(super) fn end(conn: &mut SqliteConnection) -> Option<u64> {
    let pages = checkpoint(conn, "NOOP").ok()?.log;
    Some(u64::try_from(pages).ok()? * FRAME)
}

/// The file's length, which is at least the wanted one.
fn lengthen(path: &Path, wanted: u64) -> io::Result<u64> {
    let length = fs::metadata(path)?.len();
    let missing = wanted.saturating_sub(length);
    if missing == 0 {
        return Ok(length);
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    let zeros = vec![0; usize::try_from(missing).map_err(io::Error::other)?];
    if let Err(error) = file.write_all(&zeros) {
        // A full disk: what little there is is the log's.
        file.set_len(length)?;
        return Err(error);
    }
    Ok(wanted)
}
