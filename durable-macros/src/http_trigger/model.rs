//! An HTTP function whose attribute and signature are valid.

use syn::{ExprArray, Type};

use super::args::HttpArgs;
use super::binding::{self, Bound};
use crate::arguments::{Text, Texts};
use crate::diagnostics::{Diagnostics, did_you_mean, one_of};
use crate::durable_client::Marks;
use crate::route::{self, Placeholder};
use crate::signature::{Function, Output, registered_name};

/// What is registered, and how the function is called.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) name: String,
    /// The variant of the runtime's `AuthLevel`.
    pub(super) auth: &'static str,
    /// Upper case; empty for all.
    pub(super) methods: Vec<String>,
    /// Brackets with nothing in them: they mean all, which is worth a warning.
    pub(super) no_methods: Option<ExprArray>,
    pub(super) route: Option<String>,
    /// The variant of the runtime's `Webhook`.
    pub(super) webhook: Option<&'static str>,
    /// In the function's order.
    pub(super) bindings: Vec<(Type, Bound)>,
    pub(super) output: Output,
}

/// A word of the attribute, and the variant that it stands for.
type Words = [(&'static str, &'static str); 3];

const AUTH: Words = [
    ("anonymous", "Anonymous"),
    ("function", "Function"),
    ("admin", "Admin"),
];
const WEBHOOK: Words = [
    ("genericJson", "GenericJson"),
    ("github", "GitHub"),
    ("slack", "Slack"),
];
const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT",
];

impl Http {
    /// The model, as far as it goes: what is wrong is reported and left out.
    pub(super) fn new(
        args: &HttpArgs,
        function: &Function,
        marks: &Marks,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let name = registered_name(function, args.name.as_ref(), diagnostics);
        let auth = word("auth", &AUTH, args.auth.as_ref(), diagnostics);
        let methods = args.methods.as_ref();
        let webhook = word("webhook", &WEBHOOK, args.webhook.as_ref(), diagnostics);
        if let (Some(methods), Some(_)) = (methods, &args.webhook) {
            let message = "`methods` must not be given with `webhook`, which has its own";
            diagnostics.at(&methods.path, message);
        }
        let route = args
            .route
            .as_ref()
            .filter(|route| !route.value().trim().is_empty());
        let placeholders = match route {
            Some(route) => placeholders(route, diagnostics),
            None => {
                let written = args.name.as_ref();
                default_route(&name, written, function, diagnostics);
                Some(Vec::new())
            }
        };
        Self {
            name,
            auth: auth.unwrap_or("Function"),
            no_methods: methods
                .filter(|m| m.items.is_empty())
                .map(|m| m.written.clone()),
            methods: methods
                .map(|methods| check_methods(methods, diagnostics))
                .unwrap_or_default(),
            route: route.map(Text::value),
            webhook,
            bindings: binding::bind(function, marks, placeholders.as_deref(), diagnostics),
            output: function.output(),
        }
    }
}

/// One of three words, in any case.
fn word(
    argument: &str,
    words: &Words,
    text: Option<&Text>,
    diagnostics: &mut Diagnostics,
) -> Option<&'static str> {
    let text = text?;
    let written = text.value();
    let known = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(&written));
    if known.is_none() {
        let words = words.map(|(word, _)| word);
        let message = format!(
            "`{argument}` must be {}, found `{written}`{}",
            one_of(&words),
            did_you_mean(&written, &words)
        );
        diagnostics.at(&text.0, message);
    }
    known.map(|(_, variant)| *variant)
}

fn check_methods(methods: &Texts, diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for item in &methods.items {
        let method = item.value().to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            let message = format!(
                "a method must be {}, found `{}`{}",
                one_of(&METHODS),
                item.value(),
                did_you_mean(&method, &METHODS)
            );
            diagnostics.at(item, message);
        } else if known.contains(&method) {
            diagnostics.at(item, format!("the method `{method}` is given twice"));
        } else {
            known.push(method);
        }
    }
    known
}

/// The placeholders; nothing if the route is malformed, so that none can be told.
fn placeholders(route: &Text, diagnostics: &mut Diagnostics) -> Option<Vec<Placeholder>> {
    let written = route.value();
    let faults = match route::parse(&written) {
        Ok(placeholders) => return Some(placeholders),
        Err(faults) => faults,
    };
    for fault in faults {
        let message = format!(
            "in the route `{written}`, character {}: {}",
            fault.position, fault.message
        );
        diagnostics.at(&route.0, message);
    }
    None
}

/// Without a route the name is the route.
fn default_route(
    name: &str,
    written: Option<&Text>,
    function: &Function,
    diagnostics: &mut Diagnostics,
) {
    let Some(fault) = route::reserved(name) else {
        return;
    };
    let message = format!("{fault}\nhelp: give a `route`, as without one the name is the route");
    match written {
        Some(name) => diagnostics.at(&name.0, message),
        None => diagnostics.at(function.ident(), message),
    }
}
