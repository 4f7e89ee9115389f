//! Eviction: who leaves memory, and when. What leaves is a row; the next message loads and replays it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::Engine;
use super::cell::{Cell, CellState};

/// While there are too many, the next look at them comes no sooner: they may all be at work.
const BREATH: Duration = Duration::from_millis(50);
/// Idle ones are looked for at least so often, while there are any.
const SELDOM: Duration = Duration::from_secs(10);

/// Lets idle instances leave memory, until the engine is gone.
pub(super) async fn run(engine: Weak<Engine>) {
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        strong.evict_idle(Instant::now());
        let stopped = strong.stopped.clone();
        let pause = match strong.settings.idle_timeout {
            // Each left when its turn was stored.
            Duration::ZERO => SELDOM,
            idle => (idle / 4).clamp(BREATH, SELDOM),
        };
        let crowded = Arc::clone(&strong.crowded);
        let first = (strong.cells.len() == 0).then(|| strong.cells.first());
        drop(strong);
        let again = async {
            if let Some(first) = first {
                first.notified().await;
            }
            let too_many = async {
                tokio::time::sleep(BREATH).await;
                crowded.notified().await;
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = too_many => {}
            }
        };
        tokio::select! {
            () = again => {}
            () = stopped.cancelled() => return,
        }
    }
}

impl CellState {
    /// Whether the instance could leave memory now.
    fn is_evictable(&self) -> bool {
        let idle = !self.scheduled && self.in_flight == 0 && self.mailbox.is_empty();
        idle && self.create.is_none()
            && (self.resident.is_some() || (self.entity.is_some() && self.trial.is_none()))
    }
}

impl Engine {
    /// Those leave that did nothing for the idle time-out; and if there are too many, as many of the longest idle ones as it takes to be
    /// a quarter below the limit.
    pub(super) fn evict_idle(&self, now: Instant) {
        let idle = self.settings.idle_timeout;
        let last = self.last_to_go();
        self.cells.for_each(|cell| {
            let state = cell.lock();
            let old = now.saturating_duration_since(state.last_active) >= idle;
            let crowded_out = last.is_some_and(|last| state.last_active <= last);
            if (old || crowded_out) && state.is_evictable() {
                self.evict(cell, state);
            }
        });
    }

    /// When the youngest of those that are one too many was last active; `None`: there are not too many.
    fn last_to_go(&self) -> Option<Instant> {
        let limit = self.settings.max_resident;
        let excess = self.cells.len().checked_sub(limit).filter(|n| *n > 0)? + limit / 4;
        let mut times = Vec::new();
        self.cells.for_each(|cell| {
            let state = cell.lock();
            if state.is_evictable() {
                times.push(state.last_active);
            }
        });
        let index = excess.min(times.len()).checked_sub(1)?;
        Some(*times.select_nth_unstable(index).1)
    }

    fn evict(&self, cell: &Arc<Cell>, mut state: std::sync::MutexGuard<'_, CellState>) {
        if let Some(entity) = state.entity.take() {
            if let Some(due) = entity.next_due() {
                self.look_at(&cell.id, due);
            }
            if state.is_idle() {
                self.cells.remove(cell, &mut state);
            }
            return;
        }
        let Some(resident) = state.resident.take() else {
            return;
        };
        state.loaded.clear();
        self.forget_timers(cell, &resident);
        state.snapshot = state.snapshot.take().filter(|_| !state.running.is_empty());
        if state.is_idle() {
            self.cells.remove(cell, &mut state);
        }
        // What user code drops must find no lock held.
        drop(state);
        drop(resident);
    }
}
