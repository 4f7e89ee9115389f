//! [`Timestamp`]: what the journal keeps of an instant.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 UTC: as exact as every database keeps them, so a replay sees the very instant of the first run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest instant that a date can show (year 9999).
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// The earliest (year 1).
    pub const MIN: Self = Self(-62_135_596_800_000_000);

    /// From microseconds since 1970, clamped to [`Self::MIN`]..=[`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros > Self::MAX.0 {
            Self::MAX
        } else if micros < Self::MIN.0 {
            Self::MIN
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant as chrono has it.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// This instant and `span` more; clamps instead of overflowing (spec 1.5).
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// How long from `self` to `later`; zero if `later` is not later.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_micros(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// UTC with seven fractional digits and `Z`, the .NET round-trip form that GUIDs are derived from (spec 1.8).
    #[must_use]
    pub fn round_trip(self) -> String {
        let text = self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
        format!("{}0Z", text.trim_end_matches('Z'))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self::from_micros(at.timestamp_micros())
    }
}
