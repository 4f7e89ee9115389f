//! Retention: ended instances go after a while, by how they ended. Entities never do.

use std::sync::Weak;
use std::time::Duration;

use super::Engine;
use crate::client::ClientError;
use crate::model::{RuntimeStatus, Timestamp};
use crate::store::Purge;

/// How many go in one transaction: few enough that no turn waits long behind it.
const BATCH: usize = 200;
/// The background looks at most so often, and at least so often.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(300);

/// How long ended instances are kept, counted from their end; `None`: for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those that returned.
    pub completed: Option<Duration>,
    /// Those that failed.
    pub failed: Option<Duration>,
    /// Those that a client ended.
    pub terminated: Option<Duration>,
    /// Those that were cancelled (by another engine: this one cancels none).
    pub canceled: Option<Duration>,
}

impl Retention {
    fn spans(self) -> impl Iterator<Item = (RuntimeStatus, Duration)> {
        let all = [
            (RuntimeStatus::Completed, self.completed),
            (RuntimeStatus::Failed, self.failed),
            (RuntimeStatus::Terminated, self.terminated),
            (RuntimeStatus::Canceled, self.canceled),
        ];
        all.into_iter()
            .filter_map(|(status, span)| Some((status, span?)))
    }

    /// How often it is worth a look: ten times within the shortest span.
    fn pause(self) -> Option<Duration> {
        let shortest = self.spans().map(|(_, span)| span).min()?;
        Some((shortest / 10).clamp(OFTEN, SELDOM))
    }
}

/// Purges in the background until the engine is gone.
pub(super) async fn run(engine: Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let retention = strong.settings.retention;
        let Some(pause) = retention.pause() else {
            return;
        };
        for (status, span) in retention.spans() {
            if let Err(error) = strong.purge_expired(status, span).await {
                tracing::warn!(%error, %status, "instances past their retention could not be purged; it is tried again");
            }
        }
        let wait = strong.clock.wait_until(strong.clock.now().plus(pause));
        let stopped = strong.stopped.clone();
        drop(strong);
        tokio::select! {
            () = wait => {}
            () = stopped.cancelled() => return,
        }
    }
}

impl Engine {
    async fn purge_expired(
        self: &std::sync::Arc<Self>,
        status: RuntimeStatus,
        span: Duration,
    ) -> Result<(), ClientError> {
        let kept = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let ended_to = Timestamp::from_micros(self.clock.now().micros().saturating_sub(kept));
        let mut purged = 0;
        while !self.is_killed() {
            let count = self
                .purge(Purge::Expired {
                    status,
                    ended_to,
                    limit: BATCH,
                })
                .await?;
            purged += count;
            if usize::try_from(count).unwrap_or(0) < BATCH {
                break;
            }
        }
        if purged > 0 {
            tracing::info!(purged, %status, "instances past their retention were purged");
        }
        Ok(())
    }
}
