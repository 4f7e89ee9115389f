//! The code that stands beside an orchestrator.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Orchestrator;
use crate::companion;
use crate::durable_client::used;
use crate::paths::Paths;
use crate::signature::{Function, located};

/// The function, its companion and its registration.
pub(super) fn expand(
    function: &Function,
    orchestrator: &Orchestrator,
    paths: &Paths,
) -> TokenStream {
    let companion = companion::declare(function);
    let uses = used(&orchestrator.allowed);
    let named = implement(function, orchestrator, paths);
    let probe = companion::probe(function, &orchestrator.output, paths);
    let registration = register(function, orchestrator, paths);
    let bridges = companion::bridges(
        &orchestrator.output,
        &paths.orchestrator(),
        &paths.orchestration_context(),
        &companion::local("__input", function.ident().span()),
        paths,
    );
    let beside = quote! { #uses #probe #named #bridges #registration };
    let beside = companion::enclose(function, &beside);
    // The shipped `clippy.toml` bans random choice in helpers; in this body it was made ordered.
    quote! { #[allow(clippy::disallowed_macros)] #function #companion #beside }
}

/// What others need of a function in error: its name as a type, with its input and output.
pub(super) fn fallback(
    function: &Function,
    orchestrator: &Orchestrator,
    paths: &Paths,
) -> TokenStream {
    if function.sig.receiver().is_some() {
        return quote! { #function };
    }
    let companion = companion::declare(function);
    let named = companion::enclose(function, &implement(function, orchestrator, paths));
    quote! { #[allow(dead_code)] #function #companion #named }
}

fn implement(function: &Function, orchestrator: &Orchestrator, paths: &Paths) -> TokenStream {
    let (ident, name) = (function.ident(), &orchestrator.name);
    let (input, output) = companion::types(
        function,
        orchestrator.input.as_ref(),
        &orchestrator.output,
        paths,
    );
    let version = version(orchestrator);
    let orchestrator = paths.orchestrator();
    quote! {
        impl #orchestrator for #ident {
            type Input = #input;
            type Output = #output;
            const NAME: &'static ::core::primitive::str = #name;
            const VERSION: ::core::option::Option<&'static ::core::primitive::str> = #version;
        }
    }
}

fn version(orchestrator: &Orchestrator) -> TokenStream {
    companion::option(
        orchestrator
            .version
            .as_ref()
            .map(|version| quote! { #version }),
    )
}

fn register(function: &Function, orchestrator: &Orchestrator, paths: &Paths) -> TokenStream {
    let (kind, spec) = (paths.kind(), paths.orchestrator_spec());
    let version = version(orchestrator);
    let run = run(function, orchestrator, paths);
    let kind = quote! { #kind::Orchestrator(#spec { version: #version, run: #run }) };
    companion::register(&orchestrator.name, &kind, paths)
}

/// The one call: reads the input and hands the output on.
fn run(function: &Function, orchestrator: &Orchestrator, paths: &Paths) -> TokenStream {
    let ident = function.ident();
    let context = companion::local("__durable_context", ident.span());
    let (read, call) = match &orchestrator.input {
        None => (TokenStream::new(), quote! { #ident(#context).await }),
        Some(ty) => {
            let input = companion::local("__durable_input", ty.span());
            let read = quote_spanned! { located(ty.span())=>
                __durable_input::<#ident>(&#context)
            };
            let read = companion::or_return(&read, &companion::as_error());
            (
                quote! { let #input: #ty = #read; },
                quote! { #ident(#context, #input).await },
            )
        }
    };
    let finished = companion::finish(function, &orchestrator.output, &call);
    let future = companion::boxed(function, &quote! { #read #finished });
    let path = paths.orchestration_context();
    quote! { |#context: #path| #future }
}
