//! `#[timer_trigger]`: a function that runs on a schedule.

use proc_macro2::TokenStream;

use crate::arguments;
use crate::diagnostics::Diagnostics;
use crate::durable_client;
use crate::paths::Paths;
use crate::signature::{self, Function, Role};

use self::args::TimerArgs;
use self::model::Timer;

mod args;
mod expand;
mod model;
#[allow(
    dead_code,
    reason = "the same text as the runtime's; here only faults are of interest"
)]
mod ncrontab;
#[cfg(test)]
mod tests;

const ROLE: Role = Role {
    attribute: "timer_trigger",
    function: "a timer function",
};

/// The attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args: TimerArgs = arguments::parse(args, &mut diagnostics);
    let Some(mut function) = Function::read(item.clone(), ROLE.attribute, &mut diagnostics) else {
        return diagnostics.with_item(item);
    };
    let marks = durable_client::take(&mut function, &mut diagnostics);
    signature::check(&function, ROLE, &mut diagnostics);
    let timer = Timer::new(&args, &function, &marks, &mut diagnostics);
    let paths = Paths::new(args.root.as_ref().or(marks.root()));
    if diagnostics.is_empty() {
        return expand::expand(&function, &timer, &marks, &paths);
    }
    signature::strip_triggers(&mut function);
    diagnostics.with_item(expand::fallback(&function))
}
