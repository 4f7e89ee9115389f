//! The host itself: its state, draining, restart, and what it was told.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::{empty, text};
use crate::body;
use crate::host::{Changed, Shared};
use crate::webhooks::json as answer;

pub(super) fn status(shared: &Shared) -> HttpResponse {
    let offline = shared.lifecycle.is_offline();
    let uptime = shared.lifecycle.uptime().as_millis().max(1);
    let computer = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME"));
    let mut status = json!({
        "id": shared.client.task_hub().to_lowercase(),
        "state": if offline { "Offline" } else { "Running" },
        "version": env!("CARGO_PKG_VERSION"),
        "versionDetails": concat!("durable-functions ", env!("CARGO_PKG_VERSION")),
        "instanceId": instance_id(),
        "processUptime": u64::try_from(uptime).unwrap_or(u64::MAX),
        "functionAppContentEditingState": "NotAllowed",
    });
    if let (Ok(computer), Some(members)) = (computer, status.as_object_mut()) {
        members.insert("computerName".to_owned(), computer.into());
    }
    answer(StatusCode::OK, &status)
}

/// What this process is called among those that serve the application.
fn instance_id() -> String {
    std::env::var("WEBSITE_INSTANCE_ID").unwrap_or_else(|_| std::process::id().to_string())
}

pub(super) fn instance() -> HttpResponse {
    answer(
        StatusCode::OK,
        &json!({ "instanceId": instance_id(), "processId": std::process::id() }),
    )
}

pub(super) fn config(shared: &Shared) -> HttpResponse {
    if shared.lifecycle.is_offline() {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    answer(StatusCode::OK, &shared.resolved)
}

/// The body is `"offline"` or `"running"`.
pub(super) async fn set_state(shared: &Shared, payload: web::Payload) -> HttpResponse {
    let bytes = match body::read(payload, shared.settings.max_body).await {
        Ok(bytes) => bytes,
        Err(response) => return response,
    };
    let wanted = serde_json::from_slice::<String>(&bytes).unwrap_or_default();
    let changed = match &*wanted.to_ascii_lowercase() {
        "offline" => shared.lifecycle.go_offline(),
        "running" => shared.lifecycle.go_online(),
        _ => {
            let expected = r#"expected the JSON string "offline" or "running""#;
            return text(StatusCode::BAD_REQUEST, expected);
        }
    };
    match changed {
        Ok(Changed::Yes) => {
            tracing::info!(state = wanted, "the application's state was changed");
            if !follow(shared).await {
                return empty(StatusCode::SERVICE_UNAVAILABLE);
            }
            empty(StatusCode::ACCEPTED)
        }
        Ok(Changed::Already) => empty(StatusCode::OK),
        Err(error) => {
            tracing::error!(%error, "`app_offline.htm` in the script root cannot be changed");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

pub(super) async fn drain(shared: &Shared) -> HttpResponse {
    pause(shared, true).await
}

pub(super) async fn resume(shared: &Shared) -> HttpResponse {
    if shared.lifecycle.is_offline() {
        return empty(StatusCode::CONFLICT);
    }
    pause(shared, false).await
}

async fn pause(shared: &Shared, draining: bool) -> HttpResponse {
    if shared.lifecycle.set_draining(draining) != draining {
        tracing::info!(draining, "draining was changed");
    }
    if !follow(shared).await {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    }
    if draining {
        empty(StatusCode::ACCEPTED)
    } else {
        answer(StatusCode::OK, &json!({ "state": "Running" }))
    }
}

/// Has the hub keep to the host's state; `false` while there is no hub.
async fn follow(shared: &Shared) -> bool {
    let paused = shared.lifecycle.is_paused();
    shared.client.pause_functions(paused).await.is_ok()
}

pub(super) fn drain_status(shared: &Shared) -> HttpResponse {
    let outstanding = shared.lifecycle.invocations() + shared.client.running_functions();
    let state = match (shared.lifecycle.is_draining(), outstanding) {
        (false, _) => "Disabled",
        (true, 0) => "Completed",
        (true, _) => "InProgress",
    };
    answer(
        StatusCode::OK,
        &json!({ "state": state, "outstandingInvocations": outstanding, "outstandingRetries": 0 }),
    )
}

/// Answers before it happens.
pub(super) fn restart(shared: &Shared) -> HttpResponse {
    if !shared.lifecycle.ask_for_restart() {
        let why = "this host was started by a program of its own: restart that program";
        return text(StatusCode::CONFLICT, why);
    }
    let root = shared.script_root.display().to_string();
    answer(
        StatusCode::OK,
        &json!({
            "scriptPath": root,
            "logPath": "",
            "secretsPath": "",
            "testDataPath": "",
            "isSelfHost": true,
            "hasParentScope": false,
        }),
    )
}

/// What the platform around the host has to say.
pub(super) async fn log(shared: &Shared, payload: web::Payload) -> HttpResponse {
    let bytes = match body::read(payload, shared.settings.max_body).await {
        Ok(bytes) => bytes,
        Err(response) => return response,
    };
    let Ok(entries) = serde_json::from_slice::<Vec<serde_json::Value>>(&bytes) else {
        let expected = "An array of log entry objects is expected.";
        return text(StatusCode::BAD_REQUEST, expected);
    };
    for entry in entries {
        tracing::info!(%entry, "told by the platform");
    }
    empty(StatusCode::OK)
}

/// Triggers are known from the start.
pub(super) fn sync_triggers() -> HttpResponse {
    answer(StatusCode::OK, &json!({ "status": "success" }))
}
