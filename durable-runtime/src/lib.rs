//! The engine of durable-functions: orchestrations that survive, without HTTP. Applications use the crate `durable-functions`.

mod activity;
pub mod client;
mod context;
mod error;
mod function;
pub mod model;
pub mod registry;
mod state;
pub mod store;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use activity::ActivityContext;
pub use client::{ClientError, DurableClient};
pub use context::{ContinueOptions, OrchestrationContext};
pub use error::{Error, Result};
pub use function::{Activity, IntoInput, Orchestrator};
pub use model::{FailureDetails, RuntimeStatus, TaskError};
pub use registry::Registry;
pub use state::{State, States};
