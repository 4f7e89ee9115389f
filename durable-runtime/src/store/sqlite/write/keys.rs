//! Access keys, in the order in which they were last put.

use diesel::SqliteConnection;
use diesel::prelude::*;

use super::super::fault::Fault;
use super::super::schema::keys;
use crate::store::{KeyChange, KeyRecord, Receipt};

/// [`crate::store::Change::Keys`].
pub(super) fn apply(conn: &mut SqliteConnection, changes: &[KeyChange]) -> Result<Receipt, Fault> {
    let mut receipt = Receipt::default();
    for change in changes {
        let touched = match change {
            KeyChange::Put {
                key,
                only_if_absent,
            } => put(conn, key, *only_if_absent)?,
            KeyChange::Delete { scope, name } => delete(conn, scope, name)? > 0,
        };
        receipt.count += u64::from(touched);
    }
    Ok(receipt)
}

fn put(conn: &mut SqliteConnection, key: &KeyRecord, only_if_absent: bool) -> Result<bool, Fault> {
    let folded = key.name.to_lowercase();
    if only_if_absent {
        let same = keys::table
            .filter(keys::scope.eq(&key.scope))
            .filter(keys::folded.eq(&folded));
        if same
            .select(keys::position)
            .first::<i64>(conn)
            .optional()?
            .is_some()
        {
            return Ok(false);
        }
    } else {
        delete(conn, &key.scope, &key.name)?;
    }
    diesel::insert_into(keys::table)
        .values((
            keys::scope.eq(&key.scope),
            keys::folded.eq(folded),
            keys::name.eq(&key.name),
            keys::value.eq(&key.value),
        ))
        .execute(conn)?;
    Ok(true)
}

fn delete(conn: &mut SqliteConnection, scope: &str, name: &str) -> Result<usize, Fault> {
    let same = keys::table
        .filter(keys::scope.eq(scope))
        .filter(keys::folded.eq(name.to_lowercase()));
    Ok(diesel::delete(same).execute(conn)?)
}
