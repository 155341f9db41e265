//! Promises that cross crates, one file per promise; no network, no account, no clock.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files")]

mod architecture;
mod generation;
mod refusals;
