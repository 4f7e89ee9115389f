//! The application's own functions.

use serde_json::{Map, Value, json};

use super::operation::{Operation, Paths, body, in_path};
use crate::binding::{AuthLevel, Webhook};
use crate::host::{HttpListed, Listed};

/// What a function without `methods` is described with; it answers others as well.
const ALL: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Adds every path of an HTTP function; named schemas of its body go among the others.
pub(super) fn describe(listed: &Listed, paths: &mut Paths, schemas: &mut Map<String, Value>) {
    let Some(http) = &listed.http else {
        return;
    };
    let own = http.methods.iter().map(String::as_str);
    let methods: Vec<&str> = match (http.function.webhook, http.methods.is_empty()) {
        (Some(_), _) => vec!["POST"],
        (None, true) => ALL.to_vec(),
        (None, false) => own.filter(|method| *method != "CONNECT").collect(),
    };
    let request = request(http, schemas);
    for (number, shape) in http.shapes.iter().enumerate() {
        for method in &methods {
            let parameters = shape.parameters.iter();
            let takes_body = !matches!(*method, "GET" | "HEAD" | "DELETE" | "TRACE" | "OPTIONS");
            let operation = Operation {
                id: format!("{}_{}_{number}", listed.name, method.to_lowercase()),
                tag: "functions",
                summary: summary(listed, http),
                guarded: http.function.auth != AuthLevel::Anonymous
                    || http.function.webhook.is_some(),
                parameters: parameters
                    .map(|(name, schema)| in_path(name, schema.clone()))
                    .collect(),
                body: request.clone().filter(|_| takes_body),
                responses: ["2XX", "3XX", "4XX", "500", "502", "503"]
                    .map(str::to_owned)
                    .into(),
            };
            paths.add(&shape.path, method, operation);
        }
    }
}

fn summary(listed: &Listed, http: &HttpListed) -> String {
    let kind = match http.function.webhook {
        None => String::new(),
        Some(Webhook::GenericJson) => " (webhook)".to_owned(),
        Some(other) => format!(" (webhook of {})", other.name()),
    };
    let off = if listed.disabled { ", disabled" } else { "" };
    format!("{}{kind}{off}", listed.name)
}

fn request(http: &HttpListed, schemas: &mut Map<String, Value>) -> Option<Value> {
    let spec = http.function.body?;
    let schema = match (spec.schema)() {
        Some(schema) => named_apart(schema, schemas),
        None if spec.media_type == "*/*" => json!({}),
        None => json!({ "type": "object" }),
    };
    Some(body(spec.media_type, spec.required, schema))
}

/// Takes the schemas that this one refers to out of it.
fn named_apart(mut schema: Value, schemas: &mut Map<String, Value>) -> Value {
    if let Some(members) = schema.as_object_mut()
        && let Some(Value::Object(mut components)) = members.remove("components")
        && let Some(Value::Object(named)) = components.remove("schemas")
    {
        schemas.extend(named);
    }
    schema
}
