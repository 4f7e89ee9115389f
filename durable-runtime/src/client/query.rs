//! What a client asks for, and what it gets: [`OrchestrationStatus`], [`InstanceQuery`], [`Page`].

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::ClientError;
use super::projection::wire_value;
use crate::error::Result;
use crate::model::{FailureDetails, RuntimeStatus};
use crate::store::{Cursor, InstanceRecord, ListQuery};

/// An instance as clients see it. Serialises in the wire form of the management webhooks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OrchestrationStatus {
    /// The orchestrator's name.
    pub name: String,
    /// The instance id.
    pub instance_id: String,
    /// The current generation's id.
    pub execution_id: String,
    /// Where it stands.
    pub runtime_status: RuntimeStatus,
    /// Input of the current generation.
    pub input: Option<Value>,
    /// What it returned, the readable failure, or the reason of its termination.
    pub output: Option<Value>,
    /// What the orchestrator last set.
    pub custom_status: Option<Value>,
    /// First creation.
    pub created_time: DateTime<Utc>,
    /// Last commit.
    pub last_updated_time: DateTime<Utc>,
    /// Its version; may be empty.
    pub version: String,
    /// Who called it.
    pub parent_instance_id: Option<String>,
    /// Why it failed.
    pub failure: Option<FailureDetails>,
    /// Its history as clients read it, if asked for.
    pub history: Option<Vec<Value>>,
}

impl OrchestrationStatus {
    pub(super) fn of(record: &InstanceRecord, input: bool) -> Self {
        Self {
            name: record.name.to_string(),
            instance_id: record.id.to_string(),
            execution_id: record.execution_id.to_string(),
            runtime_status: record.status,
            input: record
                .input
                .as_ref()
                .filter(|_| input)
                .map(crate::model::Payload::to_value),
            output: record.output.as_ref().map(crate::model::Payload::to_value),
            custom_status: record
                .custom_status
                .as_ref()
                .map(crate::model::Payload::to_value),
            created_time: record.created.to_utc(),
            last_updated_time: record.updated.to_utc(),
            version: record.version.clone(),
            parent_instance_id: record
                .parent
                .as_ref()
                .map(|parent| parent.instance_id.to_string()),
            failure: record.failure.as_deref().cloned(),
            history: None,
        }
    }

    /// The output as a type of yours.
    ///
    /// # Errors
    /// An output of another shape; none reads as `null`.
    pub fn output_as<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_value(
            self.output.clone().unwrap_or(Value::Null),
        )?)
    }

    /// Whether the instance has ended.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.runtime_status.is_terminal()
    }
}

impl Serialize for OrchestrationStatus {
    /// Members and their order are those of webhooks' status object (spec 4.1).
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let seconds = |at: &DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut body = serializer.serialize_struct(
            "OrchestrationStatus",
            8 + usize::from(self.history.is_some()),
        )?;
        body.serialize_field("name", &self.name)?;
        body.serialize_field("instanceId", &self.instance_id)?;
        body.serialize_field("runtimeStatus", &self.runtime_status)?;
        body.serialize_field("input", &self.input)?;
        body.serialize_field("customStatus", &self.custom_status)?;
        body.serialize_field(
            "output",
            &self
                .output
                .as_ref()
                .map(|output| wire_value(self.runtime_status, output)),
        )?;
        body.serialize_field("createdTime", &seconds(&self.created_time))?;
        body.serialize_field("lastUpdatedTime", &seconds(&self.last_updated_time))?;
        if let Some(history) = &self.history {
            body.serialize_field("historyEvents", history)?;
        }
        body.end()
    }
}

/// What [`super::DurableClient::get_status_with`] fetches besides the status.
#[derive(Debug, Clone, Copy, Default)]
#[must_use]
pub struct StatusOptions {
    pub(super) history: bool,
    pub(super) history_output: bool,
    pub(super) no_input: bool,
}

impl StatusOptions {
    /// The status with its input, without history.
    pub fn new() -> Self {
        Self::default()
    }

    /// With history, without the results in it.
    pub fn with_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// With the results in history.
    pub fn with_history_output(mut self) -> Self {
        self.history_output = true;
        self
    }

    /// Without inputs.
    pub fn without_input(mut self) -> Self {
        self.no_input = true;
        self
    }
}

/// Which instances [`super::DurableClient::list_instances`] shows; all orchestrations if nothing is said.
#[derive(Debug, Clone)]
#[must_use]
pub struct InstanceQuery {
    query: ListQuery,
    continuation: Option<String>,
}

impl Default for InstanceQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl InstanceQuery {
    /// All orchestrations, 100 a page.
    pub fn new() -> Self {
        Self {
            query: ListQuery {
                limit: 100,
                input: true,
                ..ListQuery::default()
            },
            continuation: None,
        }
    }

    /// In any of these statuses.
    pub fn with_status(mut self, statuses: impl IntoIterator<Item = RuntimeStatus>) -> Self {
        self.query.statuses = statuses.into_iter().collect();
        self
    }

    /// Created then or later.
    pub fn created_from(mut self, from: DateTime<Utc>) -> Self {
        self.query.created_from = Some(from.into());
        self
    }

    /// Created then or earlier.
    pub fn created_to(mut self, to: DateTime<Utc>) -> Self {
        self.query.created_to = Some(to.into());
        self
    }

    /// With ids that begin so; empty: any.
    pub fn with_id_prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.query.entities = prefix.starts_with('@');
        self.query.id_prefix = (!prefix.is_empty()).then_some(prefix);
        self
    }

    /// Of that function.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.query.name = Some(name.into());
        self
    }

    /// At most so many a page; default 100. The query fails with `InvalidArgument` for 0.
    pub fn with_page_size(mut self, size: usize) -> Self {
        self.query.limit = size;
        self
    }

    /// The next page of a query.
    pub fn with_continuation(mut self, token: impl Into<String>) -> Self {
        self.continuation = Some(token.into());
        self
    }

    pub(super) fn into_list(self) -> Result<ListQuery, ClientError> {
        let mut query = self.query;
        if query.limit == 0 {
            return Err(ClientError::InvalidArgument(
                "a page holds at least one instance; found a size of 0".to_owned(),
            ));
        }
        if let Some(token) = self.continuation {
            let wrong = || {
                ClientError::InvalidArgument(format!(
                    "`{token}` is no continuation token of this hub; give back the one of the last page"
                ))
            };
            let (created, id) = token.split_once('~').ok_or_else(wrong)?;
            let created = created.parse().map_err(|_| wrong())?;
            query.after = Some(Cursor {
                created: crate::model::Timestamp::from_micros(created),
                id: id.to_owned(),
            });
        }
        Ok(query)
    }

    pub(super) fn token(last: &InstanceRecord) -> String {
        format!("{}~{}", last.created.micros(), last.id)
    }
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `None`: this was the last.
    pub continuation_token: Option<String>,
}

/// Which ended instances [`super::DurableClient::purge_instances`] removes; all of them if nothing is said.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct PurgeFilter {
    pub(super) created_from: Option<DateTime<Utc>>,
    pub(super) created_to: Option<DateTime<Utc>>,
    pub(super) statuses: Vec<RuntimeStatus>,
}

impl PurgeFilter {
    /// All that have ended.
    pub fn new() -> Self {
        Self::default()
    }

    /// Created then or later.
    pub fn created_from(mut self, from: DateTime<Utc>) -> Self {
        self.created_from = Some(from);
        self
    }

    /// Created then or earlier.
    pub fn created_to(mut self, to: DateTime<Utc>) -> Self {
        self.created_to = Some(to);
        self
    }

    /// In any of these statuses; ones that are not terminal match nothing.
    pub fn with_status(mut self, statuses: impl IntoIterator<Item = RuntimeStatus>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_nothing_is_refused() {
        let refused = InstanceQuery::new().with_page_size(0).into_list();
        assert!(
            matches!(refused, Err(ClientError::InvalidArgument(text)) if text.contains("size of 0"))
        );
        let accepted = InstanceQuery::new().with_page_size(1).into_list();
        assert_eq!(accepted.unwrap().limit, 1);
    }
}
