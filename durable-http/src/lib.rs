//! The HTTP host of durable-functions: triggers, keys, management webhooks, command line. Applications use the crate `durable-functions`.

mod admin;
mod binding;
mod body;
#[cfg(feature = "http-client")]
mod call_http;
#[cfg(feature = "cli")]
mod cli;
mod client;
#[cfg(test)]
mod fixture;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod host;
pub mod keys;
#[cfg(feature = "http-client")]
mod notifications;
mod openapi;
mod principal;
mod receivers;
mod routes;
mod telemetry;
mod trace;
mod webhooks;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use client::{CheckStatusOptions, HttpDurableClient, HttpManagementPayload};
pub use host::{Host, RunningHost};
pub use principal::{Claim, ClientPrincipal};
pub use receivers::WebhookEvent;
