//! The code that stands beside a timer function. It has no companion: nobody calls it by type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::model::{Binding, Timer};
use crate::companion;
use crate::durable_client::Marks;
use crate::paths::Paths;
use crate::signature::{Function, located};

/// The function and its registration.
pub(super) fn expand(
    function: &Function,
    timer: &Timer,
    marks: &Marks,
    paths: &Paths,
) -> TokenStream {
    let uses = marks.uses();
    let registration = register(function, timer, paths);
    let beside = companion::enclose(function, &quote! { #uses #registration });
    quote! { #function #beside }
}

/// What stays of a function in error.
pub(super) fn fallback(function: &Function) -> TokenStream {
    if function.sig.receiver().is_some() {
        return quote! { #function };
    }
    quote! { #[allow(dead_code)] #function }
}

fn register(function: &Function, timer: &Timer, paths: &Paths) -> TokenStream {
    let Timer {
        name,
        schedule,
        run_on_startup,
        bindings,
        ..
    } = timer;
    let states = bindings.iter().filter_map(|(_, binding)| match binding {
        Binding::State(state) => Some(companion::state(state, paths)),
        _ => None,
    });
    let (kind, spec) = (paths.kind(), paths.timer_spec());
    let run = run(function, timer, paths);
    companion::register(
        name,
        &quote! {
            #kind::Timer(#spec {
                schedule: #schedule,
                run_on_startup: #run_on_startup,
                states: &[#(#states),*],
                run: #run,
            })
        },
        paths,
    )
}

/// The one call: binds each parameter and hands on whether it succeeded.
fn run(function: &Function, timer: &Timer, paths: &Paths) -> TokenStream {
    let ident = function.ident();
    let names: Vec<_> = (0..timer.bindings.len())
        .map(|index| companion::local(&format!("__durable_{index}"), ident.span()))
        .collect();
    let bound = timer
        .bindings
        .iter()
        .zip(&names)
        .map(|((ty, binding), name)| {
            let value = bind(ty, binding);
            quote! { let #name: #ty = #value; }
        });
    let bound = quote! { #(#bound)* };
    let (invocation, path) = (invocation(ident.span()), paths.timer_invocation());
    let run = paths.timer_run();
    let mut call = quote! { #ident(#(#names),*) };
    if function.is_async() {
        call = quote! { #call.await };
        let finished = finish(function, timer, &call, paths);
        let future = companion::boxed(function, &quote! { #bound #finished });
        quote! { #run::Async(|#invocation: #path| #future) }
    } else {
        let finished = finish(function, timer, &call, paths);
        quote! { #run::Blocking(|#invocation: #path| { #bound #finished }) }
    }
}

fn finish(function: &Function, timer: &Timer, call: &TokenStream, paths: &Paths) -> TokenStream {
    let span = timer.output.span(function);
    if timer.output.is_fallible() {
        let (value, finish) = (
            companion::local("__durable_output", span),
            paths.finish_unit(),
        );
        quote_spanned! { located(span)=> let #value = #call; #finish(#value) }
    } else {
        quote_spanned! { located(span)=>
            let () = #call;
            ::core::result::Result::Ok(())
        }
    }
}

fn invocation(span: Span) -> Ident {
    companion::local("__durable_invocation", span)
}

fn bind(ty: &Type, binding: &Binding) -> TokenStream {
    let span = located(ty.span());
    let invocation = invocation(ty.span());
    let fallible = match binding {
        Binding::Info | Binding::Nothing => return quote_spanned! { span=> #invocation.info() },
        Binding::State(state) => quote_spanned! { span=> #invocation.state::<#state>() },
        Binding::Client {
            task_hub,
            connection,
        } => {
            let task_hub = companion::option(task_hub.as_ref().map(|text| quote! { #text }));
            let connection = companion::option(connection.as_ref().map(|text| quote! { #text }));
            quote_spanned! { span=> #invocation.client(#task_hub, #connection) }
        }
    };
    companion::or_return(&fallible, &companion::as_error())
}
