//! [`History`]: what an instance went through, as `instances export` prints it.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::durable_http::{HTTP_ACTIVITY, redact_payload};
use crate::error::{Error, Result};
use crate::model::HistoryEvent;

/// The recorded events of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub(super) instance_id: Arc<str>,
    pub(super) events: Vec<HistoryEvent>,
}

impl History {
    /// Reads what `instances export` prints: a JSON array of turns, each an array of events. An array of events is taken too; `[]` is an
    /// instance that has not begun.
    ///
    /// # Errors
    /// Another shape, with the place of the fault.
    pub fn from_json(text: &str) -> Result<Self> {
        let parsed: Value = serde_json::from_str(text)
            .map_err(|fault| Error::msg(format!("the history is not JSON: {fault}")))?;
        let Value::Array(items) = parsed else {
            return Err(expected(&format!("found {}", kind(&parsed))));
        };
        let events: Vec<Value> = items.into_iter().flat_map(of_turn).collect();
        let mut history = Self {
            instance_id: "replayed".into(),
            events: Vec::with_capacity(events.len()),
        };
        for (index, event) in events.into_iter().enumerate() {
            if event.get("EventType").is_some() {
                return Err(expected(
                    "found `historyEvents`, as `instances history` and the webhooks show them, which leave ids out",
                ));
            }
            if let Some(id) = event.pointer("/ExecutionStarted/instance_id") {
                history.instance_id = id.as_str().unwrap_or_default().into();
            }
            let read = serde_json::from_value(event)
                .map_err(|fault| expected(&format!("event {index} is none: {fault}")))?;
            history.events.push(read);
        }
        Ok(history)
    }

    /// What [`Self::from_json`] reads, of the turns of an instance; the instance's id stands in its `ExecutionStarted`. Requests and
    /// answers of `call_http` are without credentials, as in views of history: such files are kept beside code.
    ///
    /// # Errors
    /// None for events that were read from a hub.
    pub fn to_json(instance_id: &str, turns: &[Vec<HistoryEvent>]) -> Result<String> {
        let mut turns = turns.to_vec();
        redact(turns.iter_mut().flatten());
        let mut turns = serde_json::to_value(turns)?;
        let events = turns.as_array_mut().into_iter().flatten();
        for event in events.filter_map(Value::as_array_mut).flatten() {
            if let Some(Value::Object(started)) = event.get_mut("ExecutionStarted") {
                started.insert("instance_id".to_owned(), instance_id.into());
            }
        }
        let lines = turns.as_array().into_iter().flatten().map(Value::to_string);
        let lines: Vec<String> = lines.map(|turn| format!("  {turn}")).collect();
        Ok(match lines.is_empty() {
            true => "[]".to_owned(),
            false => format!("[\n{}\n]", lines.join(",\n")),
        })
    }
}

/// No credentials are left in requests of `call_http` and their answers. Replay does not look at them: it holds kinds, ids and names
/// against what the code asks for.
fn redact<'a>(events: impl Iterator<Item = &'a mut HistoryEvent>) {
    let mut requests = HashSet::new();
    for event in events {
        match event {
            HistoryEvent::TaskScheduled { id, name, input } if **name == *HTTP_ACTIVITY => {
                requests.insert(*id);
                *input = input.as_ref().map(redact_payload);
            }
            HistoryEvent::TaskCompleted { id, result } if requests.contains(id) => {
                *result = redact_payload(result);
            }
            _ => {}
        }
    }
}

fn of_turn(item: Value) -> Vec<Value> {
    match item {
        Value::Array(events) => events,
        event => vec![event],
    }
}

fn expected(found: &str) -> Error {
    Error::msg(format!(
        "expected an array of turns or of stored events, as `instances export <id>` prints them; {found}"
    ))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: &str = r#"[{"OrchestratorStarted":{"at":1}},{"ExecutionStarted":{"name":"a","execution_id":"e","instance_id":"order-17","generation":0}},{"TimerCreated":{"id":0,"fire_at":2}},"OrchestratorCompleted"]"#;

    #[test]
    fn turns_and_events_are_both_read() {
        let turns = History::from_json(&format!("[{TURN}]")).unwrap();
        assert_eq!(turns, History::from_json(TURN).unwrap());
        assert_eq!((&*turns.instance_id, turns.events.len()), ("order-17", 4));
        assert_eq!(History::from_json("[]").unwrap().events, []);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let history = History::from_json(TURN).unwrap();
        let text = History::to_json("order-17", std::slice::from_ref(&history.events)).unwrap();
        assert_eq!(History::from_json(&text).unwrap(), history);
        assert_eq!(History::to_json("x", &[]).unwrap(), "[]");
    }

    #[test]
    fn another_shape_is_told() {
        for (text, part) in [
            ("{", "not JSON"),
            ("{}", "found an object"),
            (r#"[[{"Unheard":{}}]]"#, "event 0"),
            (r#"[{"EventType":"ExecutionStarted"}]"#, "instances history"),
        ] {
            let error = History::from_json(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
