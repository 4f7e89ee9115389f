//! The hub without a host: its database is read and given messages; the next host to start acts on them.

use std::sync::Arc;

use chrono::Utc;
use durable_runtime::client::{
    PendingWork, busy_entity, check_instance_id, check_no_entity, history_of, purge_order,
    release_of_orphan, to_be_cleaned,
};
use durable_runtime::hub::plan_rewind;
use durable_runtime::model::{
    EntityMessage, EntityOperation, ExecutionStarted, HistoryEvent, Payload, RuntimeStatus,
    Timestamp,
};
use durable_runtime::store::{
    Change, Cursor, Error, InstanceKey, InstanceRecord, ListQuery, LoadedInstance, NewInstance,
    NewMessage, Parts, Purge, Receipt, Reuse, Store,
};
use durable_runtime::{CleanedEntities, ClientError, EntityId, EntityStatus};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::failure::Failure;
use super::request::{Filter, Message, NewStart};
use super::site::Site;
use crate::webhooks::StatusObject;

/// A hub that this process holds.
pub(super) struct Local {
    store: Arc<dyn Store>,
    /// Those that may be started, and those that are disabled.
    orchestrators: (Vec<String>, Vec<String>),
    /// The same of entities.
    entities: (Vec<String>, Vec<String>),
    payload_limit: usize,
    default_version: Option<String>,
}

impl Local {
    pub(super) fn new(store: Arc<dyn Store>, site: &Site) -> Self {
        let (orchestrators, entities) = (site.orchestrators(), site.entities());
        Self {
            store,
            orchestrators,
            entities,
            payload_limit: site.payload_limit,
            default_version: site.default_version.clone(),
        }
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(super) async fn close(self) {
        self.store.close().await;
    }

    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<Box<RawValue>>, Failure> {
        let found = self.store.list(filter.query()).await?;
        found.iter().map(shown).collect()
    }

    pub(super) async fn get(&self, id: &str) -> Result<Box<RawValue>, Failure> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            #[serde(flatten)]
            status: StatusObject<'a>,
            pending_work: PendingWork,
        }
        let loaded = self.load(id).await?;
        let object = to_raw_value(&Shown {
            status: StatusObject::of(&loaded.record, true),
            pending_work: PendingWork::recorded(&loaded),
        });
        Ok(object.map_err(std::io::Error::from)?)
    }

    async fn load(&self, id: &str) -> Result<LoadedInstance, Failure> {
        let found = self.store.load(id).await?;
        found.ok_or_else(|| Failure::no_instance(id))
    }

    pub(super) async fn history(&self, id: &str) -> Result<Vec<Value>, Failure> {
        let loaded = self.load(id).await?;
        Ok(history_of(&loaded))
    }

    /// What was started is run by the next host.
    pub(super) async fn restart(&self, id: &str, same_id: bool) -> Result<String, Failure> {
        let found = self.store.find(id, Parts::ALL).await?;
        let record = found
            .filter(|record| !record.id.starts_with('@'))
            .ok_or_else(|| Failure::no_instance(id))?;
        let name = self.orchestrator(&record.name)?;
        let new = NewInstance {
            key: InstanceKey(self.store.ids().next()),
            id: match same_id {
                true => Arc::clone(&record.id),
                false => Uuid::new_v4().simple().to_string().into(),
            },
            started: ExecutionStarted {
                name: name.into(),
                version: record.version,
                execution_id: Uuid::new_v4().simple().to_string().into(),
                parent: None,
                scheduled_start: None,
                generation: 0,
                tags: record.tags,
                trace_parent: None,
                input: record.input,
            },
            created: now(),
            reuse: Reuse::NonRunning,
            on_refused: None,
        };
        let id = new.id.to_string();
        self.submit(Change::Create(Box::new(new))).await?;
        Ok(id)
    }

    async fn rewind(&self, id: &str, reason: Option<&str>) -> Result<(), Failure> {
        let planned = plan_rewind(&*self.store, id, reason, now()).await;
        let tree = planned.map_err(|error| match error {
            ClientError::NotFound(_) => Failure::no_instance(id),
            ClientError::InvalidState { status, .. } => Failure::refused(format!(
                "cannot rewind `{id}`: it is {status}, and only what has failed can be rewound"
            )),
            other => Failure::refused(other.to_string()),
        })?;
        // No host runs: nothing changes between the plan and its execution.
        let tree = tree.ok_or_else(|| Failure::refused("the hub changed meanwhile; try again"))?;
        self.submit(Change::Rewind(tree)).await.map(drop)
    }

    pub(super) async fn start(&self, start: &NewStart) -> Result<String, Failure> {
        let name = self.orchestrator(&start.name)?;
        self.check("input", start.input.as_ref())?;
        let id = match &start.id {
            Some(id) => {
                check_instance_id(id).map_err(|fault| Failure::refused(fault.to_string()))?;
                id.clone()
            }
            None => Uuid::new_v4().simple().to_string(),
        };
        let started = ExecutionStarted {
            name: name.into(),
            version: (start.version.clone())
                .or_else(|| self.default_version.clone())
                .unwrap_or_default(),
            execution_id: Uuid::new_v4().simple().to_string().into(),
            parent: None,
            scheduled_start: None,
            generation: 0,
            tags: Default::default(),
            trace_parent: None,
            input: start.input.clone(),
        };
        let new = NewInstance {
            key: InstanceKey(self.store.ids().next()),
            id: id.as_str().into(),
            started,
            created: now(),
            reuse: Reuse::NonRunning,
            on_refused: None,
        };
        self.submit(Change::Create(Box::new(new))).await?;
        Ok(id)
    }

    pub(super) async fn tell(&self, id: &str, message: &Message) -> Result<(), Failure> {
        check_no_entity(id).map_err(|error| Failure::refused(error.to_string()))?;
        let Some(event) = event_of(message) else {
            return self.rewind(id, message.reason()).await;
        };
        if let HistoryEvent::EventRaised { data, .. } = &event {
            self.check("event's data", Some(data))?;
        }
        use RuntimeStatus::{ContinuedAsNew, Pending, Running, Suspended};
        let live = [Pending, Running, ContinuedAsNew];
        let accepted = match message {
            Message::Suspend { .. } => live.to_vec(),
            Message::Resume { .. } => vec![Suspended],
            _ => [&live[..], &[Suspended]].concat(),
        };
        let new = NewMessage {
            id: self.store.ids().next(),
            to: id.into(),
            execution_id: None,
            event,
            created: now(),
        };
        let change = Change::Message {
            message: new,
            accepted,
        };
        self.submit(change)
            .await
            .map(drop)
            .map_err(|error| match error {
                Failure::Store(Error::InvalidState { status, .. }) if !status.is_terminal() => {
                    let verb = message.verb();
                    Failure::refused(format!("cannot {verb} `{id}`: it is {status}"))
                }
                other => told_of(id, other),
            })
    }

    pub(super) async fn purge(&self, id: &str, recursive: bool) -> Result<(), Failure> {
        let below = match recursive {
            true => purge_order(&*self.store, id, false).await,
            false => Ok(Vec::new()),
        };
        let below = below.map_err(|error| Failure::refused(error.to_string()))?;
        for child in below.iter().filter(|child| ***child != *id) {
            self.purge_one(child).await?;
        }
        self.purge_one(id).await
    }

    async fn purge_one(&self, id: &str) -> Result<(), Failure> {
        let one = Purge::One {
            id: id.to_owned(),
            running: false,
        };
        let purged = self.submit(Change::Purge(one)).await;
        match purged.map_err(|error| told_of(id, error))?.count {
            0 => Err(Failure::no_instance(id)),
            _ => Ok(()),
        }
    }

    pub(super) async fn entities(
        &self,
        name: Option<&str>,
        top: usize,
    ) -> Result<Vec<Value>, Failure> {
        let prefix = name.map_or_else(
            || "@".to_owned(),
            |name| EntityId::new(name, "").to_string(),
        );
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let query = ListQuery {
                id_prefix: Some(prefix.clone()),
                entities: true,
                limit: top,
                after: after.take(),
                ..ListQuery::default()
            };
            let found = self.store.list(query).await?;
            let shown = found.iter().filter_map(|one| EntityStatus::of(one, true));
            all.extend(shown.filter_map(|one| serde_json::to_value(one).ok()));
            let Some(last) = found
                .last()
                .filter(|_| found.len() >= top && all.len() < top)
            else {
                all.truncate(top);
                return Ok(all);
            };
            after = Some(Cursor {
                created: last.created,
                id: last.id.to_string(),
            });
        }
    }

    /// Locks are let go by the next host, which is sent so.
    pub(super) async fn clean_entities(&self) -> Result<CleanedEntities, Failure> {
        let mut cleaned = CleanedEntities::default();
        let mut after = None;
        loop {
            let query = to_be_cleaned(after.take());
            let limit = query.limit;
            let found = self.store.list(query).await?;
            for record in &found {
                self.clean_entity(record, &mut cleaned).await?;
            }
            let Some(last) = found.last().filter(|_| found.len() >= limit) else {
                return Ok(cleaned);
            };
            after = Some(Cursor {
                created: last.created,
                id: last.id.to_string(),
            });
        }
    }

    async fn clean_entity(
        &self,
        record: &InstanceRecord,
        cleaned: &mut CleanedEntities,
    ) -> Result<(), Failure> {
        let kept = record.entity.as_deref();
        if let Some(lock) = kept.and_then(|kept| kept.lock.as_ref()) {
            let holder = &lock.request.requester.instance_id;
            let holder = self.store.find(holder, Parts::NO_INPUT).await?;
            if let Some(unlock) = release_of_orphan(lock, holder.as_ref()) {
                self.send_to_entity(&record.id, unlock).await?;
                cleaned.locks_released += 1;
            }
        } else if kept.is_none_or(|kept| kept.state.is_none()) {
            let id = record.id.to_string();
            let purged = self
                .submit(Change::Purge(Purge::EmptyEntity { id }))
                .await?;
            cleaned.empty_removed += purged.count;
        }
        Ok(())
    }

    pub(super) async fn entity(&self, id: &EntityId) -> Result<Option<Payload>, Failure> {
        let found = self.store.find(&id.to_string(), Parts::ALL).await?;
        Ok(found.and_then(|record| record.entity?.state))
    }

    pub(super) async fn signal(
        &self,
        id: &EntityId,
        operation: EntityOperation,
    ) -> Result<(), Failure> {
        among(&self.entities, "entity", id.name())?;
        self.check("input", operation.input.as_ref())?;
        let operation = EntityMessage::Operation(operation);
        self.send_to_entity(&id.to_string(), operation).await
    }

    async fn send_to_entity(&self, id: &str, message: EntityMessage) -> Result<(), Failure> {
        let message = NewMessage {
            id: self.store.ids().next(),
            to: id.into(),
            execution_id: None,
            event: HistoryEvent::Entity(Box::new(message)),
            created: now(),
        };
        let change = Change::Message {
            message,
            accepted: vec![RuntimeStatus::Running],
        };
        self.submit(change).await.map(drop)
    }

    /// The orchestrator of that name, as it is declared.
    fn orchestrator(&self, name: &str) -> Result<&str, Failure> {
        among(&self.orchestrators, "orchestrator", name)
    }

    /// As the next host would hold it against its limit.
    fn check(&self, what: &str, payload: Option<&Payload>) -> Result<(), Failure> {
        let checked = payload.map_or(Ok(()), |payload| payload.check(self.payload_limit));
        checked.map_err(|error| Failure::refused(format!("the {what} is too large: {error}")))
    }

    async fn submit(&self, change: Change) -> Result<Receipt, Failure> {
        let (done, answer) = tokio::sync::oneshot::channel();
        self.store
            .submit(change, Box::new(|result| drop(done.send(result))));
        let gone = |_| Error::Unavailable("the store was closed".into());
        Ok(answer.await.map_err(gone)??)
    }
}

/// The function of that name, as it is declared, if clients may use it.
fn among<'a>(
    (known, disabled): &'a (Vec<String>, Vec<String>),
    noun: &str,
    name: &str,
) -> Result<&'a str, Failure> {
    let find = |names: &'a [String]| names.iter().find(|known| known.eq_ignore_ascii_case(name));
    if let Some(name) = find(known) {
        return Ok(name);
    }
    Err(Failure::refused(match find(disabled) {
        Some(name) => {
            format!("the {noun} `{name}` is disabled by the setting `AzureWebJobs.{name}.Disabled`")
        }
        None => {
            let known = known.join("`, `");
            format!("there is no {noun} `{name}`; there are `{known}`")
        }
    }))
}

/// A refusal by the store, in the words of this tool.
fn told_of(id: &str, error: Failure) -> Failure {
    match error {
        Failure::Store(Error::NotFound(_)) => Failure::no_instance(id),
        Failure::Store(Error::InvalidState { status, .. }) if status.is_terminal() => {
            Failure::ended(id)
        }
        Failure::Store(Error::InvalidState { .. }) if id.starts_with('@') => {
            Failure::refused(busy_entity(id))
        }
        Failure::Store(Error::InvalidState { status, .. }) => {
            Failure::refused(format!("the instance `{id}` is {status}"))
        }
        other => other,
    }
}

/// `None` for what is no message.
fn event_of(message: &Message) -> Option<HistoryEvent> {
    let reason = message.reason().map(str::to_owned);
    Some(match message {
        Message::Event { name, data } => HistoryEvent::EventRaised {
            name: name.clone(),
            data: data.clone(),
        },
        Message::Terminate { recursive, .. } => HistoryEvent::ExecutionTerminated {
            reason,
            recursive: *recursive,
        },
        Message::Suspend { .. } => HistoryEvent::ExecutionSuspended { reason },
        Message::Resume { .. } => HistoryEvent::ExecutionResumed { reason },
        Message::Rewind { .. } => return None,
    })
}

fn shown(record: &InstanceRecord) -> Result<Box<RawValue>, Failure> {
    let object = to_raw_value(&StatusObject::of(record, true));
    Ok(object.map_err(std::io::Error::from)?)
}

fn now() -> Timestamp {
    Utc::now().into()
}
