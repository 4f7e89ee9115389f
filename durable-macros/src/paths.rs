//! Where generated code finds the runtime, and every name that it uses there.

use proc_macro_crate::FoundCrate;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};

use crate::arguments::Root;

/// The crates that re-export what generated code needs, the one that has the most first.
const ROOTS: [&str; 3] = ["durable-functions", "durable-http", "durable-runtime"];

/// Spells paths below the root's `__private`.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    private: TokenStream,
}

macro_rules! private {
    ($($method:ident => $($segment:ident)::+,)*) => {
        impl Paths {
            $(pub(crate) fn $method(&self) -> TokenStream {
                let private = &self.private;
                quote! { #private::$($segment)::+ }
            })*
        }
    };
}

private! {
    submit => inventory::submit,
    registration => Registration,
    kind => Kind,
    orchestrator_spec => OrchestratorSpec,
    orchestrator => Orchestrator,
    orchestration_context => OrchestrationContext,
    activity_spec => ActivitySpec,
    activity_run => ActivityRun,
    activity => Activity,
    activity_invocation => ActivityInvocation,
    timer_spec => TimerSpec,
    timer_run => TimerRun,
    timer_invocation => TimerInvocation,
    entity_spec => EntitySpec,
    entity => Entity,
    entity_object => EntityObject,
    entity_ref => EntityRef,
    entity_calls => EntityCalls,
    entity_signals => EntitySignals,
    entity_invocation => EntityInvocation,
    operation_types => OperationTypes,
    input => IntoInput,
    state_spec => StateSpec,
    rate => Rate,
    error => Error,
    payload => Payload,
    fallible => Fallible,
    finish => finish,
    finish_result => finish_result,
    finish_unit => finish_unit,
    result_probe => ResultProbe,
    not_result => NotResult,
    http_registration => HttpRegistration,
    http_invocation => HttpInvocation,
    auth_level => AuthLevel,
    webhook => Webhook,
}

impl Paths {
    /// Below the path that the attribute names, else below the first of [`ROOTS`] that the crate
    /// being compiled depends on.
    pub(crate) fn new(root: Option<&Root>) -> Self {
        let private = match root {
            Some(Root(path)) => quote! { #path::__private },
            None => {
                let root = format_ident!("{}", found(), span = Span::call_site());
                quote! { ::#root::__private }
            }
        };
        Self { private }
    }
}

/// The root crate's name. Where none is found, as without Cargo, it is the facade's own name, and
/// rustc says when that is missing too. The roots themselves say `extern crate self as ..`.
fn found() -> String {
    for root in ROOTS {
        match proc_macro_crate::crate_name(root) {
            Ok(FoundCrate::Itself) => return root.replace('-', "_"),
            Ok(FoundCrate::Name(name)) => return name,
            Err(_) => {}
        }
    }
    ROOTS[0].replace('-', "_")
}
