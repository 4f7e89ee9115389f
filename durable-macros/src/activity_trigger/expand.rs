//! The code that stands beside an activity.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::model::{Activity, Binding};
use crate::companion;
use crate::durable_client::Marks;
use crate::paths::Paths;
use crate::signature::{Function, located};

/// The function, its companion and its registration.
pub(super) fn expand(
    function: &Function,
    activity: &Activity,
    marks: &Marks,
    paths: &Paths,
) -> TokenStream {
    let companion = companion::declare(function);
    let named = implement(function, activity, paths);
    let probe = companion::probe(function, &activity.output, paths);
    let registration = register(function, activity, paths);
    let uses = marks.uses();
    let bridges = companion::bridges(
        &activity.output,
        &paths.activity(),
        &paths.activity_invocation(),
        &companion::local("input", function.ident().span()),
        paths,
    );
    let beside = quote! { #uses #probe #named #bridges #registration };
    let beside = companion::enclose(function, &beside);
    quote! { #function #companion #beside }
}

/// What others need of a function in error: its name as a type, with its input and output.
pub(super) fn fallback(function: &Function, activity: &Activity, paths: &Paths) -> TokenStream {
    if function.sig.receiver().is_some() {
        return quote! { #function };
    }
    let companion = companion::declare(function);
    let named = companion::enclose(function, &implement(function, activity, paths));
    quote! { #[allow(dead_code)] #function #companion #named }
}

fn implement(function: &Function, activity: &Activity, paths: &Paths) -> TokenStream {
    let (ident, name) = (function.ident(), &activity.name);
    let (input, output) = companion::types(function, activity.input(), &activity.output, paths);
    let activity = paths.activity();
    quote! {
        impl #activity for #ident {
            type Input = #input;
            type Output = #output;
            const NAME: &'static ::core::primitive::str = #name;
        }
    }
}

fn register(function: &Function, activity: &Activity, paths: &Paths) -> TokenStream {
    let name = &activity.name;
    let spec = paths.activity_spec();
    let timeout = companion::option(activity.timeout.map(duration));
    let max_concurrency =
        companion::option(activity.max_concurrency.map(|number| quote! { #number }));
    let rate = companion::option(activity.rate.map(|rate| {
        let (path, count, per) = (paths.rate(), rate.count, duration(rate.per));
        quote! { #path { count: #count, per: #per } }
    }));
    let states = states(activity, paths);
    let run = run(function, activity, paths);
    let kind = paths.kind();
    companion::register(
        name,
        &quote! {
            #kind::Activity(#spec {
                timeout: #timeout,
                max_concurrency: #max_concurrency,
                rate: #rate,
                states: &[#(#states),*],
                run: #run,
            })
        },
        paths,
    )
}

fn duration(duration: std::time::Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote! { ::core::time::Duration::new(#seconds, #nanos) }
}

fn states(activity: &Activity, paths: &Paths) -> Vec<TokenStream> {
    let states = activity
        .bindings
        .iter()
        .filter_map(|(_, binding)| match binding {
            Binding::State(state) => Some(companion::state(state, paths)),
            _ => None,
        });
    states.collect()
}

/// The one call: binds each parameter and hands the output on.
fn run(function: &Function, activity: &Activity, paths: &Paths) -> TokenStream {
    let ident = function.ident();
    let names: Vec<_> = (0..activity.bindings.len())
        .map(|index| companion::local(&format!("__durable_{index}"), ident.span()))
        .collect();
    let bound = activity
        .bindings
        .iter()
        .zip(&names)
        .map(|((ty, binding), name)| {
            let value = bind(function, ty, binding);
            quote! { let #name: #ty = #value; }
        });
    let bound = quote! { #(#bound)* };
    let (invocation, path) = (invocation(ident.span()), paths.activity_invocation());
    let run = paths.activity_run();
    let mut call = quote! { #ident(#(#names),*) };
    if function.is_async() {
        call = quote! { #call.await };
        let finished = companion::finish(function, &activity.output, &call);
        let future = companion::boxed(function, &quote! { #bound #finished });
        quote! { #run::Async(|#invocation: #path| #future) }
    } else {
        let finished = companion::finish(function, &activity.output, &call);
        quote! { #run::Blocking(|#invocation: #path| { #bound #finished }) }
    }
}

fn invocation(span: Span) -> Ident {
    companion::local("__durable_invocation", span)
}

fn bind(function: &Function, ty: &Type, binding: &Binding) -> TokenStream {
    let ident = function.ident();
    let span = located(ty.span());
    let invocation = invocation(ty.span());
    let fallible = match binding {
        Binding::Context => return quote_spanned! { span=> #invocation.context() },
        Binding::Input | Binding::Nothing => {
            quote_spanned! { span=> __durable_input::<#ident>(&#invocation) }
        }
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
