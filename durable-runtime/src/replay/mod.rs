//! The pure room: history in, actions out. No clock, no I/O, no tokio.
//!
//! Start at [`Execution`]: it is loaded from a function and a history, then takes new events and returns a [`Turn`]. What user code sees is
//! [`OrchestrationContext`] and the futures of `task`; what they share is `core::State`, where each event finds its waiting call.
//!
//! The order in which things happen is a function of history alone (spec T3, T4): one event, then polls until the root waker stays still.
//! What that forbids is listed in the workspace's `clippy.toml`.
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

mod combinators;
mod context;
mod core;
mod entities;
mod event_queues;
mod execution;
mod finish;
mod guid;
mod http_call;
mod nondeterminism;
mod retry;
mod size;
mod slot;
mod task;

mod waker;

pub use combinators::{WhenAll, WhenAny};
pub use context::{ContinueOptions, OrchestrationContext};
pub use entities::{EntityCall, EntityLock, EntityLocking};
pub use http_call::HttpCall;
pub use nondeterminism::Nondeterminism;
pub use retry::{RetryDecision, RetryPolicy};
pub use task::{ActivityCall, DurableTimer, EventWait, NewInstance, SubOrchestrationCall};

pub(crate) use context::Continuation;
pub(crate) use core::{Limits, Misuse, Open};
pub(crate) use execution::{Asked, Execution, Turn, panic_text};
pub(crate) use finish::{Carried, End};
pub(crate) use size::Size;
pub(crate) use task::OneWay;

#[cfg(test)]
mod tests;
