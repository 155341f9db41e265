//! Where a command writes: answers to one place, everything else to another; and where it asks.

use std::io::{self, BufRead, Write};

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
    /// What `err` is, for commands that tell a long story there.
    pub place: Place,
    /// Where somebody answers questions, which are asked on `err`; `None` when nobody is there.
    pub input: Option<&'a mut dyn BufRead>,
}

/// What long stories are told to.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A terminal whose lines may be drawn over, by its columns and rows as they are when asked.
    Terminal(fn() -> (usize, usize)),
    /// The log of a job of GitHub Actions.
    GithubActions,
    /// A file, a pipe, a terminal that can only write on.
    Elsewhere,
}

impl Console<'_> {
    /// One line of an answer without its end; `None` when no more comes.
    pub fn read_line(&mut self) -> io::Result<Option<String>> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let mut line = String::new();
        let length = input.read_line(&mut line)?;
        Ok((length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// `1 store`, `2 stores`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
