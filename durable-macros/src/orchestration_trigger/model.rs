//! An orchestrator whose attribute and signature are valid.

use syn::spanned::Spanned;
use syn::{Path, Type};

use super::args::OrchestrationArgs;
use crate::determinism::Body;
use crate::diagnostics::Diagnostics;
use crate::durable_client::Marks;
use crate::signature::{Function, Output, Parameter, is_named, registered_name};

const CONTEXT: &str = "OrchestrationContext";

/// What is registered, and how the function is called.
#[derive(Debug)]
pub(super) struct Orchestrator {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) input: Option<Type>,
    pub(super) output: Output,
    /// Paths of `#[allow_nondeterminism]` that were taken out of the body.
    pub(super) allowed: Vec<Path>,
}

impl Orchestrator {
    /// The model, as far as it goes: what is wrong is reported and left out.
    pub(super) fn new(
        args: &OrchestrationArgs,
        function: &Function,
        body: Body,
        marks: &Marks,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        if !function.is_async() {
            let message = "an orchestrator must be async: it awaits what it asks for\nhelp: write \
                           `async fn`";
            diagnostics.at(function.sig.fn_token, message);
        }
        let orchestrator = Self {
            name: registered_name(function, args.name.as_ref(), diagnostics),
            version: version(args, diagnostics),
            input: input(function, marks, diagnostics),
            output: function.output(),
            allowed: body.allowed,
        };
        if orchestrator.output.is_opaque() {
            let message = "the output of an orchestrator must be a type that can be named: it is \
                           stored and read back, so `impl ..` cannot stand for it";
            diagnostics.at(&orchestrator.output, message);
        }
        orchestrator
    }
}

fn version(args: &OrchestrationArgs, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = args.version.as_ref()?;
    if text.value().trim().is_empty() {
        diagnostics.at(
            &text.0,
            "`version` must not be empty: leave it out for none",
        );
    }
    Some(text.value())
}

/// Checks the parameters; gives the type of the input.
fn input(function: &Function, marks: &Marks, diagnostics: &mut Diagnostics) -> Option<Type> {
    let parameters = function.parameters();
    let fits: Vec<_> = parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| {
            let marked = marks.of(index).is_some();
            fits(parameter, marked, diagnostics)
        })
        .collect();
    let context = parameters
        .iter()
        .position(|parameter| is_named(&parameter.ty, CONTEXT));
    match context {
        Some(0) => {}
        Some(index) => {
            let message = "the context must come first: `(ctx: OrchestrationContext, input: ..)`";
            diagnostics.push(syn::Error::new(parameters[index].marked().span(), message));
        }
        // What stands in its place is wrong already, and said to be.
        None if fits.first() == Some(&false) || function.sig.receiver().is_some() => {}
        None => {
            let message = "an orchestrator must take the context first\nhelp: write \
                           `ctx: OrchestrationContext` as the first parameter";
            match parameters.first() {
                Some(first) => diagnostics.push(syn::Error::new(first.marked().span(), message)),
                None => diagnostics.at(function.ident(), message),
            }
        }
    }
    let mut others = parameters
        .into_iter()
        .zip(fits)
        .filter_map(|(parameter, fits)| {
            (fits && !is_named(&parameter.ty, CONTEXT)).then_some(parameter)
        });
    let input = others.next()?;
    for extra in others {
        let (first, label) = (input.label(), extra.label());
        let message = format!(
            "an orchestrator must have at most one input, found `{label}` after `{first}`\n\
             help: take both as one tuple, `({first}, {label}): (.., ..)`, or as a struct"
        );
        diagnostics.push(syn::Error::new(extra.marked().span(), message));
    }
    Some(input.ty)
}

/// Whether an orchestrator can have such a parameter at all.
fn fits(parameter: &Parameter, marked: bool, diagnostics: &mut Diagnostics) -> bool {
    let ty = &parameter.ty;
    let message = if marked || is_named(ty, "DurableClient") {
        "an orchestrator must not take a `DurableClient`, whose answers differ from replay to \
         replay\nhelp: use `ctx.start_orchestration(..)`, `ctx.send_event(..)`, or a client in an \
         activity"
    } else if is_named(ty, "State") {
        "an orchestrator must not take a `State`, which may differ from replay to replay\nhelp: \
         take it in an activity"
    } else if is_named(ty, "ActivityContext") || is_named(ty, "EntityContext") {
        "the context of an orchestrator must be an `OrchestrationContext`"
    } else {
        return true;
    };
    diagnostics.at(ty, message);
    false
}
