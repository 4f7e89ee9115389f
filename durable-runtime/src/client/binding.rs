//! How a client finds its hub: at once, once it runs, or never.

use std::sync::{Arc, OnceLock, Weak};

use tokio::sync::watch;

use super::ClientError;
use crate::hub::Engine;

/// Where a client's hub stands.
#[derive(Clone)]
enum Stage {
    Waiting,
    Bound(Weak<Engine>),
    Never(String),
}

/// Shared by all clones of a client.
pub(super) struct Binding {
    stage: watch::Sender<Stage>,
    engine: OnceLock<Weak<Engine>>,
}

impl Binding {
    pub(super) fn new() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Waiting),
            engine: OnceLock::new(),
        }
    }

    pub(super) fn bind(&self, engine: &Arc<Engine>) {
        let _ = self.engine.set(Arc::downgrade(engine));
        self.stage
            .send_replace(Stage::Bound(Arc::downgrade(engine)));
    }

    pub(super) fn abandon(&self, why: String) {
        self.stage.send_if_modified(|stage| {
            let waiting = matches!(stage, Stage::Waiting);
            if waiting {
                *stage = Stage::Never(why);
            }
            waiting
        });
    }

    /// The engine, if the hub runs.
    pub(super) fn now(&self) -> Option<Arc<Engine>> {
        self.engine.get()?.upgrade()
    }

    /// The engine; waits until it runs.
    pub(super) async fn engine(&self) -> Result<Arc<Engine>, ClientError> {
        if let Some(engine) = self.now() {
            return Ok(engine);
        }
        let mut stages = self.stage.subscribe();
        let stage = stages
            .wait_for(|stage| !matches!(stage, Stage::Waiting))
            .await
            .map(|stage| stage.clone());
        match stage {
            Ok(Stage::Bound(engine)) => engine
                .upgrade()
                .ok_or_else(|| ClientError::Unavailable("the host has stopped".to_owned())),
            Ok(Stage::Never(why)) => Err(ClientError::Unavailable(why)),
            Ok(Stage::Waiting) | Err(_) => Err(ClientError::Unavailable(
                "the host never started".to_owned(),
            )),
        }
    }
}
