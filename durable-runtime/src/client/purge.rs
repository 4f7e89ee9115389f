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
use crate::store::{Parts, Purge, Store, is_entity};

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

    /// Its children too, of all its generations, and theirs. What has not ended stays, and so does everything below it.
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
    let mut left: Vec<Arc<str>> = vec![root.into()];
    while let Some(id) = left.pop() {
        if !seen.insert(Arc::clone(&id)) {
            continue;
        }
        let parts = Parts {
            input: false,
            result: false,
        };
        let found = store.find(&id, parts).await.map_err(client_error)?;
        let Some(record) = found else { continue };
        if is_entity(&id) {
            // What it started answers to nobody. Whether it may go is decided where nothing comes in between.
            doomed.push(id);
            continue;
        }
        if !running && !record.status.is_terminal() {
            if *id == *root {
                let (id, status) = (root.to_owned(), record.status);
                return Err(ClientError::InvalidState { id, status });
            }
            continue;
        }
        let children = store.children(record.key, &id).await;
        let children = children.map_err(client_error)?;
        left.extend(children.into_iter().map(|child| child.id));
        doomed.push(id);
    }
    doomed.reverse();
    Ok(doomed)
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
