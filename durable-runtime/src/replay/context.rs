//! [`OrchestrationContext`]: what an orchestrator asks the engine for.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::combinators::{WhenAll, WhenAny};
use super::core::Core;
use super::guid;
use super::http_call::HttpCall;
use super::task::{
    ActivityCall, DurableTimer, EventWait, Handle, NewInstance, OneWay, SubOrchestrationCall,
    input_of,
};
use crate::durable_http::DurableHttpRequest;
use crate::error::{Error, Result};
use crate::function::{Activity, IntoInput, Orchestrator, read_input};
use crate::model::{HistoryEvent, Payload, TaskError, Timestamp};

/// What an orchestrator asks the engine for. Cheap to clone.
///
/// Work is asked for by the call, not by the await: two calls made before the first await run side by side.
#[derive(Clone)]
pub struct OrchestrationContext {
    core: Arc<Core>,
}

/// When a timer is due: after a [`Duration`], or at a [`DateTime`].
pub trait Due {
    #[doc(hidden)]
    fn due(self, now: Timestamp) -> Timestamp;
}

impl Due for Duration {
    fn due(self, now: Timestamp) -> Timestamp {
        now.plus(self)
    }
}

impl Due for DateTime<Utc> {
    fn due(self, _now: Timestamp) -> Timestamp {
        self.into()
    }
}

impl OrchestrationContext {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn handle(&self, slot: super::slot::SlotId) -> Handle {
        Handle::new(Arc::clone(&self.core), slot)
    }

    /// Calls an activity.
    pub fn call_activity<A: Activity>(
        &self,
        input: impl IntoInput<A::Input>,
    ) -> ActivityCall<A::Output> {
        let slot = self
            .core
            .call_activity(A::NAME, input_of(input.into_payload()));
        ActivityCall::new(self.handle(slot))
    }

    /// Calls an activity by its registered name. One that is not registered fails the call, naming those that are.
    pub fn call_activity_by_name<O: DeserializeOwned>(
        &self,
        name: &str,
        input: impl Serialize,
    ) -> ActivityCall<O> {
        let slot = self.core.call_activity(name, input_of(Payload::of(&input)));
        ActivityCall::new(self.handle(slot))
    }

    /// Calls another orchestrator and waits for it.
    pub fn call_sub_orchestrator<S: Orchestrator>(
        &self,
        input: impl IntoInput<S::Input>,
    ) -> SubOrchestrationCall<S::Output> {
        let slot = self.core.call_child(
            S::NAME,
            S::VERSION.map(str::to_owned),
            input_of(input.into_payload()),
        );
        SubOrchestrationCall::new(self.handle(slot))
    }

    /// Calls another orchestrator by its registered name.
    pub fn call_sub_orchestrator_by_name<O: DeserializeOwned>(
        &self,
        name: &str,
        input: impl Serialize,
    ) -> SubOrchestrationCall<O> {
        let slot = self
            .core
            .call_child(name, None, input_of(Payload::of(&input)));
        SubOrchestrationCall::new(self.handle(slot))
    }

    /// Sends an HTTP request; any status is an answer. A 202 is polled for until it is none, with durable timers in between, and a retry
    /// policy sends again, both whether the call is awaited or not.
    ///
    /// Fails with `HttpRequestException`, `TimeoutException` or `TokenException`; `properties["kind"]` says what happened: `dns`,
    /// `connect`, `tls`, `timeout`, `reset`, `too_large`, `redirects`, `token` or `invalid`.
    pub fn call_http(&self, request: DurableHttpRequest) -> HttpCall {
        HttpCall::new(self.handle(self.core.call_http(request)))
    }

    /// A durable timer: due after a `Duration`, or at a `DateTime<Utc>`. One in the past fires in the next turn.
    pub fn create_timer(&self, due: impl Due) -> DurableTimer {
        let slot = self.core.create_timer(|now| due.due(now));
        DurableTimer::new(self.handle(slot))
    }

    /// Waits for an external event. Names are compared without case; events that came before are delivered first, oldest first.
    pub fn wait_for_external_event<T: DeserializeOwned>(&self, name: &str) -> EventWait<T> {
        let slot = self.core.wait_for_event(name);
        EventWait::new(self.handle(slot))
    }

    /// Sends an event to another orchestration: one-way, in order; one that nobody receives is dropped.
    pub fn send_event(
        &self,
        instance_id: impl AsRef<str>,
        name: impl Into<String>,
        data: impl Serialize,
    ) {
        let (to, name): (&str, String) = (instance_id.as_ref(), name.into());
        if to.starts_with('@') || to.is_empty() || name.is_empty() {
            self.core.misuse(format!(
                "`send_event` needs an orchestration's id and a name; found `{to}` and `{name}`"
            ));
        }
        let data = Payload::of(&data).unwrap_or_else(|e| {
            self.core.misuse(format!(
                "the data of the event `{name}` cannot be serialised: {e}"
            ))
        });
        self.core.must_fit("data of the event", &data);
        self.core.ask_one_way(|id| HistoryEvent::EventSent {
            id,
            instance_id: to.into(),
            name,
            data,
        });
    }

    /// Starts another orchestration and forgets it.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn start_orchestration<S: Orchestrator>(
        &self,
        input: impl IntoInput<S::Input>,
    ) -> NewInstance {
        self.start(
            S::NAME,
            S::VERSION.unwrap_or(&self.core.limits.default_version),
            input_of(input.into_payload()),
        )
    }

    /// Starts another orchestration by its registered name and forgets it.
    #[allow(clippy::must_use_candidate, reason = "it acts, read or not")]
    pub fn start_orchestration_by_name(&self, name: &str, input: impl Serialize) -> NewInstance {
        let version = &self.core.limits.default_version;
        self.start(name, version, input_of(Payload::of(&input)))
    }

    fn start(
        &self,
        name: &str,
        version: &str,
        input: Result<Option<Payload>, TaskError>,
    ) -> NewInstance {
        if !self.core.registry.has_orchestrator(name) {
            self.core.misuse(crate::client::unknown_orchestrator(
                name,
                &self.core.registry,
            ));
        }
        let input = input.unwrap_or_else(|e| self.core.misuse(e.to_string()));
        if let Some(input) = &input {
            self.core.must_fit("input", input);
        }
        let instance_id = self.new_guid().simple().to_string();
        let created = instance_id.as_str().into();
        let task = self
            .core
            .ask_one_way(|id| HistoryEvent::SubOrchestrationInstanceCreated {
                id,
                name: name.into(),
                instance_id: created,
                version: version.to_owned(),
                input,
                detached: true,
            });
        NewInstance::of_orchestration(OneWay::new(Arc::clone(&self.core), task), instance_id)
    }

    /// Waits for all of them, then gives their results in argument order, or the first failure in that order.
    pub fn when_all<F, O, E>(&self, all: impl IntoIterator<Item = F>) -> WhenAll<F>
    where
        F: Future<Output = Result<O, E>>,
        E: Into<TaskError>,
    {
        WhenAll::new(all)
    }

    /// Waits for the first of them, in the order of history: its output, its index, and the rest. Of nothing: fails the instance.
    pub fn when_any<F: Future + Unpin>(&self, all: impl IntoIterator<Item = F>) -> WhenAny<F> {
        let all: Vec<F> = all.into_iter().collect();
        if all.is_empty() {
            self.core.misuse("`when_any` of nothing never ends");
        }
        WhenAny::new(all)
    }

    /// The input.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        read_input(
            self.core.started.input.as_ref(),
            "orchestrator",
            &self.core.started.name,
        )
    }

    #[doc(hidden)]
    pub fn __input<T: DeserializeOwned>(&self) -> Result<T> {
        self.input()
    }

    /// This instance's id.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.core.instance_id
    }

    /// This generation's id: a new one after each continue-as-new.
    #[must_use]
    pub fn execution_id(&self) -> &str {
        &self.core.started.execution_id
    }

    /// The orchestrator's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.started.name
    }

    /// The instance's version; may be empty.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.core.started.version
    }

    /// The instance that called this one; `None` for one that a client started.
    #[must_use]
    pub fn parent_instance_id(&self) -> Option<&str> {
        self.core
            .started
            .parent
            .as_ref()
            .map(|parent| &*parent.instance_id)
    }

    /// The instant of this turn: the same in every replay, and never earlier than before.
    #[must_use]
    pub fn current_utc_datetime(&self) -> DateTime<Utc> {
        self.core.state().now.to_utc()
    }

    /// A GUID: the same in every replay, another one at each call.
    #[must_use]
    pub fn new_guid(&self) -> Uuid {
        let mut state = self.core.state();
        state.guids += 1;
        guid::of(&self.core.instance_id, state.now, state.guids - 1)
    }

    /// Whether the code now runs over what history already records.
    #[must_use]
    pub fn is_replaying(&self) -> bool {
        self.core.state().replaying
    }

    /// Sets what clients see as the custom status; `()` and `None` clear it. At most 16 KB (setting); more fails the instance.
    pub fn set_custom_status(&self, status: &(impl Serialize + ?Sized)) {
        let status = Payload::of(status).unwrap_or_else(|e| {
            self.core
                .misuse(format!("the custom status cannot be serialised: {e}"))
        });
        let limit = self.core.limits.custom_status_kib;
        let bytes = status.as_str().encode_utf16().count() * 2;
        if bytes / 1024 > limit {
            self.core.misuse(format!(
                "The size of the JSON-serialized payload must not exceed {limit} KB of UTF-16 text; found {bytes} bytes."
            ));
        }
        self.core.must_fit("custom status", &status);
        self.core.state().effects.custom_status = Some((!status.is_null()).then_some(status));
    }

    /// Ends this generation and starts the next with another input: `return ctx.continue_as_new(input)`. Events that nobody read go along.
    ///
    /// # Errors
    /// Always: what counts is that it is returned.
    #[must_use = "nothing happens unless it is returned: `return ctx.continue_as_new(..)`"]
    pub fn continue_as_new<O>(&self, input: impl Serialize) -> Result<O> {
        self.continue_as_new_with(input, ContinueOptions::new())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// Always: what counts is that it is returned.
    #[must_use = "nothing happens unless it is returned: `return ctx.continue_as_new_with(..)`"]
    pub fn continue_as_new_with<O>(
        &self,
        input: impl Serialize,
        options: ContinueOptions,
    ) -> Result<O> {
        let input = Payload::of(&input).map_err(|e| {
            Error::non_retriable(Error::msg(format!(
                "the next input cannot be serialised: {e}"
            )))
            .with_type("SerializationError")
        })?;
        self.core
            .check("next input", &input)
            .map_err(Error::usage)?;
        Err(Error::continuation(Continuation {
            parts: Some((input, options)),
        }))
    }
}

impl fmt::Debug for OrchestrationContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestrationContext")
            .field("instance_id", &self.core.instance_id)
            .finish_non_exhaustive()
    }
}

/// How an execution goes on as a new one.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ContinueOptions {
    pub(crate) discard_events: bool,
    pub(crate) version: Option<String>,
}

impl ContinueOptions {
    /// Unread events go along, the version stays.
    pub fn new() -> Self {
        Self::default()
    }

    /// Unread events are dropped.
    pub fn discard_events(mut self) -> Self {
        self.discard_events = true;
        self
    }

    /// The next generation has this version: how an eternal orchestration moves on to new code.
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

/// What `continue_as_new` returns, inside an error.
#[derive(Debug)]
pub(crate) struct Continuation {
    parts: Option<(Payload, ContinueOptions)>,
}

impl Continuation {
    pub(super) fn take(&mut self) -> (Payload, ContinueOptions) {
        self.parts
            .take()
            .unwrap_or_else(|| (Payload::null(), ContinueOptions::default()))
    }
}

impl Drop for Continuation {
    fn drop(&mut self) {
        if self.parts.is_some() {
            tracing::warn!(
                "`continue_as_new` was called but not returned, so it did nothing; write `return ctx.continue_as_new(..)`"
            );
        }
    }
}
