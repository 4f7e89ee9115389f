//! Plain data that every room shares: events, payloads, failures, instants. No logic, no I/O.

mod entity_id;
mod entity_message;
mod event;
mod failure;
mod lifecycle;
mod payload;
mod section;
mod status;
mod time;

pub use entity_id::{EntityId, EntityIdFault};
pub use entity_message::{
    EntityCaller, EntityLockRequest, EntityLockState, EntityMessage, EntityOperation, ReplyTo,
};
pub use event::{ExecutionStarted, HistoryEvent, Parent};
pub use failure::{FailureDetails, TaskError};
pub use lifecycle::{LifecycleEvent, LifecycleStep};
pub use payload::{Payload, TooLarge};
pub(crate) use section::OpenSection;
pub use status::RuntimeStatus;
pub use time::Timestamp;
