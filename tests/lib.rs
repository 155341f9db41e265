//! Promises that cross crates; see `main.rs`.
