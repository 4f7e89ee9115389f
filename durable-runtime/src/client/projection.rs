//! History as clients read it (`webhooks.md` 4.3 of the reference: the management API's `historyEvents`).

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use crate::durable_http::{HTTP_ACTIVITY, redact_payload};
use crate::model::{FailureDetails, HistoryEvent, Payload, RuntimeStatus, Timestamp};
use crate::store::InstanceRecord;

/// What a projection shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Show {
    pub(super) input: bool,
    pub(super) output: bool,
}

/// A string of an instance that was ended from outside may hold JSON, which clients get parsed (4.2).
pub(super) fn wire_value(status: RuntimeStatus, output: &Value) -> Value {
    match (status, output) {
        (RuntimeStatus::Terminated | RuntimeStatus::Failed, Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        _ => output.clone(),
    }
}

/// ISO 8601, UTC, up to seven fractional digits, trailing zeros cut.
fn time(at: Timestamp) -> String {
    let text = at.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
    let digits = text
        .trim_end_matches('Z')
        .trim_end_matches('0')
        .trim_end_matches('.');
    format!("{digits}Z")
}

/// [`time`], for serde.
pub(super) fn serialize_time<S: serde::Serializer>(
    at: &chrono::DateTime<chrono::Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time((*at).into()))
}

fn raw(payload: Option<&Payload>) -> Value {
    payload.map_or(Value::Null, |payload| {
        Value::String(payload.as_str().to_owned())
    })
}

fn failure(failure: &FailureDetails) -> Value {
    json!({
        "ErrorType": failure.error_type,
        "ErrorMessage": failure.message,
        "StackTrace": failure.stack_trace,
        "InnerFailure": failure.inner.as_deref().map(self::failure),
        "IsNonRetriable": failure.is_non_retriable,
    })
}

/// A scheduling event that waits for its completion row.
struct Scheduled {
    at: Timestamp,
    row: usize,
    name: String,
    input: Option<Payload>,
}

/// The rows of a history, oldest first.
pub(super) fn project(
    record: &InstanceRecord,
    history: &[Vec<HistoryEvent>],
    show: Show,
) -> Vec<Value> {
    let mut rows: Vec<Option<Map<String, Value>>> = Vec::new();
    let mut open: BTreeMap<i64, Scheduled> = BTreeMap::new();
    let mut timers: BTreeMap<i64, Timestamp> = BTreeMap::new();
    let mut at = record.created;
    for event in history.iter().flatten() {
        if let HistoryEvent::OrchestratorStarted { at: now } = event {
            at = *now;
        }
        let Some(mut row) = row_of(event, record, show) else {
            continue;
        };
        if let HistoryEvent::TimerCreated { id, fire_at } = event {
            timers.insert(*id, *fire_at);
        }
        if let HistoryEvent::TimerFired { id } = event {
            row.insert("FireAt".to_owned(), timers.remove(id).map(time).into());
        }
        if let Some((id, name, input)) = scheduled(event) {
            open.insert(
                id,
                Scheduled {
                    at,
                    row: rows.len(),
                    name,
                    input,
                },
            );
        }
        if let Some(scheduled) = ended(event).and_then(|id| open.remove(&id)) {
            rows[scheduled.row] = None;
            row.insert("ScheduledTime".to_owned(), time(scheduled.at).into());
            if let HistoryEvent::TaskCompleted { result, .. } = event
                && show.output
                && scheduled.name == HTTP_ACTIVITY
            {
                let shown = redact_payload(result).to_value();
                row.insert("Result".to_owned(), shown);
            }
            row.insert("FunctionName".to_owned(), scheduled.name.into());
            if show.input {
                row.insert("Input".to_owned(), raw(scheduled.input.as_ref()));
            }
        }
        row.insert("EventType".to_owned(), shown_kind(event).into());
        row.insert("Timestamp".to_owned(), time(at).into());
        rows.push(Some(row));
    }
    rows.into_iter().flatten().map(Value::Object).collect()
}

fn scheduled(event: &HistoryEvent) -> Option<(i64, String, Option<Payload>)> {
    match event {
        HistoryEvent::TaskScheduled { id, name, input } => {
            Some((*id, name.to_string(), shown_input(name, input.as_ref())))
        }
        HistoryEvent::SubOrchestrationInstanceCreated {
            id,
            name,
            input,
            detached: false,
            ..
        } => Some((*id, name.to_string(), input.clone())),
        _ => None,
    }
}

fn ended(event: &HistoryEvent) -> Option<i64> {
    match event {
        HistoryEvent::TaskCompleted { id, .. }
        | HistoryEvent::TaskFailed { id, .. }
        | HistoryEvent::SubOrchestrationInstanceCompleted { id, .. }
        | HistoryEvent::SubOrchestrationInstanceFailed { id, .. } => Some(*id),
        _ => None,
    }
}

/// What the reference calls the event: to it, messages to entities are events that are sent and their answers events that are raised,
/// named by the request.
fn shown_kind(event: &HistoryEvent) -> &'static str {
    use HistoryEvent as H;
    match event {
        H::EntityOperationCalled { .. }
        | H::EntityOperationSignaled { .. }
        | H::EntityLockRequested { .. }
        | H::EntityUnlockSent { .. } => "EventSent",
        H::EntityOperationCompleted { .. }
        | H::EntityOperationFailed { .. }
        | H::EntityLockGranted { .. } => "EventRaised",
        other => other.kind(),
    }
}

fn request(record: &InstanceRecord, id: i64) -> String {
    format!("{}:{id}", record.execution_id)
}

/// The request of a `call_http` is shown without its secrets; what activities are given is the application's own.
fn shown_input(name: &str, input: Option<&Payload>) -> Option<Payload> {
    let redacted = name == HTTP_ACTIVITY;
    input.map(|input| {
        if redacted {
            redact_payload(input)
        } else {
            input.clone()
        }
    })
}

/// The members of one event but for those that all have; `None`: it is not shown.
fn row_of(event: &HistoryEvent, record: &InstanceRecord, show: Show) -> Option<Map<String, Value>> {
    use HistoryEvent as H;
    let body = match event {
        H::OrchestratorStarted { .. } | H::OrchestratorCompleted => return None,
        H::ExecutionStarted(started) => json!({
            "FunctionName": started.name, "Input": raw(record.input.as_ref()), "Correlation": null,
            "ParentTraceContext": null, "ScheduledStartTime": started.scheduled_start.map(time), "Generation": started.generation,
        }),
        H::TaskScheduled { name, input, .. } => {
            json!({ "Name": name, "Input": raw(shown_input(name, input.as_ref()).as_ref()), "ParentTraceContext": null })
        }
        H::TaskCompleted { result, .. } | H::SubOrchestrationInstanceCompleted { result, .. } => {
            json!({ "Result": result.to_value() })
        }
        H::TaskFailed {
            failure: details, ..
        }
        | H::SubOrchestrationInstanceFailed {
            failure: details, ..
        } => {
            json!({ "Reason": details.message, "Details": null, "FailureDetails": failure(details) })
        }
        H::TimerCreated { fire_at, .. } => json!({ "FireAt": time(*fire_at) }),
        // What created it says when, see `project`.
        H::TimerFired { .. } => json!({}),
        H::SubOrchestrationInstanceCreated {
            name,
            instance_id,
            input,
            ..
        } => {
            json!({ "Name": name, "InstanceId": instance_id, "Input": raw(input.as_ref()), "ClientSpanId": null })
        }
        H::EventSent {
            instance_id,
            name,
            data,
            ..
        } => json!({ "InstanceId": instance_id, "Name": name, "Input": raw(Some(data)) }),
        H::EventRaised { name, data } => {
            json!({ "Name": name, "Input": raw(Some(data)), "ParentTraceContext": null })
        }
        H::EntityOperationCalled { entity, input, .. }
        | H::EntityOperationSignaled { entity, input, .. } => {
            json!({ "InstanceId": entity, "Name": "op", "Input": raw(input.as_ref()) })
        }
        H::EntityLockRequested { entities, .. } => {
            json!({ "InstanceId": entities.first(), "Name": "op", "Input": null })
        }
        H::EntityUnlockSent { entity, .. } => {
            json!({ "InstanceId": entity, "Name": "release", "Input": null })
        }
        H::EntityOperationCompleted { id, result } => {
            json!({ "Name": request(record, *id), "Input": raw(Some(result)), "ParentTraceContext": null })
        }
        H::EntityOperationFailed {
            id,
            failure: details,
        } => {
            json!({ "Name": request(record, *id), "Input": null, "FailureDetails": failure(details), "ParentTraceContext": null })
        }
        H::EntityLockGranted { id } => {
            json!({ "Name": request(record, *id), "Input": null, "ParentTraceContext": null })
        }
        H::Entity(_) => return None,
        H::ExecutionSuspended { reason } | H::ExecutionResumed { reason } => {
            json!({ "Reason": reason })
        }
        H::ExecutionTerminated { reason, .. } => json!({ "Input": reason }),
        H::ExecutionRewound {
            reason,
            parent_execution_id,
            ..
        } => json!({ "Reason": reason, "ParentExecutionId": parent_execution_id }),
        H::ExecutionCompleted { status, .. } => json!({
            "OrchestrationStatus": status.name(),
            "Result": record.output.as_ref().map(|output| wire_value(*status, &output.to_value())),
            "FailureDetails": record.failure.as_deref().map(failure),
        }),
    };
    let Value::Object(mut body) = body else {
        return None;
    };
    if !show.input {
        body.remove("Input");
    }
    if !show.output {
        body.remove("Result");
    }
    Some(body)
}
