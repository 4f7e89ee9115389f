//! An entity that is a function: it reads its operation and its state from the context.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::FUNCTION;
use super::args::EntityArgs;
use super::binding::{self, Binding, Bound};
use crate::companion;
use crate::diagnostics::Diagnostics;
use crate::durable_client::Marks;
use crate::paths::Paths;
use crate::signature::{self, Function, Output, located, registered_name, show};

/// What is registered, and how the function is called.
#[derive(Debug)]
pub(super) struct EntityFunction {
    name: String,
    /// In the function's order.
    bound: Vec<Bound>,
    output: Output,
}

impl EntityFunction {
    /// The model, as far as it goes: what is wrong is reported and left out.
    pub(super) fn new(
        args: &EntityArgs,
        function: &Function,
        marks: &Marks,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        signature::check_alone(function, FUNCTION, diagnostics);
        let name = registered_name(function, args.name.as_ref(), diagnostics);
        let mut bound = binding::bind_all(function, marks, FUNCTION, diagnostics);
        for bound in bound.extract_if(.., |bound| matches!(bound.binding, Binding::Input)) {
            let message = format!(
                "an entity function must read its input from its context\nhelp: write `let input: {} = \
                 ctx.input()?;` in its body",
                show(&bound.ty),
            );
            diagnostics.at(&bound.ty, message);
        }
        let is_context = |bound: &Bound| matches!(bound.binding, Binding::Context(_));
        if diagnostics.is_empty() && !bound.iter().any(is_context) {
            let message = "an entity function must take its context: the operation, its input and the \
                           state are there\nhelp: write `ctx: &mut EntityContext`";
            diagnostics.at(function.ident(), message);
        }
        let output = function.output();
        if output.is_opaque() {
            let message = "the output of an entity function must be a type that can be named: it is \
                           stored, so `impl ..` cannot stand for it";
            diagnostics.at(&output, message);
        }
        Self {
            name,
            bound,
            output,
        }
    }
}

/// The function, its companion and its registration.
pub(super) fn expand(
    function: &Function,
    entity: &EntityFunction,
    marks: &Marks,
    paths: &Paths,
) -> TokenStream {
    let companion = companion::declare(function);
    let uses = marks.uses();
    let named = implement(function, entity, paths);
    let probe = companion::probe(function, &entity.output, paths);
    let registration = register(function, entity, paths);
    let beside = quote! { #uses #probe #named #registration };
    let beside = companion::enclose(function, &beside);
    quote! { #function #companion #beside }
}

/// What others need of a function in error: its name as a type.
pub(super) fn fallback(function: &Function, entity: &EntityFunction, paths: &Paths) -> TokenStream {
    if function.sig.receiver().is_some() {
        return quote! { #function };
    }
    let companion = companion::declare(function);
    let named = companion::enclose(function, &implement(function, entity, paths));
    quote! { #[allow(dead_code)] #function #companion #named }
}

fn implement(function: &Function, entity: &EntityFunction, paths: &Paths) -> TokenStream {
    let (ident, name, path) = (function.ident(), &entity.name, paths.entity());
    quote! {
        impl #path for #ident {
            const NAME: &'static ::core::primitive::str = #name;
        }
    }
}

fn register(function: &Function, entity: &EntityFunction, paths: &Paths) -> TokenStream {
    let (kind, spec) = (paths.kind(), paths.entity_spec());
    let states = entity
        .bound
        .iter()
        .filter_map(|bound| match &bound.binding {
            Binding::State(state) => Some(companion::state(state, paths)),
            _ => None,
        });
    let run = run(function, entity, paths);
    companion::register(
        &entity.name,
        &quote! {
            #kind::Entity(#spec { operations: &[], states: &[#(#states),*], run: #run })
        },
        paths,
    )
}

/// The one call: binds each parameter and hands the output on.
fn run(function: &Function, entity: &EntityFunction, paths: &Paths) -> TokenStream {
    let ident = function.ident();
    let binding::Values { bound, arguments } =
        binding::values(&entity.bound, ident.span(), &TokenStream::new());
    let span = entity.output.span(function);
    let value = companion::local("__durable_output", span);
    let awaited = function.is_async().then(|| quote! { .await });
    let finish = if entity.output.is_fallible() {
        paths.finish_result()
    } else {
        paths.finish()
    };
    let finished = quote_spanned! { located(span)=> #finish(#value) };
    let future = companion::boxed(
        function,
        &quote! { #bound let #value = #ident(#(#arguments),*)#awaited; #finished },
    );
    let (invocation, path) = (binding::invocation(ident.span()), paths.entity_invocation());
    quote! { |#invocation: #path| #future }
}
