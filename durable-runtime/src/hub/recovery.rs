//! What was left by an earlier process, and what waits on disk for its time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Engine;
use crate::model::Timestamp;
use crate::store::Wake;

/// Instances whose next timer is nearer than this have an entry in memory, if there are not too many; the others are found by a later look.
pub(super) const HORIZON: Duration = Duration::from_secs(600);
/// The store is looked at again so long before memory runs out of entries.
const AHEAD: Duration = Duration::from_secs(1);
const PAGE: usize = 1_000;

/// Takes up everything that is due at start, then looks ahead now and then.
pub(super) async fn wake(engine: Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let now = strong.clock.now();
        let horizon = strong.clock.horizon();
        let until = horizon.map_or(Timestamp::MAX, |span| now.plus(span));
        let seen = strong.timers.swap_edge(until);
        let failed = look(&strong, seen, until).await.err();
        if let Some(error) = &failed {
            tracing::warn!(%error, "waiting instances could not be looked up; they are looked up again");
            strong.timers.lower_edge(seen);
        }
        let (stopped, timers) = (strong.stopped.clone(), Arc::clone(&strong.timers));
        drop(strong);
        loop {
            let again = match failed {
                Some(_) => now.plus(AHEAD),
                None => next_look(now, timers.edge()),
            };
            tokio::select! {
                () = passes(&engine, again) => break,
                () = timers.edge_came_nearer() => {}
                () = stopped.cancelled() => return,
            }
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
        let Err(error) = look(&strong, Timestamp::MIN, now).await else {
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

/// In good time before those are due that memory does not have; but if they are due all at once, not before.
fn next_look(now: Timestamp, edge: Timestamp) -> Timestamp {
    let ahead = i64::try_from(AHEAD.as_micros()).unwrap_or(0);
    let early = Timestamp::from_micros(edge.micros() - ahead);
    let late = now.plus(HORIZON / 2);
    if early > now {
        early.min(late)
    } else {
        edge.min(late)
    }
}

/// Resolves at that instant, also if the clock is set.
async fn passes(engine: &Weak<Engine>, at: Timestamp) {
    while let Some(strong) = engine.upgrade() {
        if strong.clock.now() >= at {
            return;
        }
        let wait = strong.clock.wait_until(at);
        drop(strong);
        wait.await;
    }
}

/// Pages through `wake_at`, from where the last look ended, and only as far as memory takes it.
async fn look(
    engine: &Engine,
    seen: Timestamp,
    until: Timestamp,
) -> Result<(), crate::store::Error> {
    let mut after = (seen, crate::store::InstanceKey(i64::MAX));
    loop {
        let page = engine.store.wakes(until, Some(after), PAGE).await?;
        let Some(last) = page.last().map(|wake| (wake.at, wake.key)) else {
            return Ok(());
        };
        let full = page.len() == PAGE;
        let now = engine.clock.now();
        for Wake { id, at, .. } in page {
            let id: Arc<str> = id.into();
            if at <= now {
                engine.poke(&id);
            } else {
                engine.timers.look(at, &id);
            }
        }
        // Those that memory did not keep are found when their time comes.
        if !full || last.0 > engine.timers.edge() {
            return Ok(());
        }
        after = last;
        // Loading is what takes time: the next page waits until this one is nearly through.
        while engine.queue.len() > PAGE / 2 && !engine.is_killed() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
