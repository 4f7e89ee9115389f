//! What was left by an earlier process, and what waits on disk for its time.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::Engine;
use crate::model::Timestamp;
use crate::store::Wake;

/// Instances whose next timer is nearer than this have an entry in memory; the others are found by the next look.
pub(super) const HORIZON: Duration = Duration::from_secs(600);
const PAGE: usize = 1_000;

/// Takes up everything that is due at start, then looks ahead now and then.
pub(super) async fn wake(engine: Weak<Engine>) {
    let mut seen = None;
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let until = strong.clock.now().plus(HORIZON);
        match look(&strong, seen, until).await {
            Ok(()) => seen = Some(until),
            Err(error) => {
                tracing::warn!(%error, "waiting instances could not be looked up; they are looked up again")
            }
        }
        let pause = if seen == Some(until) {
            HORIZON / 2
        } else {
            Duration::from_secs(1)
        };
        let stopped = strong.stopped.clone();
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped.cancelled() => return,
        }
    }
}

/// Takes up everything that is due now: for a while nobody did.
pub(super) async fn again(engine: Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let now = strong.clock.now();
        let Err(error) = look(&strong, None, now).await else {
            return;
        };
        tracing::warn!(%error, "what waited could not be looked up; it is looked up again");
        let stopped = strong.stopped.clone();
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stopped.cancelled() => return,
        }
    }
}

/// Pages through `wake_at`; after the first time only through what came within sight since.
async fn look(
    engine: &Engine,
    seen: Option<Timestamp>,
    until: Timestamp,
) -> Result<(), crate::store::Error> {
    let mut after = seen.map(|at| (at, crate::store::InstanceKey(i64::MAX)));
    loop {
        let page = engine.store.wakes(until, after, PAGE).await?;
        let Some(last) = page.last().map(|wake| (wake.at, wake.key)) else {
            return Ok(());
        };
        let full = page.len() == PAGE;
        let now = engine.clock.now();
        for Wake { id, at, .. } in page {
            let id: Arc<str> = id.into();
            if at > now {
                engine.wake_instance(&id, at)
            } else {
                engine.poke(&id)
            }
        }
        if !full {
            return Ok(());
        }
        after = Some(last);
        // Loading is what takes time: the next page waits until this one is nearly through.
        while engine.queue.len() > PAGE / 2 && !engine.is_killed() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Lets idle instances leave memory.
pub(super) async fn evict(engine: Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let pause = (strong.settings.idle_timeout / 4)
            .clamp(Duration::from_millis(50), Duration::from_secs(10));
        strong.evict_idle(Instant::now());
        let stopped = strong.stopped.clone();
        drop(strong);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped.cancelled() => return,
        }
    }
}
