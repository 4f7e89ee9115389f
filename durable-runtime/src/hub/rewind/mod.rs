//! Rewinding: a failed instance goes back to before its failure, with its failed children, in one change of the store (spec 1.15).

mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::oneshot;

use self::plan::{ChildCall, Plan, plan};
use super::fresh_id::fresh_id;
use super::outbox::Watched;
use super::resident::{refusal_of_child, to_entity};
use super::{Engine, commit, turns};
use crate::client::ClientError;
use crate::model::{
    ExecutionStarted, HistoryEvent, LifecycleStep, Parent, Payload, RuntimeStatus, Timestamp,
};
use crate::store::{
    Change, Done, Error, InstanceKey, InstanceRecord, LoadedInstance, NewInstance, NewMessage,
    Parts, Receipt, Reuse, Rewind, Store, is_entity,
};

/// How often a tree that changes under its rewinding is looked at anew.
const ATTEMPTS: usize = 5;

/// An instance to be rewound, and the parent's execution that asks for it.
type Wanted = (Arc<str>, Option<Arc<str>>);

impl Engine {
    /// Rewinds a failed instance: durable when this returns, going on soon after.
    pub(crate) async fn rewind(
        self: &Arc<Self>,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), ClientError> {
        self.check_open()?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let planner = Planner {
                store: &*self.store,
                now: self.clock.now(),
                watched: Watched(self.settings.notifications.as_ref()),
            };
            let Some(tree) = planner.plan_tree(id, reason.as_deref()).await? else {
                continue;
            };
            match self.submit_rewind(tree).await {
                Ok(()) => return Ok(()),
                // A child moved on since it was looked at.
                Err(Error::Conflict(other)) => last = Some(other),
                Err(Error::InvalidState { id: other, .. } | Error::NotFound(other))
                    if other != id =>
                {
                    last = Some(other);
                }
                Err(error) => return Err(super::requests::client_error(error)),
            }
        }
        let other = last.unwrap_or_else(|| id.to_owned());
        Err(ClientError::Unavailable(format!(
            "`{id}` could not be rewound: `{other}` kept changing meanwhile; try again"
        )))
    }

    async fn submit_rewind(self: &Arc<Self>, tree: Vec<Rewind>) -> Result<(), Error> {
        let (sender, answer) = oneshot::channel();
        let ids: Vec<Arc<str>> = tree.iter().map(|one| Arc::clone(&one.id)).collect();
        let all = tree.iter().flat_map(|one| &one.starts);
        let starts: Vec<(Arc<str>, Option<NewMessage>)> = all
            .map(|new| (Arc::clone(&new.id), new.on_refused.clone()))
            .collect();
        let messages = tree.iter().flat_map(|one| &one.messages);
        let to_entities: Vec<NewMessage> = messages
            .filter(|message| is_entity(&message.to))
            .cloned()
            .collect();
        let told = tree.iter().any(|one| !one.outbox.is_empty());
        let engine = Arc::clone(self);
        // By the store, so that nobody is told of what follows there before this is known.
        let done: Done = Box::new(move |result| {
            if let Ok(receipt) = &result {
                engine.rewound(&ids, starts, receipt);
                for message in to_entities {
                    commit::deliver(&engine, message);
                }
                if told {
                    engine.outbox.wake();
                }
            }
            let _ = sender.send(result.map(|_| ()));
        });
        self.submit_change(Change::Rewind(tree), done);
        let stopped =
            |_| Error::Unavailable("the host stopped before the change was stored".to_owned());
        answer.await.map_err(stopped)?
    }

    fn rewound(
        &self,
        ids: &[Arc<str>],
        starts: Vec<(Arc<str>, Option<NewMessage>)>,
        receipt: &Receipt,
    ) {
        for id in ids {
            self.renew_cell(id);
        }
        for (index, (id, on_refused)) in starts.into_iter().enumerate() {
            match on_refused.filter(|_| receipt.refused.contains(&index)) {
                Some(message) => commit::deliver(self, message),
                None => self.renew_cell(&id),
            }
        }
    }
}

/// The rewinding of the instance and of every failed one below it; `None` if one of them changed under it.
///
/// # Errors
/// [`ClientError::NotFound`], and [`ClientError::InvalidState`] of an instance that has not failed.
#[doc(hidden)]
pub async fn plan_rewind(
    store: &dyn Store,
    root: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Option<Vec<Rewind>>, ClientError> {
    let planner = Planner {
        store,
        now,
        watched: Watched(None),
    };
    planner.plan_tree(root, reason).await
}

/// Plans the rewinding of each instance of a tree.
struct Planner<'a> {
    store: &'a dyn Store,
    now: Timestamp,
    watched: Watched<'a>,
}

impl Planner<'_> {
    async fn plan_tree(
        &self,
        root: &str,
        reason: Option<&str>,
    ) -> Result<Option<Vec<Rewind>>, ClientError> {
        let mut tree = Vec::new();
        let mut seen = BTreeSet::new();
        let mut left: Vec<Wanted> = vec![(root.into(), None)];
        while let Some((id, parent)) = left.pop() {
            if !seen.insert(Arc::clone(&id)) {
                continue;
            }
            let loaded = self
                .store
                .load(&id)
                .await
                .map_err(super::requests::client_error)?;
            match loaded {
                Some(loaded) if loaded.record.status == RuntimeStatus::Failed => {
                    let rewind = self.plan_one(&loaded, reason, parent, &mut left).await?;
                    tree.push(rewind);
                }
                Some(loaded) if tree.is_empty() => {
                    let status = loaded.record.status;
                    let id = root.to_owned();
                    return Err(ClientError::InvalidState { id, status });
                }
                None if tree.is_empty() => return Err(ClientError::NotFound(root.to_owned())),
                _ => return Ok(None),
            }
        }
        Ok(Some(tree))
    }

    async fn plan_one(
        &self,
        loaded: &LoadedInstance,
        reason: Option<&str>,
        parent_execution_id: Option<Arc<str>>,
        left: &mut Vec<Wanted>,
    ) -> Result<Rewind, ClientError> {
        let record = &loaded.record;
        let Plan {
            keep,
            mut again,
            children,
            entity_calls,
        } = plan(&loaded.history, record.failure.as_deref());
        let now = self.now;
        let execution_id = fresh_id(now);
        // What children answer to: it outlives rewindings, so that those that still run find their parent.
        let generation = turns::started_of(loaded).execution_id;
        let mut starts = Vec::new();
        for call in children {
            let found = self.find(&call.instance_id).await?;
            let own = found.filter(|child| {
                child.parent.as_ref().is_some_and(|parent| {
                    parent.instance_id == record.id && parent.task_id == call.id
                })
            });
            match own {
                Some(child) if !child.status.is_terminal() => {}
                Some(child) if child.status == RuntimeStatus::Failed => {
                    left.push((call.instance_id, Some(Arc::clone(&execution_id))));
                }
                Some(child) if child.status == RuntimeStatus::Completed => {
                    again.push(HistoryEvent::SubOrchestrationInstanceCompleted {
                        id: call.id,
                        result: child.output.clone().unwrap_or_else(Payload::null),
                    });
                }
                _ => starts.push(self.new_child(loaded, &generation, call)),
            }
        }
        again.insert(
            0,
            HistoryEvent::ExecutionRewound {
                reason: reason.map(str::to_owned),
                execution_id: Arc::clone(&record.execution_id),
                parent_execution_id,
            },
        );
        let own = again
            .into_iter()
            .map(|event| (Arc::clone(&record.id), event));
        let from = (&record.id, &execution_id);
        let calls = entity_calls.iter().filter_map(|call| {
            let (entity, message) = to_entity(from, call)?;
            Some((entity, HistoryEvent::Entity(Box::new(message))))
        });
        let messages: Vec<NewMessage> = own
            .chain(calls)
            .map(|(to, event)| NewMessage {
                id: self.store.ids().next(),
                to,
                execution_id: None,
                event,
                created: now,
            })
            .collect();
        // From the beginning it starts again by itself.
        let told = (keep > 0).then(|| {
            let whose = (&record.id, &record.name);
            let step = LifecycleStep::Started;
            self.watched
                .record(self.store.ids(), step, whose, None, now)
        });
        Ok(Rewind {
            key: record.key,
            id: Arc::clone(&record.id),
            expected_sequence: loaded.sequence,
            keep,
            execution_id,
            status: if keep == 0 {
                RuntimeStatus::Pending
            } else {
                RuntimeStatus::Running
            },
            updated: now.max(record.updated),
            messages,
            starts,
            outbox: told.flatten().into_iter().collect(),
        })
    }

    /// A child that was purged, or was ended from outside: it begins anew.
    fn new_child(
        &self,
        parent: &LoadedInstance,
        generation: &Arc<str>,
        call: ChildCall,
    ) -> NewInstance {
        let now = self.now;
        let record = &parent.record;
        let on_refused = NewMessage {
            id: self.store.ids().next(),
            to: Arc::clone(&record.id),
            execution_id: None,
            event: refusal_of_child(call.id, &call.instance_id),
            created: now,
        };
        NewInstance {
            key: InstanceKey(self.store.ids().next()),
            id: call.instance_id,
            started: ExecutionStarted {
                name: call.name,
                version: call.version,
                execution_id: fresh_id(now),
                parent: Some(Parent {
                    instance_id: Arc::clone(&record.id),
                    execution_id: Arc::clone(generation),
                    name: Arc::clone(&record.name),
                    task_id: call.id,
                }),
                scheduled_start: None,
                generation: 0,
                tags: record.tags.clone(),
                trace_parent: record.trace_parent.clone(),
                input: call.input,
            },
            created: now,
            reuse: Reuse::NonRunning,
            on_refused: Some(on_refused),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<InstanceRecord>, ClientError> {
        let found = self.store.find(id, Parts::ALL).await;
        found.map_err(super::requests::client_error)
    }
}
