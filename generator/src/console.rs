//! Where a command writes: answers to one place, everything else to another.

use std::io::Write;

use crate::diagnostic::Colour;

/// Where answers and everything else go.
pub struct Console<'a> {
    /// Answers.
    pub out: &'a mut dyn Write,
    /// Progress, diagnostics, errors.
    pub err: &'a mut dyn Write,
    /// Whether `out` may have colour.
    pub out_colour: Colour,
    /// Whether `err` may.
    pub colour: Colour,
}

/// `1 store`, `2 stores`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
