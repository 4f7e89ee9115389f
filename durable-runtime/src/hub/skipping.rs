//! Virtual time: while somebody waits and nothing is under way, the clock of a test jumps to the next timer.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, VirtualClock};
use crate::model::Timestamp;

/// An activity that runs longer, in real time, does not hold up a test that moves the clock by hand: it may wait for just that.
const PATIENCE: Duration = Duration::from_secs(1);
/// Real time without anything under way or due after which nothing will come any more by itself.
const STUCK: Duration = Duration::from_secs(2);

/// What one look found.
enum Step {
    /// The clock was moved and timers fired.
    Moved,
    /// Something is under way after all.
    Busy,
    /// No timer is due before the end, or none at all.
    Nothing,
}

impl Engine {
    /// Waits for `what`; time is skipped meanwhile, if this engine's clock stands still otherwise.
    pub(super) async fn skipping<T>(&self, what: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = what => done,
            never = self.skip_on() => never,
        }
    }

    async fn skip_on<T>(&self) -> T {
        loop {
            self.skip().await;
        }
    }

    /// Jumps from timer to timer; timer functions run once for all of their instants that are jumped over. Resolves when nothing is under way, no timer is left, and nobody asked for anything for a while.
    pub(crate) async fn skip(&self) {
        let clock = match self.virtual_clock() {
            Some(clock) if clock.stands_still() => clock,
            _ => return std::future::pending().await,
        };
        loop {
            let stirred = self.busy.stirred();
            self.busy.quiet().await;
            // What was waited for may have come with the last work: whoever polls both looks at that first.
            tokio::task::yield_now().await;
            if let Step::Nothing = self.step(clock, None, false)
                && tokio::time::timeout(STUCK, stirred).await.is_err()
            {
                return;
            }
        }
    }

    /// Lets `span` of virtual time pass: every timer in it fires at its own instant, every schedule runs at each of its own, and what that
    /// leads to is done before the next.
    pub(crate) async fn advance(&self, span: Duration) {
        let Some(clock) = self.virtual_clock() else {
            return;
        };
        let end = self.clock.now().plus(span);
        loop {
            let impatient = tokio::time::timeout(PATIENCE, self.busy.quiet())
                .await
                .is_err();
            if let Step::Nothing = self.step(clock, Some(end), impatient) {
                clock.move_to(end);
                return;
            }
        }
    }

    fn step(&self, clock: &VirtualClock, end: Option<Timestamp>, impatient: bool) -> Step {
        // Two who skip at once must not both jump: the second finds the first one's work under way.
        let _alone = clock.alone();
        if !impatient && !self.busy.is_quiet() {
            return Step::Busy;
        }
        // Schedules go on for ever: alone they give no reason to skip time.
        let schedule = end.and_then(|_| self.schedules.next());
        let next = self.timers.next().into_iter().chain(schedule).min();
        let Some(at) = next.filter(|at| end.is_none_or(|end| *at <= end)) else {
            return Step::Nothing;
        };
        clock.move_to(at);
        self.schedules.wake(at, &self.busy);
        self.fire_due();
        Step::Moved
    }

    pub(super) fn virtual_clock(&self) -> Option<&Arc<VirtualClock>> {
        let rehearsal = self.settings.rehearsal.as_ref()?;
        Some(&rehearsal.clock)
    }

    /// What the hub's clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
