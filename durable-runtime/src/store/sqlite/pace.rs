//! [`Pace`]: how long a group is written before it is flushed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A group is written for so many times the time of a flush.
const SHARE: u32 = 3;
/// What a transaction costs without its flush is little beside this.
const LEAST: Duration = Duration::from_millis(2);
/// Flushes that are remembered.
const RECENT: usize = 16;

/// When to cut a group, by what flushes take.
///
/// A group of everything that waits spends the least on flushes, but nobody in it hears anything before its last row is written, and
/// who has heard of the last group has nothing to write meanwhile: turns and writes take turns, each with a part of the processors. Of a cut
/// group the first part is at work again while the second is written.
#[derive(Debug, Default)]
pub(super) struct Pace {
    recent: VecDeque<Duration>,
}

impl Pace {
    /// A group that begins to be written now is to be cut at this time.
    pub(super) fn end(&self, now: Instant) -> Instant {
        let mut recent: Vec<Duration> = self.recent.iter().copied().collect();
        recent.sort_unstable();
        let median = recent.get(recent.len() / 2).copied();
        now + (median.unwrap_or_default() * SHARE).max(LEAST)
    }

    /// A flush took so long.
    pub(super) fn learn(&mut self, took: Duration) {
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(pace: &Pace) -> Duration {
        let now = Instant::now();
        pace.end(now) - now
    }

    fn learn(pace: &mut Pace, times: usize, micros: u64) {
        (0..times).for_each(|_| pace.learn(Duration::from_micros(micros)));
    }

    #[test]
    fn the_slower_the_disk_the_longer_a_group_is_written() {
        let mut pace = Pace::default();
        assert_eq!(span(&pace), LEAST);
        learn(&mut pace, RECENT, 50);
        assert_eq!(span(&pace), LEAST);
        learn(&mut pace, RECENT, 5_000);
        assert_eq!(span(&pace), Duration::from_millis(15));
    }

    #[test]
    fn single_flushes_that_take_long_change_nothing() {
        let mut pace = Pace::default();
        for _ in 0..RECENT {
            learn(&mut pace, 2, 1_000);
            learn(&mut pace, 1, 900_000);
            assert_eq!(span(&pace), Duration::from_millis(3));
        }
    }
}
