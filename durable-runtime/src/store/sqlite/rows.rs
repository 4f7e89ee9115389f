//! Rows, and how they become the model and come from it. The model knows nothing of diesel.

use std::sync::Arc;

use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::schema::instances;
use crate::model::{ExecutionStarted, HistoryEvent, Payload, RuntimeStatus, Timestamp};
use crate::store::{
    InstanceKey, InstanceRecord, NewInstance, PayloadKind, StoredMessage, TurnCommit,
};

/// One row of `instances`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
// Inserted with all its columns: so the statement is the same each time, and prepared once.
#[diesel(table_name = instances, treat_none_as_default_value = false)]
pub(super) struct InstanceRow {
    pub(super) iid: i64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) execution_id: String,
    pub(super) generation: i64,
    pub(super) status: i32,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) wake_at: Option<i64>,
    pub(super) sequence: i64,
    pub(super) partition_id: i32,
    pub(super) parent: Option<String>,
    pub(super) scheduled_start: Option<i64>,
    pub(super) tags: Option<String>,
    pub(super) trace_parent: Option<String>,
}

impl InstanceRow {
    /// The row of an instance that has not run yet.
    pub(super) fn pending(new: &NewInstance) -> Result<Self, Fault> {
        let ExecutionStarted {
            name,
            version,
            execution_id,
            parent,
            scheduled_start,
            generation,
            tags,
            trace_parent,
            input: _,
        } = &new.started;
        Ok(Self {
            iid: new.key.0,
            id: new.id.to_string(),
            name: name.to_string(),
            version: version.clone(),
            execution_id: execution_id.to_string(),
            generation: generation_code(*generation)?,
            status: RuntimeStatus::Pending.code(),
            created: new.created.micros(),
            updated: new.created.micros(),
            wake_at: Some(scheduled_start.map_or(0, Timestamp::micros)),
            sequence: 0,
            partition_id: 0,
            parent: parent.as_ref().map(json).transpose()?,
            scheduled_start: scheduled_start.map(Timestamp::micros),
            tags: if tags.is_empty() {
                None
            } else {
                Some(json(tags)?)
            },
            trace_parent: trace_parent.clone(),
        })
    }

    /// The row of an instance whose first turn is stored with it.
    pub(super) fn first_turn(new: &NewInstance, turn: &TurnCommit) -> Result<Self, Fault> {
        let mut row = Self::pending(new)?;
        if let Some(next) = &turn.new_generation {
            row.execution_id = next.execution_id.to_string();
            row.generation = generation_code(next.generation)?;
            row.version.clone_from(&next.version);
        }
        row.status = turn.status.code();
        row.updated = turn.updated.micros();
        row.wake_at = turn.wake_at.map(Timestamp::micros);
        row.sequence = turn.expected_sequence + 1;
        Ok(row)
    }

    /// The record, with no payloads yet.
    pub(super) fn into_record(self) -> Result<InstanceRecord, Fault> {
        let iid = self.iid;
        Ok(InstanceRecord {
            key: InstanceKey(iid),
            id: Arc::from(self.id),
            name: Arc::from(self.name),
            version: self.version,
            execution_id: Arc::from(self.execution_id),
            generation: u64::try_from(self.generation)
                .map_err(|error| Fault::unreadable("generation", iid, error))?,
            status: status(iid, self.status)?,
            created: Timestamp::from_micros(self.created),
            updated: Timestamp::from_micros(self.updated),
            parent: self
                .parent
                .map(|text| read(&text, "parent", iid))
                .transpose()?,
            scheduled_start: self.scheduled_start.map(Timestamp::from_micros),
            tags: self
                .tags
                .map(|text| read(&text, "tags", iid))
                .transpose()?
                .unwrap_or_default(),
            trace_parent: self.trace_parent,
            input: None,
            output: None,
            custom_status: None,
            failure: None,
            entity: None,
        })
    }
}

/// One payload goes to its place in the record.
pub(super) fn place(record: &mut InstanceRecord, kind: i32, value: String) -> Result<(), Fault> {
    let iid = record.key.0;
    if kind == code(PayloadKind::Failure) {
        record.failure = Some(read(&value, "failure", iid)?);
        return Ok(());
    }
    if kind == code(PayloadKind::Lock) {
        record.entity.get_or_insert_default().lock = Some(read(&value, "lock", iid)?);
        return Ok(());
    }
    let payload =
        Payload::parse(value).map_err(|error| Fault::unreadable("payload", iid, error))?;
    let place = match kind {
        kind if kind == code(PayloadKind::Input) => &mut record.input,
        kind if kind == code(PayloadKind::Output) => &mut record.output,
        kind if kind == code(PayloadKind::CustomStatus) => &mut record.custom_status,
        kind if kind == code(PayloadKind::State) => {
            &mut record.entity.get_or_insert_default().state
        }
        other => {
            return Err(Fault::unreadable(
                "payload",
                iid,
                format!("kind {other}, expected 0 to 5"),
            ));
        }
    };
    *place = Some(payload);
    Ok(())
}

/// A turn's events, the input back in the first one.
pub(super) fn turn(
    iid: i64,
    text: &str,
    input: Option<&Payload>,
) -> Result<Vec<HistoryEvent>, Fault> {
    let mut events: Vec<HistoryEvent> = read(text, "history", iid)?;
    for event in &mut events {
        if let HistoryEvent::ExecutionStarted(started) = event
            && started.input.is_none()
        {
            started.input = input.cloned();
        }
    }
    Ok(events)
}

/// A message of the inbox.
pub(super) fn message(
    iid: i64,
    (id, execution_id, event): (i64, Option<String>, String),
) -> Result<StoredMessage, Fault> {
    Ok(StoredMessage {
        id,
        execution_id: execution_id.map(Arc::from),
        event: read(&event, "inbox", iid)?,
    })
}

/// A status by its number.
pub(super) fn status(iid: i64, code: i32) -> Result<RuntimeStatus, Fault> {
    RuntimeStatus::from_code(code)
        .ok_or_else(|| Fault::unreadable("status", iid, format!("{code}, expected 0 to 7")))
}

/// The number of a payload's kind.
pub(super) const fn code(kind: PayloadKind) -> i32 {
    kind as i32
}

/// The JSON text of a value to be stored.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::unwritable(&error))
}

/// A generation as stored.
pub(super) fn generation_code(generation: u64) -> Result<i64, Fault> {
    i64::try_from(generation).map_err(|_| {
        Fault::Content(format!(
            "generation {generation} is past what can be stored"
        ))
    })
}

fn read<T: DeserializeOwned>(text: &str, what: &str, iid: i64) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::unreadable(what, iid, error))
}
