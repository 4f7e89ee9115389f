//! [`history_row`]: the events of a turn as its row of history.

use crate::model::HistoryEvent;

/// Bytes of JSON that most events fit into.
const EVENT: usize = 96;

/// The JSON of a turn's events. What lies in the payloads is not written twice.
pub(super) fn history_row(mut events: Vec<HistoryEvent>) -> String {
    for event in &mut events {
        match event {
            HistoryEvent::ExecutionStarted(started) => started.input = None,
            HistoryEvent::ExecutionCompleted {
                result, failure, ..
            } => {
                *result = None;
                *failure = None;
            }
            _ => {}
        }
    }
    let mut text = Vec::with_capacity(EVENT * events.len());
    match write_all(&mut text, &events) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn write_all(text: &mut Vec<u8>, events: &[HistoryEvent]) -> serde_json::Result<()> {
    text.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write(text, event)?;
    }
    text.push(b']');
    Ok(())
}

/// Writes what the event's `Serialize` does. That one looks at each letter of its own names for one to be escaped, which was an eighth of
/// what a turn takes: those that nearly all events are have their names written as they stand here.
fn write(text: &mut Vec<u8>, event: &HistoryEvent) -> serde_json::Result<()> {
    match event {
        HistoryEvent::OrchestratorStarted { at } => {
            text.extend_from_slice(br#"{"OrchestratorStarted":{"at":"#);
            serde_json::to_writer(&mut *text, at)?;
        }
        HistoryEvent::TaskScheduled { id, name, input } => {
            text.extend_from_slice(br#"{"TaskScheduled":{"id":"#);
            serde_json::to_writer(&mut *text, id)?;
            text.extend_from_slice(br#","name":"#);
            serde_json::to_writer(&mut *text, name)?;
            if let Some(input) = input {
                text.extend_from_slice(br#","input":"#);
                text.extend_from_slice(input.as_str().as_bytes());
            }
        }
        HistoryEvent::TaskCompleted { id, result } => {
            text.extend_from_slice(br#"{"TaskCompleted":{"id":"#);
            serde_json::to_writer(&mut *text, id)?;
            text.extend_from_slice(br#","result":"#);
            text.extend_from_slice(result.as_str().as_bytes());
        }
        HistoryEvent::OrchestratorCompleted => {
            text.extend_from_slice(br#""OrchestratorCompleted""#);
            return Ok(());
        }
        event => return serde_json::to_writer(text, event),
    }
    text.extend_from_slice(b"}}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Payload, Timestamp};

    fn event() -> impl Strategy<Value = HistoryEvent> {
        let payload = any::<Option<String>>().prop_map(|value| Payload::of(&value).unwrap());
        let input = prop::option::of(payload.clone());
        prop_oneof![
            any::<i64>().prop_map(|at| HistoryEvent::OrchestratorStarted {
                at: Timestamp::from_micros(at),
            }),
            (any::<i64>(), any::<String>(), input).prop_map(|(id, name, input)| {
                let name = name.into();
                HistoryEvent::TaskScheduled { id, name, input }
            }),
            (any::<i64>(), payload)
                .prop_map(|(id, result)| HistoryEvent::TaskCompleted { id, result }),
            any::<i64>().prop_map(|id| HistoryEvent::TimerFired { id }),
            Just(HistoryEvent::OrchestratorCompleted),
        ]
    }

    proptest! {
        #[test]
        fn row_is_what_serde_writes(events in prop::collection::vec(event(), 0..6)) {
            let expected = serde_json::to_string(&events).unwrap();
            prop_assert_eq!(history_row(events), expected);
        }
    }
}
