//! An entity whose attribute and `impl` block are valid.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{PathArguments, ReceiverKind, Type, Visibility};

use super::OPERATION;
use super::args::EntityArgs;
use super::binding::{self, Binding, Bound};
use super::block::Block;
use crate::arguments::Root;
use crate::diagnostics::Diagnostics;
use crate::durable_client::{self, Marks};
use crate::signature::{self, Function, Output, name_of, named, peel, show};

/// What is registered, and how its operations are called.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) operations: Vec<Operation>,
}

/// A public method with a receiver.
#[derive(Debug)]
pub(super) struct Operation {
    /// The method, with the type's name in place of `Self`.
    pub(super) function: Function,
    /// Whether it may change the state.
    pub(super) changes: bool,
    /// In the method's order.
    pub(super) bound: Vec<Bound>,
    pub(super) output: Output,
    pub(super) marks: Marks,
}

impl Object {
    /// The model, as far as it goes: what is wrong is reported and left out. None for a type that can be no entity at all.
    pub(super) fn new(
        args: &EntityArgs,
        block: &mut Block,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let ident = check(block, diagnostics)?;
        let self_ty = block.self_ty().clone();
        let mut hidden = None;
        let mut operations: Vec<Operation> = Vec::new();
        for method in block.functions() {
            if method.sig.receiver().is_none() {
                continue;
            }
            if !matches!(method.vis, Visibility::Public(_)) {
                hidden.get_or_insert_with(|| method.ident().clone());
                continue;
            }
            let operation = Operation::new(method, &self_ty, diagnostics);
            check_name(&operation, &operations, diagnostics);
            operations.push(operation);
        }
        if operations.is_empty() {
            let example = hidden.map_or_else(|| "add".to_owned(), |ident| ident.to_string());
            let message = format!(
                "an entity must have an operation: a method that is `pub` and takes `&mut self` or \
                 `&self`, found none\nhelp: write `pub fn {example}(&mut self, ..)`"
            );
            diagnostics.at(&self_ty, message);
        }
        Some(Self {
            name: name_of(&ident, args.name.as_ref(), diagnostics),
            operations,
        })
    }

    /// The type's own `delete`, if there is one.
    pub(super) fn defines_delete(&self) -> bool {
        let mut operations = self.operations.iter();
        operations.any(|operation| operation.key() == "delete")
    }

    /// The `crate` of a mark, for an attribute that has none.
    pub(super) fn root(&self) -> Option<&Root> {
        let mut operations = self.operations.iter();
        operations.find_map(|operation| operation.marks.root())
    }
}

/// Reports what no entity can be; the type's name if it may be one.
fn check(block: &Block, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let (parsed, self_ty) = (&block.parsed, block.self_ty());
    let mut fits = true;
    if let Some((of, _)) = &parsed.trait_ {
        let message = format!(
            "`#[entity_trigger]` must be on an `impl` block of the type itself, found one of the trait \
             `{}`\nhelp: write `impl {} {{ .. }}`",
            show(of),
            show(self_ty),
        );
        diagnostics.at(of, message);
        fits = false;
    }
    let Some(segment) = named(self_ty) else {
        let message = format!(
            "an entity must be a type with a name, found `{}`",
            show(self_ty)
        );
        diagnostics.at(self_ty, message);
        return None;
    };
    let generic = match &segment.arguments {
        PathArguments::None => None,
        arguments => Some(arguments.to_token_stream()),
    };
    let parameters = &parsed.generics;
    let generic = if parameters.params.is_empty() {
        generic
    } else {
        Some(parameters.to_token_stream())
    };
    if let Some(generic) = generic {
        let message = "an entity must not be generic: the host knows it by its name and needs one \
                       concrete type";
        diagnostics.at(generic, message);
        fits = false;
    }
    fits.then(|| segment.ident.clone())
}

/// Reports a name that proxies cannot have, or that callers cannot tell from another.
fn check_name(operation: &Operation, before: &[Operation], diagnostics: &mut Diagnostics) {
    let (ident, key) = (operation.function.ident(), operation.key());
    if ident.unraw() == "signal" {
        let message = "an operation must not be called `signal`: that is the method by which callers \
                       signal every other one\nhelp: give it another name";
        diagnostics.at(ident, message);
    }
    let twin = before.iter().map(|operation| operation.function.ident());
    let mut twin = twin.filter(|twin| *twin != ident && key_of(twin) == key);
    if let Some(twin) = twin.next() {
        let message = format!(
            "two operations must differ by more than case, found `{ident}` after `{twin}`: callers reach \
             both as `{key}`\nhelp: give one another name, or make it private"
        );
        diagnostics.at(ident, message);
    }
    if key == "delete"
        && let Some(condition) = operation.function.conditions().next()
    {
        let message = "the operation `delete` must not depend on `#[cfg(..)]`: without it every entity \
                       has one that removes its state\nhelp: put the condition on what it does";
        diagnostics.at(condition, message);
    }
}

/// The name that callers reach an operation by, whatever its case.
fn key_of(ident: &Ident) -> String {
    ident.unraw().to_string().to_lowercase()
}

impl Operation {
    fn new(method: &mut Function, self_ty: &Type, diagnostics: &mut Diagnostics) -> Self {
        let marks = durable_client::take(method, diagnostics);
        signature::check_callable(method, OPERATION, diagnostics);
        let changes = changes(method, diagnostics);
        let mut function = method.clone();
        if let Ok(sig) = syn::parse2(named_self(method.sig.to_token_stream(), self_ty)) {
            function.sig = sig;
        }
        let bound = binding::bind_all(&function, &marks, OPERATION, diagnostics);
        let output = function.output();
        if output.is_opaque() {
            let message = "the output of an operation must be a type that can be named: its caller \
                           reads it back, so `impl ..` cannot stand for it";
            diagnostics.at(&output, message);
        }
        Self {
            function,
            changes,
            bound,
            output,
            marks,
        }
    }

    /// The name that callers reach it by, whatever its case.
    pub(super) fn key(&self) -> String {
        key_of(self.function.ident())
    }

    /// The type of the input, if there is one.
    pub(super) fn input(&self) -> Option<&Type> {
        self.bound.iter().find_map(|bound| match bound.binding {
            Binding::Input => Some(&bound.ty),
            _ => None,
        })
    }
}

/// Whether the receiver is `&mut self`; one by value is reported.
fn changes(method: &Function, diagnostics: &mut Diagnostics) -> bool {
    let Some(receiver) = method.sig.receiver() else {
        return false;
    };
    let mut found = "self".to_owned();
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => return mutability.is_some(),
        ReceiverKind::Typed(_, ty) => {
            found = format!("self: {}", show(ty));
            if let Type::Reference(reference) = peel(ty)
                && signature::is_named(&reference.elem, "Self")
            {
                return reference.mutability.is_some();
            }
        }
        _ => {}
    }
    let message = format!(
        "an operation must borrow its entity, found `{found}`: the state stays when the operation ends\nhelp: \
         write `&mut self`, or `&self` for one that changes nothing"
    );
    diagnostics.at(receiver, message);
    true
}

/// The tokens with the type in place of `Self`, which means something else in generated code.
fn named_self(tokens: TokenStream, self_ty: &Type) -> TokenStream {
    let each = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => {
            let at = |mut token: TokenTree| {
                token.set_span(token.span().located_at(ident.span()));
                token
            };
            self_ty.to_token_stream().into_iter().map(at).collect()
        }
        TokenTree::Group(group) => {
            let mut named = Group::new(group.delimiter(), named_self(group.stream(), self_ty));
            named.set_span(group.span());
            TokenTree::Group(named).into()
        }
        token => TokenStream::from(token),
    });
    each.collect()
}
