//! One group of changes in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

use super::fault::Fault;
use super::{open, write};
use crate::store::{self, Change, Error, NewInstance, OutboxRecord, Receipt};

/// Ids are kept in blocks, so that the mark costs one row in ten thousand.
const BLOCK: i64 = 10_000;

/// Where ids come from, and below what every stored one lies; see [`open::keep_ids`].
#[derive(Debug)]
pub(super) struct Ids {
    source: Arc<store::Ids>,
    ceiling: i64,
}

impl Ids {
    pub(super) const fn new(source: Arc<store::Ids>, ceiling: i64) -> Self {
        Self { source, ceiling }
    }
}

/// Nothing of the group was written.
pub(super) struct Failure {
    /// The change at which it failed, counted in the group; half of it if the commit itself failed.
    pub(super) at: usize,
    pub(super) fault: Fault,
}

/// Commits the changes, in order, in one transaction: all that are not refused, or none.
pub(super) fn commit<'a>(
    conn: &mut SqliteConnection,
    ids: &mut Ids,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<Vec<Result<Receipt, Error>>, Failure> {
    let mut at = 0;
    let mut cause = None;
    let mut ceiling = ids.ceiling;
    let work = || {
        conn.immediate_transaction(|conn| {
            let mut results = Vec::new();
            for change in changes {
                at = results.len();
                ceiling = ceiling.max(write::highest_id(change) + 1);
                match write::apply(conn, &ids.source, change) {
                    Ok(receipt) => {
                        let own = receipt.released.iter().map(|message| message.id).max();
                        ceiling = ceiling.max(own.map_or(0, |id| id + 1));
                        results.push(Ok(receipt));
                    }
                    Err(Fault::Refused(error)) => results.push(Err(error)),
                    Err(fault) => {
                        // Kept aside: SQLite may have rolled back by itself, and then diesel's own roll-back hides the cause.
                        cause = Some(fault);
                        return Err(diesel::result::Error::RollbackTransaction);
                    }
                }
            }
            at = results.len() / 2;
            if ceiling > ids.ceiling {
                ceiling += BLOCK;
                open::keep_ids(conn, ceiling)?;
            }
            Ok(results)
        })
    };
    let outcome = catch_unwind(AssertUnwindSafe(work));
    match outcome {
        Ok(Ok(results)) => {
            ids.ceiling = ceiling;
            Ok(results)
        }
        Ok(Err(error)) => Err(Failure {
            at,
            fault: cause.unwrap_or_else(|| error.into()),
        }),
        Err(panic) => {
            let _ = AnsiTransactionManager::rollback_transaction(conn);
            Err(Failure {
                at,
                fault: Fault::panicked(panic.as_ref()),
            })
        }
    }
}

/// About how many bytes the change writes.
pub(super) fn weight(change: &Change) -> usize {
    let start = |new: &NewInstance| {
        300 + new
            .started
            .input
            .as_ref()
            .map_or(0, |input| input.as_str().len())
    };
    let outbox = |records: &[OutboxRecord]| {
        let texts = records.iter().map(|record| record.event.reason.len());
        300 * records.len() + texts.sum::<usize>()
    };
    match change {
        Change::Turn(turn) => {
            let payloads = turn
                .payloads
                .iter()
                .flat_map(|(_, payload)| payload)
                .map(|payload| payload.as_str().len());
            let starts = turn.starts.iter().chain(turn.create.as_deref()).map(start);
            200 + turn.events.as_ref().map_or(0, String::len)
                + payloads.chain(starts).sum::<usize>()
                + 300 * turn.messages.len()
                + outbox(&turn.outbox)
        }
        Change::Create(new) => start(new),
        Change::Message { .. } => 300,
        Change::Redeliver { tasks, .. } | Change::Return { tasks, .. } => 50 * tasks.len(),
        Change::Rewind(all) => {
            let events = |one: &crate::store::Rewind| 300 * one.messages.len();
            let starts = |one: &crate::store::Rewind| one.starts.iter().map(start).sum::<usize>();
            all.iter().map(|one| 500 + events(one) + starts(one)).sum()
        }
        Change::Purge(_) => 100_000,
        Change::Keys(keys) => 300 * keys.len(),
        Change::Timer(_) => 200,
        Change::Sent(ids) => 50 * ids.len(),
    }
}
