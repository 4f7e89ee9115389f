//! An instance on a terminal.

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
        ]
        .concat()
    }
}
