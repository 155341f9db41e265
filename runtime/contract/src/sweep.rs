//! The input of a cell's sweep schedule: what makes `sweep` look for clips that are overdue.
//!
//! It says nothing but its version: which cases wait stands in the case table. A tick that is lost
//! needs no repetition, because the next one finds the same cases.

use serde::{Deserialize, Serialize};

/// How often the schedule ticks, in minutes. Our choice: a clip has hours until its stream lets the
/// video go, and an index without overdue cases costs one small read.
pub const TICK_MINUTES: u32 = 10;

/// The input of the sweep schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepInput {
    /// [`crate::VERSION`].
    pub version: u32,
}
