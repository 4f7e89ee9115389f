//! Lifecycle notifications as a setting: which steps are told, by whom, and what happens when they are not taken. The engine knows no
//! HTTP; `outbox.rs` does the sending.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::model::{LifecycleEvent, LifecycleStep};

/// Tells somebody outside of a step. It may be told the same one again, with the same [`LifecycleEvent::id`]: a host may die between
/// the telling and the moment at which that is written down.
pub trait Notifier: Send + Sync {
    /// Tells it, once: repetitions are the engine's. Must come to an end by itself.
    fn notify<'a>(&'a self, notification: Notification<'a>) -> BoxFuture<'a, Told>;
}

/// What is to be told.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Notification<'a> {
    /// The task hub's name.
    pub hub_name: &'a str,
    /// Whose step it is.
    pub instance_id: &'a str,
    /// The step.
    pub event: &'a LifecycleEvent,
}

/// What became of a telling. The texts go into the log: no secrets in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Taken,
    /// Not now: it may be taken later.
    Later(String),
    /// It never will be.
    Never(String),
}

/// Who is told of the steps of orchestrations.
#[derive(Clone)]
#[non_exhaustive]
pub struct Notifications {
    /// Who tells.
    pub notifier: Arc<dyn Notifier>,
    /// Which steps.
    pub steps: Vec<LifecycleStep>,
    /// How often a telling is repeated before the step is given up.
    pub retries: u32,
    /// The time between two of them.
    pub interval: Duration,
}

impl Notifications {
    /// All steps, told once; the interval of repetitions is five minutes.
    #[must_use]
    pub fn new(notifier: Arc<dyn Notifier>) -> Self {
        Self {
            notifier,
            steps: LifecycleStep::ALL.to_vec(),
            retries: 0,
            interval: Duration::from_secs(300),
        }
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications")
            .field("steps", &self.steps)
            .field("retries", &self.retries)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
