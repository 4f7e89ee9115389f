//! The attributes of `durable-functions`, which an application takes from that crate's prelude.
//!
//! Each attribute is one folder: `args.rs` is what was written, `model.rs` what is valid, and
//! `expand.rs` the code that comes out: data for the registry and one call of the function.
//! Behaviour lives in the runtime. Nothing here depends on the other crates; `paths.rs` spells
//! what generated code names in them.

use proc_macro::TokenStream;

#[macro_use]
mod arguments;
mod activity_trigger;
mod companion;
mod determinism;
mod diagnostics;
mod durable_client;
mod http_trigger;
mod orchestration_trigger;
mod paths;
mod route;
mod signature;
mod timer_trigger;

/// Serves a function over HTTP.
#[proc_macro_attribute]
pub fn http_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    http_trigger::expand(args.into(), item.into()).into()
}

/// Registers a function as an orchestrator.
#[proc_macro_attribute]
pub fn orchestration_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    orchestration_trigger::expand(args.into(), item.into()).into()
}

/// Registers a function as an activity.
#[proc_macro_attribute]
pub fn activity_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    activity_trigger::expand(args.into(), item.into()).into()
}

/// Runs a function on a schedule.
#[proc_macro_attribute]
pub fn timer_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    timer_trigger::expand(args.into(), item.into()).into()
}

/// Marks the parameter that receives the client of a task hub.
#[proc_macro_attribute]
pub fn durable_client(args: TokenStream, item: TokenStream) -> TokenStream {
    durable_client::expand(args.into(), item.into()).into()
}

/// Lets one statement of an orchestrator call what is not deterministic.
#[proc_macro_attribute]
pub fn allow_nondeterminism(args: TokenStream, item: TokenStream) -> TokenStream {
    determinism::misplaced(args.into(), item.into()).into()
}
