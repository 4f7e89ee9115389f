//! [`RuntimeStatus`]: where an instance stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an instance stands. Names and numbers are those of the reference (spec 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuntimeStatus {
    /// It has started and not ended.
    Running = 0,
    /// It returned.
    Completed = 1,
    /// Between two generations; never seen by clients.
    ContinuedAsNew = 2,
    /// It failed.
    Failed = 3,
    /// Never produced.
    Canceled = 4,
    /// A client ended it.
    Terminated = 5,
    /// Its first turn has not run yet.
    Pending = 6,
    /// A client halted it.
    Suspended = 7,
}

impl RuntimeStatus {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Completed,
        Self::ContinuedAsNew,
        Self::Failed,
        Self::Canceled,
        Self::Terminated,
        Self::Pending,
        Self::Suspended,
    ];

    /// Whether the instance has ended.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Canceled | Self::Terminated
        )
    }

    /// The number that stores and some clients use.
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The status of a number.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::ContinuedAsNew => "ContinuedAsNew",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Terminated => "Terminated",
            Self::Pending => "Pending",
            Self::Suspended => "Suspended",
        }
    }
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RuntimeStatus {
    type Err = String;

    /// By name, as written on the wire.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or_else(|| {
                format!(
                    "`{text}` is no runtime status; expected one of {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }
}
