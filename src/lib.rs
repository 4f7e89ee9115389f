//! **Durable Functions for Rust**: annotate plain async functions, type `cargo run`, and have a server: HTTP endpoints guarded by keys,
//! orchestrations that survive `kill -9`, and the management webhooks that every Durable Functions client speaks.
//!
//! ```no_run
//! use durable_functions::prelude::*;
//!
//! #[activity_trigger]
//! async fn say_hello(city: String) -> String {
//!     format!("Hello {city}!")
//! }
//!
//! #[orchestration_trigger]
//! async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>> {
//!     let mut greetings = Vec::new();
//!     for city in ["Tokyo", "Seattle", "London"] {
//!         greetings.push(ctx.call_activity::<say_hello>(city).await?);
//!     }
//!     Ok(greetings)
//! }
//!
//! #[http_trigger(auth = "function", methods = ["post"], route = "orchestrators/{function_name}")]
//! async fn http_start(
//!     req: HttpRequest,
//!     input: Option<Json<Value>>,
//!     #[durable_client] client: DurableClient,
//!     function_name: String,
//! ) -> Result<HttpResponse> {
//!     let id = client.start_new_by_name(&function_name, input.map(|j| j.into_inner())).await?;
//!     Ok(client.create_check_status_response(&req, &id))
//! }
//!
//! durable_functions::main!();
//! ```

extern crate self as durable_functions;

#[doc(hidden)]
pub mod __private {
    pub use durable_http::__private::*;
}

pub mod testing;

pub use actix_web;
pub use chrono;
pub use durable_runtime::store;
pub use futures;
/// An allocator for the application to set: the library never sets one.
///
/// ```no_run
/// #[global_allocator]
/// static ALLOCATOR: durable_functions::MiMalloc = durable_functions::MiMalloc;
///
/// durable_functions::main!();
/// ```
#[cfg(feature = "mimalloc")]
pub use mimalloc::MiMalloc;
#[cfg(feature = "http-client")]
pub use reqwest;
pub use serde_json;
pub use url;
pub use uuid;

pub use durable_http::{
    CheckStatusOptions, Claim, ClientPrincipal, Host, HttpDurableClient, HttpManagementPayload,
    RunningHost, WebhookEvent,
};
pub use durable_macros::{
    activity_trigger, allow_nondeterminism, durable_client, entity_trigger, http_trigger,
    orchestration_trigger, timer_trigger,
};
pub use durable_runtime::{
    AccessToken, Activity, ActivityCall, ActivityContext, CallEntity, CleanedEntities, ClientError,
    ContinueOptions, DurableClient, DurableHttpRequest, DurableHttpResponse, DurableTimer, Entity,
    EntityCall, EntityContext, EntityId, EntityIdFault, EntityLock, EntityLocking, EntityObject,
    EntityQuery, EntitySender, EntitySignal, EntityStatus, Error, EventWait, FailureDetails,
    HttpCall, HttpHeaders, HttpRetryPolicy, InstanceQuery, NewInstance, OrchestrationContext,
    OrchestrationStatus, Orchestrator, Page, PendingActivity, PendingWork, PurgeFilter, QueuedFor,
    Result, RetryDecision, RetryPolicy, RuntimeStatus, SignalEntity, State, StatusOptions,
    SubOrchestrationCall, TaskError, TimerInfo, TokenProvider, TokenSource, WhenAll, WhenAny,
};

/// What an application uses: `use durable_functions::prelude::*;`
pub mod prelude {
    pub use actix_multipart::Multipart;
    pub use actix_web::web::{Bytes, Form, Json, Query};
    pub use actix_web::{HttpRequest, HttpResponse, Responder};
    pub use serde_json::{Value, json};

    pub use crate::{
        ActivityContext, CheckStatusOptions, ClientError, ClientPrincipal, ContinueOptions,
        DurableClient, DurableHttpRequest, DurableHttpResponse, EntityContext, EntityId,
        EntityLock, EntityQuery, Error, FailureDetails, Host, HttpDurableClient, HttpRetryPolicy,
        InstanceQuery, NewInstance, OrchestrationContext, OrchestrationStatus, Page, PurgeFilter,
        Result, RetryDecision, RetryPolicy, RuntimeStatus, State, StatusOptions, TaskError,
        TimerInfo, TokenSource, WebhookEvent, activity_trigger, allow_nondeterminism,
        durable_client, entity_trigger, http_trigger, orchestration_trigger, timer_trigger,
    };
}

/// `fn main`: a host of every function in this crate and in those named: `main!(billing, shipping)`.
///
/// rustc leaves out a crate that the binary never names, and its functions with it; naming it here is enough.
#[macro_export]
macro_rules! main {
    ($($library:ident),* $(,)?) => {
        $(#[allow(unused_imports, reason = "naming it links its functions")] use $library as _;)*

        fn main() -> $crate::Result<()> {
            $crate::Host::new().run()
        }
    };
}
