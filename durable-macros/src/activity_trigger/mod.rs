//! `#[activity_trigger]`: a function that orchestrators call for all that is not deterministic.

use proc_macro2::TokenStream;

use crate::arguments;
use crate::diagnostics::Diagnostics;
use crate::durable_client;
use crate::paths::Paths;
use crate::signature::{self, Function, Role};

use self::args::ActivityArgs;
use self::model::Activity;

mod args;
mod expand;
mod limits;
mod model;
#[cfg(test)]
mod tests;

const ROLE: Role = Role {
    attribute: "activity_trigger",
    function: "an activity",
};

/// The attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args: ActivityArgs = arguments::parse(args, &mut diagnostics);
    let Some(mut function) = Function::read(item.clone(), ROLE.attribute, &mut diagnostics) else {
        return diagnostics.with_item(item);
    };
    let marks = durable_client::take(&mut function, &mut diagnostics);
    signature::check(&function, ROLE, &mut diagnostics);
    let activity = Activity::new(&args, &function, &marks, &mut diagnostics);
    let paths = Paths::new(args.root.as_ref().or(marks.root()));
    if diagnostics.is_empty() {
        return expand::expand(&function, &activity, &marks, &paths);
    }
    signature::strip_triggers(&mut function);
    diagnostics.with_item(expand::fallback(&function, &activity, &paths))
}
