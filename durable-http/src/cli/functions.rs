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
    table::print(&table::render(HEADINGS, &rows))
}

const HEADINGS: [&str; 6] = [
    "KIND",
    "NAME",
    "VERSION",
    "METHODS",
    "ROUTE OR SCHEDULE",
    "AUTH",
];

fn row(function: &FunctionLine) -> [String; 6] {
    let http = function.route.is_some();
    let methods = match function.methods.join(",") {
        all if all.is_empty() && http => "*".into(),
        methods => methods,
    };
    [
        function.kind.trim_end_matches("Trigger").into(),
        function.name.clone(),
        function.version.unwrap_or_default().into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_an_orchestrator_is_shown() {
        let line = FunctionLine {
            kind: "orchestrationTrigger",
            name: "Order".into(),
            version: None,
            methods: Vec::new(),
            route: None,
            auth_level: None,
            schedule: None,
            disabled: false,
        };
        let lines = line.clone().of_each(&[None, Some("2.0")]);
        let rows: Vec<_> = lines.iter().map(row).collect();
        let text = table::render(HEADINGS, &rows);
        let shown: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(shown, ["orchestration  Order", "orchestration  Order  2.0"]);
        let json = serde_json::to_value(&lines).unwrap();
        assert_eq!(json[0].get("version"), None);
        assert_eq!(json[1]["version"], "2.0");
        assert_eq!(line.of_each(&[]).len(), 1);
    }
}
