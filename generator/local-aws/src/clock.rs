#![expect(clippy::disallowed_methods, reason = "shell: the one place that asks for the time")]
//! The wall clock, in milliseconds since the epoch.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now. A clock before 1970 reads as 0.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
