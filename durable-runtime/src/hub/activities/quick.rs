//! [`Quick`]: which functions end as soon as they are polled, learnt from their runs.
//!
//! The result of such a one is taken in by a turn, on another thread than the runtime's: to hand it there and back would take longer than the
//! function does. So it runs where its result is wanted (`Engine::run_slot`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A run that took no longer was quick.
const SPAN: Duration = Duration::from_micros(200);
/// A run that took longer held up turns, if it was on their thread.
const HARM: Duration = Duration::from_millis(10);
/// So many runs in a row must have been quick.
const FIRST: u32 = 8;
const MOST: u32 = 1 << 20;

/// What is known of each function.
#[derive(Debug)]
pub(super) struct Quick(BTreeMap<&'static str, Streak>);

/// What is known of a function.
#[derive(Debug)]
pub(super) struct Streak {
    /// Quick runs in a row, until they are enough.
    runs: AtomicU32,
    /// So many make it quick. Twice as many after each that did harm: one that is slow now and then is not tried again for long.
    needed: AtomicU32,
}

impl Quick {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let unknown = || Streak {
            runs: AtomicU32::new(0),
            needed: AtomicU32::new(FIRST),
        };
        Self(names.map(|name| (name, unknown())).collect())
    }

    /// `None`: it has threads of its own.
    pub(super) fn streak(&self, name: &str) -> Option<&Streak> {
        self.0.get(name)
    }

    /// Whether the function may be expected to end at once.
    pub(super) fn is(&self, name: &str) -> bool {
        self.streak(name).is_some_and(Streak::is_quick)
    }
}

impl Streak {
    /// Whether the function may be expected to end at once.
    pub(super) fn is_quick(&self) -> bool {
        self.runs.load(Ordering::Relaxed) >= self.needed.load(Ordering::Relaxed)
    }

    /// A run took so long; `at_once`: it never waited.
    pub(super) fn learn(&self, took: Duration, at_once: bool) {
        let was = self.is_quick();
        if at_once && took <= SPAN {
            // Nothing is written that all threads read, once it is known.
            if !was {
                let runs = self.runs.load(Ordering::Relaxed);
                self.runs.store(runs + 1, Ordering::Relaxed);
            }
            return;
        }
        self.runs.store(0, Ordering::Relaxed);
        if was && at_once && took > HARM {
            let needed = self.needed.load(Ordering::Relaxed);
            self.needed.store((needed * 2).min(MOST), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(1);

    fn learn(quick: &Quick, took: Duration, at_once: bool) {
        quick.streak("f").unwrap().learn(took, at_once);
    }

    fn run(quick: &Quick, times: u32) {
        (0..times).for_each(|_| learn(quick, SOON, true));
    }

    #[test]
    fn a_function_is_quick_after_some_runs_in_a_row() {
        let quick = Quick::new(["f"].into_iter());
        run(&quick, FIRST - 1);
        learn(&quick, SPAN * 2, true);
        run(&quick, FIRST - 1);
        assert!(!quick.is("f"));
        run(&quick, 1);
        assert!(quick.is("f") && !quick.is("g"));
    }

    #[test]
    fn one_that_waits_is_not_however_short() {
        let quick = Quick::new(["f"].into_iter());
        run(&quick, FIRST);
        learn(&quick, SOON, false);
        assert!(!quick.is("f"));
        run(&quick, FIRST);
        assert!(quick.is("f"), "waiting did no harm");
    }

    #[test]
    fn each_harm_makes_it_harder() {
        let quick = Quick::new(["f"].into_iter());
        run(&quick, FIRST);
        learn(&quick, HARM * 2, true);
        run(&quick, FIRST);
        assert!(!quick.is("f"));
        run(&quick, FIRST);
        assert!(quick.is("f"));
    }
}
