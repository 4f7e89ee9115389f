//! Opening: the folder, the lock, the connections and their settings, the migrations.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::lock::Holder;
use super::schema::{inbox, instances, meta};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// `DuFn`: how we know our own files.
pub(super) const APPLICATION: i32 = 0x4475_466e;
const IDS: &str = "ids";

/// What a commit has to survive. SQLite's `synchronous`, in write-ahead mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Whatever happens: each commit is on the disk before anybody hears of it.
    #[default]
    Full,
    /// The death of the process, but not of the machine: a power failure may undo the last commits, back to some moment after which
    /// nothing is left. What remains is whole: no commit is ever there in part, and the file is never corrupt.
    Relaxed,
}

impl Durability {
    /// What `PRAGMA synchronous` is set to.
    const fn synchronous(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Relaxed => "NORMAL",
        }
    }
}

/// How a SQLite store is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The database file; its folder is made if it is not there.
    pub path: PathBuf,
    /// Reader threads, each with its own connection.
    pub readers: usize,
    /// Past so many bytes the write-ahead log is restarted between two groups.
    pub wal_limit: u64,
    /// How long to wait for another program that writes to the file.
    pub busy_timeout: Duration,
    /// Changes in one transaction, at most.
    pub group: usize,
    /// What a commit has to survive.
    pub durability: Durability,
}

impl Options {
    /// The defaults: 2 readers, 64 MB of log, 2 s, 2,000 changes, full durability.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 2,
            wal_limit: 64 << 20,
            busy_timeout: Duration::from_secs(2),
            group: 2000,
            durability: Durability::Full,
        }
    }
}

/// Why a hub's database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("the hub's database `{}` is in use{}\nhelp: end that process, or open another file", path.display(), describe(holder.as_ref()))]
    Held {
        /// The database.
        path: PathBuf,
        /// Who has it, if it said so.
        holder: Option<Holder>,
    },
    /// A newer release wrote it.
    #[error("the hub's database `{}` has schema {found}, this program knows schemas up to {known}\nhelp: run a newer release of the program, or open another file", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// The newest schema that is known here.
        known: String,
    },
    /// It belongs to something else.
    #[error("`{}` is a SQLite database of another program, expected a task hub or no file\nhelp: open another file", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// It has several names, each of which would have a lock and a log of its own.
    #[error("the hub's database `{}` has {names} names (hard links), expected one: two hosts could open it and damage it\nhelp: remove the other names, or open a copy made by `hub backup`", path.display())]
    Linked {
        /// The database.
        path: PathBuf,
        /// How many.
        names: u64,
    },
    /// The file system says no.
    #[error("the hub's file `{}` cannot be opened: {source}\nhelp: look at the folder's rights and at the space on its disk", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// SQLite says no.
    #[error("the hub's database `{}` cannot be opened: {message}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What it says.
        message: String,
    },
}

fn describe(holder: Option<&Holder>) -> String {
    let Some(Holder { pid, started, url }) = holder else {
        return " by another process".to_owned();
    };
    let url = url
        .as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default();
    format!(
        " by process {pid}{url} since {}",
        started.to_utc().format("%Y-%m-%d %H:%M:%S UTC")
    )
}

/// Where a store's database is: what is needed to connect once more.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// `None`: in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) busy_timeout: Duration,
    pub(super) durability: Durability,
}

impl Place {
    /// Of a file, its path in full.
    pub(super) fn of(options: &Options, path: PathBuf) -> Self {
        Self {
            path: Some(path),
            busy_timeout: options.busy_timeout,
            durability: options.durability,
        }
    }

    /// The connection that writes, its schema up to date.
    pub(super) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        let mut conn = self.connect()?;
        self.claim(&mut conn)?;
        self.tell(
            &mut conn,
            &format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON; \
                 PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY",
                self.durability.synchronous()
            ),
        )?;
        self.migrate(&mut conn)?;
        Ok(conn)
    }

    /// A connection that reads and cannot write.
    pub(super) fn reader(&self) -> Result<SqliteConnection, OpenError> {
        let mut conn = self.connect()?;
        self.tell(
            &mut conn,
            "PRAGMA query_only = ON; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY",
        )?;
        Ok(conn)
    }

    pub(super) fn connect(&self) -> Result<SqliteConnection, OpenError> {
        let url = match &self.path {
            Some(path) => path
                .to_str()
                .ok_or_else(|| self.failed("the path is not UTF-8"))?,
            None => ":memory:",
        };
        let mut conn = SqliteConnection::establish(url).map_err(|error| self.failed(error))?;
        self.tell(
            &mut conn,
            &format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()),
        )?;
        Ok(conn)
    }

    /// Checks whose file it is, before anything is changed in it, and makes an empty one ours.
    fn claim(&self, conn: &mut SqliteConnection) -> Result<(), OpenError> {
        #[derive(QueryableByName)]
        struct Ours {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            application: i32,
            #[diesel(sql_type = diesel::sql_types::Integer)]
            tables: i32,
        }
        let whose = "SELECT application_id AS application, (SELECT count(*) FROM sqlite_master) AS tables FROM pragma_application_id";
        let ours: Ours = diesel::sql_query(whose)
            .get_result(conn)
            .map_err(|error| self.failed(error))?;
        if ours.application == APPLICATION {
            return Ok(());
        }
        if ours.application != 0 || ours.tables != 0 {
            return Err(OpenError::Foreign { path: self.shown() });
        }
        // Both must be there before the first table: the first cannot be changed later without a rewrite of the file.
        self.tell(
            conn,
            &format!("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {APPLICATION}"),
        )
    }

    fn migrate(&self, conn: &mut SqliteConnection) -> Result<(), OpenError> {
        let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)
            .map_err(|error| self.failed(error))?;
        let known: Vec<String> = known
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect();
        let applied = conn
            .applied_migrations()
            .map_err(|error| self.failed(error))?;
        let unknown = applied
            .iter()
            .map(ToString::to_string)
            .find(|version| !known.contains(version));
        if let Some(found) = unknown {
            let known = known.into_iter().max().unwrap_or_default();
            return Err(OpenError::Newer {
                path: self.shown(),
                found,
                known,
            });
        }
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn tell(&self, conn: &mut SqliteConnection, pragmas: &str) -> Result<(), OpenError> {
        conn.batch_execute(pragmas)
            .map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, error: impl std::fmt::Display) -> OpenError {
        OpenError::Database {
            path: self.shown(),
            message: error.to_string(),
        }
    }

    fn shown(&self) -> PathBuf {
        self.path
            .clone()
            .unwrap_or_else(|| PathBuf::from(":memory:"))
    }
}

/// The path in full, its folder made.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let path = std::path::absolute(path).map_err(failed)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Io {
            path: folder.to_owned(),
            source,
        })?;
    }
    Ok(path)
}

/// The first id that was never used, nor will have been if what is unwritten is lost.
pub(super) fn first_id(conn: &mut SqliteConnection) -> QueryResult<i64> {
    let kept: Option<i64> = meta::table
        .find(IDS)
        .select(meta::value)
        .first(conn)
        .optional()?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    // Only before the first commit, when there is nothing to read: `max` would walk through the whole inbox, which has no index by id.
    let instance: Option<i64> = instances::table
        .select(diesel::dsl::max(instances::iid))
        .first(conn)?;
    let message: Option<i64> = inbox::table
        .select(diesel::dsl::max(inbox::id))
        .first(conn)?;
    Ok(instance.max(message).map_or(1, |id| id + 1))
}

/// Keeps in mind that ids below `ceiling` may have been used, even when their rows are gone.
pub(super) fn keep_ids(conn: &mut SqliteConnection, ceiling: i64) -> QueryResult<()> {
    diesel::replace_into(meta::table)
        .values((meta::name.eq(IDS), meta::value.eq(ceiling)))
        .execute(conn)
        .map(drop)
}
