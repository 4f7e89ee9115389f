//! Looking after a hub's file beside whoever holds it: what is in it, a copy of it, whether it is sound; and an end to it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::lock::Lock;
use super::open::{Durability, OpenError, Place};
use super::schema::instances;
use super::{file, open, query, rows};
use crate::model::{HistoryEvent, RuntimeStatus};

/// What is in a hub's file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubInfo {
    /// Bytes of the database and its log.
    pub bytes: u64,
    /// The newest migration that made it.
    pub schema: String,
    /// Orchestration instances by status; statuses without any are left out.
    pub instances: Vec<(RuntimeStatus, u64)>,
    /// Entities that exist.
    pub entities: u64,
}

/// What is in the hub at `path`, whoever holds it. Blocks.
///
/// # Errors
/// A file that is not there or is no hub, and what SQLite says.
pub fn info(path: &Path) -> Result<HubInfo, OpenError> {
    let (place, mut conn) = beside(path)?;
    let read = |conn: &mut SqliteConnection| -> QueryResult<_> {
        conn.transaction(|conn| {
            let is_entity = instances::id.like("@%");
            let entities: i64 = instances::table
                .filter(is_entity)
                .count()
                .get_result(conn)?;
            let by_status = instances::table
                .filter(diesel::dsl::not(is_entity))
                .group_by(instances::status)
                .order(instances::status)
                .select((instances::status, count_star()))
                .load::<(i32, i64)>(conn)?;
            let newest = "SELECT max(version) AS text FROM __diesel_schema_migrations";
            let schema: Line = diesel::sql_query(newest).get_result(conn)?;
            Ok((entities, by_status, schema.text))
        })
    };
    let (entities, by_status, schema) = read(&mut conn).map_err(|error| place.failed(error))?;
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    let mut instances = Vec::new();
    for (status, number) in by_status {
        let status = rows::status(0, status)
            .map_err(|fault| place.failed(crate::store::Error::from(fault)))?;
        instances.push((status, count(number)));
    }
    let size = |suffix: &str| fs::metadata(with(path, suffix)).map_or(0, |file| file.len());
    Ok(HubInfo {
        bytes: size("") + size("-wal"),
        schema,
        instances,
        entities: count(entities),
    })
}

/// Copies the hub at `path` into a new file, as the last commit left it, while whoever holds it goes on. Blocks.
///
/// # Errors
/// A target that exists; a source that is not there or is no hub; what SQLite and the file system say.
pub fn backup(path: &Path, to: &Path) -> Result<(), OpenError> {
    let (place, mut conn) = beside(path)?;
    let refused = |source| OpenError::Io {
        path: to.to_owned(),
        source,
    };
    // SQLite would take an empty file, and make one that anybody may read.
    file::create_new(to).map_err(refused)?;
    let name = to
        .to_str()
        .ok_or_else(|| place.failed("the target's path is not UTF-8"))?;
    let copied = diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(name)
        .execute(&mut conn)
        .map_err(|error| place.failed(error))
        .and_then(|_| {
            File::open(to)
                .and_then(|file| file.sync_all())
                .map_err(refused)
        });
    if copied.is_err() {
        // What is half written is no backup.
        let _ = fs::remove_file(to);
    }
    copied
}

/// Everything that SQLite finds wrong with the hub at `path`, whoever holds it; nothing if it is sound. Blocks for as long as it takes to read it.
///
/// # Errors
/// A file that is not there or is no hub, and what SQLite says.
pub fn check(path: &Path) -> Result<Vec<String>, OpenError> {
    let (place, mut conn) = beside(path)?;
    let told = "SELECT integrity_check AS text FROM pragma_integrity_check";
    let loose = "SELECT 'a row of ' || \"table\" || ' belongs to no row of ' || parent AS text FROM pragma_foreign_key_check";
    let mut found = Vec::new();
    for check in [told, loose] {
        let lines: Vec<Line> = diesel::sql_query(check)
            .load(&mut conn)
            .map_err(|error| place.failed(error))?;
        found.extend(lines.into_iter().map(|line| line.text));
    }
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Removes the hub at `path` with all that is in it, keys included. Nobody may hold it. Blocks.
///
/// # Errors
/// [`OpenError::Held`] if a process has it; what the file system says.
pub fn reset(path: &Path) -> Result<(), OpenError> {
    let path = file::resolved(&open::prepare(path)?);
    let lock = Lock::take(&path, chrono::Utc::now().into())?;
    // The log first: alone it means nothing, but beside a new database it might be taken for its own.
    for suffix in ["-wal", "-shm", ""] {
        let file = with(&path, suffix);
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::Io { path: file, source });
            }
            _ => {}
        }
    }
    lock.release();
    Ok(())
}

/// The recorded turns of one instance of the hub at `path`, whoever holds it; `None` if there is none of that id. Blocks.
///
/// # Errors
/// A file that is not there or is no hub, and what SQLite says.
pub fn peek_history(path: &Path, id: &str) -> Result<Option<Vec<Vec<HistoryEvent>>>, OpenError> {
    let (place, mut conn) = beside(path)?;
    let loaded = query::load(&mut conn, id);
    let loaded = loaded.map_err(|fault| place.failed(crate::store::Error::from(fault)))?;
    Ok(loaded.map(|loaded| loaded.history))
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// A connection beside the one that owns the hub.
fn beside(path: &Path) -> Result<(Place, SqliteConnection), OpenError> {
    // SQLite would make the file.
    path.metadata().map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let place = Place {
        path: Some(path.to_owned()),
        busy_timeout: Duration::from_secs(2),
        durability: Durability::Full,
    };
    let mut conn = place.connect()?;
    let application = diesel::select(sql::<diesel::sql_types::Integer>(
        "(SELECT application_id FROM pragma_application_id)",
    ))
    .get_result::<i32>(&mut conn)
    .map_err(|error| place.failed(error))?;
    if application != open::APPLICATION {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    Ok((place, conn))
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
