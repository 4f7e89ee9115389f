//! The engine of durable-functions: orchestrations that survive, without HTTP. Applications use the crate `durable-functions`.

mod activity;
mod ascending;
pub mod client;
mod disabled;
pub mod durable_http;

mod entity;
mod error;
mod function;
pub mod hub;
#[cfg(feature = "actix-web")]
mod interop;
pub mod model;
pub mod registry;
mod replay;
mod state;
mod stop;
pub mod store;
pub mod testing;
pub mod timer;
mod trace;
mod type_name;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use activity::ActivityContext;
pub use client::{
    CallEntity, CleanedEntities, ClientError, DurableClient, EntityQuery, EntityStatus,
    InstanceQuery, OrchestrationStatus, Page, PendingActivity, PendingWork, PurgeFilter, QueuedFor,
    SignalEntity, StatusOptions,
};
pub use durable_http::{
    AccessToken, DurableHttpRequest, DurableHttpResponse, HttpHeaders, HttpRetryPolicy,
    TokenProvider, TokenSource,
};
pub use entity::{
    Entity, EntityCalls, EntityContext, EntityInvocation, EntityObject, EntityRef, EntitySender,
    EntitySignal, EntitySignals,
};
pub use error::{Error, Result};
pub use function::{Activity, IntoInput, Orchestrator};
pub use model::{EntityId, EntityIdFault, FailureDetails, RuntimeStatus, TaskError};
pub use registry::Registry;
pub use replay::{
    ActivityCall, ContinueOptions, DurableTimer, EntityCall, EntityLock, EntityLocking, EventWait,
    HttpCall, NewInstance, OrchestrationContext, RetryDecision, RetryPolicy, SubOrchestrationCall,
    WhenAll, WhenAny,
};
pub use state::{State, States};
pub use timer::TimerInfo;
