//! Functions as administrators see them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};

use super::{empty, text};
use crate::host::{HttpListed, Listed, Shared};
use crate::webhooks::{json as answer, origin};

/// The members that a record always has, `null` ones included.
#[derive(Serialize)]
struct Record {
    name: String,
    script_root_path_href: Option<String>,
    script_href: Option<String>,
    config_href: Option<String>,
    test_data_href: Option<String>,
    href: String,
    invoke_url_template: Option<String>,
    language: &'static str,
    config: Value,
    files: Option<Value>,
    test_data: Option<String>,
    #[serde(rename = "isDisabled")]
    is_disabled: bool,
    #[serde(rename = "isDirect")]
    is_direct: bool,
    #[serde(rename = "isProxy")]
    is_proxy: bool,
}

impl Record {
    fn of(listed: &Listed, base: &str) -> Self {
        let http = listed.http.as_ref();
        let url = |http: &HttpListed| format!("{base}{}", http.route).to_lowercase();
        Self {
            name: listed.name.clone(),
            script_root_path_href: None,
            script_href: None,
            config_href: None,
            test_data_href: None,
            href: format!("{base}/admin/functions/{}", listed.name),
            invoke_url_template: http.map(url),
            language: "rust",
            config: json!({
                "name": listed.name,
                "disabled": listed.disabled,
                "bindings": bindings(listed),
            }),
            files: None,
            test_data: None,
            is_disabled: listed.disabled,
            is_direct: false,
            is_proxy: false,
        }
    }
}

fn bindings(listed: &Listed) -> Vec<Value> {
    if let Some(timer) = &listed.timer {
        return vec![json!({
            "type": listed.trigger,
            "direction": "in",
            "name": "timer",
            "schedule": timer.timer.spec.schedule,
            "runOnStartup": timer.timer.spec.run_on_startup,
        })];
    }
    let Some(http) = &listed.http else {
        return vec![json!({ "type": listed.trigger, "direction": "in", "name": "context" })];
    };
    let function = http.function;
    let mut trigger = json!({
        "type": "httpTrigger",
        "direction": "in",
        "name": "req",
        "authLevel": function.auth.name(),
    });
    if let Some(members) = trigger.as_object_mut() {
        if !http.methods.is_empty() {
            let methods = http.methods.iter();
            let methods: Vec<_> = methods.map(|method| method.to_lowercase()).collect();
            members.insert("methods".to_owned(), json!(methods));
        }
        members.extend(
            function
                .route
                .map(|route| ("route".to_owned(), route.into())),
        );
        let webhook = function.webhook.map(|webhook| webhook.name().into());
        members.extend(webhook.map(|name| ("webHookType".to_owned(), name)));
    }
    vec![
        trigger,
        json!({ "type": "http", "direction": "out", "name": "$return" }),
    ]
}

pub(super) fn all(shared: &Shared) -> HttpResponse {
    let base = shared.own_origin();
    let functions = shared.functions.iter();
    let records: Vec<_> = functions.map(|listed| Record::of(listed, &base)).collect();
    answer(StatusCode::OK, &records)
}

pub(super) fn one(shared: &Shared, req: &HttpRequest, name: &str) -> HttpResponse {
    match shared.function(name) {
        Some(listed) => answer(StatusCode::OK, &Record::of(listed, &origin(req))),
        None => empty(StatusCode::NOT_FOUND),
    }
}

/// A function with a fault keeps the host from starting: what is listed has none.
pub(super) fn status(shared: &Shared, name: &str) -> HttpResponse {
    match shared.function(name) {
        Some(_) => answer(StatusCode::OK, &json!({})),
        None => empty(StatusCode::NOT_FOUND),
    }
}

pub(super) fn read_only() -> HttpResponse {
    let why = "Your app is currently in read only mode. Cannot create or update functions.";
    text(StatusCode::BAD_REQUEST, why)
}
