//! What the host around a hub asks of it: draining, and activities that an administrator runs by hand.

use std::sync::Arc;

use uuid::Uuid;

use super::{ClientError, DurableClient};
use crate::activity::{ActivityContext, Call};
use crate::error::Error;
use crate::function::ActivityInvocation;
use crate::model::Payload;
use crate::registry::ActivityRun;

impl DurableClient {
    /// Lets no activity start until it is told to go on; what runs may finish. Nothing is lost: what waits, waits in the hub.
    ///
    /// # Errors
    /// A hub that never runs.
    #[doc(hidden)]
    pub async fn drain(&self, draining: bool) -> Result<(), ClientError> {
        self.engine().await?.pause_activities(draining);
        Ok(())
    }

    /// How many activities run now.
    #[doc(hidden)]
    #[must_use]
    pub fn running_activities(&self) -> usize {
        let engine = self.binding.now();
        engine.map_or(0, |engine| engine.running_activities())
    }

    /// Runs an activity once, outside every orchestration; nothing of it is recorded.
    ///
    /// # Errors
    /// No activity of that name; what the activity itself fails with.
    #[doc(hidden)]
    pub async fn run_activity(&self, name: &str, input: Option<Payload>) -> Result<Payload, Error> {
        let engine = self.engine().await?;
        let activity = *engine.registry.activity(name).ok_or_else(|| {
            Error::from(ClientError::UnknownFunction {
                name: name.to_owned(),
                known: engine
                    .registry
                    .activity_names()
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            })
        })?;
        let run = Uuid::new_v4().simple().to_string();
        let context = ActivityContext::new(Call {
            instance_id: "".into(),
            idempotency_key: format!(":{run}:0"),
            execution_id: run.into(),
            name: activity.name.into(),
            task_id: 0,
            attempt: 1,
            delivery: 1,
            token: engine.until_stopped(),
        });
        let invocation = ActivityInvocation {
            input,
            context,
            states: Arc::clone(&engine.states),
            client: self.clone(),
        };
        match activity.spec.run {
            ActivityRun::Async(run) => run(invocation).await,
            ActivityRun::Blocking(run) => {
                tokio::task::spawn_blocking(move || run(invocation)).await?
            }
        }
    }
}
