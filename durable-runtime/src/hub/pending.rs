//! Why an instance waits: its stored history is replayed on the side and asked.

use std::sync::Arc;

use super::unrunnable::Why;
use super::{Engine, turns};
use crate::client::{ClientError, PendingWork};
use crate::store::LoadedInstance;

impl Engine {
    /// `None` if there is no such instance.
    pub(crate) async fn pending_work(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Option<PendingWork>, ClientError> {
        let loaded = self.store.load(id).await;
        let Some(loaded) = loaded.map_err(super::requests::client_error)? else {
            return Ok(None);
        };
        if loaded.record.status.is_terminal() || crate::store::is_entity(id) {
            return Ok(Some(PendingWork::recorded(&loaded)));
        }
        let engine = Arc::clone(self);
        let replay = move || {
            let mut pending = engine.waits_of(&loaded);
            let activities = &mut pending.activities;
            engine.activities.mark_queued(&loaded.record, activities);
            pending
        };
        // Replay runs user code, which may take its time; and outside of tokio, as on a thread of turns: what it must not use fails here,
        // too. A thread of tokio's waits for it, since those are limited in number.
        let asked = tokio::task::spawn_blocking(|| {
            let thread = std::thread::Builder::new().name("durable-ask".to_owned());
            let replayed = thread.spawn(replay).map_err(|error| error.to_string())?;
            replayed
                .join()
                .map_err(|_| "the replay panicked".to_owned())
        });
        let pending = asked.await.unwrap_or_else(|error| Err(error.to_string()));
        pending.map(Some).map_err(|error| {
            ClientError::Unavailable(format!("what the instance waits for is not known: {error}"))
        })
    }

    /// What history and code tell.
    fn waits_of(self: &Arc<Self>, loaded: &LoadedInstance) -> PendingWork {
        let started = turns::started_of(loaded);
        let begun = !loaded.history.is_empty();
        match self.runnable(&loaded.record.id, &started, begun) {
            Ok(mut execution) => {
                execution.replay(&loaded.history);
                match execution.strayed() {
                    None => PendingWork::replayed(loaded, &execution),
                    Some(reason) => PendingWork {
                        unrunnable: Some(reason.to_owned()),
                        ..PendingWork::recorded(loaded)
                    },
                }
            }
            Err(why) => {
                let mut pending = PendingWork::recorded(loaded);
                if !matches!(why, Why::NotDue(_)) {
                    pending.unrunnable = Some(self.told(&started, &why));
                }
                pending
            }
        }
    }
}
