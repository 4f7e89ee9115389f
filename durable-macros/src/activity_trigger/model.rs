//! An activity whose attribute and signature are valid.

use std::time::Duration;

use syn::Type;
use syn::spanned::Spanned;

use super::args::ActivityArgs;
use super::limits::{self, Rate};
use crate::arguments::{Number, Text};
use crate::diagnostics::Diagnostics;
use crate::durable_client::{Mark, Marks};
use crate::signature::{Function, Output, Parameter, is_named, registered_name, type_argument};

/// What is registered, and how the function is called.
#[derive(Debug)]
pub(super) struct Activity {
    pub(super) name: String,
    pub(super) timeout: Option<Duration>,
    pub(super) max_concurrency: Option<u32>,
    pub(super) rate: Option<Rate>,
    /// In the function's order.
    pub(super) bindings: Vec<(Type, Binding)>,
    pub(super) output: Output,
}

/// Where a parameter's value comes from.
#[derive(Debug)]
pub(super) enum Binding {
    Context,
    Input,
    /// The type inside `State<..>`.
    State(Box<Type>),
    Client {
        task_hub: Option<String>,
        connection: Option<String>,
    },
    /// Nothing binds it; that is reported.
    Nothing,
}

impl Activity {
    /// The model, as far as it goes: what is wrong is reported and left out.
    pub(super) fn new(
        args: &ActivityArgs,
        function: &Function,
        marks: &Marks,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let activity = Self {
            name: registered_name(function, args.name.as_ref(), diagnostics),
            timeout: read(args.timeout.as_ref(), limits::timeout, diagnostics),
            max_concurrency: max_concurrency(args.max_concurrency.as_ref(), diagnostics),
            rate: read(args.rate.as_ref(), limits::rate, diagnostics),
            bindings: bindings(function, marks, diagnostics),
            output: function.output(),
        };
        if activity.output.is_opaque() {
            let message = "the output of an activity must be a type that can be named: it is \
                           stored and read back, so `impl ..` cannot stand for it";
            diagnostics.at(&activity.output, message);
        }
        activity
    }

    /// The type of the input, if there is one.
    pub(super) fn input(&self) -> Option<&Type> {
        self.bindings
            .iter()
            .find_map(|(ty, binding)| match binding {
                Binding::Input => Some(ty),
                _ => None,
            })
    }
}

fn read<T>(
    text: Option<&Text>,
    parse: impl FnOnce(&str) -> Result<T, String>,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let text = text?;
    parse(&text.value())
        .map_err(|fault| diagnostics.at(&text.0, fault))
        .ok()
}

fn max_concurrency(number: Option<&Number>, diagnostics: &mut Diagnostics) -> Option<u32> {
    let Number(literal) = number?;
    match literal.base10_parse() {
        Ok(0) => {
            diagnostics.at(literal, "`max_concurrency` must be at least 1");
            None
        }
        Ok(number) => Some(number),
        Err(_) => {
            let message = format!("`max_concurrency` must be at most {}", u32::MAX);
            diagnostics.at(literal, message);
            None
        }
    }
}

fn bindings(
    function: &Function,
    marks: &Marks,
    diagnostics: &mut Diagnostics,
) -> Vec<(Type, Binding)> {
    let mut seen = Seen::default();
    let each = function
        .parameters()
        .into_iter()
        .enumerate()
        .map(|(index, parameter)| {
            let binding = seen.bind(&parameter, marks.of(index), diagnostics);
            (parameter.ty, binding)
        });
    each.collect()
}

/// What may be there once.
#[derive(Default)]
struct Seen {
    context: bool,
    input: Option<String>,
}

impl Seen {
    fn bind(
        &mut self,
        parameter: &Parameter,
        mark: Option<&Mark>,
        diagnostics: &mut Diagnostics,
    ) -> Binding {
        let Parameter { ty, .. } = parameter;
        if let Some(Mark {
            task_hub,
            connection,
            ..
        }) = mark
        {
            return Binding::Client {
                task_hub: task_hub.clone(),
                connection: connection.clone(),
            };
        }
        if is_named(ty, "DurableClient") {
            let message = format!(
                "a `DurableClient` must be marked\nhelp: write `#[durable_client] {}: DurableClient`",
                parameter.label()
            );
            diagnostics.at(parameter.marked(), message);
            return Binding::Nothing;
        }
        if is_named(ty, "ActivityContext") {
            if std::mem::replace(&mut self.context, true) {
                diagnostics.at(ty, "an activity must not take its `ActivityContext` twice");
            }
            return Binding::Context;
        }
        for other in ["OrchestrationContext", "EntityContext"] {
            if is_named(ty, other) {
                let message =
                    format!("an activity must not take an `{other}`: its own is `ActivityContext`");
                diagnostics.at(ty, message);
                return Binding::Nothing;
            }
        }
        if is_named(ty, "State")
            && let Some(state) = type_argument(ty)
        {
            return Binding::State(Box::new(state.clone()));
        }
        self.input(parameter, diagnostics)
    }

    fn input(&mut self, parameter: &Parameter, diagnostics: &mut Diagnostics) -> Binding {
        match &self.input {
            None => {
                self.input = Some(parameter.label());
                Binding::Input
            }
            Some(first) => {
                let label = parameter.label();
                let message = format!(
                    "an activity must have at most one input, found `{label}` after `{first}`\n\
                     help: take both as one tuple, `({first}, {label}): (.., ..)`, or as a struct"
                );
                diagnostics.push(syn::Error::new(parameter.marked().span(), message));
                Binding::Nothing
            }
        }
    }
}
