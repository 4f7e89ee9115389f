//! The code that stands beside the `impl` block of an entity.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Type};

use super::binding::{self, Binding};
use super::block::Block;
use super::model::{Object, Operation};
use super::proxy;
use crate::companion;
use crate::paths::Paths;
use crate::signature::located;

/// The block, its names, its proxies and its registration.
pub(super) fn expand(block: &Block, object: &Object, paths: &Paths) -> TokenStream {
    let operations = &object.operations;
    let uses = operations.iter().map(|operation| operation.marks.uses());
    let probes = operations.iter().map(|operation| {
        let conditions = operation.function.conditions();
        let probe = companion::probe(&operation.function, &operation.output, paths);
        (!probe.is_empty()).then(|| quote! { #(#conditions)* #probe })
    });
    let named = implement(block, object, paths);
    let run = run(block, object, paths);
    let registration = register(object, paths);
    let beside = quote! { #(#uses)* #(#probes)* #named #run #registration };
    let beside = enclose(block, &beside);
    // What makes a method an operation is that it is `pub`, also where nobody else can see the type.
    quote! { #[allow(unreachable_pub, private_interfaces)] #block #beside }
}

/// What others need of an entity in error: its name and its proxies.
pub(super) fn fallback(block: &Block, object: &Object, paths: &Paths) -> TokenStream {
    let named = enclose(block, &implement(block, object, paths));
    quote! { #[allow(dead_code, unreachable_pub, private_interfaces)] #block #named }
}

fn enclose(block: &Block, inner: &TokenStream) -> TokenStream {
    let enclosed = companion::enclose_under(block.conditions(), inner);
    quote! {
        #[allow(
            dead_code, missing_docs, non_camel_case_types, non_snake_case, private_bounds,
            private_interfaces, unnameable_types, unreachable_pub
        )]
        #enclosed
    }
}

fn implement(block: &Block, object: &Object, paths: &Paths) -> TokenStream {
    let (self_ty, name, entity) = (block.self_ty(), &object.name, paths.entity());
    let types = object.operations.iter().map(|operation| {
        let conditions: Vec<_> = operation.function.conditions().collect();
        let Operation {
            function, output, ..
        } = operation;
        let (input, output) = companion::types(function, operation.input(), output, paths);
        let (marker, types) = (marker(operation), paths.operation_types());
        let (input_alias, output_alias) = (alias(operation, "input"), alias(operation, "output"));
        quote! {
            #(#conditions)*
            type #input_alias = #input;
            #(#conditions)*
            type #output_alias = #output;
            #(#conditions)*
            enum #marker {}
            #(#conditions)*
            impl #types for #marker {
                type Input = #input;
                type Output = #output;
            }
        }
    });
    let object_ty = object_type(self_ty.span());
    let proxies = proxy::expand(self_ty, object, paths);
    quote! {
        impl #entity for #self_ty {
            const NAME: &'static ::core::primitive::str = #name;
        }
        type #object_ty = #self_ty;
        #(#types)*
        #proxies
    }
}

/// The type under a name that no other hides.
pub(super) fn object_type(span: Span) -> Ident {
    companion::local("__durable_object", span)
}

/// The type that stands for an operation and states the bounds of its input and output.
fn marker(operation: &Operation) -> Ident {
    let ident = operation.function.ident();
    companion::local(&format!("__durable_{}", ident.unraw()), ident.span())
}

/// A type of an operation under a name that no other hides. An alias, as a proxy that anyone may see must name no private type but the
/// user's own.
pub(super) fn alias(operation: &Operation, what: &str) -> Ident {
    let ident = operation.function.ident();
    companion::local(&format!("__durable_{}_{what}", ident.unraw()), ident.span())
}

fn register(object: &Object, paths: &Paths) -> TokenStream {
    let (kind, spec) = (paths.kind(), paths.entity_spec());
    let states = states(object, paths);
    companion::register(
        &object.name,
        &quote! {
            #kind::Entity(#spec {
                operations: __DURABLE_OPERATIONS,
                states: &[#(#states),*],
                run: __durable_run,
            })
        },
        paths,
    )
}

/// Each state once, as far as no condition decides about it.
fn states(object: &Object, paths: &Paths) -> Vec<TokenStream> {
    let mut seen = BTreeSet::new();
    let mut states = Vec::new();
    for operation in &object.operations {
        let conditions: Vec<_> = operation.function.conditions().collect();
        for bound in &operation.bound {
            let Binding::State(state) = &bound.binding else {
                continue;
            };
            let spec = companion::state(state, paths);
            let spec = quote! { #(#conditions)* #spec };
            if seen.insert(spec.to_string()) {
                states.push(spec);
            }
        }
    }
    states
}

/// The function that runs one operation, and the names of all of them.
fn run(block: &Block, object: &Object, paths: &Paths) -> TokenStream {
    let (payload, error) = (paths.payload(), paths.error());
    let path = paths.entity_invocation();
    let span = block.self_ty().span();
    let invocation = binding::invocation(span);
    let arms = object.operations.iter().map(|operation| {
        let conditions = operation.function.conditions();
        let (key, future) = (operation.key(), future(block.self_ty(), operation, paths));
        quote! { #(#conditions)* #key => #future, }
    });
    let mut names: Vec<_> = object.operations.iter().map(name).collect();
    let delete = (!object.defines_delete()).then(|| {
        names.push(quote! { "delete" });
        quote! { "delete" => ::std::boxed::Box::pin(async move { #invocation.delete() }), }
    });
    quote! {
        const __DURABLE_OPERATIONS: &[&::core::primitive::str] = &[#(#names),*];

        fn __durable_run(#invocation: #path) -> ::core::pin::Pin<::std::boxed::Box<
            dyn ::core::future::Future<Output = ::core::result::Result<#payload, #error>>
                + ::core::marker::Send,
        >> {
            match #invocation.operation().as_str() {
                #(#arms)*
                #delete
                _ => ::std::boxed::Box::pin(async move {
                    #invocation.unknown(__DURABLE_OPERATIONS)
                }),
            }
        }
    }
}

fn name(operation: &Operation) -> TokenStream {
    let (key, conditions) = (operation.key(), operation.function.conditions());
    quote! { #(#conditions)* #key }
}

/// The one call: makes the object, binds each parameter, keeps the object and hands the output on.
fn future(self_ty: &Type, operation: &Operation, paths: &Paths) -> TokenStream {
    let Operation {
        function,
        changes,
        bound,
        output,
        ..
    } = operation;
    let ident = function.ident();
    let span = output.span(function);
    let (marker, types) = (marker(operation), paths.operation_types());
    let reads = quote! { <#marker as #types>::input };
    let binding::Values { bound, arguments } = binding::values(bound, ident.span(), &reads);
    let (invocation, this) = (
        binding::invocation(span),
        companion::local("__durable_this", span),
    );
    let object_ty = object_type(ident.span());
    let object = quote! { #invocation.object::<#object_ty>() };
    let object = companion::or_return(&object, &companion::as_error());
    let mutability = changes.then(|| quote! { mut });
    let awaited = function.is_async().then(|| quote! { .await });
    let value = companion::local("__durable_output", span);
    let finish = if output.is_fallible() {
        quote_spanned! { located(span)=> <#marker as #types>::finish_result(#value) }
    } else {
        quote_spanned! { located(span)=> <#marker as #types>::finish(#value) }
    };
    let answer = if *changes {
        quote! { #invocation.keep(#this, #finish) }
    } else {
        quote! { #invocation.leave(#this, #finish) }
    };
    // Borrowed, not moved into the attempt: what a panic leaves of the object is kept, if nothing is rolled back.
    let body = quote! {
        #bound
        let mut #this = #object;
        let #value = #invocation.attempt(async {
            <#self_ty>::#ident(&#mutability #this, #(#arguments),*)#awaited
        }).await;
        let #value = match #value {
            ::core::result::Result::Ok(#value) => #value,
            ::core::result::Result::Err(#value) => return #invocation.unwind(#this, #value),
        };
        #answer
    };
    companion::boxed(function, &body)
}

/// Conditions and documentation of an operation, for what stands for it.
pub(super) fn dress(operation: &Operation) -> TokenStream {
    let conditions = operation.function.conditions();
    let docs = operation.function.docs();
    let attributes: Vec<&Attribute> = conditions.chain(docs).collect();
    attributes.iter().map(ToTokens::to_token_stream).collect()
}
