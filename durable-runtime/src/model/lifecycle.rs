//! [`LifecycleEvent`]: what others are told of an orchestration's way.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{RuntimeStatus, Timestamp};

/// A step of an orchestration's way that others may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LifecycleStep {
    /// It has begun, or goes on after a rewinding. Not once more with each continue-as-new.
    Started,
    /// It returned.
    Completed,
    /// It failed.
    Failed,
    /// A client ended it.
    Terminated,
}

impl LifecycleStep {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Started,
        Self::Completed,
        Self::Failed,
        Self::Terminated,
    ];

    /// The status in which the instance is from this step on.
    #[must_use]
    pub const fn status(self) -> RuntimeStatus {
        match self {
            Self::Started => RuntimeStatus::Running,
            Self::Completed => RuntimeStatus::Completed,
            Self::Failed => RuntimeStatus::Failed,
            Self::Terminated => RuntimeStatus::Terminated,
        }
    }

    /// The step that ends an instance so.
    #[must_use]
    pub const fn of_end(status: RuntimeStatus) -> Option<Self> {
        match status {
            RuntimeStatus::Completed => Some(Self::Completed),
            RuntimeStatus::Failed => Some(Self::Failed),
            RuntimeStatus::Terminated => Some(Self::Terminated),
            RuntimeStatus::Running
            | RuntimeStatus::ContinuedAsNew
            | RuntimeStatus::Canceled
            | RuntimeStatus::Pending
            | RuntimeStatus::Suspended => None,
        }
    }
}

/// One step of one instance, as the turn that made it wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleEvent {
    /// The same however often it is sent: how a receiver recognises what it has already.
    pub id: Uuid,
    /// What happened.
    pub step: LifecycleStep,
    /// The orchestrator's name.
    pub function: Arc<str>,
    /// Why it failed or was terminated; else empty. Long ones are cut.
    pub reason: String,
    /// The instant of the turn.
    pub at: Timestamp,
}
