//! The code that stands beside an HTTP function. It has no companion: nobody calls it by type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::binding::Bound;
use super::body;
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
    let body = companion::option(body::spec(http, paths));
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
                body: #body,
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
    let names: Vec<_> = (0..http.bindings.len())
        .map(|index| companion::local(&format!("__durable_{index}"), ident.span()))
        .collect();
    let bound = http.bindings.iter().zip(&names).map(|((ty, bound), name)| {
        let value = bind(ty, bound);
        quote! { let #name: #ty = #value; }
    });
    let mut call = quote! { #ident(#(#names),*) };
    if function.is_async() {
        call = quote! { #call.await };
    }
    let answer = answer(function, http, &call);
    let future = companion::boxed(function, &quote! { #(#bound)* #answer });
    let (invocation, path) = (invocation(ident.span()), paths.http_invocation());
    quote! { |mut #invocation: #path| #future }
}

fn invocation(span: Span) -> Ident {
    companion::local("__durable_call", span)
}

fn bind(ty: &Type, bound: &Bound) -> TokenStream {
    let span = located(ty.span());
    let invocation = invocation(ty.span());
    let value = match bound {
        Bound::Client {
            task_hub,
            connection,
        } => {
            let task_hub = companion::option(task_hub.as_ref().map(|text| quote! { #text }));
            let connection = companion::option(connection.as_ref().map(|text| quote! { #text }));
            quote_spanned! { span=> #invocation.client(#task_hub, #connection) }
        }
        Bound::Placeholder(name) => match type_argument(ty).filter(|_| is_named(ty, "Option")) {
            Some(value) => {
                quote_spanned! { span=> #invocation.optional_placeholder::<#value>(#name) }
            }
            None => quote_spanned! { span=> #invocation.placeholder::<#ty>(#name) },
        },
        Bound::Extractor(name) => quote_spanned! { span=> #invocation.extract::<#ty>(#name).await },
    };
    companion::or_return(&value, &quote! { __durable_error })
}

/// Hands the output to the method that fits its type as it is written.
fn answer(function: &Function, http: &Http, call: &TokenStream) -> TokenStream {
    let output = &http.output;
    let span = output.span(function);
    let invocation = invocation(span);
    let method = match (output.is_unit(), output.is_fallible()) {
        (true, false) => {
            return quote_spanned! { located(span)=> #call; #invocation.respond_unit() };
        }
        (true, true) => "respond_unit_result",
        (false, false) => "respond",
        (false, true) => "respond_result",
    };
    let (method, value) = (
        companion::local(method, span),
        companion::local("__durable_output", span),
    );
    quote_spanned! { located(span)=> let #value = #call; #invocation.#method(#value) }
}
