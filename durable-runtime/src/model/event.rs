//! [`HistoryEvent`]: one appended fact. The kinds and their meaning are those of the Durable Task framework (spec 2.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{EntityMessage, FailureDetails, Payload, RuntimeStatus, Timestamp};

/// One appended fact of an execution.
///
/// Stored as a member of a JSON array, one array per turn: `[{"OrchestratorStarted":{"at":1732435200000000}}, …]`.
/// The events of a turn share the instant of its `OrchestratorStarted`. Inputs of the execution and results of its end lie in
/// the payloads, not here: what is written once is not written twice. Failures are boxed: they would make every event large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HistoryEvent {
    /// First event of every turn; its instant is the turn's clock.
    OrchestratorStarted {
        /// The turn's clock.
        at: Timestamp,
    },
    /// First inbound event of an execution.
    ExecutionStarted(Box<ExecutionStarted>),
    /// An activity was asked for.
    TaskScheduled {
        /// Task id.
        id: i64,
        /// The activity's name.
        name: Arc<str>,
        /// Its input.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
    },
    /// An activity returned.
    TaskCompleted {
        /// The id of its `TaskScheduled`.
        id: i64,
        /// What it returned.
        result: Payload,
    },
    /// An activity failed.
    TaskFailed {
        /// The id of its `TaskScheduled`.
        id: i64,
        /// Why.
        failure: Box<FailureDetails>,
    },
    /// A timer was asked for.
    TimerCreated {
        /// Task id.
        id: i64,
        /// When it is due.
        fire_at: Timestamp,
    },
    /// A timer came due.
    TimerFired {
        /// The id of its `TimerCreated`.
        id: i64,
    },
    /// Another orchestration was asked for: a child, or with `detached` one that answers to nobody.
    SubOrchestrationInstanceCreated {
        /// Task id.
        id: i64,
        /// The orchestrator's name.
        name: Arc<str>,
        /// The instance id.
        instance_id: Arc<str>,
        /// Its version.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        version: String,
        /// Its input.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
        /// Started and forgotten.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        detached: bool,
    },
    /// A child returned.
    SubOrchestrationInstanceCompleted {
        /// The id of its `SubOrchestrationInstanceCreated`.
        id: i64,
        /// What it returned.
        result: Payload,
    },
    /// A child failed, was terminated, or could not be started.
    SubOrchestrationInstanceFailed {
        /// The id of its `SubOrchestrationInstanceCreated`.
        id: i64,
        /// Why.
        failure: Box<FailureDetails>,
    },
    /// An event was sent to another instance.
    EventSent {
        /// Task id.
        id: i64,
        /// The receiver.
        instance_id: Arc<str>,
        /// The event's name.
        name: String,
        /// Its data.
        data: Payload,
    },
    /// An external event arrived.
    EventRaised {
        /// Its name, as raised.
        name: String,
        /// Its data.
        data: Payload,
    },
    /// An operation of an entity was called.
    EntityOperationCalled {
        /// Task id.
        id: i64,
        /// The entity's instance id.
        entity: Arc<str>,
        /// The operation.
        operation: Arc<str>,
        /// Its input.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
        /// The id of the `EntityLockRequested` under whose locks it was called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<i64>,
    },
    /// An operation of an entity was asked for, one-way.
    EntityOperationSignaled {
        /// Task id.
        id: i64,
        /// The entity's instance id.
        entity: Arc<str>,
        /// The operation.
        operation: Arc<str>,
        /// Its input.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<Payload>,
        /// Not to be run before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
    },
    /// The locks of entities were asked for.
    EntityLockRequested {
        /// Task id.
        id: i64,
        /// Instance ids, sorted, each once.
        entities: Vec<Arc<str>>,
    },
    /// The lock of an entity was let go.
    EntityUnlockSent {
        /// Task id.
        id: i64,
        /// The entity's instance id.
        entity: Arc<str>,
        /// The id of the `EntityLockRequested`.
        section: i64,
        /// It was let go before all locks were granted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        early: bool,
    },
    /// A called operation returned.
    EntityOperationCompleted {
        /// The id of its `EntityOperationCalled`.
        id: i64,
        /// What it returned.
        result: Payload,
    },
    /// A called operation failed.
    EntityOperationFailed {
        /// The id of its `EntityOperationCalled`.
        id: i64,
        /// Why.
        failure: Box<FailureDetails>,
    },
    /// All locks are held.
    EntityLockGranted {
        /// The id of its `EntityLockRequested`.
        id: i64,
    },
    /// A message to an entity: only in inboxes, never in a history.
    Entity(Box<EntityMessage>),
    /// A client halted the instance.
    ExecutionSuspended {
        /// What the client said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A client lets it go on.
    ExecutionResumed {
        /// What the client said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A client ended it.
    ExecutionTerminated {
        /// What the client said; becomes the output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether children are terminated too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        recursive: bool,
    },
    /// A client took the failed execution back to before its failure.
    ExecutionRewound {
        /// What the client said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The execution that failed.
        execution_id: Arc<str>,
        /// The parent's execution, if the instance was rewound because its parent was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_execution_id: Option<Arc<str>>,
    },
    /// The execution ended.
    ExecutionCompleted {
        /// Task id, the highest.
        id: i64,
        /// How it ended.
        status: RuntimeStatus,
        /// What it returned (kept in the payloads when stored).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Payload>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Box<FailureDetails>>,
    },
    /// Last event of a turn.
    OrchestratorCompleted,
}

/// What an execution begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionStarted {
    /// The orchestrator's name.
    pub name: Arc<str>,
    /// Its version; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// 32 hex digits, new for each generation.
    pub execution_id: Arc<str>,
    /// The instance that called this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Not to be run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_start: Option<Timestamp>,
    /// 0 for the first, one more with each continue-as-new.
    #[serde(default)]
    pub generation: u64,
    /// Inherited by children.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// W3C trace context given at start: `traceparent`, and on a line of its own `tracestate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// The input (kept in the payloads when stored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Payload>,
}

/// Who called a sub-orchestration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The parent's instance id.
    pub instance_id: Arc<str>,
    /// The generation that asked; an answer to another one is dropped.
    pub execution_id: Arc<str>,
    /// The parent's function.
    pub name: Arc<str>,
    /// The id of the parent's `SubOrchestrationInstanceCreated`.
    pub task_id: i64,
}

impl HistoryEvent {
    /// The id that was given to what the event asks for; `None` for inbound events.
    pub(crate) fn task_id(&self) -> Option<i64> {
        match self {
            Self::TaskScheduled { id, .. }
            | Self::TimerCreated { id, .. }
            | Self::SubOrchestrationInstanceCreated { id, .. }
            | Self::EventSent { id, .. }
            | Self::EntityOperationCalled { id, .. }
            | Self::EntityOperationSignaled { id, .. }
            | Self::EntityLockRequested { id, .. }
            | Self::EntityUnlockSent { id, .. }
            | Self::ExecutionCompleted { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// When the message that this is becomes due; `None`: at once.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Entity(message) => match &**message {
                EntityMessage::Operation(operation) => operation.due,
                EntityMessage::Lock(_) | EntityMessage::Unlock { .. } => None,
            },
            _ => None,
        }
    }

    /// The task id of what this ends, well or not.
    #[must_use]
    pub const fn answers(&self) -> Option<i64> {
        match self {
            Self::TaskCompleted { id, .. }
            | Self::TaskFailed { id, .. }
            | Self::TimerFired { id }
            | Self::SubOrchestrationInstanceCompleted { id, .. }
            | Self::SubOrchestrationInstanceFailed { id, .. }
            | Self::EntityOperationCompleted { id, .. }
            | Self::EntityOperationFailed { id, .. }
            | Self::EntityLockGranted { id } => Some(*id),
            _ => None,
        }
    }

    /// Bytes of the value that it carries; 0 if it carries none.
    pub(crate) fn payload_bytes(&self) -> usize {
        let payload = match self {
            Self::ExecutionStarted(started) => started.input.as_ref(),
            Self::TaskScheduled { input, .. }
            | Self::SubOrchestrationInstanceCreated { input, .. }
            | Self::EntityOperationCalled { input, .. }
            | Self::EntityOperationSignaled { input, .. } => input.as_ref(),
            Self::TaskCompleted { result, .. }
            | Self::SubOrchestrationInstanceCompleted { result, .. }
            | Self::EntityOperationCompleted { result, .. } => Some(result),
            Self::EventSent { data, .. } | Self::EventRaised { data, .. } => Some(data),
            Self::ExecutionCompleted { result, .. } => result.as_ref(),
            Self::Entity(message) => match &**message {
                EntityMessage::Operation(operation) => operation.input.as_ref(),
                EntityMessage::Lock(_) | EntityMessage::Unlock { .. } => None,
            },
            _ => None,
        };
        payload.map_or(0, |payload| payload.as_str().len())
    }

    /// The kind's name, as clients read it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OrchestratorStarted { .. } => "OrchestratorStarted",
            Self::ExecutionStarted(_) => "ExecutionStarted",
            Self::TaskScheduled { .. } => "TaskScheduled",
            Self::TaskCompleted { .. } => "TaskCompleted",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::TimerCreated { .. } => "TimerCreated",
            Self::TimerFired { .. } => "TimerFired",
            Self::SubOrchestrationInstanceCreated { .. } => "SubOrchestrationInstanceCreated",
            Self::SubOrchestrationInstanceCompleted { .. } => "SubOrchestrationInstanceCompleted",
            Self::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceFailed",
            Self::EventSent { .. } => "EventSent",
            Self::EventRaised { .. } => "EventRaised",
            Self::EntityOperationCalled { .. } => "EntityOperationCalled",
            Self::EntityOperationSignaled { .. } => "EntityOperationSignaled",
            Self::EntityLockRequested { .. } => "EntityLockRequested",
            Self::EntityUnlockSent { .. } => "EntityUnlockSent",
            Self::EntityOperationCompleted { .. } => "EntityOperationCompleted",
            Self::EntityOperationFailed { .. } => "EntityOperationFailed",
            Self::EntityLockGranted { .. } => "EntityLockGranted",
            Self::Entity(_) => "Entity",
            Self::ExecutionSuspended { .. } => "ExecutionSuspended",
            Self::ExecutionResumed { .. } => "ExecutionResumed",
            Self::ExecutionTerminated { .. } => "ExecutionTerminated",
            Self::ExecutionRewound { .. } => "ExecutionRewound",
            Self::ExecutionCompleted { .. } => "ExecutionCompleted",
            Self::OrchestratorCompleted => "OrchestratorCompleted",
        }
    }
}
