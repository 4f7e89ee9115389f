//! An instance on a terminal.

use durable_runtime::{PendingActivity, PendingWork, QueuedFor};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::Failure;

/// An instance as it is printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    name: String,
    pub(super) instance_id: String,
    runtime_status: String,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow)]
    custom_status: &'a RawValue,
    #[serde(borrow)]
    output: &'a RawValue,
    created_time: String,
    last_updated_time: String,
    #[serde(default)]
    pending_work: Option<PendingWork>,
}

impl<'a> Row<'a> {
    pub(super) fn read(instance: &'a RawValue) -> Result<Self, Failure> {
        let strange = |error| Failure::refused(format!("the answer is no instance: {error}"));
        serde_json::from_str(instance.get()).map_err(strange)
    }

    /// Its line in a table.
    pub(super) fn cells(self) -> [String; 5] {
        [
            self.instance_id,
            self.name,
            self.runtime_status,
            self.created_time,
            self.last_updated_time,
        ]
    }

    /// All of it, a line for each member.
    pub(super) fn lines(&self) -> String {
        let line = |name: &str, value: &str| format!("{name:14} {value}\n");
        [
            line("id", &self.instance_id),
            line("name", &self.name),
            line("status", &self.runtime_status),
            line("created", &self.created_time),
            line("updated", &self.last_updated_time),
            line("input", self.input.get()),
            line("custom status", self.custom_status.get()),
            line("output", self.output.get()),
            self.pending_work.as_ref().map(waits).unwrap_or_default(),
        ]
        .concat()
    }
}

/// What keeps an activity from beginning.
fn told(why: QueuedFor) -> &'static str {
    match why {
        QueuedFor::Slot => "a slot (`maxConcurrentActivityFunctions`)",
        QueuedFor::MaxConcurrency => "its function's `max_concurrency`",
        QueuedFor::Rate => "its function's `rate`",
        QueuedFor::Disabled => "its function to be enabled",
        QueuedFor::Paused => "the host, which is drained or offline",
        _ => "something that this program does not know",
    }
}

/// What it waits for, a line for each thing.
fn waits(pending: &PendingWork) -> String {
    let mut found: Vec<String> = Vec::new();
    found.extend(pending.unrunnable.clone());
    if pending.suspended {
        found.push("a resume: it is suspended".to_owned());
    }
    let start = pending.scheduled_start.map(|at| format!("start at {at}"));
    found.extend(start);
    found.extend(pending.activities.iter().map(|activity| {
        let PendingActivity {
            id,
            name,
            attempt,
            delivery,
            since,
            queued_for,
            ..
        } = activity;
        let stands = match queued_for {
            Some(why) => format!("queued for {}, begun {delivery} times", told(*why)),
            None => format!("delivery {delivery}"),
        };
        format!("activity {name} (#{id}) since {since}, attempt {attempt}, {stands}")
    }));
    found.extend(pending.children.iter().map(|id| format!("child {id}")));
    found.extend(pending.entities.iter().map(|id| format!("entity {id}")));
    found.extend(pending.events.iter().map(|name| format!("event {name}")));
    found.extend(pending.next_timer.map(|at| format!("timer at {at}")));
    if pending.messages > 0 {
        found.push(format!(
            "a host: {} received and not yet processed",
            pending.messages
        ));
    }
    let lines = found
        .into_iter()
        .map(|what| format!("{:14} {what}\n", "waits for"));
    lines.collect()
}
