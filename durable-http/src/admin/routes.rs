//! The table of the administration API: what is routed is what the OpenAPI document describes. Pure.

use url::form_urlencoded;

use crate::keys::Scope;

/// What an administrator can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Status,
    Config,
    State,
    Drain,
    DrainStatus,
    Resume,
    Restart,
    SyncTriggers,
    HostKeys,
    HostKey,
    Functions,
    Function,
    Replace,
    Run,
    FunctionStatus,
    FunctionKeys,
    FunctionKey,
    CleanEntities,
    Instance,
    Log,
    OpenApi,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) methods: &'static [&'static str],
    /// `{function}`, `{scope}` and `{key}` are placeholders.
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
    pub(crate) summary: &'static str,
}

const fn route(
    methods: &'static [&'static str],
    path: &'static str,
    operation: Operation,
    summary: &'static str,
) -> Route {
    Route {
        methods,
        path,
        operation,
        summary,
    }
}

const KEY_METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE"];

/// The first line that fits counts.
pub(crate) const ROUTES: &[Route] = &[
    route(
        &["GET"],
        "/admin/host/status",
        Operation::Status,
        "State and age of the host",
    ),
    route(
        &["GET"],
        "/admin/host/config",
        Operation::Config,
        "What settings came to, without secrets",
    ),
    route(
        &["PUT"],
        "/admin/host/state",
        Operation::State,
        "Take the application offline, or bring it back",
    ),
    route(
        &["POST"],
        "/admin/host/drain",
        Operation::Drain,
        "Let what runs finish and start no activity, timer function or operation of an entity",
    ),
    route(
        &["GET"],
        "/admin/host/drain/status",
        Operation::DrainStatus,
        "How far draining is",
    ),
    route(
        &["POST"],
        "/admin/host/resume",
        Operation::Resume,
        "End draining",
    ),
    route(
        &["POST"],
        "/admin/host/restart",
        Operation::Restart,
        "Stop the host and start it once more",
    ),
    route(
        &["POST"],
        "/admin/host/synctriggers",
        Operation::SyncTriggers,
        "Done by itself: says that it is",
    ),
    route(
        &["POST"],
        "/admin/host/log",
        Operation::Log,
        "Write entries of the platform into the log",
    ),
    route(
        &["GET"],
        "/admin/host/{scope}",
        Operation::HostKeys,
        "All keys of a scope but the master key",
    ),
    route(
        KEY_METHODS,
        "/admin/host/{scope}/{key}",
        Operation::HostKey,
        "One key of the host",
    ),
    route(
        &["GET"],
        "/admin/functions",
        Operation::Functions,
        "All functions",
    ),
    route(
        &["GET"],
        "/admin/functions/{function}",
        Operation::Function,
        "One function",
    ),
    route(
        &["POST"],
        "/admin/functions/{function}",
        Operation::Run,
        "Run a function by hand",
    ),
    route(
        &["PUT", "DELETE"],
        "/admin/functions/{function}",
        Operation::Replace,
        "Refused: functions are compiled in",
    ),
    route(
        &["GET"],
        "/admin/functions/{function}/status",
        Operation::FunctionStatus,
        "What is wrong with a function",
    ),
    route(
        &["GET"],
        "/admin/functions/{function}/keys",
        Operation::FunctionKeys,
        "All keys of a function",
    ),
    route(
        KEY_METHODS,
        "/admin/functions/{function}/keys/{key}",
        Operation::FunctionKey,
        "One key of a function",
    ),
    route(
        &["POST"],
        "/admin/entities/clean",
        Operation::CleanEntities,
        "Remove entities without state, lock and messages, and release locks whose holder is gone",
    ),
    route(
        &["GET"],
        "/admin/instance/info",
        Operation::Instance,
        "The machine and process",
    ),
    route(
        &["GET"],
        "/admin/openapi.json",
        Operation::OpenApi,
        "This document",
    ),
];

/// An operation, and what its path names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) function: String,
    pub(super) key: String,
    pub(super) scope: Option<Scope>,
}

/// Where a request leads; segments are decoded and compared without case.
pub(super) fn find(method: &str, path: &[String]) -> Option<(Operation, Named)> {
    ROUTES
        .iter()
        .filter(|route| route.methods.contains(&method))
        .find_map(|route| Some((route.operation, named(route.path, path)?)))
}

fn named(template: &str, path: &[String]) -> Option<Named> {
    let mut named = Named::default();
    let mut segments = path.iter();
    for expected in template.trim_matches('/').split('/') {
        let segment = segments.next().filter(|segment| !segment.is_empty())?;
        match expected {
            "{function}" => named.function.clone_from(segment),
            "{key}" => named.key.clone_from(segment),
            "{scope}" => named.scope = Some(host_scope(segment)?),
            literal if literal.eq_ignore_ascii_case(segment) => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(named)
}

fn host_scope(text: &str) -> Option<Scope> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("keys") || is("functionkeys") {
        Some(Scope::Host)
    } else {
        is("systemkeys").then_some(Scope::System)
    }
}

/// The segments of a path; `+` is no space here.
pub(super) fn decoded(path: &str) -> Vec<String> {
    let decode = |segment: &str| {
        let text = segment
            .replace('+', "%2B")
            .replace('=', "%3D")
            .replace('&', "%26");
        let first = form_urlencoded::parse(text.as_bytes()).next();
        first.map_or_else(String::new, |(text, _)| text.into_owned())
    };
    path.trim_matches('/').split('/').map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_operations_in_any_case() {
        let named = |function: &str, key: &str, scope| Named {
            function: function.to_owned(),
            key: key.to_owned(),
            scope,
        };
        let host = Some(Scope::Host);
        for (method, path, expected) in [
            (
                "GET",
                "/admin/host/keys",
                Some((Operation::HostKeys, named("", "", host.clone()))),
            ),
            (
                "GET",
                "/Admin/Host/FunctionKeys/",
                Some((Operation::HostKeys, named("", "", host))),
            ),
            (
                "PUT",
                "/admin/host/systemkeys/_master",
                Some((
                    Operation::HostKey,
                    named("", "_master", Some(Scope::System)),
                )),
            ),
            (
                "GET",
                "/admin/host/status",
                Some((Operation::Status, named("", "", None))),
            ),
            ("POST", "/admin/host/status", None),
            ("GET", "/admin/host/otherkeys", None),
            ("GET", "/admin/host", None),
            (
                "GET",
                "/admin/functions/Hello/keys",
                Some((Operation::FunctionKeys, named("Hello", "", None))),
            ),
            (
                "DELETE",
                "/admin/functions/hello/keys/a%20b+c",
                Some((Operation::FunctionKey, named("hello", "a b+c", None))),
            ),
            (
                "POST",
                "/admin/Entities/Clean",
                Some((Operation::CleanEntities, named("", "", None))),
            ),
            ("PATCH", "/admin/functions/hello/keys/a", None),
            ("GET", "/admin/functions/Hello/keys/a/b", None),
            ("GET", "/admin/functions//status", None),
            (
                "POST",
                "/admin/functions/Hello",
                Some((Operation::Run, named("Hello", "", None))),
            ),
            ("GET", "/other/host/keys", None),
        ] {
            assert_eq!(find(method, &decoded(path)), expected, "{method} {path}");
        }
    }
}
