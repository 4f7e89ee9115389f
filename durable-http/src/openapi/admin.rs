//! The administration API.

use serde_json::{Value, json};

use super::operation::{Operation, Paths, body, in_path, statuses};
use crate::admin::{Operation as Admin, ROUTES, Route};

/// Adds it all, what is open to anybody included.
pub(super) fn describe(paths: &mut Paths) {
    for route in ROUTES {
        for method in route.methods {
            let operation = Operation {
                id: id(route, method),
                tag: "admin",
                summary: route.summary.to_owned(),
                guarded: true,
                parameters: parameters(route),
                body: request(route, method),
                responses: statuses(&own(route, method)),
            };
            paths.add(route.path, method, operation);
        }
    }
    let open = [
        ("GET", "/admin/host/ping", "Whether the host lives"),
        ("POST", "/admin/host/ping", "Whether the host lives"),
        (
            "GET",
            "/admin/instance/http-health",
            "Whether the host lives",
        ),
        ("GET", "/admin/warmup", "Whether the host lives"),
        ("GET", "/", "The home page"),
    ];
    for (method, path, summary) in open {
        let operation = Operation {
            id: format!("{}{}", method.to_lowercase(), path.replace(['/', '-'], "_")),
            tag: "admin",
            summary: summary.to_owned(),
            guarded: false,
            parameters: Vec::new(),
            body: None,
            responses: statuses(&[200, 204]),
        };
        paths.add(path, method, operation);
    }
}

fn id(route: &Route, method: &str) -> String {
    let path = route.path.replace(['{', '}'], "").replace(['/', '.'], "_");
    format!("{}{path}", method.to_lowercase())
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/');
    let names = names.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = match name {
                "scope" => json!({ "enum": ["keys", "functionkeys", "systemkeys"] }),
                _ => json!({ "type": "string", "minLength": 1 }),
            };
            in_path(name, schema)
        })
        .collect()
}

fn request(route: &Route, method: &str) -> Option<Value> {
    let schema = match (route.operation, method) {
        (Admin::State, _) => json!({ "enum": ["offline", "running"] }),
        (Admin::Log, _) => json!({ "type": "array" }),
        (Admin::Run, _) => json!({
            "type": "object",
            "properties": { "input": { "type": ["string", "number", "boolean", "null"] } },
        }),
        (Admin::HostKey | Admin::FunctionKey, "PUT") => json!({
            "type": "object",
            "required": ["value"],
            "properties": {
                "name": { "type": "string" },
                "value": { "type": "string", "minLength": 1, "maxLength": 4096 },
            },
        }),
        _ => return None,
    };
    Some(body("application/json", true, schema))
}

/// What the operation itself may answer with.
fn own(route: &Route, method: &str) -> Vec<u16> {
    match (route.operation, method) {
        (Admin::Status | Admin::Config | Admin::DrainStatus, _) => vec![200],
        (Admin::SyncTriggers | Admin::Instance | Admin::OpenApi | Admin::Functions, _) => vec![200],
        (Admin::State, _) => vec![200, 202, 400, 500],
        (Admin::Drain, _) => vec![202],
        (Admin::CleanEntities, _) => vec![200],
        (Admin::Log, _) => vec![200, 400],
        (Admin::Resume | Admin::Restart, _) => vec![200, 409],
        (Admin::HostKeys | Admin::FunctionKeys | Admin::Function | Admin::FunctionStatus, _) => {
            vec![200, 404]
        }
        (Admin::Replace, _) => vec![400, 404],
        (Admin::Run, _) => vec![202, 400, 404],
        (Admin::HostKey | Admin::FunctionKey, "GET") => vec![200, 404],
        (Admin::HostKey | Admin::FunctionKey, "DELETE") => vec![204, 400, 404, 409],
        (Admin::HostKey | Admin::FunctionKey, "PUT") => vec![200, 201, 400, 404, 409, 415],
        (Admin::HostKey | Admin::FunctionKey, _) => vec![200, 201, 400, 404, 409],
    }
}
