//! The code that stands beside an HTTP function. It has no companion: nobody calls it by type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::binding::Bound;
use super::model::Http;
use crate::companion;
use crate::durable_client::Marks;
use crate::paths::Paths;
use crate::signature::{Function, is_named, located, type_argument};

/// The function and its registration.
pub(super) fn expand(
    function: &Function,
    http: &Http,
    marks: &Marks,
    paths: &Paths,
) -> TokenStream {
    let uses = marks.uses();
    let probe = companion::probe(function, &http.output, paths);
    let registration = register(function, http, paths);
    let beside = quote! { #uses #probe #registration };
    let beside = companion::enclose(function, &beside);
    let warning = http.no_methods.as_ref().map(|written| {
        quote_spanned! { located(written.span())=>
            const _: () = {
                #[deprecated(note = "`methods = []` serves every method: leave `methods` out")]
                const METHODS: () = ();
                METHODS
            };
        }
    });
    quote! { #function #beside #warning }
}

/// What stays of a function in error.
pub(super) fn fallback(function: &Function) -> TokenStream {
    if function.sig.receiver().is_some() {
        return quote! { #function };
    }
    quote! { #[allow(dead_code)] #function }
}

fn register(function: &Function, http: &Http, paths: &Paths) -> TokenStream {
    let (submit, registration) = (paths.submit(), paths.http_registration());
    let Http {
        name,
        methods,
        bindings,
        ..
    } = http;
    let (level, webhook) = (paths.auth_level(), paths.webhook());
    let auth = variant(http.auth);
    let route = companion::option(http.route.as_ref().map(|route| quote! { #route }));
    let webhook = companion::option(http.webhook.map(|kind| {
        let kind = variant(kind);
        quote! { #webhook::#kind }
    }));
    let placeholders = bindings
        .iter()
        .filter(|(_, bound)| matches!(bound, Bound::Placeholder(_)));
    let placeholders = placeholders.map(|(_, bound)| bound);
    let states = bindings.iter().filter_map(|(ty, bound)| match bound {
        Bound::Extractor(_) if is_named(ty, "State") => {
            type_argument(ty).map(|state| companion::state(state, paths))
        }
        _ => None,
    });
    let call = call(function, http, paths);
    quote! {
        #submit! {
            #registration {
                name: #name,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                auth: #level::#auth,
                methods: &[#(#methods),*],
                route: #route,
                webhook: #webhook,
                placeholders: &[#(#placeholders),*],
                states: &[#(#states),*],
                call: #call,
            }
        }
    }
}

fn variant(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The one call: binds each parameter and answers with the output.
fn call(function: &Function, http: &Http, paths: &Paths) -> TokenStream {
    let ident = function.ident();
    let invocation = quote! { __durable_call };
    let names: Vec<_> = (0..http.bindings.len())
        .map(|index| format_ident!("__durable_{index}", span = located(ident.span())))
        .collect();
    let bound = http.bindings.iter().zip(&names);
    let bound = bound.map(|((ty, bound), name)| {
        let value = bind(ty, bound, &invocation);
        quote! { let #name: #ty = #value; }
    });
    let mut call = quote! { #ident(#(#names),*) };
    if function.is_async() {
        call = quote! { #call.await };
    }
    let answer = answer(function, http, &call, &invocation);
    let future = companion::boxed(function, &quote! { #(#bound)* #answer });
    let path = paths.http_invocation();
    quote! { |mut #invocation: #path| #future }
}

fn bind(ty: &Type, bound: &Bound, invocation: &TokenStream) -> TokenStream {
    let span = located(ty.span());
    let value = match bound {
        Bound::Client {
            task_hub,
            connection,
        } => {
            let task_hub = companion::option(task_hub.as_ref().map(|text| quote! { #text }));
            let connection = companion::option(connection.as_ref().map(|text| quote! { #text }));
            quote_spanned! { span=> #invocation.client(#task_hub, #connection) }
        }
        Bound::Placeholder(name) => {
            quote_spanned! { span=> #invocation.placeholder::<#ty>(#name) }
        }
        Bound::Extractor(name) => {
            quote_spanned! { span=> #invocation.extract::<#ty>(#name).await }
        }
    };
    companion::or_return(&value, &quote! { __durable_error })
}

/// Hands the output to the method that fits its type as it is written.
fn answer(
    function: &Function,
    http: &Http,
    call: &TokenStream,
    invocation: &TokenStream,
) -> TokenStream {
    let output = &http.output;
    let span = located(output.span(function));
    match (output.is_unit(), output.is_fallible()) {
        (true, false) => quote_spanned! { span=> { #call; #invocation.respond_unit() } },
        (true, true) => answer_with(span, "respond_unit_result", call, invocation),
        (false, false) => answer_with(span, "respond", call, invocation),
        (false, true) => answer_with(span, "respond_result", call, invocation),
    }
}

fn answer_with(
    span: Span,
    method: &str,
    call: &TokenStream,
    invocation: &TokenStream,
) -> TokenStream {
    let method = Ident::new(method, span);
    quote_spanned! { span=> { let __durable_output = #call; #invocation.#method(__durable_output) } }
}
