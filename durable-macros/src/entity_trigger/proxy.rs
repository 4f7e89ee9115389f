//! The typed proxies of an entity: a method for each operation.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::expand::{alias, dress, object_type};
use super::model::{Object, Operation};
use crate::paths::Paths;
use crate::signature::{located, show};

/// The proxies, in a room of their own: their names are the ones that messages show, and hide no type of the user's.
pub(super) fn expand(self_ty: &Type, object: &Object, paths: &Paths) -> TokenStream {
    let (entity_object, entity_ref) = (paths.entity_object(), paths.entity_ref());
    let (entity_calls, entity_signals) = (paths.entity_calls(), paths.entity_signals());
    let object_ty = object_type(self_ty.span());
    let operations = object.operations.iter().filter(|operation| {
        // Reported; a second method of that name would be one more error.
        operation.key() != "signal"
    });
    let (calls, signals): (Vec<_>, Vec<_>) = operations
        .map(|operation| (call(operation, paths), signal(operation, paths)))
        .unzip();
    let delete = (!object.defines_delete()).then(|| delete(paths));
    let (delete_call, delete_signal) = delete.unzip();
    let shown = show(self_ty);
    let about_calls = format!("A `{shown}`, by its operations.");
    let about_signals = format!("A `{shown}`, by its operations, without an answer.");
    quote! {
        const _: () = {
            impl #entity_object for #object_ty {
                type Proxy<C> = Calls<C>;
            }

            #[doc = #about_calls]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            pub struct Calls<C>(#entity_ref<C>);

            impl<C> ::core::convert::From<#entity_ref<C>> for Calls<C> {
                fn from(entity: #entity_ref<C>) -> Self {
                    Self(entity)
                }
            }

            impl<C: #entity_calls> Calls<C> {
                #(#calls)*
                #delete_call
            }

            impl<C: #entity_signals> Calls<C> {
                /// The operations in their one-way form.
                #[must_use]
                pub fn signal(&self) -> Signals<C> {
                    Signals(::core::clone::Clone::clone(&self.0))
                }
            }

            #[doc = #about_signals]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            pub struct Signals<C>(#entity_ref<C>);

            impl<C: #entity_signals> Signals<C> {
                #(#signals)*
                #delete_signal
            }
        };
    }
}

fn call(operation: &Operation, paths: &Paths) -> TokenStream {
    let (dress, ident) = (dress(operation), ident(operation));
    let (output, name) = (alias(operation, "output"), name(operation));
    let (parameter, payload) = input(operation, paths);
    quote! {
        #dress
        pub fn #ident(&self, #parameter) -> C::Call<#output> {
            self.0.call::<#output>(#name, #payload)
        }
    }
}

fn signal(operation: &Operation, paths: &Paths) -> TokenStream {
    let (dress, ident, name) = (dress(operation), ident(operation), name(operation));
    let (parameter, payload) = input(operation, paths);
    quote! {
        #dress
        pub fn #ident(&self, #parameter) -> C::Signal {
            self.0.signal(#name, #payload)
        }
    }
}

/// The call and the signal of the operation that every entity has.
fn delete(paths: &Paths) -> (TokenStream, TokenStream) {
    let nothing = nothing(paths);
    let call = quote! {
        /// Removes the state.
        pub fn delete(&self) -> C::Call<()> {
            self.0.call::<()>("delete", #nothing)
        }
    };
    let signal = quote! {
        /// Removes the state.
        pub fn delete(&self) -> C::Signal {
            self.0.signal("delete", #nothing)
        }
    };
    (call, signal)
}

/// The parameter, if the operation takes an input, and what is sent.
fn input(operation: &Operation, paths: &Paths) -> (Option<TokenStream>, TokenStream) {
    if operation.input().is_none() {
        return (None, nothing(paths));
    }
    let (into_input, ty) = (paths.input(), alias(operation, "input"));
    (
        Some(quote! { input: impl #into_input<#ty> }),
        quote! { #into_input::<#ty>::into_payload(input) },
    )
}

fn nothing(paths: &Paths) -> TokenStream {
    let into_input = paths.input();
    quote! { #into_input::<()>::into_payload(()) }
}

/// The method's name, where no lint about style looks at it.
fn ident(operation: &Operation) -> Ident {
    let mut ident = operation.function.ident().clone();
    ident.set_span(located(ident.span()));
    ident
}

/// The name that is sent: as written.
fn name(operation: &Operation) -> String {
    operation.function.ident().unraw().to_string()
}
