//! What the host around a hub asks of it: draining, and functions that an administrator runs by hand.

use std::sync::{Arc, OnceLock};

use chrono::Utc;
use uuid::Uuid;

use super::{ClientError, DurableClient};
use crate::activity::{ActivityContext, Call};
use crate::error::Error;
use crate::function::{ActivityInvocation, Surroundings};
use crate::model::Payload;
use crate::registry::{ActivityRun, TimerRun};
use crate::timer::{TimerInfo, TimerInvocation};

impl DurableClient {
    /// Lets no activity, timer function or operation of an entity begin until it is told to go on; what runs may finish. Nothing is
    /// lost: what waits, waits in the hub. Orchestrators go on.
    ///
    /// # Errors
    /// A hub that never runs.
    #[doc(hidden)]
    pub async fn pause_functions(&self, paused: bool) -> Result<(), ClientError> {
        self.engine().await?.pause(paused);
        Ok(())
    }

    /// How many activities, timer functions and batches of entities run now.
    #[doc(hidden)]
    #[must_use]
    pub fn running_functions(&self) -> usize {
        let engine = self.binding.now();
        engine.map_or(0, |engine| engine.running_functions())
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
            idempotency_key: OnceLock::new(),
            execution_id: run.into(),
            name: activity.name.into(),
            task_id: 0,
            attempt: 1,
            delivery: 1,
            stop: engine.until_stopped().into(),
        });
        let invocation = ActivityInvocation {
            input,
            context,
            host: Arc::new(Surroundings {
                states: Arc::clone(&engine.states),
                client: self.clone(),
            }),
        };
        match activity.spec.run {
            ActivityRun::Async(run) => run(invocation).await,
            ActivityRun::Blocking(run) => {
                tokio::task::spawn_blocking(move || run(invocation)).await?
            }
        }
    }

    /// Runs a timer function once, as if it were time; its schedule goes on as it did.
    ///
    /// # Errors
    /// No timer function of that name; what the function itself fails with.
    #[doc(hidden)]
    pub async fn run_timer(&self, name: &str) -> Result<(), Error> {
        let engine = self.engine().await?;
        let mut timers = engine.registry.timers();
        let timer = timers.find(|timer| timer.name.eq_ignore_ascii_case(name));
        let timer = *timer.ok_or_else(|| {
            Error::from(ClientError::UnknownFunction {
                name: name.to_owned(),
                known: engine
                    .registry
                    .timers()
                    .map(|timer| timer.name.to_owned())
                    .collect(),
            })
        })?;
        let invocation = TimerInvocation {
            function: timer.name,
            info: TimerInfo::on_time(Utc::now()),
            states: Arc::clone(&engine.states),
            client: self.clone(),
        };
        match timer.spec.run {
            TimerRun::Async(run) => run(invocation).await,
            TimerRun::Blocking(run) => tokio::task::spawn_blocking(move || run(invocation)).await?,
        }
    }
}
