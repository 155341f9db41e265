//! Promises that cross crates, one file per promise; no network, no account, no clock.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests read files, and a panic is how they fail"
)]

mod architecture;
mod authoring;
mod changes;
mod commits;
mod comparison;
mod costs;
mod diagnostics;
mod diffing;
mod explaining;
mod generation;
mod hostile;
mod operating;
mod pages;
mod quotas;
mod refusals;
mod scenarios;
mod schema;
mod showing;
mod simulation;
mod unwise;
mod values;
mod wording;
