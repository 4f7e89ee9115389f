//! Building blocks of the document.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

/// One way to call one path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) tag: &'static str,
    pub(super) summary: String,
    /// Whether a key is asked for.
    pub(super) guarded: bool,
    pub(super) parameters: Vec<Value>,
    /// Of the request's body.
    pub(super) body: Option<Value>,
    /// Status, or a range such as `4XX`.
    pub(super) responses: Vec<String>,
}

/// Every guarded path may answer with these, and so may a host that is full, offline, or cannot write.
pub(super) const COMMON: [u16; 6] = [401, 403, 413, 414, 429, 503];

impl Operation {
    fn into_value(self) -> Value {
        let responses: Map<String, Value> = self
            .responses
            .into_iter()
            .map(|status| {
                let description = described(&status);
                (status, json!({ "description": description }))
            })
            .collect();
        let mut value = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": responses,
            "security": if self.guarded { json!([{ "header": [] }, { "query": [] }]) } else { json!([]) },
        });
        if let Some(body) = self.body {
            value["requestBody"] = body;
        }
        value
    }
}

fn described(status: &str) -> String {
    let code = status.parse::<u16>().ok();
    let reason = code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .and_then(|code| code.canonical_reason());
    reason.map_or_else(|| "As the function answers".to_owned(), str::to_owned)
}

/// All paths; the first who describes a path and method keeps it, as the first route does.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeMap<String, BTreeMap<String, Value>>);

impl Paths {
    pub(super) fn add(&mut self, path: &str, method: &str, operation: Operation) {
        let methods = self.0.entry(path.to_owned()).or_default();
        methods
            .entry(method.to_lowercase())
            .or_insert_with(|| operation.into_value());
    }

    pub(super) fn into_value(self) -> Value {
        json!(self.0)
    }
}

pub(super) fn in_path(name: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

pub(super) fn in_query(name: &str) -> Value {
    json!({ "name": name, "in": "query", "schema": { "type": "string" } })
}

pub(super) fn body(media_type: &str, required: bool, schema: Value) -> Value {
    json!({ "required": required, "content": { media_type: { "schema": schema } } })
}

/// The texts of statuses, and of those that any path may answer with.
pub(super) fn statuses(own: &[u16]) -> Vec<String> {
    own.iter().chain(&COMMON).map(u16::to_string).collect()
}
