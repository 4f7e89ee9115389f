//! Deliveries of activities (spec 7.3). The first is implied by its `TaskScheduled`. Taking up what another process left counts the
//! second, whether or not the first ever began. From the third on a start is counted before it runs: only what took its host down
//! again and again becomes poison, not what waited in the queue meanwhile; and it waits, longer each time, and then runs alone among its
//! like until its result is stored. Turns: `trial.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::activities::Job;
use super::cell::Cell;
use super::resident::ActivityTask;
use super::{Engine, commit};
use crate::activity::ActivityContext;
use crate::client::ClientError;
use crate::store::{Change, Done, InstanceKey};

/// Runs open activities again; those of a second delivery once it is stored.
pub(super) fn take_up(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    key: InstanceKey,
    activities: Vec<ActivityTask>,
) {
    let jobs: Vec<Job> = {
        let mut state = cell.lock();
        let current = activities
            .first()
            .map(|task| Arc::clone(&task.execution_id))
            .unwrap_or_default();
        activities
            .into_iter()
            .map(|task| commit::job(cell, &mut state, task, &current))
            .collect()
    };
    let (later, now): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| job.task.delivery == 2);
    now.into_iter().for_each(|job| push_later(engine, job));
    if later.is_empty() {
        return;
    }
    let tasks: Vec<i64> = later.iter().map(|job| job.task.id).collect();
    let (engine_then, cell_then) = (Arc::clone(engine), Arc::clone(cell));
    let done: Done = Box::new(move |result| match result {
        Ok(_) => engine_then.activities.push(later),
        Err(error) => {
            tracing::warn!(instance_id = &*cell_then.id, %error, "open activities could not be taken up; the instance is loaded again");
            let mut state = cell_then.lock();
            later
                .iter()
                .for_each(|job| drop(state.running.remove(job.task.id)));
            let dropped = state.unload();
            drop(state);
            drop(dropped);
            engine_then.retry_later(&cell_then, Vec::new());
        }
    });
    engine.submit_change(Change::Redeliver { key, tasks }, done);
}

/// Has an activity wait until it may be delivered once more.
fn push_later(engine: &Arc<Engine>, mut job: Job) {
    let turn = engine.await_trial(job.task.delivery.into());
    let engine_then = Arc::downgrade(engine);
    engine.runtime.spawn(async move {
        let Some(alone) = turn.await else { return };
        job.alone = alone;
        if let Some(engine) = engine_then.upgrade() {
            engine.activities.push(vec![job]);
        }
    });
}

impl Engine {
    /// Whether an activity may start: from the third delivery on, once the store knows that it does.
    pub(super) async fn count_start(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        task: &ActivityTask,
    ) -> bool {
        if task.delivery < 3 || task.delivery > self.settings.max_deliveries {
            return true;
        }
        loop {
            let (key, tasks) = (task.key, vec![task.id]);
            let counted = self
                .submit_then(Change::Redeliver { key, tasks }, |_| ())
                .await;
            match counted {
                Ok(_) => return true,
                Err(ClientError::Unavailable(text)) if !self.is_killed() => {
                    tracing::warn!(
                        instance_id = &*cell.id,
                        function = &*task.name,
                        text,
                        "an activity waits until its start can be stored"
                    );
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                // The instance is gone, or the host is.
                Err(_) => return false,
            }
        }
    }

    /// The host stops: what it interrupts is not to blame.
    pub(super) fn return_delivery(self: &Arc<Self>, key: InstanceKey, context: &ActivityContext) {
        if context.delivery() > 1 {
            let tasks = vec![context.task_id()];
            self.submit_change(Change::Return { key, tasks }, Box::new(|_| ()));
        }
    }
}
