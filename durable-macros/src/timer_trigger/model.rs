//! A timer function whose attribute and signature are valid.

use syn::Type;

use super::args::TimerArgs;
use super::ncrontab;
use crate::arguments::Text;
use crate::diagnostics::Diagnostics;
use crate::durable_client::{Mark, Marks};
use crate::signature::{
    Function, Output, Parameter, is_named, is_unit, registered_name, show, type_argument,
};

/// What is registered, and how the function is called.
#[derive(Debug)]
pub(super) struct Timer {
    pub(super) name: String,
    pub(super) schedule: String,
    pub(super) run_on_startup: bool,
    /// In the function's order.
    pub(super) bindings: Vec<(Type, Binding)>,
    pub(super) output: Output,
}

/// Where a parameter's value comes from.
#[derive(Debug)]
pub(super) enum Binding {
    Info,
    /// The type inside `State<..>`.
    State(Box<Type>),
    Client {
        task_hub: Option<String>,
        connection: Option<String>,
    },
    /// Nothing binds it; that is reported.
    Nothing,
}

impl Timer {
    /// The model, as far as it goes: what is wrong is reported and left out.
    pub(super) fn new(
        args: &TimerArgs,
        function: &Function,
        marks: &Marks,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let timer = Self {
            schedule: schedule(args.schedule.as_ref(), function, diagnostics),
            name: registered_name(function, args.name.as_ref(), diagnostics),
            run_on_startup: args.run_on_startup.as_ref().is_some_and(|flag| flag.0),
            bindings: bindings(function, marks, diagnostics),
            output: function.output(),
        };
        if let Output::Of(ty) = &timer.output
            && !gives_nothing(ty)
        {
            let message = format!(
                "a timer function must return nothing or `Result<()>`, found `{}`: nobody takes \
                 what it returns",
                show(ty)
            );
            diagnostics.at(ty, message);
        }
        timer
    }
}

/// `()`, a `Result` of it, or a `Result` that does not say of what.
fn gives_nothing(ty: &Type) -> bool {
    is_unit(ty) || (is_named(ty, "Result") && type_argument(ty).is_none_or(is_unit))
}

fn schedule(text: Option<&Text>, function: &Function, diagnostics: &mut Diagnostics) -> String {
    let Some(text) = text else {
        if !diagnostics.is_empty() {
            // An argument in error may be the one.
            return String::new();
        }
        let message = "a timer function must have a schedule\nhelp: write \
                       `#[timer_trigger(schedule = \"0 */5 * * * *\")]` for every five minutes, or \
                       name a setting: `schedule = \"%MY_SCHEDULE%\"`";
        diagnostics.at(function.ident(), message);
        return String::new();
    };
    let written = text.value();
    if let Err(fault) = check(&written) {
        diagnostics.at(&text.0, format!("in the schedule `{written}`: {fault}"));
    }
    written
}

/// A schedule with settings in it is known only when the host starts.
fn check(written: &str) -> Result<(), String> {
    let names: Vec<_> = written.split('%').skip(1).step_by(2).collect();
    let closed = written.matches('%').count().is_multiple_of(2);
    match names.as_slice() {
        [] => ncrontab::parse(written).map(|_| ()),
        _ if !closed => {
            Err("a setting must stand between two percent signs, as in `%MY_SCHEDULE%`".to_owned())
        }
        names if names.iter().any(|name| name.trim().is_empty()) => {
            Err("a setting must have a name, as in `%MY_SCHEDULE%`".to_owned())
        }
        _ => Ok(()),
    }
}

fn bindings(
    function: &Function,
    marks: &Marks,
    diagnostics: &mut Diagnostics,
) -> Vec<(Type, Binding)> {
    let mut told = false;
    let each = function
        .parameters()
        .into_iter()
        .enumerate()
        .map(|(index, parameter)| {
            let binding = bind(&parameter, marks.of(index), &mut told, diagnostics);
            (parameter.ty, binding)
        });
    each.collect()
}

/// `told`: whether a parameter before it takes the `TimerInfo`.
fn bind(
    parameter: &Parameter,
    mark: Option<&Mark>,
    told: &mut bool,
    diagnostics: &mut Diagnostics,
) -> Binding {
    let Parameter { ty, .. } = parameter;
    if let Some(mark) = mark {
        return Binding::Client {
            task_hub: mark.task_hub.clone(),
            connection: mark.connection.clone(),
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
    if is_named(ty, "TimerInfo") {
        if std::mem::replace(told, true) {
            diagnostics.at(ty, "a timer function must not take its `TimerInfo` twice");
        }
        return Binding::Info;
    }
    if is_named(ty, "State")
        && let Some(state) = type_argument(ty)
    {
        return Binding::State(Box::new(state.clone()));
    }
    let message = format!(
        "a timer function has no input: nothing gives it `{}`, a `{}`\nhelp: it may take \
         `TimerInfo`, `State<..>` and `#[durable_client] client: DurableClient`",
        parameter.label(),
        show(ty)
    );
    diagnostics.at(ty, message);
    Binding::Nothing
}
