//! `#[durable_client]`: the mark on a parameter that receives a client, or on its function.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, Meta, Path};

use crate::arguments::{self, Root, Text};
use crate::diagnostics::Diagnostics;
use crate::signature::{Function, Parameter, TRIGGERS, ends_in, is_named};

const ATTRIBUTE: &str = "durable_client";
/// The mark as it stands below a trigger after it was moved there.
const MOVED: &str = "__durable_client";
const CLIENT: &str = "DurableClient";

arguments! {
    /// What may stand in `#[durable_client(..)]`.
    #[derive(Clone)]
    struct ClientArgs for "durable_client" {
        /// The task hub; without it the host's own.
        task_hub: Text,
        /// The setting that names the storage.
        connection: Text,
    }
}

/// A mark that was taken off.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) path: Path,
    pub(crate) task_hub: Option<String>,
    pub(crate) connection: Option<String>,
    root: Option<Root>,
}

/// The marks of a function.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// One place for each parameter but a receiver.
    of_parameters: Vec<Option<Mark>>,
    /// Every path under which the attribute was written.
    written: Vec<Path>,
}

impl Marks {
    /// The mark of the parameter at `index`.
    pub(crate) fn of(&self, index: usize) -> Option<&Mark> {
        self.of_parameters.get(index).and_then(Option::as_ref)
    }

    /// The `crate` of a mark, for a trigger that has none.
    pub(crate) fn root(&self) -> Option<&Root> {
        self.of_parameters
            .iter()
            .flatten()
            .find_map(|mark| mark.root.as_ref())
    }

    /// Names the attribute once more: it is gone from the function, and its import is in use.
    pub(crate) fn uses(&self) -> TokenStream {
        used(&self.written)
    }
}

/// Keeps rustc from calling the import of an attribute unused that a macro took away.
pub(crate) fn used(paths: &[Path]) -> TokenStream {
    quote! { #( #[allow(unused_imports)] use #paths as _; )* }
}

/// The attribute on its own. Above a trigger it moves below it, where the trigger takes it.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Some(mut function) = Function::read(item.clone(), ATTRIBUTE, &mut diagnostics) else {
        return diagnostics.with_item(item);
    };
    if !function.attrs.iter().any(may_be_trigger) {
        let message = "`#[durable_client]` must stand with a trigger: it marks the client of a \
                       function that the host calls\nhelp: add `#[http_trigger]` or \
                       `#[activity_trigger]`, or take this away";
        diagnostics.at(function.ident(), message);
        let mut ignored = Diagnostics::default();
        let _ = take(&mut function, &mut ignored);
        return diagnostics.with_item(function);
    }
    let name = syn::Ident::new(MOVED, proc_macro2::Span::call_site());
    function.attrs.push(syn::parse_quote!(#[#name(#args)]));
    function.into_token_stream()
}

/// A trigger, also one that is still behind a condition.
fn may_be_trigger(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr") || TRIGGERS.iter().any(|trigger| ends_in(attr.path(), trigger))
}

/// Takes the marks off a function and its parameters, and finds the parameter of each.
pub(crate) fn take(function: &mut Function, diagnostics: &mut Diagnostics) -> Marks {
    let mut marks = Marks::default();
    for input in &mut function.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let mut own = take_attributes(&mut typed.attrs, &mut marks.written, diagnostics);
        for second in own.drain(1.min(own.len())..) {
            diagnostics.at(second.path, "a parameter must have one `#[durable_client]`");
        }
        marks.of_parameters.push(own.pop());
    }
    let of_function = take_attributes(&mut function.attrs, &mut marks.written, diagnostics);
    let parameters = function.parameters();
    for mark in of_function {
        give(mark, &parameters, &mut marks, diagnostics);
    }
    for (parameter, mark) in parameters.iter().zip(&marks.of_parameters) {
        if mark.is_some() && !is_named(&parameter.ty, CLIENT) {
            let message = format!(
                "`#[durable_client]` must be on a parameter of type `DurableClient`: `{}` is a `{}`",
                parameter.label(),
                crate::signature::show(&parameter.ty),
            );
            diagnostics.at(&parameter.ty, message);
        }
    }
    marks
}

/// Gives the function's own mark to the parameter that it means.
fn give(mark: Mark, parameters: &[Parameter], marks: &mut Marks, diagnostics: &mut Diagnostics) {
    let is_client = |(_, parameter): &(usize, &Parameter)| is_named(&parameter.ty, CLIENT);
    let clients: Vec<_> = parameters.iter().enumerate().filter(is_client).collect();
    match clients.as_slice() {
        [] => diagnostics.at(
            mark.path,
            "`#[durable_client]` on a function must find a parameter of type `DurableClient`, \
             found none\nhelp: add `client: DurableClient`",
        ),
        [(index, parameter)] => match &mut marks.of_parameters[*index] {
            place @ None => *place = Some(mark),
            Some(_) => {
                let label = parameter.label();
                let message =
                    format!("`{label}` must have one `#[durable_client]`, found a second one");
                diagnostics.at(mark.path, message);
            }
        },
        [first, ..] => {
            let message = format!(
                "`#[durable_client]` on a function must find one parameter of type \
                 `DurableClient`, found {}\nhelp: mark the parameters themselves: \
                 `#[durable_client] {}: DurableClient`",
                clients.len(),
                first.1.label(),
            );
            diagnostics.at(mark.path, message);
            // Each has a mark then, so that the message is not said again of each.
            for (index, _) in &clients {
                marks.of_parameters[*index].get_or_insert_with(|| Mark {
                    path: syn::parse_quote!(durable_client),
                    task_hub: None,
                    connection: None,
                    root: None,
                });
            }
        }
    }
}

fn take_attributes(
    attrs: &mut Vec<Attribute>,
    written: &mut Vec<Path>,
    diagnostics: &mut Diagnostics,
) -> Vec<Mark> {
    let taken = attrs.extract_if(.., |attr| {
        attr.path().is_ident(MOVED) || ends_in(attr.path(), ATTRIBUTE)
    });
    let marks = taken.map(|attr| {
        if !attr.path().is_ident(MOVED) {
            written.push(attr.path().clone());
        }
        read(&attr, diagnostics)
    });
    marks.collect()
}

fn read(attr: &Attribute, diagnostics: &mut Diagnostics) -> Mark {
    let tokens = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(pair) => {
            let message = "`durable_client` must be written `#[durable_client]` or \
                           `#[durable_client(task_hub = \"..\", connection = \"..\")]`";
            diagnostics.at(&pair.value, message);
            TokenStream::new()
        }
    };
    let args: ClientArgs = arguments::parse(tokens, diagnostics);
    let mut text = |argument: Option<Text>, what: &str| {
        let text = argument?;
        if text.value().trim().is_empty() {
            diagnostics.at(&text.0, format!("{what} must not be empty"));
        }
        Some(text.value())
    };
    Mark {
        path: attr.path().clone(),
        task_hub: text(args.task_hub, "the name of a task hub"),
        connection: text(args.connection, "the name of a connection setting"),
        root: args.root,
    }
}
