//! How soon people must look at a case.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How soon people must look, from [`Priority::Low`] to [`Priority::Critical`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Logged for trends; also what a detection gets that no rule matches.
    #[default]
    Low,
    /// Look the same day.
    Medium,
    /// Look now.
    High,
    /// Look now, and do not go alone.
    Critical,
}

impl Priority {
    /// Every priority, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word as YAML, events and the case log have it, such as `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// A number that sorts like the priority, 0 for low to 3 for critical, for DynamoDB conditions.
    pub fn rank(self) -> u8 {
        match self {
            Self::Low => 0,
            Self::Medium => 1,
            Self::High => 2,
            Self::Critical => 3,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
