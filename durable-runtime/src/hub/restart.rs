//! Restarting: the function of an instance once more, with what it was started with (spec 1.15).

use std::sync::Arc;

use super::{Engine, StartRequest};
use crate::client::ClientError;
use crate::store::Parts;

impl Engine {
    /// Gives the id of the instance that was started.
    pub(crate) async fn restart(
        self: &Arc<Self>,
        id: &str,
        new_id: bool,
    ) -> Result<String, ClientError> {
        const INPUT: Parts = Parts {
            input: true,
            result: false,
        };
        let missing = || ClientError::NotFound(id.to_owned());
        if id.starts_with('@') {
            return Err(missing());
        }
        let record = self.find(id, INPUT).await?.ok_or_else(missing)?;
        if !new_id && !record.status.is_terminal() {
            // Whatever the policy for starts is: a restart replaces nothing that runs.
            return Err(ClientError::AlreadyExists(format!(
                "An Orchestration instance with the status {} already exists.",
                record.status
            )));
        }
        let request = StartRequest {
            name: record.name.to_string(),
            input: record.input.clone(),
            instance_id: (!new_id).then(|| id.to_owned()),
            scheduled_at: None,
            version: Some(record.version.clone()),
            trace_parent: None,
            tags: record.tags.clone(),
        };
        self.start(request).await
    }
}
