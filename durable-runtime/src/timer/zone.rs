//! [`Zone`]: where a schedule's clock hangs.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;

/// The time zone of schedules; UTC unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub(super) Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl FromStr for Zone {
    type Err = String;

    /// Reads a name of the IANA database, such as `Europe/Berlin`.
    fn from_str(text: &str) -> Result<Self, String> {
        let zone = text.trim().parse().map(Self);
        zone.map_err(|_| {
            format!("`{text}`, expected a time zone of the IANA database, such as `Europe/Berlin` or `UTC`")
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}
