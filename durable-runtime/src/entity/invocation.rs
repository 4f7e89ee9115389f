//! [`EntityInvocation`]: one operation, from which the function's parameters are bound.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
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

    /// The entity as an object: its state, or the default if there is none. A `delete` that the type itself defines gets the default in
    /// place of a state that cannot be read, for it is there to end such a state.
    ///
    /// # Errors
    /// A state of another shape: `delete` repairs it.
    pub fn object<E: EntityObject>(&self) -> Result<E, Error> {
        if let Some(object) = self.operation.take_unsaved() {
            return Ok(object);
        }
        match self.context().state() {
            Ok(state) => Ok(state.unwrap_or_default()),
            Err(error) if self.operation() == "delete" => {
                tracing::warn!(entity = %self.operation.id(), %error, "an unreadable state is deleted");
                Ok(E::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Runs the operation itself, which borrows the object: a panic leaves that as it was then.
    ///
    /// # Errors
    /// What was caught of a panic.
    pub async fn attempt<T>(&self, operation: impl Future<Output = T>) -> std::thread::Result<T> {
        AssertUnwindSafe(operation).catch_unwind().await
    }

    /// Stores the object that an operation changed, and gives its answer. An operation that deleted the state leaves it deleted.
    ///
    /// # Errors
    /// The operation's own; an object that cannot be serialised, if failures are rolled back: else later operations of the batch have it
    /// first, and may mend it.
    pub fn keep<E: EntityObject>(
        &self,
        object: E,
        answer: Result<Payload, Error>,
    ) -> Result<Payload, Error> {
        let kept = self.operation.keep(object);
        let answer = answer?;
        kept.map(|()| answer)
    }

    /// Gives the answer of an operation that only reads.
    ///
    /// # Errors
    /// The operation's own.
    pub fn leave<E: EntityObject>(
        &self,
        object: E,
        answer: Result<Payload, Error>,
    ) -> Result<Payload, Error> {
        self.operation.leave(object);
        answer
    }

    /// Stores the object as a panic left it, which is of use if failures are not rolled back; then the panic goes on.
    ///
    /// # Errors
    /// None: it never returns.
    pub fn unwind<E: EntityObject>(
        &self,
        object: E,
        panic: Box<dyn Any + Send>,
    ) -> Result<Payload, Error> {
        // That it cannot be serialised either does not matter beside the panic.
        drop(self.operation.keep(object));
        std::panic::resume_unwind(panic)
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

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::super::object::{Entity, EntityRef};
    use super::super::unsaved::Rollback;
    use super::*;
    use crate::model::EntityId;
    use crate::registry::Registry;

    #[derive(Default, Serialize, Deserialize)]
    struct Number(i64);

    impl Entity for Number {
        const NAME: &'static str = "Number";
    }

    impl EntityObject for Number {
        type Proxy<C> = EntityRef<C>;
    }

    fn on_a_text(operation: &str) -> EntityInvocation {
        let operation = Operation::new(
            EntityId::of::<Number>("a"),
            operation.into(),
            None,
            Some(Payload::text("no number")),
            Arc::new(Registry::default()),
            usize::MAX,
            Rollback::Yes,
        );
        EntityInvocation::new(
            operation,
            Arc::new(States::default()),
            DurableClient::unbound(),
        )
    }

    #[test]
    fn a_delete_of_ones_own_ends_a_state_that_nothing_else_can_read() {
        assert!(on_a_text("add").object::<Number>().is_err());
        let invocation = on_a_text("Delete");
        let number = invocation.object::<Number>().unwrap();
        assert_eq!(number.0, 0);
        invocation.keep(number, Ok(Payload::null())).unwrap();
        let state = invocation.context().state::<Number>().unwrap();
        assert_eq!(state.unwrap().0, 0);
    }
}
