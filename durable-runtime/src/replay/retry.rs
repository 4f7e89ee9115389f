//! [`RetryPolicy`]: when a failed call is made again (spec 1.3). Time is the replay clock's, waiting is a durable timer.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{FailureDetails, Timestamp};

/// What a handler says of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryDecision {
    /// Try again after the policy's interval.
    Retry,
    /// Try again after this time.
    RetryAfter(Duration),
    /// Give up.
    Stop,
}

impl From<bool> for RetryDecision {
    fn from(retry: bool) -> Self {
        if retry { Self::Retry } else { Self::Stop }
    }
}

type Handler = Arc<dyn Fn(&FailureDetails) -> RetryDecision + Send + Sync>;

/// When and how often a failed call is made again. A call that is given a policy of no attempts, without a wait, or with a coefficient
/// below 1 fails with a `UsageError` and is not made.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::RetryPolicy;
///
/// let policy = RetryPolicy::new(5, Duration::from_secs(1))
///     .with_backoff_coefficient(2.0)
///     .with_max_interval(Duration::from_secs(10))
///     .with_handler(|failure| !failure.is_non_retriable);
/// ```
#[derive(Clone)]
#[must_use]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) first_interval: Duration,
    pub(crate) coefficient: f64,
    pub(crate) max_interval: Duration,
    pub(crate) timeout: Option<Duration>,
    handler: Option<Handler>,
}

impl RetryPolicy {
    /// At most `max_attempts` calls, the first one included; `first_interval` before the second.
    pub fn new(max_attempts: u32, first_interval: Duration) -> Self {
        Self {
            max_attempts,
            first_interval,
            coefficient: 1.0,
            max_interval: Duration::from_secs(6 * 24 * 3600),
            timeout: None,
            handler: None,
        }
    }

    /// Each interval is the last one times this; default 1.
    pub fn with_backoff_coefficient(mut self, coefficient: f64) -> Self {
        self.coefficient = coefficient;
        self
    }

    /// No interval is longer; default 6 days.
    pub fn with_max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// No attempt begins to wait after this time; it never cuts an attempt or a wait short.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Asked after each failure but the last; must depend on the failure alone. A panic in it gives up.
    pub fn with_handler<D: Into<RetryDecision>>(
        mut self,
        handler: impl Fn(&FailureDetails) -> D + Send + Sync + 'static,
    ) -> Self {
        self.handler = Some(Arc::new(move |failure| handler(failure).into()));
        self
    }

    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let fault = if self.max_attempts == 0 {
            "expected at least 1 attempt, the first call is one; found 0".to_owned()
        } else if self.first_interval.is_zero() {
            "expected a first interval above zero; found none".to_owned()
        } else if self.coefficient.is_finite() && self.coefficient >= 1.0 {
            return None;
        } else {
            format!(
                "expected a backoff coefficient of 1 or more; found {}",
                self.coefficient
            )
        };
        Some(format!("the retry policy is none: {fault}"))
    }

    /// The wait before the next attempt after `made` of them; `None`: give up. `started` and `now` are the replay clock's.
    pub(crate) fn delay(
        &self,
        made: u32,
        failure: &FailureDetails,
        started: Timestamp,
        now: Timestamp,
    ) -> Option<Duration> {
        if failure.is_non_retriable || made >= self.max_attempts {
            return None;
        }
        if self
            .timeout
            .is_some_and(|timeout| now >= started.plus(timeout))
        {
            return None;
        }
        let decision = self
            .handler
            .as_ref()
            .map_or(RetryDecision::Retry, |handler| {
                catch_unwind(AssertUnwindSafe(|| handler(failure))).unwrap_or(RetryDecision::Stop)
            });
        let delay = match decision {
            RetryDecision::Retry => self.interval(made)?,
            RetryDecision::RetryAfter(delay) => delay,
            RetryDecision::Stop => return None,
        };
        (!delay.is_zero()).then_some(delay)
    }

    /// `first × coefficient^(made - 1)`; what is no number gives up, what is too large is the maximum.
    fn interval(&self, made: u32) -> Option<Duration> {
        let power = i32::try_from(made.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first_interval.as_secs_f64() * self.coefficient.powi(power);
        if seconds.is_nan() || seconds < 0.0 || !self.coefficient.is_finite() {
            return None;
        }
        Some(
            Duration::try_from_secs_f64(seconds)
                .unwrap_or(Duration::MAX)
                .min(self.max_interval),
        )
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("first_interval", &self.first_interval)
            .field("coefficient", &self.coefficient)
            .field("max_interval", &self.max_interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(policy: &RetryPolicy) -> Vec<u64> {
        let failure = FailureDetails::new("E", "e");
        let started = Timestamp::from_micros(0);
        let mut now = started;
        let mut delays = Vec::new();
        while let Some(delay) = policy.delay(
            u32::try_from(delays.len()).unwrap() + 1,
            &failure,
            started,
            now,
        ) {
            now = now.plus(delay);
            delays.push(delay.as_secs());
        }
        delays
    }

    #[test]
    fn delays_grow_by_the_coefficient_up_to_the_cap() {
        let policy = RetryPolicy::new(6, Duration::from_secs(1)).with_backoff_coefficient(2.0);
        let capped = policy
            .clone()
            .with_max_interval(Duration::from_secs(10))
            .with_timeout(Duration::from_secs(50));
        assert_eq!(delays(&capped), [1, 2, 4, 8, 10]);
        let three = RetryPolicy::new(3, Duration::from_secs(1)).with_backoff_coefficient(2.0);
        assert_eq!(delays(&three), [1, 2]);
        assert_eq!(delays(&RetryPolicy::new(3, Duration::from_secs(5))), [5, 5]);
    }

    #[test]
    fn overflow_is_the_cap_and_nonsense_gives_up() {
        let huge = RetryPolicy::new(3, Duration::from_secs(1)).with_backoff_coefficient(f64::MAX);
        assert_eq!(delays(&huge), [1, 6 * 24 * 3600]);
        let nan = RetryPolicy::new(3, Duration::from_secs(1)).with_backoff_coefficient(f64::NAN);
        assert!(delays(&nan).is_empty());
        let negative = RetryPolicy::new(3, Duration::from_secs(1)).with_backoff_coefficient(-1.0);
        assert_eq!(delays(&negative), [1]);
    }

    #[test]
    fn the_time_out_is_looked_at_before_the_delay() {
        let policy =
            RetryPolicy::new(10, Duration::from_secs(3)).with_timeout(Duration::from_secs(5));
        assert_eq!(delays(&policy), [3, 3]);
    }

    #[test]
    fn non_retriable_failures_and_panicking_handlers_give_up() {
        let failure = FailureDetails::new("E", "e").non_retriable();
        let zero = Timestamp::from_micros(0);
        let policy = RetryPolicy::new(3, Duration::from_secs(1));
        assert_eq!(policy.delay(1, &failure, zero, zero), None);
        let panics = policy.with_handler(|failure| -> bool { unreachable!("{failure}") });
        assert_eq!(
            panics.delay(1, &FailureDetails::new("E", "e"), zero, zero),
            None
        );
    }
}
