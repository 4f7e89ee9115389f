//! `functions list`.

use clap::Subcommand;

use super::failure::Failure;
use super::site::{FunctionLine, Site};
use super::{Global, table};

#[derive(Debug, Subcommand)]
pub(super) enum Functions {
    /// List them, with route and level, or schedule
    #[command(after_help = "Example:\n  app functions list --json")]
    List,
}

pub(super) fn run(command: Functions, site: &Site, global: &Global) -> Result<(), Failure> {
    let Functions::List = command;
    if global.json {
        return table::print_json(&site.functions);
    }
    let rows: Vec<_> = site.functions.iter().map(row).collect();
    let headings = ["KIND", "NAME", "METHODS", "ROUTE OR SCHEDULE", "AUTH"];
    table::print(&table::render(headings, &rows))
}

fn row(function: &FunctionLine) -> [String; 5] {
    let http = function.route.is_some();
    let methods = match function.methods.join(",") {
        all if all.is_empty() && http => "*".into(),
        methods => methods,
    };
    [
        function.kind.trim_end_matches("Trigger").into(),
        function.name.clone(),
        methods,
        // It begins with its slash.
        function
            .route
            .clone()
            .or_else(|| function.schedule.clone())
            .unwrap_or_default(),
        function.auth_level.unwrap_or_default().into(),
    ]
}
