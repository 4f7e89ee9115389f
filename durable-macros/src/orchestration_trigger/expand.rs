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
    let beside = quote! { #uses #named #probe #registration };
    let beside = companion::enclose(function, &beside);
    quote! { #function #companion #beside }
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
    let context = quote! { __durable_context };
    let (read, call) = match &orchestrator.input {
        None => (TokenStream::new(), quote! { #ident(#context).await }),
        Some(ty) => {
            let span = located(ty.span());
            let input = quote_spanned! { span=> #context.__input::<#ty>() };
            let input = companion::or_return(&input, &companion::as_error());
            let read = quote! { let __durable_input: #ty = #input; };
            (read, quote! { #ident(#context, __durable_input).await })
        }
    };
    let finished = companion::finish(function, &orchestrator.output, &call, paths);
    let future = companion::boxed(function, &quote! { #read #finished });
    let path = paths.orchestration_context();
    quote! { |#context: #path| #future }
}
