//! [`Company`]: whether the writer waits a little for more changes before it flushes those it has.
//!
//! Whoever is told that a change is durable often comes back at once: an instance whose activity has ended, a client with the next start.
//! One that comes just after the writer has gone on waits for two flushes. Where a flush takes a millisecond, all then fall into two parties
//! that take turns, and each waits for the other's flushes: twice as long as if they shared one.

use std::time::{Duration, Instant};

/// A shorter flush is over before a thread has been woken and come back.
const LONG: Duration = Duration::from_micros(500);
/// So many share a flush well enough as they come.
const ENOUGH: usize = 64;
/// So many groups at most are written without a wait after some that were in vain.
const MOST: usize = 255;

/// What is known of those who may come.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// About what a flush takes: the least that a group of late took, since writing takes its part of it.
    flush: Option<Duration>,
    /// Changes that were under way when the last group was durable, itself included.
    expected: usize,
    /// The wait for this group: its end, and how many were there when it began.
    wait: Option<(Instant, usize)>,
    /// Groups that are not waited for: more each time that it was in vain.
    skip: usize,
    vain: usize,
}

impl Company {
    /// A group of so many changes took so long, and so many were under way at its end, itself included.
    pub(super) fn committed(&mut self, took: Duration, size: usize, under_way: usize) {
        let least = self.flush.map(|flush| flush + flush / 8);
        self.flush = Some(least.map_or(took, |least| took.min(least)));
        self.skip = self.skip.saturating_sub(1);
        if let Some((_, before)) = self.wait.take() {
            let (came, missing) = (size.saturating_sub(before), self.expected - before);
            self.vain = match came * 2 >= missing {
                true => 0,
                false => (self.vain * 2 + 1).min(MOST),
            };
            self.skip = self.vain;
        }
        self.expected = under_way;
    }

    /// Until when the writer, which has gathered so many, waits for the next one.
    pub(super) fn until(&mut self, gathered: usize, now: Instant) -> Option<Instant> {
        let flush = self.flush.filter(|flush| *flush >= LONG)?;
        let few = self.skip == 0 && self.expected <= ENOUGH;
        if !few || gathered == 0 || gathered >= self.expected {
            return None;
        }
        let (last, _) = *self.wait.get_or_insert((now + flush / 4, gathered));
        (now < last).then(|| last.min(now + flush / 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn those_who_were_there_are_waited_for_as_long_as_they_come() {
        let (mut company, now) = (Company::default(), Instant::now());
        company.committed(MILLISECOND, 8, 16);
        let first = company.until(8, now).unwrap();
        assert!(now < first && first < now + MILLISECOND / 8);
        let late = now + MILLISECOND / 5;
        assert!(company.until(15, late).is_some_and(|until| late < until));
        assert_eq!(company.until(16, late), None, "all are there");
        assert_eq!(company.until(15, now + MILLISECOND), None, "too late");
        company.committed(MILLISECOND, 15, 16);
        let next = now + MILLISECOND;
        assert!(company.until(1, next).is_some(), "most had come");
    }

    #[test]
    fn those_who_do_not_come_are_waited_for_less_and_less() {
        let (mut company, now) = (Company::default(), Instant::now());
        company.committed(MILLISECOND, 1, 16);
        let mut waits = 0;
        for _ in 0..1_000 {
            waits += usize::from(company.until(8, now).is_some());
            company.committed(MILLISECOND, 8, 16);
        }
        assert!((1..20).contains(&waits), "{waits}");
        // Those who come again are noticed.
        while company.until(8, now).is_none() {
            company.committed(MILLISECOND, 8, 16);
        }
        company.committed(MILLISECOND, 16, 16);
        assert!(company.until(8, now).is_some());
    }

    #[test]
    fn one_alone_and_many_are_not_kept_waiting() {
        let (mut company, now) = (Company::default(), Instant::now());
        company.committed(MILLISECOND, 1, 1);
        assert_eq!(company.until(1, now), None);
        company.committed(MILLISECOND, 1, 2);
        assert_eq!(company.until(0, now), None);
        company.committed(MILLISECOND, 500, 1_000);
        assert_eq!(company.until(1, now), None);
    }

    #[test]
    fn nobody_waits_where_a_flush_is_short_however_long_a_group_is_written() {
        let (mut company, now) = (Company::default(), Instant::now());
        assert_eq!(company.until(1, now), None, "nothing is known yet");
        company.committed(MILLISECOND / 10, 8, 16);
        company.committed(MILLISECOND * 50, 8, 16);
        assert_eq!(company.until(8, now), None);
        // A disk that has become slow is noticed.
        (0..20).for_each(|_| company.committed(MILLISECOND, 8, 16));
        assert!(company.until(8, now).is_some());
    }
}
