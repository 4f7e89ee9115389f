//! [`EntityContext`]: what an operation can see and do; [`Operation`]: what it has done so far.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::object::{EntityObject, EntityRef, EntitySignals};
use super::signal::EntitySignal;
use super::unsaved::{Rollback, Unsaved};
use crate::error::{Error, Result};
use crate::function::{IntoInput, Orchestrator, read_input};
use crate::model::{EntityId, FailureDetails, Payload, Timestamp};
use crate::registry::Registry;
use crate::replay::{Misuse, NewInstance};

/// What an entity's operation can see and do. What it sends leaves with the commit of its batch, and not at all if the operation fails.
pub struct EntityContext {
    operation: Arc<Operation>,
}

impl EntityContext {
    pub(crate) fn new(operation: Arc<Operation>) -> Self {
        Self { operation }
    }

    /// Which entity this is.
    #[must_use]
    pub fn id(&self) -> &EntityId {
        self.operation.id()
    }

    /// The operation's name, as its caller wrote it.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.operation.name()
    }

    /// The operation's input; an absent one reads as `null`.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        read_input(self.operation.input(), "operation", self.operation.name())
    }

    /// The state; `None` for an entity that has none: never written, or deleted.
    ///
    /// # Errors
    /// A state of another shape.
    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let state = self.operation.lock().state.clone();
        let read = state.map(|state| state.read()).transpose();
        read.map_err(|e| {
            let text = format!(
                "failed to deserialise the state of `{}` as `{}`: {e}; `delete` or a new state repairs it",
                self.id(),
                crate::type_name::type_name::<T>()
            );
            Error::non_retriable(Error::msg(text)).with_type("DeserializationError")
        })
    }

    /// Replaces the state.
    ///
    /// # Errors
    /// A value that cannot be serialised, or is over its limit.
    pub fn set_state(&self, state: &(impl Serialize + ?Sized)) -> Result<()> {
        let state = self.operation.serialised(state)?;
        let change = &mut *self.operation.lock();
        change.state = Some(state);
        change.deleted = false;
        change.forget_unsaved();
        Ok(())
    }

    /// Removes the state: the entity no longer exists, until an operation gives it one.
    pub fn delete_state(&self) {
        self.operation.delete();
    }

    /// Signals another entity, or this one. A name that no entity has fails the operation.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn signal_entity(
        &self,
        id: &EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> EntitySignal {
        EntitySender(Arc::clone(&self.operation)).signal(id, operation, Payload::of(&input))
    }

    /// The typed proxy of another entity, which can be signalled.
    #[must_use]
    pub fn entity<E: EntityObject>(&self, key: impl Into<String>) -> E::Proxy<EntitySender> {
        let sender = EntitySender(Arc::clone(&self.operation));
        EntityRef::new::<E>(sender, key).into()
    }

    /// Starts an orchestration and forgets it.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn start_orchestration<S: Orchestrator>(
        &self,
        input: impl IntoInput<S::Input>,
    ) -> NewInstance {
        self.start(S::NAME, S::VERSION, input.into_payload())
    }

    /// Starts an orchestration by its registered name and forgets it. One that is not registered fails the operation.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn start_orchestration_by_name(&self, name: &str, input: impl Serialize) -> NewInstance {
        self.start(name, None, Payload::of(&input))
    }

    fn start(
        &self,
        name: &str,
        version: Option<&str>,
        input: std::result::Result<Payload, serde_json::Error>,
    ) -> NewInstance {
        let operation = &self.operation;
        if !operation.registry.has_orchestrator(name) {
            misuse(crate::client::unknown_orchestrator(
                name,
                &operation.registry,
            ));
        }
        let input =
            input.unwrap_or_else(|e| misuse(format!("the input cannot be serialised: {e}")));
        operation.must_fit(&input);
        let instance_id = Uuid::new_v4().simple().to_string();
        let index = operation.push(Sent::Start {
            name: name.into(),
            version: version.map(str::to_owned),
            instance_id: instance_id.as_str().into(),
            input: (!input.is_null()).then_some(input),
            due: None,
        });
        NewInstance::of_entity(Arc::clone(operation), index, instance_id)
    }
}

impl fmt::Debug for EntityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityContext")
            .field("id", self.id())
            .field("operation", &self.operation())
            .finish_non_exhaustive()
    }
}

/// What signals on behalf of an operation.
#[derive(Clone)]
pub struct EntitySender(Arc<Operation>);

impl fmt::Debug for EntitySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntitySender of {}", self.0.id())
    }
}

impl EntitySignals for EntitySender {
    type Signal = EntitySignal;

    fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: std::result::Result<Payload, serde_json::Error>,
    ) -> EntitySignal {
        if let Err(text) = self.0.registry.check_entity(id.name()) {
            misuse(text);
        }
        let input =
            input.unwrap_or_else(|e| misuse(format!("the input cannot be serialised: {e}")));
        self.0.must_fit(&input);
        let index = self.0.push(Sent::Signal {
            entity: id.instance_id(),
            operation: operation.into(),
            input: (!input.is_null()).then_some(input),
            due: None,
        });
        EntitySignal::of_entity(Arc::clone(&self.0), index)
    }
}

/// Ends the operation at the spot of a wrong use that has no `Result` to say so.
pub(crate) fn misuse(text: impl Into<String>) -> ! {
    let failure = FailureDetails::new("UsageError", text).non_retriable();
    std::panic::resume_unwind(Box::new(Misuse(failure)))
}

/// One operation that runs: what it was asked for and what it has done so far.
pub(crate) struct Operation {
    id: EntityId,
    name: Arc<str>,
    input: Option<Payload>,
    registry: Arc<Registry>,
    /// Bytes of JSON of one value.
    limit: usize,
    change: Mutex<Change>,
}

/// What an operation has done so far.
pub(crate) struct Change {
    pub(crate) state: Option<Payload>,
    deleted: bool,
    rollback: Rollback,
    pub(crate) sent: Vec<Sent>,
}

/// Something that an operation sends.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    Signal {
        entity: Arc<str>,
        operation: Arc<str>,
        input: Option<Payload>,
        due: Option<Timestamp>,
    },
    Start {
        name: Arc<str>,
        version: Option<String>,
        instance_id: Arc<str>,
        input: Option<Payload>,
        due: Option<Timestamp>,
    },
}

impl Change {
    /// The state is the newest again.
    fn forget_unsaved(&mut self) {
        if let Rollback::No(unsaved) = &mut self.rollback {
            *unsaved = None;
        }
    }
}

impl Operation {
    pub(crate) fn new(
        id: EntityId,
        name: Arc<str>,
        input: Option<Payload>,
        state: Option<Payload>,
        registry: Arc<Registry>,
        limit: usize,
        rollback: Rollback,
    ) -> Arc<Self> {
        let change = Change {
            state,
            deleted: false,
            rollback,
            sent: Vec::new(),
        };
        Arc::new(Self {
            id,
            name,
            input,
            registry,
            limit,
            change: Mutex::new(change),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Change> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> &EntityId {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn input(&self) -> Option<&Payload> {
        self.input.as_ref()
    }

    pub(super) fn delete(&self) {
        let change = &mut *self.lock();
        change.state = None;
        change.deleted = true;
        change.forget_unsaved();
    }

    /// The object as the operation before left it, if that could not be serialised.
    pub(super) fn take_unsaved<E: EntityObject>(&self) -> Option<E> {
        let change = &mut *self.lock();
        let Rollback::No(unsaved) = &mut change.rollback else {
            return None;
        };
        let unsaved = unsaved.as_mut()?;
        let object = std::mem::replace(&mut unsaved.object, Box::new(()));
        object.downcast().ok().map(|object| *object)
    }

    /// Stores the object of an operation, unless the operation deleted it.
    pub(super) fn keep<E: EntityObject>(&self, object: E) -> Result<()> {
        if self.lock().deleted {
            return Ok(());
        }
        let state = self.serialised(&object);
        let change = &mut *self.lock();
        match (state, &mut change.rollback) {
            (Ok(state), _) => {
                change.state = Some(state);
                change.forget_unsaved();
                Ok(())
            }
            (Err(error), Rollback::Yes) => Err(error),
            (Err(error), Rollback::No(unsaved)) => {
                let failure = error.to_failure();
                let object = Box::new(object);
                *unsaved = Some(Unsaved { object, failure });
                Ok(())
            }
        }
    }

    /// Hands on the object of an operation that only read it, if it is newer than the state.
    pub(super) fn leave<E: EntityObject>(&self, object: E) {
        if let Rollback::No(Some(unsaved)) = &mut self.lock().rollback {
            unsaved.object = Box::new(object);
        }
    }

    /// What the next operation of the batch has to begin with in place of the state.
    pub(crate) fn unsaved(&self) -> Option<Unsaved> {
        match &mut self.lock().rollback {
            Rollback::Yes => None,
            Rollback::No(unsaved) => unsaved.take(),
        }
    }

    fn serialised(&self, state: &(impl Serialize + ?Sized)) -> Result<Payload> {
        let state = Payload::of(state).map_err(|e| {
            let text = format!("the state of `{}` cannot be serialised: {e}", self.id);
            Error::non_retriable(Error::msg(text)).with_type("SerializationError")
        })?;
        let too_large = |e| Error::usage(format!("the state of `{}` is too large: {e}", self.id));
        state.check(self.limit).map_err(too_large)?;
        Ok(state)
    }

    /// What the operation answers with, unless it is over the limit.
    pub(crate) fn fitting(&self, result: Payload) -> std::result::Result<Payload, FailureDetails> {
        let too_large = |e| {
            let (name, id) = (&self.name, &self.id);
            Error::usage(format!(
                "the result of `{name}` of `{id}` is too large: {e}"
            ))
            .to_failure()
        };
        result.check(self.limit).map_err(too_large)?;
        Ok(result)
    }

    fn must_fit(&self, input: &Payload) {
        if let Err(error) = input.check(self.limit) {
            misuse(format!("the input is too large: {error}"));
        }
    }

    fn push(&self, sent: Sent) -> usize {
        let change = &mut *self.lock();
        change.sent.push(sent);
        change.sent.len() - 1
    }

    pub(super) fn postpone(&self, index: usize, at: Timestamp) {
        self.alter(index, |sent| match sent {
            Sent::Signal { due, .. } | Sent::Start { due, .. } => *due = Some(at),
        });
    }

    /// Changes something that was sent; after the operation's end there is nothing to change any more.
    pub(crate) fn alter(&self, index: usize, alter: impl FnOnce(&mut Sent)) {
        if let Some(sent) = self.lock().sent.get_mut(index) {
            alter(sent);
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
