//! The clock: the one place that asks for the time. Everything else gets it as an argument.
#![expect(clippy::disallowed_methods, reason = "shell: the one place that reads the clock")]

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
