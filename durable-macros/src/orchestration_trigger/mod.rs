//! `#[orchestration_trigger]`: a function whose progress survives, as it is replayed from its
//! history.

use proc_macro2::TokenStream;

use crate::arguments;
use crate::determinism;
use crate::diagnostics::Diagnostics;
use crate::durable_client;
use crate::paths::Paths;
use crate::signature::{self, Function, Role};

use self::args::OrchestrationArgs;
use self::model::Orchestrator;

mod args;
mod expand;
mod model;
#[cfg(test)]
mod tests;

const ROLE: Role = Role {
    attribute: "orchestration_trigger",
    function: "an orchestrator",
};

/// The attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args: OrchestrationArgs = arguments::parse(args, &mut diagnostics);
    let Some(mut function) = Function::read(item.clone(), ROLE.attribute, &mut diagnostics) else {
        return diagnostics.with_item(item);
    };
    // That a mark cannot be here at all is reported with the parameter; what else is wrong with
    // it does not matter then.
    let marks = durable_client::take(&mut function, &mut Diagnostics::default());
    signature::check(&function, ROLE, &mut diagnostics);
    let body = determinism::rewrite(&function.body, &mut diagnostics);
    function.body = body.tokens.clone();
    let orchestrator = Orchestrator::new(&args, &function, body, &marks, &mut diagnostics);
    let paths = Paths::new(args.root.as_ref());
    if diagnostics.is_empty() {
        return expand::expand(&function, &orchestrator, &paths);
    }
    signature::strip_triggers(&mut function);
    diagnostics.with_item(expand::fallback(&function, &orchestrator, &paths))
}
