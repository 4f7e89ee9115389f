//! [`EntityMessage`]: what lies in an entity's inbox. It never becomes history: an entity keeps none.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Payload, Timestamp};

/// Something that an entity is to do.
///
/// Stored as the event of an inbox row: `{"Entity":{"Operation":{"operation":"add","input":1}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EntityMessage {
    /// Run an operation.
    Operation(EntityOperation),
    /// Lock this entity, then ask the next one, or tell the requester that it has them all (spec 3.5).
    Lock(EntityLockRequest),
    /// Let go of the lock of that section; ignored by an entity that is not locked for it.
    Unlock {
        /// The section, [`EntityCaller::section`].
        section: Arc<str>,
        /// The section has never begun: whoever has forwarded its request forwards this too.
        forward: bool,
    },
}

/// One operation of an entity, called or signalled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityOperation {
    /// The operation's name, compared without case.
    pub operation: Arc<str>,
    /// Its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Payload>,
    /// Not to be run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Who waits for the answer; `None` for a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The section in which it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<Arc<str>>,
}

/// Who waits for the answer to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplyTo {
    /// An orchestration.
    Orchestration(EntityCaller),
    /// A client of a running process; after a restart of that process nobody waits any more.
    Client(Arc<str>),
}

/// A task of an orchestration that an entity answers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityCaller {
    /// The orchestration.
    pub instance_id: Arc<str>,
    /// Its generation; an answer to another one is dropped.
    pub execution_id: Arc<str>,
    /// The id of the task that waits.
    pub task_id: i64,
}

impl EntityCaller {
    /// The name of the critical section that the task asks for: unique in the hub.
    #[must_use]
    pub fn section(&self) -> Arc<str> {
        format!("{}:{}", self.execution_id, self.task_id).into()
    }
}

/// A request for the locks of several entities, on its way from one to the next in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityLockRequest {
    /// Who asks.
    pub requester: EntityCaller,
    /// Instance ids of all of them, sorted, each once.
    pub entities: Vec<Arc<str>>,
    /// Which of them is asked now.
    pub position: usize,
}

/// The lock of an entity: its row in the payloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityLockState {
    /// The section that holds it.
    pub section: Arc<str>,
    /// The request, as it was granted here.
    pub request: EntityLockRequest,
}
