//! Purging: one instance, with its children if asked for, or all ended ones that match.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;

use super::call::Lazy;
use super::{ClientError, DurableClient, PurgeFilter};
use crate::hub::{Engine, client_error};
use crate::model::HistoryEvent;
use crate::store::{InstanceRecord, Purge, Store};

/// A purge of one instance: how many were removed.
#[must_use = "nothing is purged unless it is awaited"]
pub struct PurgeInstance {
    client: DurableClient,
    state: Lazy<(String, bool), u64>,
}

impl PurgeInstance {
    pub(super) fn new(client: DurableClient, id: String) -> Self {
        Self {
            client,
            state: Lazy::Options(Some((id, false))),
        }
    }

    /// Its children too, and theirs. What has not ended stays, and so does everything below it.
    pub fn recursive(mut self) -> Self {
        self.state.alter(|request| request.1 = true);
        self
    }
}

impl Future for PurgeInstance {
    type Output = Result<u64, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client.clone();
        self.state.poll(cx, |(id, recursive)| {
            async move {
                let engine = client.engine().await?;
                if recursive {
                    tree(&engine, &id).await
                } else {
                    one(&engine, &id).await
                }
            }
            .boxed()
        })
    }
}

impl fmt::Debug for PurgeInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PurgeInstance")
    }
}

/// 0 if there is none of that id.
async fn one(engine: &Arc<Engine>, id: &str) -> Result<u64, ClientError> {
    let running = engine.settings.purge_running;
    let id = id.to_owned();
    match engine.purge(Purge::One { id, running }).await {
        Err(ClientError::NotFound(_)) => Ok(0),
        other => other,
    }
}

async fn tree(engine: &Arc<Engine>, root: &str) -> Result<u64, ClientError> {
    let doomed = purge_order(&*engine.store, root, engine.settings.purge_running).await?;
    let mut purged = 0;
    for id in doomed {
        match one(engine, &id).await {
            Ok(count) => purged += count,
            // It runs again since it was looked at.
            Err(ClientError::InvalidState { .. }) if *id != *root => {}
            Err(error) => return Err(error),
        }
    }
    Ok(purged)
}

/// The instance and all below it that may be purged. Children go before their parent: whoever is interrupted can purge the rest by the
/// same call.
///
/// # Errors
/// [`ClientError::InvalidState`] if the instance itself has not ended; a database that cannot be read.
#[doc(hidden)]
pub async fn purge_order(
    store: &dyn Store,
    root: &str,
    running: bool,
) -> Result<Vec<Arc<str>>, ClientError> {
    let mut doomed: Vec<Arc<str>> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left: Vec<(Arc<str>, Option<Arc<str>>)> = vec![(root.into(), None)];
    while let Some((id, parent)) = left.pop() {
        if !seen.insert(Arc::clone(&id)) {
            continue;
        }
        let loaded = store.load(&id).await.map_err(client_error)?;
        let Some(loaded) = loaded else { continue };
        if !may_go(running, &loaded.record, parent.as_deref())? {
            continue;
        }
        for event in loaded.history.into_iter().flatten() {
            if let HistoryEvent::SubOrchestrationInstanceCreated {
                instance_id,
                detached: false,
                ..
            } = event
            {
                left.push((instance_id, Some(Arc::clone(&id))));
            }
        }
        doomed.push(id);
    }
    doomed.reverse();
    Ok(doomed)
}

/// Whether an instance of the tree is to be purged; an error if it is the root and may not be.
fn may_go(
    running: bool,
    record: &InstanceRecord,
    parent: Option<&str>,
) -> Result<bool, ClientError> {
    let ended = running || record.status.is_terminal();
    match parent {
        None if !ended => Err(ClientError::InvalidState {
            id: record.id.to_string(),
            status: record.status,
        }),
        None => Ok(true),
        // An id may have been used again since by something that has nothing to do with this tree.
        Some(parent) => Ok(ended
            && record
                .parent
                .as_ref()
                .is_some_and(|own| &*own.instance_id == parent)),
    }
}

/// In small batches, so that no turn waits long for its commit.
pub(super) async fn matching(
    engine: &Arc<Engine>,
    filter: PurgeFilter,
) -> Result<u64, ClientError> {
    const BATCH: usize = 500;
    // Without an upper bound, a busy hub would be purged for ever.
    let created_to = filter
        .created_to
        .map_or_else(|| engine.now(), |to| to.into());
    let mut purged = 0;
    loop {
        let count = engine
            .purge(Purge::Matching {
                created_from: filter.created_from.map(Into::into),
                created_to: Some(created_to),
                statuses: filter.statuses.clone(),
                limit: BATCH,
            })
            .await?;
        purged += count;
        if usize::try_from(count).unwrap_or(0) < BATCH {
            return Ok(purged);
        }
    }
}
