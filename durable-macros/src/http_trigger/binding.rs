//! Where each parameter of an HTTP function comes from.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Type;
use syn::spanned::Spanned;

use crate::diagnostics::{Diagnostics, did_you_mean, one_of};
use crate::durable_client::{Mark, Marks};
use crate::route::Placeholder;
use crate::signature::{Function, Parameter, is_named, show, type_argument};

/// What binds a parameter.
#[derive(Debug)]
pub(super) enum Bound {
    Client {
        task_hub: Option<String>,
        connection: Option<String>,
    },
    /// The placeholder's name, as the route spells it.
    Placeholder(String),
    /// An extractor, and the parameter's name for messages.
    Extractor(String),
}

/// Types that no request can be turned into as a whole, but a placeholder can.
const SCALARS: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Binds each parameter, in the function's order. `placeholders` is nothing when the route is
/// malformed: then no parameter is held against it.
pub(super) fn bind(
    function: &Function,
    marks: &Marks,
    placeholders: Option<&[Placeholder]>,
    diagnostics: &mut Diagnostics,
) -> Vec<(Type, Bound)> {
    let parameters = function.parameters();
    let mut binder = Binder {
        placeholders: placeholders.unwrap_or_default(),
        taken: Vec::new(),
    };
    let bound: Vec<_> = parameters
        .iter()
        .enumerate()
        .map(|(index, parameter)| binder.bind(parameter, marks.of(index), diagnostics))
        .collect();
    if placeholders.is_some() {
        for (parameter, bound) in parameters.iter().zip(&bound) {
            if matches!(bound, Bound::Extractor(_)) {
                binder.check_extractor(parameter, &parameters, diagnostics);
            }
        }
    }
    parameters
        .into_iter()
        .map(|parameter| parameter.ty)
        .zip(bound)
        .collect()
}

struct Binder<'a> {
    placeholders: &'a [Placeholder],
    taken: Vec<&'a str>,
}

impl Binder<'_> {
    fn bind(
        &mut self,
        parameter: &Parameter,
        mark: Option<&Mark>,
        diagnostics: &mut Diagnostics,
    ) -> Bound {
        if let Some(Mark {
            task_hub,
            connection,
            ..
        }) = mark
        {
            return Bound::Client {
                task_hub: task_hub.clone(),
                connection: connection.clone(),
            };
        }
        let label = parameter.label();
        let named = |placeholder: &&Placeholder| {
            parameter.name().is_some_and(|name| {
                let name = name.strip_prefix('_').unwrap_or(&name);
                placeholder.name.eq_ignore_ascii_case(name)
            })
        };
        let Some(placeholder) = self.placeholders.iter().find(named) else {
            return Bound::Extractor(label);
        };
        let name = placeholder.name.as_str();
        if self.taken.contains(&name) {
            let message = format!("the placeholder `{name}` must have one parameter");
            diagnostics.push(syn::Error::new(parameter.marked().span(), message));
        }
        self.taken.push(name);
        if placeholder.optional && !is_named(&parameter.ty, "Option") {
            let message = format!(
                "the placeholder `{{{name}?}}` may be absent, so its parameter must be an \
                 `Option`\nhelp: write `Option<{}>`",
                show(&parameter.ty)
            );
            diagnostics.at(&parameter.ty, message);
        }
        Bound::Placeholder(name.to_owned())
    }

    /// A parameter that no placeholder names, and that no request can give.
    fn check_extractor(
        &self,
        parameter: &Parameter,
        parameters: &[Parameter],
        diagnostics: &mut Diagnostics,
    ) {
        let (ty, label) = (&parameter.ty, parameter.label());
        let inner = if is_named(ty, "Option") {
            type_argument(ty).unwrap_or(ty)
        } else {
            ty
        };
        if is_named(ty, "DurableClient") {
            let message = format!(
                "a `DurableClient` must be marked\nhelp: write `#[durable_client] {label}: DurableClient`"
            );
            diagnostics.at(parameter.marked(), message);
        } else if ["OrchestrationContext", "ActivityContext", "EntityContext"]
            .iter()
            .any(|context| is_named(ty, context))
        {
            let message = format!(
                "an HTTP function must not take `{}`: it has no context",
                show(ty)
            );
            diagnostics.at(ty, message);
        } else if SCALARS.iter().any(|scalar| is_named(inner, scalar)) {
            let message = format!(
                "nothing binds `{label}`: a `{}` must be named like a placeholder of the route{}",
                show(ty),
                self.hint(&label, &self.left()),
            );
            diagnostics.push(syn::Error::new(parameter.marked().span(), message));
        } else if is_named(inner, "String") && !parameters.iter().any(takes_path) {
            let left = self.left();
            if !left.is_empty() {
                let message = format!(
                    "`{label}` names no placeholder and would read the body, while no parameter \
                     takes {}{}",
                    one_of(&left),
                    self.hint(&label, &left),
                );
                diagnostics.push(syn::Error::new(parameter.marked().span(), message));
            }
        }
    }

    /// The placeholders that no parameter takes.
    fn left(&self) -> Vec<&str> {
        let names = self
            .placeholders
            .iter()
            .map(|placeholder| placeholder.name.as_str());
        names.filter(|name| !self.taken.contains(name)).collect()
    }

    fn hint(&self, label: &str, left: &[&str]) -> String {
        match left {
            [] => format!("\nhelp: write `{{{label}}}` in the route"),
            [one] => format!("\nhelp: name it `{one}`, or take the body as `Bytes`"),
            several => {
                let near = did_you_mean(label, several);
                let list = format!(
                    "\nhelp: name it {}, or take the body as `Bytes`",
                    one_of(several)
                );
                if near.is_empty() { list } else { near }
            }
        }
    }
}

/// Whether a parameter takes all placeholders, as `web::Path` does.
fn takes_path(parameter: &Parameter) -> bool {
    let inner = type_argument(&parameter.ty).filter(|_| is_named(&parameter.ty, "Option"));
    is_named(inner.unwrap_or(&parameter.ty), "Path")
}

impl ToTokens for Bound {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Placeholder(name) | Self::Extractor(name) => name.to_tokens(tokens),
            Self::Client { .. } => {}
        }
    }
}
