//! The management webhooks.

use serde_json::{Value, json};

use super::operation::{Operation, Paths, body, in_path, in_query, statuses};
use crate::webhooks::{BASE, DESCRIBED, Described};

const CONTINUATION: &str = "x-ms-continuation-token";

/// Adds them all.
pub(super) fn describe(paths: &mut Paths) {
    for line in DESCRIBED {
        let mut parameters: Vec<Value> = line
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| in_path(name, json!({ "type": "string", "minLength": 1 })))
            .collect();
        parameters.extend(line.query.iter().map(|name| in_query(name)));
        if line.query.contains(&"top") {
            let schema = json!({ "type": "string" });
            parameters.push(json!({ "name": CONTINUATION, "in": "header", "schema": schema }));
        }
        let own = [line.statuses, &[404]].concat();
        let operation = Operation {
            id: id(line),
            tag: "durabletask",
            summary: line.summary.to_owned(),
            guarded: true,
            parameters,
            body: line
                .body
                .then(|| body("application/json", false, json!({}))),
            responses: statuses(&own),
        };
        paths.add(&format!("{BASE}{}", line.path), line.method, operation);
    }
}

/// `post_instances_instanceId_terminate`.
fn id(line: &Described) -> String {
    let path = line.path.replace(['{', '}'], "").replace('/', "_");
    format!("{}{path}", line.method.to_lowercase())
}
