//! An instance as the wire shows it: eight members in a fixed order, payloads as the text they are.

use std::borrow::Cow;

use chrono::{Datelike as _, Timelike as _};
use durable_runtime::model::{Payload, RuntimeStatus, Timestamp};
use durable_runtime::store::InstanceRecord;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The status of an instance, written without a copy of its payloads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusObject<'a> {
    name: &'a str,
    instance_id: &'a str,
    runtime_status: &'static str,
    input: Option<&'a Payload>,
    custom_status: Option<&'a Payload>,
    output: Output<'a>,
    created_time: Seconds,
    last_updated_time: Seconds,
}

impl<'a> StatusObject<'a> {
    pub(crate) fn of(record: &'a InstanceRecord, show_input: bool) -> Self {
        Self {
            name: &record.name,
            instance_id: &record.id,
            runtime_status: record.status.name(),
            input: record.input.as_ref().filter(|_| show_input),
            custom_status: record.custom_status.as_ref(),
            output: Output::of(record),
            created_time: Seconds(record.created),
            last_updated_time: Seconds(record.updated),
        }
    }
}

/// What an instance ended with. Texts that were never JSON (the reason of a termination, a failure) are shown as the JSON
/// that they happen to be, as the reference does.
pub(crate) struct Output<'a>(Option<Shown<'a>>);

enum Shown<'a> {
    Whole(&'a Payload),
    Within(Box<RawValue>),
}

impl<'a> Output<'a> {
    pub(crate) fn of(record: &'a InstanceRecord) -> Self {
        let Some(output) = &record.output else {
            return Self(None);
        };
        let text = matches!(
            record.status,
            RuntimeStatus::Terminated | RuntimeStatus::Failed
        )
        .then(|| serde_json::from_str::<Cow<'_, str>>(output.as_str()).ok())
        .flatten();
        let within = text.and_then(|text| serde_json::from_str(&text).ok());
        Self(Some(within.map_or(Shown::Whole(output), Shown::Within)))
    }
}

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            None => serializer.serialize_none(),
            Some(Shown::Whole(payload)) => payload.serialize(serializer),
            Some(Shown::Within(raw)) => raw.serialize(serializer),
        }
    }
}

/// `2020-01-01T10:01:02Z`: whole seconds, cut off.
struct Seconds(Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = self.0.to_utc();
        let mut text = *b"0000-00-00T00:00:00Z";
        // Timestamps lie in the years 1 to 9999.
        digits(&mut text[..4], at.year().unsigned_abs());
        digits(&mut text[5..7], at.month());
        digits(&mut text[8..10], at.day());
        digits(&mut text[11..13], at.hour());
        digits(&mut text[14..16], at.minute());
        digits(&mut text[17..19], at.second());
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes the last digits of `number`, as many as there is room for.
fn digits(room: &mut [u8], mut number: u32) {
    for place in room.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use durable_runtime::store::InstanceKey;

    fn record(status: RuntimeStatus, output: Option<Payload>) -> InstanceRecord {
        InstanceRecord {
            key: InstanceKey(1),
            id: "abc".into(),
            name: "E1".into(),
            version: String::new(),
            execution_id: "x".into(),
            generation: 0,
            status,
            created: Timestamp::from_micros(1_999_999),
            updated: Timestamp::from_micros(2_000_000),
            parent: None,
            scheduled_start: None,
            tags: Default::default(),
            trace_parent: None,
            input: Payload::parse(r#"{"b": 1, "a": 2}"#).ok(),
            output,
            custom_status: None,
            failure: None,
            entity: None,
        }
    }

    #[test]
    fn members_are_those_of_the_wire_in_order_and_payloads_untouched() {
        let record = record(
            RuntimeStatus::Completed,
            Some(Payload::text("2020-01-01T00:00:00")),
        );
        let text = serde_json::to_string(&StatusObject::of(&record, true)).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"name":"E1","instanceId":"abc","runtimeStatus":"Completed","input":{"b": 1, "a": 2},"#,
                r#""customStatus":null,"output":"2020-01-01T00:00:00","createdTime":"1970-01-01T00:00:01Z","#,
                r#""lastUpdatedTime":"1970-01-01T00:00:02Z"}"#
            )
        );
        let hidden = serde_json::to_string(&StatusObject::of(&record, false)).unwrap();
        assert!(hidden.contains(r#""input":null"#));
    }

    #[test]
    fn times_are_cut_to_whole_seconds_in_any_year() {
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_709_251_199_999_999, "2024-02-29T23:59:59Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
            (253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
        ] {
            let text = serde_json::to_string(&Seconds(Timestamp::from_micros(micros))).unwrap();
            assert_eq!(text, format!("\"{expected}\""));
        }
    }

    #[test]
    fn a_reason_is_shown_as_the_json_that_it_is() {
        use RuntimeStatus::{Completed, Failed, Terminated};
        for (status, text, expected) in [
            (Terminated, "because", r#""because""#),
            (Terminated, r#"{"a":1}"#, r#"{"a":1}"#),
            (Terminated, "123", "123"),
            (Terminated, "", r#""""#),
            (Terminated, "true story", r#""true story""#),
            (Failed, "it broke: 7", r#""it broke: 7""#),
            (Completed, "123", r#""123""#),
        ] {
            let record = record(status, Some(Payload::text(text)));
            let shown = serde_json::to_string(&Output::of(&record)).unwrap();
            assert_eq!(shown, expected, "{status} {text}");
        }
    }
}
