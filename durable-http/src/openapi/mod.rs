//! The OpenAPI 3.1 document of everything that the host answers: functions, management webhooks, administration. Made from the tables that
//! route.

mod admin;
mod functions;
mod operation;
mod webhooks;

use serde_json::{Map, Value, json};

use crate::host::Shared;
use operation::Paths;

/// The document.
pub(crate) fn document(shared: &Shared) -> Value {
    let mut paths = Paths::default();
    let mut schemas = Map::new();
    for listed in &shared.functions {
        functions::describe(listed, &mut paths, &mut schemas);
    }
    webhooks::describe(&mut paths);
    admin::describe(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": shared.client.task_hub(),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "HTTP functions, the management webhooks of Durable Functions, and the administration API.",
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "functions" },
            { "name": "durabletask", "description": "Management webhooks" },
            { "name": "admin", "description": "For the master key" },
        ],
        "paths": paths.into_value(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "header": { "type": "apiKey", "in": "header", "name": "x-functions-key" },
                "query": { "type": "apiKey", "in": "query", "name": "code" },
            },
        },
    })
}
