//! [`HttpRetryPolicy`]: when a request is sent again.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time_span;
use crate::model::FailureDetails;
use crate::replay::{RetryDecision, RetryPolicy};

/// When and how often a failed request is sent again: a [`RetryPolicy`] that also knows status codes.
///
/// With no status codes given, every 4xx and 5xx is a failure that is retried; with some, those alone, and any other status is the answer.
/// A failed status that is left after the last attempt fails the call.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::HttpRetryPolicy;
///
/// let policy = HttpRetryPolicy::new(3, Duration::from_secs(5)).with_status_codes([500, 503]);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct HttpRetryPolicy {
    policy: RetryPolicy,
    status_codes: Vec<u16>,
}

impl HttpRetryPolicy {
    /// At most `max_attempts` requests, the first one included; `first_interval` before the second.
    pub fn new(max_attempts: u32, first_interval: Duration) -> Self {
        Self {
            policy: RetryPolicy::new(max_attempts, first_interval),
            status_codes: Vec::new(),
        }
    }

    /// The statuses that are failures; none: every 4xx and 5xx.
    pub fn with_status_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.status_codes = codes.into_iter().collect();
        self
    }

    /// Each interval is the last one times this; default 1.
    pub fn with_backoff_coefficient(mut self, coefficient: f64) -> Self {
        self.policy = self.policy.with_backoff_coefficient(coefficient);
        self
    }

    /// No interval is longer; default 6 days.
    pub fn with_max_interval(mut self, interval: Duration) -> Self {
        self.policy = self.policy.with_max_interval(interval);
        self
    }

    /// No attempt begins to wait after this time; it never cuts an attempt or a wait short.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.policy = self.policy.with_timeout(timeout);
        self
    }

    /// Asked after each failure but the last; must depend on the failure alone. A panic in it gives up. It is code: a request that is
    /// serialised loses it.
    pub fn with_handler<D: Into<RetryDecision>>(
        mut self,
        handler: impl Fn(&FailureDetails) -> D + Send + Sync + 'static,
    ) -> Self {
        self.policy = self.policy.with_handler(handler);
        self
    }

    /// Whether an answer with this status is a failure.
    pub(crate) fn is_failure(&self, status: u16) -> bool {
        if self.status_codes.is_empty() {
            return status >= 400;
        }
        self.status_codes.contains(&status)
    }

    pub(crate) const fn policy(&self) -> &RetryPolicy {
        &self.policy
    }
}

/// The wire form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(
        alias = "firstRetryInterval",
        serialize_with = "time_span::write",
        deserialize_with = "time_span::optional"
    )]
    first_retry_interval: Option<Duration>,
    #[serde(
        alias = "maxRetryInterval",
        default,
        serialize_with = "time_span::write",
        deserialize_with = "time_span::optional",
        skip_serializing_if = "Option::is_none"
    )]
    max_retry_interval: Option<Duration>,
    #[serde(alias = "backoffCoefficient", default)]
    backoff_coefficient: Option<f64>,
    #[serde(
        alias = "retryTimeout",
        default,
        serialize_with = "time_span::write",
        deserialize_with = "time_span::optional",
        skip_serializing_if = "Option::is_none"
    )]
    retry_timeout: Option<Duration>,
    #[serde(alias = "maxNumberOfAttempts")]
    max_number_of_attempts: u32,
    #[serde(alias = "statusCodesToRetry", default)]
    status_codes_to_retry: Option<Vec<u16>>,
}

impl Serialize for HttpRetryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let policy = &self.policy;
        let wire = Wire {
            first_retry_interval: Some(policy.first_interval),
            max_retry_interval: Some(policy.max_interval),
            backoff_coefficient: Some(policy.coefficient),
            retry_timeout: policy.timeout,
            max_number_of_attempts: policy.max_attempts,
            status_codes_to_retry: Some(self.status_codes.clone()),
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HttpRetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let mut policy = RetryPolicy::new(
            wire.max_number_of_attempts,
            wire.first_retry_interval.unwrap_or_default(),
        );
        policy.max_interval = wire.max_retry_interval.unwrap_or(policy.max_interval);
        policy.coefficient = wire.backoff_coefficient.unwrap_or(policy.coefficient);
        policy.timeout = wire.retry_timeout;
        Ok(Self {
            policy,
            status_codes: wire.status_codes_to_retry.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_codes_mean_every_error() {
        let any = HttpRetryPolicy::new(3, Duration::from_secs(1));
        let listed = any.clone().with_status_codes([500, 503]);
        for (status, of_any, of_listed) in [
            (200, false, false),
            (202, false, false),
            (302, false, false),
            (404, true, false),
            (500, true, true),
            (503, true, true),
        ] {
            assert_eq!(any.is_failure(status), of_any, "{status}");
            assert_eq!(listed.is_failure(status), of_listed, "{status}");
        }
    }

    #[test]
    fn wire_form_is_the_references() {
        let policy = HttpRetryPolicy::new(3, Duration::from_secs(5))
            .with_timeout(Duration::from_secs(600))
            .with_status_codes([500, 503]);
        let wire = r#"{"FirstRetryInterval":"00:00:05","MaxRetryInterval":"6.00:00:00","BackoffCoefficient":1.0,"RetryTimeout":"00:10:00","MaxNumberOfAttempts":3,"StatusCodesToRetry":[500,503]}"#;
        assert_eq!(serde_json::to_string(&policy).unwrap(), wire);
        let read: HttpRetryPolicy = serde_json::from_str(wire).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), wire);
        let least = r#"{"firstRetryInterval":"00:00:01","maxNumberOfAttempts":2}"#;
        assert!(serde_json::from_str::<HttpRetryPolicy>(least).is_ok());
    }
}
