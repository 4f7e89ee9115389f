//! The engine of durable-functions: orchestrations that survive, without HTTP. Applications use the crate `durable-functions`.

mod activity;
pub mod client;
pub mod durable_http;

mod error;
mod function;
pub mod hub;
#[cfg(feature = "actix-web")]
mod interop;
pub mod model;
pub mod registry;
mod replay;
mod state;
pub mod store;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use activity::ActivityContext;
pub use client::{
    ClientError, DurableClient, InstanceQuery, OrchestrationStatus, Page, PurgeFilter,
    StatusOptions,
};
pub use durable_http::{
    AccessToken, DurableHttpRequest, DurableHttpResponse, HttpHeaders, HttpRetryPolicy,
    TokenProvider, TokenSource,
};
pub use error::{Error, Result};
pub use function::{Activity, IntoInput, Orchestrator};
pub use model::{FailureDetails, RuntimeStatus, TaskError};
pub use registry::Registry;
pub use replay::{
    ActivityCall, ContinueOptions, DurableTimer, EventWait, HttpCall, NewInstance,
    OrchestrationContext, RetryDecision, RetryPolicy, SubOrchestrationCall, WhenAll, WhenAny,
};
pub use state::{State, States};
