//! Entities as an orchestrator sees them: the futures of calls and locks, and the guard of a critical section.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::FusedFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::OrchestrationContext;
use super::core::Core;
use super::task::{Handle, OneWay, durable_future, input_of, read};
use crate::entity::{EntityCalls, EntityObject, EntityRef, EntitySignal, EntitySignals};
use crate::model::{EntityId, Payload, TaskError};

/// A called operation of an entity. Dropping it does not take the call back: its answer is ignored.
#[must_use = "a call that is dropped at once asks for nothing; await it or keep it"]
pub struct EntityCall<O> {
    handle: Handle,
    output: PhantomData<fn() -> O>,
}

durable_future!(EntityCall<O> -> Result<O, TaskError>, read);

/// A request for the locks of entities. Dropping it takes the request back.
#[must_use = "locks that are dropped at once are not asked for; await them"]
pub struct EntityLocking {
    handle: Handle,
}

impl Future for EntityLocking {
    type Output = Result<EntityLock, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (core, request) = (Arc::clone(self.handle.core()), self.handle.task());
        self.handle
            .poll(cx)
            .map(|outcome| outcome.map(|_| EntityLock { core, request }))
    }
}

impl FusedFuture for EntityLocking {
    fn is_terminated(&self) -> bool {
        self.handle.is_done()
    }
}

impl fmt::Debug for EntityLocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityLocking")
            .field("done", &self.handle.is_done())
            .finish_non_exhaustive()
    }
}

/// A critical section: while it lives, nobody else's operations run on the locked entities. It ends when this is dropped or
/// released, or when the orchestration ends in any way.
#[must_use = "the section ends when this is dropped"]
pub struct EntityLock {
    core: Arc<Core>,
    request: i64,
}

impl EntityLock {
    /// Ends the section.
    pub fn release(self) {}
}

impl Drop for EntityLock {
    fn drop(&mut self) {
        self.core.leave_section(self.request);
    }
}

impl fmt::Debug for EntityLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityLock")
            .field("entities", &self.core.locked_entities())
            .finish_non_exhaustive()
    }
}

impl OrchestrationContext {
    /// Calls an operation of an entity and waits for its answer. A name that no entity has, and what the rules of critical sections
    /// forbid, fails the call with a `UsageError`; a failing operation fails it with the operation's own failure.
    pub fn call_entity<R: DeserializeOwned>(
        &self,
        id: &EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> EntityCall<R> {
        self.call_entity_with(id, operation, Payload::of(&input))
    }

    fn call_entity_with<R: DeserializeOwned>(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> EntityCall<R> {
        let slot = self.core().call_entity(id, operation, input_of(input));
        EntityCall::new(self.handle(slot))
    }

    /// Signals an entity: one-way, in the order of sending; `.at(..)` sends it later. A name that no entity has, and an entity that is
    /// locked by this orchestration, fail the instance with a `UsageError`.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn signal_entity(
        &self,
        id: &EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> EntitySignal {
        self.signal(id, operation, Payload::of(&input))
    }

    /// The typed proxy of an entity: a method for each operation, and `signal()` for the one-way form.
    #[must_use]
    pub fn entity<E: EntityObject>(&self, key: impl Into<String>) -> E::Proxy<Self> {
        EntityRef::new::<E>(self.clone(), key).into()
    }

    /// Locks entities, in one order for all so that nobody waits in a circle. Inside the section: no further locks, no
    /// sub-orchestrations, calls to locked entities alone and one at a time to each, signals to others alone.
    pub fn lock_entities(&self, ids: impl IntoIterator<Item = EntityId>) -> EntityLocking {
        let slot = self.core().lock_entities(ids.into_iter().collect());
        EntityLocking {
            handle: self.handle(slot),
        }
    }

    /// The entities that this orchestration has locked now, in the order of their ids; none outside a critical section.
    #[must_use]
    pub fn locked_entities(&self) -> Vec<EntityId> {
        self.core().locked_entities()
    }
}

impl EntitySignals for OrchestrationContext {
    type Signal = EntitySignal;

    fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> EntitySignal {
        let task = self.core().signal_entity(id, operation, input);
        EntitySignal::of_orchestration(OneWay::new(Arc::clone(self.core()), task))
    }
}

impl EntityCalls for OrchestrationContext {
    type Call<R: DeserializeOwned + Send + 'static> = EntityCall<R>;

    fn call<R: DeserializeOwned + Send + 'static>(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> EntityCall<R> {
        self.call_entity_with(id, operation, input)
    }
}
