//! What the host prints when it is ready.

use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use durable_runtime::Registry;
use durable_runtime::timer::{ScheduledTimer, Timetable};

use super::shared::Shared;

/// Every function with its method, URL and level, and how to get a key.
pub(super) fn print(url: &str, shared: &Shared, registry: &Registry, timers: &Timetable) {
    let mut lines = vec![String::new(), "Functions:".to_owned(), String::new()];
    for route in shared.table.iter() {
        let function = route.target.function;
        let methods = match route.methods() {
            [] => "ALL".to_owned(),
            methods => methods.join(","),
        };
        let off = off(route.target.disabled);
        let auth = function.auth.name();
        lines.push(format!(
            "  {}: [{methods}] {url}{} (auth: {auth}){off}",
            route.function(),
            route.template().text()
        ));
    }
    for name in registry.orchestrator_names() {
        lines.extend(orchestrator(registry, name));
    }
    for (trigger, names) in [
        ("activityTrigger", registry.activity_names()),
        ("entityTrigger", registry.entity_names()),
    ] {
        let off = |name: &str| off(registry.is_disabled(name));
        lines.extend(
            names
                .iter()
                .map(|name| format!("  {name}: {trigger}{}", off(name))),
        );
    }
    lines.extend(timers.iter().map(timer));
    lines.push(String::new());
    let guarded = shared
        .table
        .iter()
        .any(|route| route.target.function.auth != crate::binding::AuthLevel::Anonymous);
    if !shared.auth {
        lines.push(
            "Keys are not asked for: anybody who reaches this address may call everything."
                .to_owned(),
        );
    } else if guarded {
        lines.push(format!(
            "Keys: `{} keys list`; give one as ?code=<key> or in the header x-functions-key.",
            program()
        ));
    }
    lines.push(format!(
        "Management: {url}/runtime/webhooks/durabletask/instances"
    ));
    lines.push("Listening; ctrl-C stops.".to_owned());
    say(&lines.join("\n"));
}

/// An orchestrator, each version of it.
fn orchestrator(registry: &Registry, name: &str) -> Vec<String> {
    let off = off(registry.is_disabled(name));
    let line = |version: Option<&str>| {
        let version = version.map(|version| format!(" (version {version})"));
        let version = version.unwrap_or_default();
        format!("  {name}: orchestrationTrigger{version}{off}")
    };
    registry.versions(name).into_iter().map(line).collect()
}

const fn off(disabled: bool) -> &'static str {
    if disabled { " (disabled)" } else { "" }
}

/// A timer function with its schedule and its next run.
fn timer(timer: &ScheduledTimer) -> String {
    let (name, schedule) = (timer.timer.name, timer.schedule.text());
    let next = timer.schedule.after(Utc::now()).filter(|_| !timer.disabled);
    let next = match next {
        Some(next) => format!("next: {}", next.to_rfc3339_opts(SecondsFormat::Secs, true)),
        None => "disabled".to_owned(),
    };
    format!("  {name}: timerTrigger [{schedule}] ({next})")
}

/// Prints a line; a reader who has gone is no reason to stop.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// How this very program is called, for the hub that it has now.
fn program() -> String {
    let mut args = std::env::args();
    let mut program = args.next().unwrap_or_else(|| "app".to_owned());
    while let Some(arg) = args.next() {
        let root = match arg.split_once('=') {
            Some(("--script-root", root)) => Some(root.to_owned()),
            _ if arg == "--script-root" => args.next(),
            _ => None,
        };
        program.extend(root.map(|root| format!(" --script-root {root}")));
    }
    program
}

#[cfg(test)]
mod tests {
    use durable_runtime::__private::{Kind, OrchestratorSpec, Registration};
    use durable_runtime::model::Payload;

    use super::*;

    const fn order(version: Option<&'static str>) -> Registration {
        Registration {
            name: "Order",
            module: module_path!(),
            file: file!(),
            line: line!(),
            kind: Kind::Orchestrator(OrchestratorSpec {
                version,
                run: |_| Box::pin(async { Ok(Payload::null()) }),
            }),
        }
    }

    #[test]
    fn each_version_of_an_orchestrator_is_shown_and_that_it_is_disabled() {
        let registry = Registry::of([order(Some("2.0")), order(None)].iter()).unwrap();
        let expected = [
            "  Order: orchestrationTrigger",
            "  Order: orchestrationTrigger (version 2.0)",
        ];
        assert_eq!(orchestrator(&registry, "Order"), expected);
        let off = registry.disabled_by(|_| Some("true".to_owned()));
        let expected = expected.map(|line| format!("{line} (disabled)"));
        assert_eq!(orchestrator(&off, "Order"), expected);
    }
}
