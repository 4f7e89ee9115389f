//! The futures that an orchestrator awaits. Each is asked for by the call, not by the await.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::FusedFuture;
use serde::de::DeserializeOwned;

use super::core::{Action, Core};
use super::retry::RetryPolicy;
use super::slot::{Outcome, SlotId};
use crate::entity::{Operation, Sent, misuse};
use crate::model::{FailureDetails, HistoryEvent, Payload, TaskError};

/// A slot of the core, given back when dropped.
pub(super) struct Handle {
    core: Arc<Core>,
    slot: SlotId,
    done: bool,
}

impl Handle {
    pub(super) fn new(core: Arc<Core>, slot: SlotId) -> Self {
        Self {
            core,
            slot,
            done: false,
        }
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The task that it waits for.
    pub(super) fn task(&self) -> i64 {
        self.core.task_of(self.slot)
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Outcome> {
        if self.done {
            return Poll::Pending;
        }
        let outcome = self.core.poll(self.slot, cx.waker());
        self.done = outcome.is_ready();
        outcome
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.done {
            self.core.drop_slot(self.slot);
        }
    }
}

pub(super) fn read<O: DeserializeOwned>(outcome: Outcome) -> Result<O, TaskError> {
    outcome.and_then(|payload| {
        payload.read().map_err(|e| {
            let text = format!(
                "the result does not fit `{}`: {e}",
                crate::type_name::type_name::<O>()
            );
            TaskError::Failed(FailureDetails::new("DeserializationError", text).non_retriable())
        })
    })
}

macro_rules! durable_future {
    ($name:ident<$o:ident> -> $output:ty, $convert:expr) => {
        impl<$o: DeserializeOwned> Future for $name<$o> {
            type Output = $output;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.handle.poll(cx).map($convert)
            }
        }

        impl<$o: DeserializeOwned> FusedFuture for $name<$o> {
            fn is_terminated(&self) -> bool {
                self.handle.is_done()
            }
        }

        impl<$o> fmt::Debug for $name<$o> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("done", &self.handle.is_done())
                    .finish_non_exhaustive()
            }
        }

        impl<$o> $name<$o> {
            pub(super) fn new(handle: Handle) -> Self {
                Self {
                    handle,
                    output: PhantomData,
                }
            }
        }
    };
}

pub(super) use durable_future;

/// A called activity. Dropping it does not stop the activity: its cancellation token fires and its result is ignored.
#[must_use = "a call that is dropped at once asks for nothing; await it or keep it"]
pub struct ActivityCall<O> {
    handle: Handle,
    output: PhantomData<fn() -> O>,
}

durable_future!(ActivityCall<O> -> Result<O, TaskError>, read);

impl<O> ActivityCall<O> {
    /// Calls it again when it fails, as the policy says: the next attempt starts when the failure arrives, awaited or not.
    pub fn with_retry(self, policy: RetryPolicy) -> Self {
        self.handle.core.set_retry(self.handle.slot, policy);
        self
    }

    /// Gives up after this time, over all attempts: then [`TaskError::Timeout`], and the activity's token fires.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.handle.core.set_timeout(self.handle.slot, timeout);
        self
    }
}

/// A called sub-orchestration. Dropping it does not stop the child: its result is ignored.
#[must_use = "a call that is dropped at once asks for nothing; await it or keep it"]
pub struct SubOrchestrationCall<O> {
    handle: Handle,
    output: PhantomData<fn() -> O>,
}

durable_future!(SubOrchestrationCall<O> -> Result<O, TaskError>, read);

impl<O> SubOrchestrationCall<O> {
    /// Calls it again when it fails, as the policy says.
    pub fn with_retry(self, policy: RetryPolicy) -> Self {
        self.handle.core.set_retry(self.handle.slot, policy);
        self
    }

    /// Gives up waiting after this time: then [`TaskError::Timeout`], and the child runs on.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.handle.core.set_timeout(self.handle.slot, timeout);
        self
    }

    /// The child's instance id; the default is `{execution id}:{task id}`. An id that breaks the rules fails the call.
    pub fn with_instance_id(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.handle.core.alter_child(self.handle.slot, |child| {
            child.instance_id = Some(id.into())
        });
        self
    }

    /// The child's version; the default is what its function declares.
    pub fn with_version(self, version: impl Into<String>) -> Self {
        let version = version.into();
        self.handle
            .core
            .alter_child(self.handle.slot, |child| child.version = Some(version));
        self
    }
}

/// A wait for an external event. Dropping it gives back an event that it got and did not read.
#[must_use = "a wait that is dropped waits for nothing; await it or keep it"]
pub struct EventWait<T> {
    handle: Handle,
    output: PhantomData<fn() -> T>,
}

durable_future!(EventWait<T> -> Result<T, TaskError>, read);

impl<T> EventWait<T> {
    /// Gives up after this time: then [`TaskError::Timeout`]. Zero takes an event that is there already, or times out at once.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.handle.core.set_timeout(self.handle.slot, timeout);
        self
    }
}

/// A durable timer. Dropping it cancels it.
#[must_use = "a timer that is dropped is cancelled; await it or keep it"]
pub struct DurableTimer {
    handle: Handle,
}

impl DurableTimer {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Cancels it; it never fires.
    pub fn cancel(self) {}
}

impl Future for DurableTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.handle.poll(cx).map(|_: Outcome| ())
    }
}

impl FusedFuture for DurableTimer {
    fn is_terminated(&self) -> bool {
        self.handle.is_done()
    }
}

impl fmt::Debug for DurableTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableTimer")
            .field("done", &self.handle.is_done())
            .finish_non_exhaustive()
    }
}

/// Something one-way that an orchestrator asked for: it may be changed until the poll is over.
pub(crate) struct OneWay {
    core: Arc<Core>,
    task: i64,
}

impl OneWay {
    pub(super) fn new(core: Arc<Core>, task: i64) -> Self {
        Self { core, task }
    }

    pub(crate) fn alter(&self, alter: impl FnOnce(&mut Action)) {
        self.core.alter_one_way(self.task, alter);
    }
}

/// An orchestration that was started and is not waited for.
pub struct NewInstance {
    starter: Starter,
    id: String,
}

enum Starter {
    Orchestration(OneWay),
    Entity(Arc<Operation>, usize),
}

impl NewInstance {
    pub(super) fn of_orchestration(action: OneWay, id: String) -> Self {
        let starter = Starter::Orchestration(action);
        Self { starter, id }
    }

    pub(crate) fn of_entity(operation: Arc<Operation>, index: usize, id: String) -> Self {
        let starter = Starter::Entity(operation, index);
        Self { starter, id }
    }

    /// Its instance id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Under this id; the default is a new GUID. An id that breaks the rules fails the caller with a `UsageError`.
    #[allow(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "what acts when dropped unread is not `must_use`"
    )]
    pub fn with_instance_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        if let Err(fault) = crate::client::check_instance_id(&self.id) {
            misuse(fault.to_string());
        }
        let wanted: Arc<str> = self.id.as_str().into();
        match &self.starter {
            Starter::Orchestration(action) => action.alter(|action| {
                if let HistoryEvent::SubOrchestrationInstanceCreated { instance_id, .. } =
                    &mut action.event
                {
                    *instance_id = wanted;
                }
            }),
            Starter::Entity(operation, index) => operation.alter(*index, |sent| {
                if let Sent::Start { instance_id, .. } = sent {
                    *instance_id = wanted;
                }
            }),
        }
        self
    }

    /// In this version; the default is what its function declares.
    #[allow(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "what acts when dropped unread is not `must_use`"
    )]
    pub fn with_version(self, wanted: impl Into<String>) -> Self {
        let wanted = wanted.into();
        match &self.starter {
            Starter::Orchestration(action) => action.alter(|action| {
                if let HistoryEvent::SubOrchestrationInstanceCreated { version, .. } =
                    &mut action.event
                {
                    *version = wanted;
                }
            }),
            Starter::Entity(operation, index) => operation.alter(*index, |sent| {
                if let Sent::Start { version, .. } = sent {
                    *version = Some(wanted);
                }
            }),
        }
        self
    }

    /// Not before this instant.
    #[allow(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "what acts when dropped unread is not `must_use`"
    )]
    pub fn scheduled_at(self, at: DateTime<Utc>) -> Self {
        match &self.starter {
            Starter::Orchestration(action) => {
                action.alter(|action| action.scheduled_start = Some(at.into()));
            }
            Starter::Entity(operation, index) => operation.alter(*index, |sent| {
                if let Sent::Start { due, .. } = sent {
                    *due = Some(at.into());
                }
            }),
        }
        self
    }
}

impl fmt::Display for NewInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl fmt::Debug for NewInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewInstance")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The input of a call: `null` is an input too, but `()` is none.
pub(super) fn input_of(
    payload: Result<Payload, serde_json::Error>,
) -> Result<Option<Payload>, TaskError> {
    payload
        .map(|payload| (!payload.is_null()).then_some(payload))
        .map_err(|e| TaskError::usage(format!("the input cannot be serialised: {e}")))
}
