//! `#[http_trigger]`: a function that answers requests.

use proc_macro2::TokenStream;

use crate::arguments;
use crate::diagnostics::Diagnostics;
use crate::durable_client;
use crate::paths::Paths;
use crate::signature::{self, Function, Role};

use self::args::HttpArgs;
use self::model::Http;

mod args;
mod binding;
mod body;
mod expand;
mod model;
#[cfg(test)]
mod tests;

const ROLE: Role = Role {
    attribute: "http_trigger",
    function: "an HTTP function",
};

/// The attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args: HttpArgs = arguments::parse(args, &mut diagnostics);
    let Some(mut function) = Function::read(item.clone(), ROLE.attribute, &mut diagnostics) else {
        return diagnostics.with_item(item);
    };
    let marks = durable_client::take(&mut function, &mut diagnostics);
    signature::check(&function, ROLE, &mut diagnostics);
    let http = Http::new(&args, &function, &marks, &mut diagnostics);
    let paths = Paths::new(args.root.as_ref().or(marks.root()));
    if diagnostics.is_empty() {
        return expand::expand(&function, &http, &marks, &paths);
    }
    signature::strip_triggers(&mut function);
    diagnostics.with_item(expand::fallback(&function))
}
