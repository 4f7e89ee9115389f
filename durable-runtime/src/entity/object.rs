//! How typed code names an entity, and the handle behind its typed proxy.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::invocation::EntityInvocation;
use crate::error::Error;
use crate::function::{finish, finish_result};
use crate::model::{EntityId, Payload};

/// A type or function with `#[entity_trigger]`: the attribute implements this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "must be a type or function with `#[entity_trigger]`",
    note = "an entity of another program is reached by `EntityId::new(name, key)`"
)]
pub trait Entity: 'static {
    /// Its registered name.
    const NAME: &'static str;
}

/// A type with `#[entity_trigger]` on its `impl` block: has a proxy with a method for each operation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed operations",
    label = "must be a type with `#[entity_trigger]` on an `impl` block",
    note = "an entity function is called with `call_entity(&EntityId::of::<..>(key), operation, input)`"
)]
pub trait EntityObject: Entity + Default + Serialize + DeserializeOwned + Send {
    /// The proxy, over whatever calls it.
    type Proxy<C>: From<EntityRef<C>>;
}

/// One operation of an [`EntityObject`]: the attribute implements it for a type of its own, so that each bound is said once, at the type.
#[doc(hidden)]
pub trait OperationTypes {
    /// Its input; `()` for none.
    type Input: Serialize + DeserializeOwned + Send + 'static;
    /// What it answers.
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Reads the input.
    ///
    /// # Errors
    /// Another shape: never retriable.
    fn input(invocation: &EntityInvocation) -> Result<Self::Input, Error> {
        invocation.input()
    }

    /// The answer of an operation that cannot fail.
    ///
    /// # Errors
    /// A value that cannot be serialised.
    fn finish(output: Self::Output) -> Result<Payload, Error> {
        finish(output)
    }

    /// The answer of an operation that can fail.
    ///
    /// # Errors
    /// The operation's own; a value that cannot be serialised.
    fn finish_result<E: Into<Error>>(result: Result<Self::Output, E>) -> Result<Payload, Error> {
        finish_result(result)
    }
}

/// Whoever may signal an entity: an orchestrator, another entity, a client.
pub trait EntitySignals: Clone {
    /// The signal, with its options.
    type Signal;

    /// Signals.
    fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> Self::Signal;
}

/// Whoever may wait for an entity's answer: an orchestrator, a client.
#[diagnostic::on_unimplemented(
    message = "an entity's operation cannot be awaited here",
    note = "an entity may only signal others: `.signal().operation(..)`"
)]
pub trait EntityCalls: EntitySignals {
    /// The call, to be awaited.
    type Call<R: DeserializeOwned + Send + 'static>;

    /// Calls.
    fn call<R: DeserializeOwned + Send + 'static>(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> Self::Call<R>;
}

/// One entity as seen by whoever calls it: what a typed proxy wraps.
#[derive(Debug, Clone)]
pub struct EntityRef<C> {
    caller: C,
    id: EntityId,
}

impl<C> EntityRef<C> {
    pub(crate) fn new<E: Entity>(caller: C, key: impl Into<String>) -> Self {
        Self {
            caller,
            id: EntityId::of::<E>(key),
        }
    }
}

impl<C: EntitySignals> EntityRef<C> {
    /// Signals an operation.
    pub fn signal(&self, operation: &str, input: Result<Payload, serde_json::Error>) -> C::Signal {
        self.caller.signal(&self.id, operation, input)
    }
}

impl<C: EntityCalls> EntityRef<C> {
    /// Calls an operation.
    pub fn call<R: DeserializeOwned + Send + 'static>(
        &self,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> C::Call<R> {
        self.caller.call(&self.id, operation, input)
    }
}
