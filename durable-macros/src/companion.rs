//! The type that names a function in typed calls, and what a function's output makes of it.
//!
//! Types and functions live in different namespaces, so it can have the function's own name.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Type};

use crate::paths::Paths;
use crate::signature::{self, Function, Output, located};

/// `struct say_hello {}`, as visible and documented as the function.
pub(crate) fn declare(function: &Function) -> TokenStream {
    let Function { vis, .. } = function;
    let ident = function.ident();
    let conditions = function.conditions();
    let mut docs: Vec<_> = function.docs().collect();
    let standard =
        syn::parse_quote!(#[doc = "Names the function of the same name in typed calls."]);
    if docs.is_empty() {
        docs.push(&standard);
    }
    quote! {
        #(#conditions)*
        #(#docs)*
        #[allow(non_camel_case_types, dead_code, unreachable_pub, unnameable_types)]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #vis struct #ident {}
    }
}

/// Wraps what stands beside the function, so that it adds no name to the user's module.
pub(crate) fn enclose(function: &Function, inner: &TokenStream) -> TokenStream {
    enclose_under(function.conditions(), inner)
}

/// [`enclose`] for what stands beside another item.
pub(crate) fn enclose_under<'a>(
    conditions: impl Iterator<Item = &'a Attribute>,
    inner: &TokenStream,
) -> TokenStream {
    quote! {
        #(#conditions)*
        #[allow(deprecated, unused_mut, unused_qualifications, clippy::all, clippy::pedantic)]
        const _: () = {
            #inner
        };
    }
}

/// The types of input and output for typed calls. In a function in error they may not mean
/// anything outside of its signature: `()` stands for those.
pub(crate) fn types(
    function: &Function,
    input: Option<&Type>,
    output: &Output,
    paths: &Paths,
) -> (TokenStream, TokenStream) {
    let unit = quote! { () };
    let input = input.filter(|ty| !function.is_generic() && signature::is_owned(ty));
    let input = input.map_or_else(|| unit.clone(), ToTokens::to_token_stream);
    let output = if function.is_generic() || output.is_opaque() {
        unit
    } else {
        output_type(function, output, paths)
    };
    (input, output)
}

/// Hands the function to the registry.
pub(crate) fn register(name: &str, kind: &TokenStream, paths: &Paths) -> TokenStream {
    let (submit, registration) = (paths.submit(), paths.registration());
    quote! {
        #submit! {
            #registration {
                name: #name,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                kind: #kind,
            }
        }
    }
}

/// Says which state a function asks for.
pub(crate) fn state(state: &Type, paths: &Paths) -> TokenStream {
    let spec = paths.state_spec();
    quote_spanned! { located(state.span())=> #spec::of::<#state>() }
}

/// `Option` of an expression.
pub(crate) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote! { ::core::option::Option::Some(#value) },
        None => quote! { ::core::option::Option::None },
    }
}

/// A future of the function on the heap; that it is `Send`, where it must be, is said at the
/// function's name.
pub(crate) fn boxed(function: &Function, body: &TokenStream) -> TokenStream {
    quote_spanned! { located(function.ident().span())=>
        ::std::boxed::Box::pin(async move { #body })
    }
}

/// The value of a `Result`; its error is returned as `error` makes it.
pub(crate) fn or_return(result: &TokenStream, error: &TokenStream) -> TokenStream {
    quote! {
        match #result {
            ::core::result::Result::Ok(__durable_value) => __durable_value,
            ::core::result::Result::Err(__durable_error) => return #error,
        }
    }
}

/// [`or_return`]'s error for a body that gives a `Result` itself.
pub(crate) fn as_error() -> TokenStream {
    quote! { ::core::result::Result::Err(__durable_error) }
}

fn output_type(function: &Function, output: &Output, paths: &Paths) -> TokenStream {
    if output.is_fallible() {
        let span = located(output.span(function));
        let fallible = paths.fallible();
        quote_spanned! { span=> <#output as #fallible>::Ok }
    } else {
        quote! { #output }
    }
}

/// A name of generated code. Where it stands does not matter to what it means, only to where
/// errors about it land.
pub(crate) fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, located(span))
}

/// Functions between the one call and the runtime. They know input and output only as those of
/// the companion, whose `impl` states the bounds; so a type that does not fit is reported there,
/// at the type, and not again wherever it is used.
pub(crate) fn bridges(
    output: &Output,
    role: &TokenStream,
    source: &TokenStream,
    read: &Ident,
    paths: &Paths,
) -> TokenStream {
    let (error, payload) = (paths.error(), paths.payload());
    let finish = if output.is_fallible() {
        let finish = paths.finish_result();
        quote! {
            fn __durable_finish<F: #role, E: ::core::convert::Into<#error>>(
                output: ::core::result::Result<F::Output, E>,
            ) -> ::core::result::Result<#payload, #error> {
                #finish(output)
            }
        }
    } else {
        let finish = paths.finish();
        quote! {
            fn __durable_finish<F: #role>(
                output: F::Output,
            ) -> ::core::result::Result<#payload, #error> {
                #finish(output)
            }
        }
    };
    quote! {
        #[allow(dead_code)]
        fn __durable_input<F: #role>(
            source: &#source,
        ) -> ::core::result::Result<F::Input, #error> {
            source.#read::<F::Input>()
        }
        #finish
    }
}

/// The call `call` of the function, and its output made ready for the history.
pub(crate) fn finish(function: &Function, output: &Output, call: &TokenStream) -> TokenStream {
    let ident = function.ident();
    let span = output.span(function);
    let value = local("__durable_output", span);
    let finish = if output.is_fallible() {
        quote_spanned! { located(span)=> __durable_finish::<#ident, _>(#value) }
    } else {
        quote_spanned! { located(span)=> __durable_finish::<#ident>(#value) }
    };
    quote_spanned! { located(span)=> let #value = #call; #finish }
}

/// Refuses a `Result` under another name: its error would complete as a value.
pub(crate) fn probe(function: &Function, output: &Output, paths: &Paths) -> TokenStream {
    if output.is_fallible() || output.is_opaque() || output.is_unit() {
        return TokenStream::new();
    }
    let span = located(output.span(function));
    let (probe, not_result) = (paths.result_probe(), paths.not_result());
    let message = format!(
        "the output of `{}` is a `Result` under another name: its last path segment must be \
         `Result`, as else an error would complete as a value",
        function.ident()
    );
    quote_spanned! { span=>
        const _: () = {
            #[allow(unused_imports)]
            use #not_result as _;
            ::core::assert!(!#probe::<#output>::IS, #message);
        };
    }
}
