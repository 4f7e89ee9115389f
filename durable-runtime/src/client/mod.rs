//! [`DurableClient`]: start, query, control. The engine answers; every answer comes after the commit that makes it true.

mod binding;
mod call;
mod entities;
mod host;
mod pending;
mod projection;
mod purge;
mod query;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::binding::Binding;
use self::call::{LIVE, input_of};
use self::projection::{Show, project};
use crate::function::{IntoInput, Orchestrator};
use crate::hub::{Engine, StartRequest};
use crate::model::{FailureDetails, HistoryEvent, Payload, RuntimeStatus};
use crate::registry::Registry;
use crate::store::{InstanceRecord, ListQuery, LoadedInstance, Parts, is_entity};
use crate::trace;

pub(crate) use entities::dress;

pub use call::{Call, Start, Terminate};
pub use entities::{CallEntity, CleanedEntities, EntityQuery, EntityStatus, SignalEntity};
#[doc(hidden)]
pub use entities::{release_of_orphan, to_be_cleaned};
pub use pending::{PendingActivity, PendingWork, QueuedFor};
pub use purge::PurgeInstance;
#[doc(hidden)]
pub use purge::purge_order;
pub use query::{InstanceQuery, OrchestrationStatus, Page, PurgeFilter, StatusOptions};

/// Starts, queries and controls instances. Cheap to clone; usable from any trigger but orchestration, and from outside.
///
/// One that was taken before its host runs waits until it does.
#[derive(Clone)]
pub struct DurableClient {
    binding: Arc<Binding>,
    task_hub: Option<Arc<str>>,
    connection: Option<Arc<str>>,
    /// What its starts hand on, unless they say otherwise.
    trace: Option<Arc<str>>,
}

impl fmt::Debug for DurableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableClient")
            .field("task_hub", &self.task_hub)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// What a client can tell a live instance.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Control {
    /// End it.
    Terminate {
        /// Becomes the output.
        reason: Option<String>,
        /// Children too.
        recursive: bool,
    },
    /// Halt it.
    Suspend {
        /// Kept in history.
        reason: Option<String>,
    },
    /// Let it go on.
    Resume {
        /// Kept in history.
        reason: Option<String>,
    },
    /// Take it back to before its failure.
    Rewind {
        /// Kept in history.
        reason: Option<String>,
    },
}

impl DurableClient {
    /// A client whose calls wait for [`crate::hub::Hub::start`].
    #[must_use]
    pub fn unbound() -> Self {
        Self {
            binding: Arc::new(Binding::new()),
            task_hub: None,
            connection: None,
            trace: None,
        }
    }

    pub(crate) fn bind(&self, engine: &Arc<Engine>) {
        self.binding.bind(engine);
    }

    /// The hub will never run: calls that wait for it fail with this text.
    pub fn abandon(&self, why: impl Into<String>) {
        self.binding.abandon(why.into());
    }

    async fn engine(&self) -> Result<Arc<Engine>, ClientError> {
        self.binding.engine().await
    }

    /// The client of another task hub or connection, as a `#[durable_client(..)]` names them.
    ///
    /// # Errors
    /// One that this host cannot reach: on SQLite, every hub but its own.
    pub fn of(
        &self,
        task_hub: Option<&str>,
        connection: Option<&str>,
    ) -> Result<Self, ClientError> {
        let Some(engine) = self.binding.now() else {
            return Ok(self.clone());
        };
        let own = &engine.settings;
        if let Some(other) =
            task_hub.filter(|hub| !hub.is_empty() && !hub.eq_ignore_ascii_case(&own.hub_name))
        {
            let text = format!(
                "the task hub `{other}` cannot be reached: this host serves `{}` alone, since its database is SQLite",
                own.hub_name
            );
            return Err(ClientError::InvalidArgument(text));
        }
        if let Some(other) = connection
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(&own.connection))
        {
            let text = format!(
                "the connection `{other}` cannot be reached: this host uses `{}` alone, since its database is SQLite",
                own.connection
            );
            return Err(ClientError::InvalidArgument(text));
        }
        let named = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(Arc::from);
        Ok(Self {
            binding: Arc::clone(&self.binding),
            task_hub: named(task_hub),
            connection: named(connection),
            trace: self.trace.clone(),
        })
    }

    /// The same client, whose starts hand on this W3C trace context.
    #[doc(hidden)]
    #[must_use]
    pub fn traced(mut self, trace_parent: &str, trace_state: Option<&str>) -> Self {
        self.trace = Some(trace::join(trace_parent, trace_state).into());
        self
    }

    /// The task hub's name, as this client was given it, else the host's.
    #[must_use]
    pub fn task_hub(&self) -> String {
        let own = || {
            self.binding
                .now()
                .map(|engine| engine.settings.hub_name.clone())
        };
        self.task_hub
            .as_deref()
            .map(str::to_owned)
            .or_else(own)
            .unwrap_or_default()
    }

    /// The name of the connection setting, as this client was given it, else the host's.
    #[must_use]
    pub fn connection(&self) -> String {
        let own = || {
            self.binding
                .now()
                .map(|engine| engine.settings.connection.clone())
        };
        self.connection
            .as_deref()
            .map(str::to_owned)
            .or_else(own)
            .unwrap_or_default()
    }

    /// The functions of the hub, once it runs.
    #[must_use]
    pub fn registry(&self) -> Option<Arc<Registry>> {
        self.binding
            .now()
            .map(|engine| Arc::clone(&engine.registry))
    }

    /// Bytes of JSON that one value may have in the hub, once it runs.
    #[doc(hidden)]
    #[must_use]
    pub fn payload_limit(&self) -> Option<usize> {
        self.binding
            .now()
            .map(|engine| engine.settings.max_payload_bytes)
    }

    /// Whether both are clients of one hub.
    #[must_use]
    pub fn is_same_hub(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.binding, &other.binding)
    }

    /// Starts an orchestration.
    pub fn start_new<S: Orchestrator>(&self, input: impl IntoInput<S::Input>) -> Start {
        self.start(S::NAME, input_of(input.into_payload()), S::VERSION)
    }

    /// Starts an orchestration by its registered name. `()` and `None` are no input.
    pub fn start_new_by_name(&self, name: &str, input: impl Serialize) -> Start {
        self.start(name, input_of(Payload::of(&input)), None)
    }

    fn start(
        &self,
        name: &str,
        input: Result<Option<Payload>, ClientError>,
        version: Option<&str>,
    ) -> Start {
        let request = input.map(|input| StartRequest {
            name: name.to_owned(),
            input,
            version: version.map(str::to_owned),
            trace_parent: self.trace.as_deref().map(str::to_owned),
            ..StartRequest::default()
        });
        Start::new(self.clone(), request)
    }

    /// The status of an instance; `None` if there is none of that id.
    pub fn get_status(&self, id: impl AsRef<str>) -> Call<Option<OrchestrationStatus>> {
        self.get_status_with(id, StatusOptions::new())
    }

    /// The status, with history, or without input.
    pub fn get_status_with(
        &self,
        id: impl AsRef<str>,
        options: StatusOptions,
    ) -> Call<Option<OrchestrationStatus>> {
        let (client, id) = (self.clone(), id.as_ref().to_owned());
        Call::new(async move {
            let engine = client.engine().await?;
            let Some(record) = engine.find(&id, Parts::ALL).await? else {
                return Ok(None);
            };
            let mut status = OrchestrationStatus::of(&record, !options.no_input);
            if options.history && record.status != RuntimeStatus::Pending {
                let history = engine.history(&id).await?.unwrap_or_default();
                status.history = Some(project(
                    &record,
                    &history,
                    Show {
                        input: !options.no_input,
                        output: options.history_output,
                    },
                ));
            }
            Ok(Some(status))
        })
    }

    /// What an instance waits for: open activities, timers, events, children; nothing once it has ended. `None` if there is none of that id.
    ///
    /// It is made by replaying the stored history on the side, at the cost of its length; the instance itself does not notice.
    pub fn pending_work(&self, id: impl AsRef<str>) -> Call<Option<PendingWork>> {
        let (client, id) = (self.clone(), id.as_ref().to_owned());
        Call::new(async move { client.engine().await?.pending_work(&id).await })
    }

    /// The recorded events of an instance, one list per turn, with ids.
    #[doc(hidden)]
    pub fn events(&self, id: impl AsRef<str>) -> Call<Option<Vec<Vec<HistoryEvent>>>> {
        let (client, id) = (self.clone(), id.as_ref().to_owned());
        Call::new(async move { client.engine().await?.history(&id).await })
    }

    /// The instance with its payloads as text; from memory while it lives.
    ///
    /// # Errors
    /// A database that cannot be read.
    #[doc(hidden)]
    pub async fn record(
        &self,
        id: &str,
        parts: Parts,
    ) -> Result<Option<Arc<InstanceRecord>>, ClientError> {
        self.engine().await?.find(id, parts).await
    }

    /// Waits for the end of an instance: what [`Self::record`] would show from then on.
    ///
    /// # Errors
    /// [`ClientError::Timeout`]; no such instance; a database that cannot be read.
    #[doc(hidden)]
    pub async fn wait_for_record(
        &self,
        id: &str,
        timeout: Duration,
    ) -> Result<Arc<InstanceRecord>, ClientError> {
        self.engine().await?.wait(id, timeout).await
    }

    /// Resolves when the hub lets no function begin any more, since it stops: nothing is worth a long wait then.
    #[doc(hidden)]
    pub async fn closed(&self) {
        // It is not held while this waits.
        let closed = self.engine().await.map(|engine| engine.until_closed());
        match closed {
            Ok(closed) => closed.cancelled().await,
            Err(_) => std::future::pending().await,
        }
    }

    /// A page of instances with their payloads as text.
    ///
    /// # Errors
    /// A database that cannot be read.
    #[doc(hidden)]
    pub async fn records(&self, query: ListQuery) -> Result<Vec<InstanceRecord>, ClientError> {
        self.engine().await?.list(query).await
    }

    /// A page of instances, ordered by creation and id; with an id prefix, by id.
    pub fn list_instances(&self, query: InstanceQuery) -> Call<Page<OrchestrationStatus>> {
        let client = self.clone();
        Call::new(async move {
            let query = query.into_list()?;
            let limit = query.limit;
            let records = client.engine().await?.list(query).await?;
            let continuation_token = records
                .last()
                .filter(|_| records.len() >= limit)
                .map(InstanceQuery::token);
            Ok(Page {
                items: records
                    .iter()
                    .map(|record| OrchestrationStatus::of(record, true))
                    .collect(),
                continuation_token,
            })
        })
    }

    /// Raises an external event. It is durable when this returns, and waits if nobody waits for it.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::InvalidState`] of an instance that has ended; [`ClientError::InvalidArgument`] for the id
    /// of an entity (as in [`Self::terminate`], [`Self::suspend`] and [`Self::resume`]), an empty name, data that cannot be serialised or
    /// is over its limit.
    pub fn raise_event(
        &self,
        id: impl AsRef<str>,
        name: impl Into<String>,
        data: impl Serialize,
    ) -> Call<()> {
        let (client, id, name, data) = (
            self.clone(),
            id.as_ref().to_owned(),
            name.into(),
            Payload::of(&data),
        );
        Call::new(async move {
            let data = data.map_err(|e| {
                ClientError::InvalidArgument(format!("the event's data cannot be serialised: {e}"))
            })?;
            if name.is_empty() {
                return Err(ClientError::InvalidArgument(
                    "an event needs a name".to_owned(),
                ));
            }
            let engine = client.engine().await?;
            engine.check_payload("event's data", &data)?;
            let throws = engine.settings.throw_on_raise_event;
            match engine
                .send(&id, HistoryEvent::EventRaised { name, data }, &LIVE)
                .await
            {
                Err(ClientError::InvalidState { .. } | ClientError::NotFound(_)) if !throws => {
                    Ok(())
                }
                other => other,
            }
        })
    }

    /// Ends an instance; the reason becomes its output.
    pub fn terminate(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Terminate {
        Terminate::new(self.clone(), id.as_ref().to_owned(), Some(reason.into()))
    }

    /// Halts an instance: what arrives is kept and not processed.
    pub fn suspend(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Call<()> {
        self.control(
            id.as_ref(),
            Control::Suspend {
                reason: Some(reason.into()),
            },
        )
    }

    /// Lets a halted instance go on.
    pub fn resume(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Call<()> {
        self.control(
            id.as_ref(),
            Control::Resume {
                reason: Some(reason.into()),
            },
        )
    }

    /// Takes a failed instance back to before its failure: what failed runs again, what succeeded does not, and failed children are
    /// taken back too. A failure of code alone has its last turn run again.
    ///
    /// # Errors
    /// [`ClientError::InvalidState`] unless the instance is `Failed`; [`ClientError::NotFound`].
    pub fn rewind(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Call<()> {
        let reason = Some(reason.into());
        self.control(id.as_ref(), Control::Rewind { reason })
    }

    /// Starts the instance's function once more, with its name, input, version and tags, under a new id or (once it has ended) the
    /// same one; gives the id.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::AlreadyExists`] for the same id while the instance has not ended;
    /// [`ClientError::UnknownFunction`] if the function is gone.
    pub fn restart(&self, id: impl AsRef<str>, new_id: bool) -> Call<String> {
        let (client, id) = (self.clone(), id.as_ref().to_owned());
        Call::new(async move { client.engine().await?.restart(&id, new_id).await })
    }

    /// The same, with reasons that may be absent.
    #[doc(hidden)]
    pub fn control(&self, id: &str, control: Control) -> Call<()> {
        let (client, id) = (self.clone(), id.to_owned());
        let (event, accepted): (HistoryEvent, &'static [RuntimeStatus]) = match control {
            Control::Terminate { reason, recursive } => (
                HistoryEvent::ExecutionTerminated { reason, recursive },
                &LIVE,
            ),
            Control::Suspend { reason } => (
                HistoryEvent::ExecutionSuspended { reason },
                &[
                    RuntimeStatus::Pending,
                    RuntimeStatus::Running,
                    RuntimeStatus::ContinuedAsNew,
                ],
            ),
            Control::Resume { reason } => (
                HistoryEvent::ExecutionResumed { reason },
                &[RuntimeStatus::Suspended],
            ),
            Control::Rewind { reason } => {
                return Call::new(async move { client.engine().await?.rewind(&id, reason).await });
            }
        };
        Call::new(async move { client.engine().await?.send(&id, event, accepted).await })
    }

    /// Removes an instance that has ended, or an entity that nobody uses, with all that is its: how many were removed, 0 or 1.
    ///
    /// # Errors
    /// [`ClientError::InvalidState`] of an instance that has not ended, and of an entity that is locked or has messages waiting.
    pub fn purge_instance(&self, id: impl AsRef<str>) -> PurgeInstance {
        PurgeInstance::new(self.clone(), id.as_ref().to_owned())
    }

    /// Removes ended instances that match, in small batches: how many were removed. One that ends meanwhile may stay.
    pub fn purge_instances(&self, filter: PurgeFilter) -> Call<u64> {
        let client = self.clone();
        Call::new(async move { purge::matching(&client.engine().await?, filter).await })
    }

    /// Waits for the end of an instance: woken by its commit, not by polling.
    pub fn wait_for_completion(
        &self,
        id: impl AsRef<str>,
        timeout: Duration,
    ) -> Call<OrchestrationStatus> {
        let (client, id) = (self.clone(), id.as_ref().to_owned());
        Call::new(async move {
            let record = client.engine().await?.wait(&id, timeout).await?;
            Ok(OrchestrationStatus::of(&record, true))
        })
    }
}

/// The history of a loaded instance as clients read it, inputs and outputs included.
#[doc(hidden)]
#[must_use]
pub fn history_of(loaded: &LoadedInstance) -> Vec<serde_json::Value> {
    let show = Show {
        input: true,
        output: true,
    };
    project(&loaded.record, &loaded.history, show)
}

/// Why a client's call failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No instance of that id.
    #[error("no instance with the id `{0}` was found")]
    NotFound(String),
    /// An instance of that id exists and may not be replaced.
    #[error("{0}")]
    AlreadyExists(String),
    /// The instance is in a status that does not allow this.
    #[error("{}", invalid_state(id, *status))]
    InvalidState {
        /// The instance.
        id: String,
        /// Its status.
        status: RuntimeStatus,
    },
    /// An argument that cannot be accepted.
    #[error("{0}")]
    InvalidArgument(String),
    /// No such function here.
    #[error("no function `{name}`; known are {}", known.join(", "))]
    UnknownFunction {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The time was over first.
    #[error("timed out")]
    Timeout,
    /// The hub takes no work now.
    #[error("{0}")]
    Unavailable(String),
    /// A called entity operation failed.
    #[error("{0}")]
    Failed(FailureDetails),
}

fn invalid_state(id: &str, status: RuntimeStatus) -> String {
    match is_entity(id) {
        true => busy_entity(id),
        false => format!("the instance `{id}` is {status}, which does not allow this"),
    }
}

/// Why an entity is not purged.
#[doc(hidden)]
#[must_use]
pub fn busy_entity(id: &str) -> String {
    format!(
        "the entity `{id}` is locked or has messages waiting; purge it once those who use it are done"
    )
}

/// What is wrong with an instance id (spec 0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// It is empty.
    #[error("an instance id must not be empty")]
    Empty,
    /// It is longer than 256 UTF-16 units.
    #[error("Instance ID lengths must not exceed 256 characters.")]
    TooLong,
    /// It begins with `@`, which entities do.
    #[error("Orchestration instance ids must not start with @.")]
    LeadingAt,
    /// It has a character that no URL could carry.
    #[error("Orchestration instance ids must not contain /, \\, #, ?, or control characters.")]
    Forbidden,
    /// It is `.` or `..`, which everybody takes out of a URL.
    #[error("Orchestration instance ids must not be . or .., which no URL could name.")]
    Dots,
}

/// Holds an instance id against the rules: 1..=256 characters, no leading `@`, none of `/ \ # ?`, no control characters, not `.` or
/// `..`.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_instance_id(id: &str) -> Result<(), IdFault> {
    if id.is_empty() {
        return Err(IdFault::Empty);
    }
    if id.starts_with('@') {
        return Err(IdFault::LeadingAt);
    }
    if id
        .chars()
        .any(|c| matches!(c, '/' | '\\' | '#' | '?') || c.is_control())
    {
        return Err(IdFault::Forbidden);
    }
    if matches!(id, "." | "..") {
        return Err(IdFault::Dots);
    }
    if id.encode_utf16().count() > 256 {
        return Err(IdFault::TooLong);
    }
    Ok(())
}

/// Events, terminations and the like are for orchestrations: an entity would never take them out of its inbox.
///
/// # Errors
/// [`ClientError::InvalidArgument`] for the id of an entity.
#[doc(hidden)]
pub fn check_no_entity(id: &str) -> Result<(), ClientError> {
    if !is_entity(id) {
        return Ok(());
    }
    Err(ClientError::InvalidArgument(format!(
        "`{id}` is the id of an entity, this takes that of an orchestration; signal the entity instead"
    )))
}

/// The reference's sentence for an orchestrator that is not registered.
pub(crate) fn unknown_orchestrator(name: &str, registry: &crate::registry::Registry) -> String {
    let names = registry.check_start(name).err().unwrap_or_default();
    let known = if names.is_empty() {
        "No orchestrator functions are currently registered!".to_owned()
    } else {
        format!(
            "The following are the known orchestrator functions: {}.",
            crate::registry::Registry::quoted(&names)
        )
    };
    format!(
        "The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: {known}"
    )
}
