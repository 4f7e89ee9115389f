//! The management webhooks as the OpenAPI document describes them. A test holds every line against the router.

/// One route.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) method: &'static str,
    /// Below the base.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Names of query parameters, all of them optional.
    pub(crate) query: &'static [&'static str],
    /// Whether a JSON value may be sent along.
    pub(crate) body: bool,
    /// What it may be answered with, besides what every guarded path may.
    pub(crate) statuses: &'static [u16],
}

const WAIT: &[&str] = &[
    "taskHub",
    "connection",
    "timeout",
    "pollingInterval",
    "version",
];
const HUB: &[&str] = &["taskHub", "connection"];
const REASON: &[&str] = &["taskHub", "connection", "reason"];
const SHOW: &[&str] = &[
    "taskHub",
    "connection",
    "showInput",
    "showHistory",
    "showHistoryOutput",
    "returnInternalServerErrorOnFailure",
];
const SPAN: &[&str] = &[
    "taskHub",
    "connection",
    "createdTimeFrom",
    "createdTimeTo",
    "runtimeStatus",
];
const RESTART: &[&str] = &[
    "taskHub",
    "connection",
    "restartWithNewInstanceId",
    "timeout",
    "pollingInterval",
];
const FILTER: &[&str] = &[
    "taskHub",
    "connection",
    "createdTimeFrom",
    "createdTimeTo",
    "runtimeStatus",
    "instanceIdPrefix",
    "showInput",
    "top",
];
const ENTITIES: &[&str] = &[
    "taskHub",
    "connection",
    "lastOperationTimeFrom",
    "lastOperationTimeTo",
    "fetchState",
    "top",
];
const OP: &[&str] = &["taskHub", "connection", "op"];

const fn line(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    body: bool,
    statuses: &'static [u16],
) -> Described {
    Described {
        method,
        path,
        summary,
        query,
        body,
        statuses,
    }
}

pub(crate) const DESCRIBED: &[Described] = &[
    line(
        "POST",
        "/orchestrators/{functionName}",
        "Start an instance",
        WAIT,
        true,
        &[200, 202, 400, 500],
    ),
    line(
        "POST",
        "/orchestrators/{functionName}/{instanceId}",
        "Start an instance with this id",
        WAIT,
        true,
        &[200, 202, 400, 409, 500],
    ),
    line(
        "GET",
        "/instances",
        "List instances, a page at a time",
        FILTER,
        false,
        &[200, 400, 500],
    ),
    line(
        "GET",
        "/instances/{instanceId}",
        "Status of one instance",
        SHOW,
        false,
        &[200, 202, 400, 500],
    ),
    line(
        "DELETE",
        "/instances/{instanceId}",
        "Remove an instance that has ended",
        HUB,
        false,
        &[200, 400, 412],
    ),
    line(
        "POST",
        "/instances/{instanceId}/raiseEvent/{eventName}",
        "Raise an event",
        HUB,
        true,
        &[202, 400, 410],
    ),
    line(
        "POST",
        "/instances/{instanceId}/terminate",
        "End an instance",
        REASON,
        false,
        &[202, 400, 410],
    ),
    line(
        "POST",
        "/instances/{instanceId}/suspend",
        "Halt an instance",
        REASON,
        false,
        &[202, 400, 410, 500],
    ),
    line(
        "POST",
        "/instances/{instanceId}/resume",
        "Let a halted instance go on",
        REASON,
        false,
        &[202, 400, 410, 500],
    ),
    line(
        "DELETE",
        "/instances",
        "Remove the ended instances of a span of time",
        SPAN,
        false,
        &[200, 400],
    ),
    line(
        "POST",
        "/instances/{instanceId}/rewind",
        "Take a failed instance back to before its failure",
        REASON,
        false,
        &[202, 400, 410, 412],
    ),
    line(
        "POST",
        "/instances/{instanceId}/restart",
        "Start once more with the same input",
        RESTART,
        false,
        &[200, 202, 400, 409, 500],
    ),
    line(
        "GET",
        "/entities",
        "List entities, a page at a time",
        ENTITIES,
        false,
        &[200, 400],
    ),
    line(
        "GET",
        "/entities/{entityName}",
        "List entities of a name",
        ENTITIES,
        false,
        &[200, 400],
    ),
    line(
        "GET",
        "/entities/{entityName}/{entityKey}",
        "State of one entity",
        HUB,
        false,
        &[200, 400],
    ),
    line(
        "POST",
        "/entities/{entityName}",
        "Signal the entity with the empty key",
        OP,
        true,
        &[202, 400],
    ),
    line(
        "POST",
        "/entities/{entityName}/{entityKey}",
        "Signal an entity",
        OP,
        true,
        &[202, 400],
    ),
    line(
        "DELETE",
        "/entities/{entityName}",
        "Signal `delete` to the entity with the empty key",
        HUB,
        false,
        &[202, 400],
    ),
    line(
        "DELETE",
        "/entities/{entityName}/{entityKey}",
        "Signal `delete` to an entity",
        HUB,
        false,
        &[202, 400],
    ),
    line(
        "POST",
        "/makeprimary",
        "Take over: a host that owns its hub has done so",
        HUB,
        false,
        &[200, 400],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::path::{Operation, split};
    use super::*;

    #[test]
    fn what_is_described_is_routed() {
        for line in DESCRIBED {
            let path = line.path.replace(['{', '}'], "");
            let path = format!("/runtime/webhooks/durabletask{path}");
            let (_, segments) = split(&path).unwrap();
            assert!(
                Operation::of(line.method, &segments).is_some(),
                "{} {path}",
                line.method
            );
        }
    }

    #[test]
    fn what_is_routed_is_described() {
        for path in [
            "orchestrators/a",
            "orchestrators/a/b",
            "instances",
            "instances/a",
            "entities",
            "entities/a",
            "entities/a/b",
            "makeprimary",
            "instances/a/raiseEvent/b",
            "instances/a/terminate",
            "instances/a/suspend",
            "instances/a/resume",
            "instances/a/rewind",
            "instances/a/restart",
        ] {
            for method in ["GET", "POST", "DELETE"] {
                let whole = format!("/runtime/webhooks/durabletask/{path}");
                let (_, segments) = split(&whole).unwrap();
                let routed = Operation::of(method, &segments).is_some();
                let described = DESCRIBED.iter().any(|line| {
                    let pattern = line.path.trim_start_matches('/').split('/');
                    line.method == method
                        && pattern.clone().count() == path.split('/').count()
                        && pattern
                            .zip(path.split('/'))
                            .all(|(a, b)| a.starts_with('{') || a == b)
                });
                // `/makeprimary` takes every verb; `/entities` without a name is only there to be refused.
                let known = matches!(
                    (path, method),
                    ("makeprimary", _) | ("entities", "POST" | "DELETE")
                );
                assert!(known || routed == described, "{method} {path}");
            }
        }
    }
}
