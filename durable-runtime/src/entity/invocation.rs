//! [`EntityInvocation`]: one operation, from which the function's parameters are bound.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::context::{EntityContext, Operation};
use super::object::EntityObject;
use crate::client::DurableClient;
use crate::error::Error;
use crate::function::{missing_state, read_input};
use crate::model::Payload;
use crate::state::{State, States};

/// One operation of one entity.
#[derive(Debug, Clone)]
pub struct EntityInvocation {
    operation: Arc<Operation>,
    states: Arc<States>,
    client: DurableClient,
}

impl EntityInvocation {
    pub(crate) fn new(
        operation: Arc<Operation>,
        states: Arc<States>,
        client: DurableClient,
    ) -> Self {
        Self {
            operation,
            states,
            client,
        }
    }

    /// The operation's name in lower case: names are compared without case.
    #[must_use]
    pub fn operation(&self) -> String {
        self.operation.name().to_lowercase()
    }

    /// The context.
    #[must_use]
    pub fn context(&self) -> EntityContext {
        EntityContext::new(Arc::clone(&self.operation))
    }

    /// The operation's input; an absent one reads as `null`.
    ///
    /// # Errors
    /// Another shape: never retriable.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read_input(self.operation.input(), "operation", self.operation.name())
    }

    /// The entity as an object: its state, or the default if there is none.
    ///
    /// # Errors
    /// A state of another shape: `delete` repairs it.
    pub fn object<E: EntityObject>(&self) -> Result<E, Error> {
        Ok(self.context().state()?.unwrap_or_default())
    }

    /// Stores the object that an operation changed, and gives its answer. An operation that deleted the state leaves it deleted.
    ///
    /// # Errors
    /// The operation's own; an object that cannot be serialised.
    pub fn keep<E: EntityObject>(
        &self,
        object: &E,
        answer: Result<Payload, Error>,
    ) -> Result<Payload, Error> {
        let kept = self.operation.keep(object);
        let answer = answer?;
        kept.map(|()| answer)
    }

    /// The operation `delete` of a type that does not define it.
    ///
    /// # Errors
    /// None.
    pub fn delete(&self) -> Result<Payload, Error> {
        self.operation.delete();
        Ok(Payload::null())
    }

    /// The failure of a call of an operation that there is not.
    ///
    /// # Errors
    /// Always: it names the operations that there are.
    pub fn unknown(&self, known: &[&str]) -> Result<Payload, Error> {
        let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let text = format!(
            "no operation named `{}` was found; the entity `{}` has {}",
            self.operation.name(),
            self.operation.id().name(),
            known.join(", ")
        );
        Err(Error::non_retriable(Error::msg(text)).with_type("UnknownOperation"))
    }

    /// A state.
    ///
    /// # Errors
    /// A state that nobody gave; a host reports that at its start.
    pub fn state<S: Send + Sync + 'static>(&self) -> Result<State<S>, Error> {
        let missing = || {
            let text = missing_state(self.operation.id().name(), std::any::type_name::<S>());
            Error::non_retriable(Error::msg(text))
        };
        self.states.get::<S>().ok_or_else(missing)
    }

    /// A client of the hub.
    ///
    /// # Errors
    /// A task hub or connection that this host cannot reach.
    pub fn client(
        &self,
        task_hub: Option<&'static str>,
        connection: Option<&'static str>,
    ) -> Result<DurableClient, Error> {
        Ok(self.client.of(task_hub, connection)?)
    }
}
