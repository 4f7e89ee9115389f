//! Entities as a client sees them: signals, calls, states, lists, cleaning (spec 3.6, 4.3).

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Lazy, input_of};
use super::{ClientError, DurableClient, Page};
use crate::entity::{Entity, EntityCalls, EntityObject, EntityRef, EntitySignals};
use crate::model::{
    EntityId, EntityLockState, EntityMessage, EntityOperation, Payload, ReplyTo, Timestamp,
};
use crate::store::{Cursor, EntityRecord, InstanceRecord, ListQuery, Parts, Purge};

/// How long a call waits for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Entities that one look of [`DurableClient::clean_entity_storage`] takes.
const CLEAN_PAGE: usize = 500;

impl DurableClient {
    /// The typed proxy of an entity: a method for each operation, which sends and waits for the answer, and `signal()` for the one-way form.
    #[must_use]
    pub fn entity<E: EntityObject>(&self, key: impl Into<String>) -> E::Proxy<Self> {
        EntityRef::new::<E>(self.clone(), key).into()
    }

    /// Signals an entity; durable when it returns, run soon after. `.at(..)` has it run later.
    pub fn signal_entity(
        &self,
        id: &EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> SignalEntity {
        self.signal(id, operation, Payload::of(&input))
    }

    /// The state of an entity; `None` if it does not exist.
    pub fn read_entity_state<E: Entity + DeserializeOwned + Send + 'static>(
        &self,
        key: impl Into<String>,
    ) -> Call<Option<E>> {
        self.read_entity_state_by_id(&EntityId::of::<E>(key))
    }

    /// The state of an entity as any type; `None` if it does not exist.
    pub fn read_entity_state_by_id<T: DeserializeOwned + Send + 'static>(
        &self,
        id: &EntityId,
    ) -> Call<Option<T>> {
        let (client, id) = (self.clone(), id.clone());
        Call::new(async move {
            let Some(state) = client.entity_state(&id).await? else {
                return Ok(None);
            };
            state.read().map(Some).map_err(|e| {
                let text = format!(
                    "the state of `{id}` does not fit `{}`: {e}",
                    crate::type_name::type_name::<T>()
                );
                ClientError::InvalidArgument(text)
            })
        })
    }

    /// The state as text; `None` if the entity does not exist.
    ///
    /// # Errors
    /// A database that cannot be read.
    #[doc(hidden)]
    pub async fn entity_state(&self, id: &EntityId) -> Result<Option<Payload>, ClientError> {
        let found = self
            .engine()
            .await?
            .find(&id.to_string(), Parts::ALL)
            .await?;
        Ok(found.and_then(|record| record.entity.as_ref()?.state.clone()))
    }

    /// A page of entities that exist, ordered by id. A page may be short, even empty, and still have a token: there is more.
    pub fn list_entities(&self, query: EntityQuery) -> Call<Page<EntityStatus>> {
        let client = self.clone();
        Call::new(async move {
            let list = query.list()?;
            let limit = list.limit;
            let records = client.engine().await?.list(list).await?;
            let last = records.last().filter(|_| records.len() >= limit);
            let continuation_token = last.map(|record| record.id.to_string());
            let items = records
                .iter()
                .filter_map(|record| query.status(record))
                .collect();
            Ok(Page {
                items,
                continuation_token,
            })
        })
    }

    /// Removes entities without state, lock and messages, and releases locks whose holder is gone or has ended.
    pub fn clean_entity_storage(&self) -> Call<CleanedEntities> {
        let client = self.clone();
        Call::new(async move {
            let mut cleaned = CleanedEntities::default();
            let mut after: Option<Cursor> = None;
            loop {
                let query = to_be_cleaned(after.take());
                let limit = query.limit;
                let records = client.engine().await?.list(query).await?;
                for record in &records {
                    client.clean_entity(record, &mut cleaned).await?;
                }
                let Some(last) = records.last().filter(|_| records.len() >= limit) else {
                    return Ok(cleaned);
                };
                after = Some(Cursor {
                    created: last.created,
                    id: last.id.to_string(),
                });
            }
        })
    }

    async fn clean_entity(
        &self,
        record: &InstanceRecord,
        cleaned: &mut CleanedEntities,
    ) -> Result<(), ClientError> {
        let engine = self.engine().await?;
        let empty = EntityRecord::default();
        let kept = record.entity.as_deref().unwrap_or(&empty);
        if let Some(lock) = &kept.lock {
            let holder = &lock.request.requester.instance_id;
            let holder = engine.find(holder, Parts::NO_INPUT).await?;
            if let Some(message) = release_of_orphan(lock, holder.as_deref()) {
                engine.send_to_entity(&record.id, message).await?;
                cleaned.locks_released += 1;
            }
        } else if kept.state.is_none() {
            let id = record.id.to_string();
            cleaned.empty_removed += engine.purge(Purge::EmptyEntity { id }).await?;
        }
        Ok(())
    }

    async fn send_operation(
        &self,
        id: &EntityId,
        operation: EntityOperation,
    ) -> Result<(), ClientError> {
        if let Some(fault) = id.fault() {
            return Err(ClientError::InvalidArgument(fault.to_string()));
        }
        let engine = self.engine().await?;
        if let Err(known) = engine.registry.check_signal(id.name()) {
            return Err(ClientError::UnknownFunction {
                name: id.name().to_owned(),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        if let Some(input) = &operation.input {
            engine.check_payload("input", input)?;
        }
        engine
            .send_to_entity(&id.instance_id(), EntityMessage::Operation(operation))
            .await
    }
}

/// A page of entities for [`DurableClient::clean_entity_storage`].
#[doc(hidden)]
#[must_use]
pub fn to_be_cleaned(after: Option<Cursor>) -> ListQuery {
    ListQuery {
        id_prefix: Some("@".to_owned()),
        entities: true,
        limit: CLEAN_PAGE,
        after,
        ..ListQuery::default()
    }
}

/// What releases a lock whose holder is not there any more; `holder`: the instance of its id.
#[doc(hidden)]
#[must_use]
pub fn release_of_orphan(
    lock: &EntityLockState,
    holder: Option<&InstanceRecord>,
) -> Option<EntityMessage> {
    let own = &lock.request.requester.execution_id;
    let holds = |found: &InstanceRecord| !found.status.is_terminal() && found.execution_id == *own;
    (!holder.is_some_and(holds)).then(|| EntityMessage::Unlock {
        section: Arc::clone(&lock.section),
        forward: false,
    })
}

impl EntitySignals for DurableClient {
    type Signal = SignalEntity;

    fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> SignalEntity {
        SignalEntity {
            client: self.clone(),
            state: Lazy::new(request(id, operation, input)),
        }
    }
}

impl EntityCalls for DurableClient {
    type Call<R: DeserializeOwned + Send + 'static> = CallEntity<R>;

    fn call<R: DeserializeOwned + Send + 'static>(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> CallEntity<R> {
        CallEntity {
            client: self.clone(),
            state: Lazy::new((request(id, operation, input), ANSWER_TIMEOUT)),
            answer: PhantomData,
        }
    }
}

type Request = Result<(EntityId, EntityOperation), ClientError>;

fn request(id: &EntityId, operation: &str, input: Result<Payload, serde_json::Error>) -> Request {
    let operation = EntityOperation {
        operation: operation.into(),
        input: input_of(input)?,
        due: None,
        reply_to: None,
        section: None,
    };
    Ok((id.clone(), operation))
}

/// A signal of a client.
#[must_use = "nothing is sent unless it is awaited"]
pub struct SignalEntity {
    client: DurableClient,
    state: Lazy<Request, ()>,
}

impl SignalEntity {
    /// Not before this instant.
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.state.alter(|request| {
            if let Ok((_, operation)) = request {
                operation.due = Some(at.into());
            }
        });
        self
    }
}

impl Future for SignalEntity {
    type Output = Result<(), ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client.clone();
        self.state.poll(cx, |request| {
            async move {
                let (id, operation) = request?;
                client.send_operation(&id, operation).await
            }
            .boxed()
        })
    }
}

impl fmt::Debug for SignalEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignalEntity")
    }
}

/// A called operation: sent, then answered after its commit. [`ClientError::Timeout`] after 30 s; it may still run then.
#[must_use = "nothing is sent unless it is awaited"]
pub struct CallEntity<R> {
    client: DurableClient,
    state: Lazy<(Request, Duration), Payload>,
    answer: PhantomData<fn() -> R>,
}

impl<R> CallEntity<R> {
    /// Waits so long for the answer.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.state.alter(|request| request.1 = timeout);
        self
    }
}

impl<R: DeserializeOwned> Future for CallEntity<R> {
    type Output = Result<R, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let client = self.client.clone();
        let answer = self.state.poll(cx, |(request, timeout)| {
            async move {
                let (id, mut operation) = request?;
                let engine = client.engine().await?;
                let name: Arc<str> = Uuid::new_v4().simple().to_string().into();
                operation.reply_to = Some(ReplyTo::Client(Arc::clone(&name)));
                let answer = engine.expect_answer(name);
                client.send_operation(&id, operation).await?;
                answer.within(timeout).await
            }
            .boxed()
        });
        answer.map(|answer| {
            answer?.read().map_err(|e| {
                let text = format!(
                    "the answer does not fit `{}`: {e}",
                    crate::type_name::type_name::<R>()
                );
                ClientError::InvalidArgument(text)
            })
        })
    }
}

impl<R> fmt::Debug for CallEntity<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallEntity")
    }
}

/// Which entities a list shows: all that exist, 100 to a page.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct EntityQuery {
    name: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    without_state: bool,
    page_size: Option<usize>,
    continuation: Option<String>,
}

impl EntityQuery {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this name, compared without case.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whose last operation ended at or after this instant.
    pub fn last_operation_from(mut self, at: DateTime<Utc>) -> Self {
        self.from = Some(at.into());
        self
    }

    /// Whose last operation ended at or before this instant.
    pub fn last_operation_to(mut self, at: DateTime<Utc>) -> Self {
        self.to = Some(at.into());
        self
    }

    /// Their states are left out.
    pub fn without_state(mut self) -> Self {
        self.without_state = true;
        self
    }

    /// At most so many at once; default 100. The query fails with `InvalidArgument` for 0.
    pub fn with_page_size(mut self, size: usize) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Goes on where a page ended.
    pub fn with_continuation(mut self, token: impl Into<String>) -> Self {
        self.continuation = Some(token.into());
        self
    }

    fn list(&self) -> Result<ListQuery, ClientError> {
        let prefix = match &self.name {
            Some(name) => EntityId::new(name, "").to_string(),
            None => "@".to_owned(),
        };
        let limit = self.page_size.unwrap_or(100);
        if limit == 0 {
            return Err(ClientError::InvalidArgument(
                "a page holds at least one entity; found a size of 0".to_owned(),
            ));
        }
        let after = self.continuation.as_ref().map(|id| Cursor {
            created: Timestamp::default(),
            id: id.clone(),
        });
        if let Some(cursor) = after.as_ref().filter(|cursor| !cursor.id.starts_with('@')) {
            let text = format!(
                "`{}` is not a continuation token of a list of entities; give one that such a list returned",
                cursor.id
            );
            return Err(ClientError::InvalidArgument(text));
        }
        Ok(ListQuery {
            id_prefix: Some(prefix),
            entities: true,
            limit,
            after,
            ..ListQuery::default()
        })
    }

    fn status(&self, record: &InstanceRecord) -> Option<EntityStatus> {
        let in_time = self.from.is_none_or(|from| from <= record.updated)
            && self.to.is_none_or(|to| record.updated <= to);
        EntityStatus::of(record, !self.without_state).filter(|_| in_time)
    }
}

/// An entity as lists show it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EntityStatus {
    /// Which one.
    #[serde(rename = "entityId")]
    pub id: EntityId,
    /// When its last batch of operations was stored.
    #[serde(serialize_with = "super::projection::serialize_time")]
    pub last_operation_time: DateTime<Utc>,
    /// Its state, unless it was left out.
    pub state: Option<Value>,
    /// The orchestration that has locked it.
    #[serde(skip)]
    pub locked_by: Option<String>,
}

impl EntityStatus {
    /// The entity that a record is of; `None` for one that does not exist (any more), and for an orchestration.
    #[doc(hidden)]
    #[must_use]
    pub fn of(record: &InstanceRecord, with_state: bool) -> Option<Self> {
        let kept = record.entity.as_deref()?;
        let state = kept.state.as_ref()?;
        let holder = |lock: &EntityLockState| lock.request.requester.instance_id.to_string();
        Some(Self {
            id: record.id.parse().ok()?,
            last_operation_time: record.updated.to_utc(),
            state: with_state.then(|| state.to_value()),
            locked_by: kept.lock.as_ref().map(holder),
        })
    }
}

/// What [`DurableClient::clean_entity_storage`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CleanedEntities {
    /// Entities removed.
    pub empty_removed: u64,
    /// Locks whose holder was gone.
    pub locks_released: u64,
}

/// An entity's record as an instance's, in the reference's shape: its scheduler state as input, what can be said of it as custom status.
pub(crate) fn dress(record: &mut InstanceRecord) {
    let Some(kept) = record.entity.as_deref() else {
        return;
    };
    let (mut scheduler, mut status) = (json!({}), json!({}));
    if let Some(state) = &kept.state {
        scheduler["exists"] = true.into();
        scheduler["state"] = state.as_str().into();
        status["entityExists"] = true.into();
    }
    if let Some(lock) = &kept.lock {
        status["lockedBy"] = (*lock.request.requester.instance_id).into();
    }
    record.input = Payload::of(&scheduler).ok();
    record.custom_status = Payload::of(&status).ok();
}
