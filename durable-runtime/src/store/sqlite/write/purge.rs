//! Ended instances go, with all that is theirs.

use diesel::SqliteConnection;

use super::super::fault::Fault;
use super::super::list;
use super::release::Released;
use super::{entity, instance};
use crate::store::{Error, Purge, Receipt, is_entity};

/// [`crate::store::Change::Purge`].
pub(super) fn purge(
    conn: &mut SqliteConnection,
    which: &Purge,
    released: &mut Released<'_>,
) -> Result<Receipt, Fault> {
    let doomed = match which {
        Purge::EmptyEntity { id } => return entity::clean(conn, id),
        Purge::One { id, running } => vec![one(conn, id, *running, released)?],
        Purge::Expired {
            status,
            ended_to,
            limit,
        } => list::expired(conn, *status, *ended_to, *limit)?,
        Purge::Matching {
            created_from,
            created_to,
            statuses,
            limit,
        } => list::ended(conn, *created_from, *created_to, statuses, *limit)?,
    };
    for iid in &doomed {
        instance::remove(conn, *iid)?;
    }
    Ok(Receipt {
        count: doomed.len() as u64,
        ..Receipt::default()
    })
}

fn one(
    conn: &mut SqliteConnection,
    id: &str,
    running: bool,
    released: &mut Released<'_>,
) -> Result<i64, Fault> {
    let found =
        instance::find(conn, id)?.ok_or_else(|| Fault::Refused(Error::NotFound(id.to_owned())))?;
    let may_go = if is_entity(id) {
        !entity::is_busy(conn, found.iid)?
    } else {
        running || found.status.is_terminal()
    };
    if !may_go {
        return Err(Fault::Refused(Error::InvalidState {
            id: id.to_owned(),
            status: found.status,
        }));
    }
    if !found.status.is_terminal() {
        released.let_go(conn, found.iid)?;
    }
    Ok(found.iid)
}
