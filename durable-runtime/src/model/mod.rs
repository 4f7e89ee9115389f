//! Plain data that every room shares: events, payloads, failures, instants. No logic, no I/O.

mod event;
mod failure;
mod payload;
mod status;
mod time;

pub use event::{ExecutionStarted, HistoryEvent, Parent};
pub use failure::{FailureDetails, TaskError};
pub use payload::Payload;
pub use status::RuntimeStatus;
pub use time::Timestamp;
