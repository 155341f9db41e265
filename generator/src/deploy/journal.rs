//! The journal of a run: one line of JSON for each thing that must be known when the run goes on
//! elsewhere. Lines are only ever added.
//!
//! The line that something is begun is safe on the disk before it begins; so a run that was killed
//! anywhere knows everything that it may have begun. The last line may be torn: it counts as not there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::files::JournalFile;

/// What a journal says that it is.
pub const SCHEMA: &str = "arm.journal/1";

/// Where lines go.
pub trait Journal {
    /// Adds a line; when this returns, a killed machine does not lose it.
    fn add(&mut self, line: &str) -> Result<(), JournalError>;
    /// Everything that was added, by earlier parts of the run too.
    fn text(&self) -> String;
}

/// The disk refused a line.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the journal {place}")]
pub struct JournalError {
    pub place: String,
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// One line, with the time at which it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// RFC 3339.
    pub at: String,
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The first line.
    Begin {
        schema: String,
        run: String,
        /// Digest of what is wanted, see `plan`.
        wanted: String,
        tool: String,
        /// How the run was asked for, so that it can be asked for again.
        scope: Vec<String>,
    },
    /// The run goes on.
    Resume,
    /// A wave begins, while these alarms ring already.
    WaveBegun { wave: String, ringing: Vec<String> },
    /// This change set, by its id, will be executed now on a stack that stands so.
    Execute { cell: String, stack: String, change_set: String, token: String, before: Before },
    /// A stack is as it shall be.
    Done { cell: String, stack: String },
    /// A stack is not.
    Failed { cell: String, stack: String, cause: String, next: String },
    /// All stacks of a wave have ended, and its alarms are watched.
    Baking { wave: String },
    /// A wave is over.
    WaveDone { wave: String },
    /// No further wave begins.
    Stopped { reason: String },
    /// Nothing is left to do.
    End,
}

/// How a stack stood before an operation: what shows afterwards that the operation was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    pub status: String,
    /// When its operation before that began: RFC 3339.
    pub updated: String,
}

/// What a journal says of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    pub run: String,
    pub wanted: String,
    pub tool: String,
    pub scope: Vec<String>,
    /// By the names of stacks.
    pub stacks: BTreeMap<String, StackPast>,
    pub waves_done: Vec<String>,
    /// The alarms that rang when each wave began.
    pub ringing: BTreeMap<String, Vec<String>>,
    pub is_ended: bool,
}

/// What became of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackPast {
    /// This change set was executed, or was about to be.
    Executing {
        change_set: String,
        token: String,
        before: Before,
    },
    Done,
    Failed {
        cause: String,
        next: String,
    },
}

/// A journal that cannot be gone on with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("line {0} is no line of a journal, though others follow it")]
    Damaged(usize),
    #[error("it does not begin as a journal does")]
    NoBegin,
    #[error("it is of the schema `{0}`, which this `arm` does not know")]
    OtherSchema(String),
}

/// Reads a journal.
pub fn read(text: &str) -> Result<Past, ReadError> {
    let mut past = Past::default();
    let mut has_begun = false;
    let count = text.lines().count();
    for (index, line) in text.lines().enumerate() {
        let entry = match serde_json::from_str::<Line>(line) {
            Ok(line) => line.entry,
            // Torn when the run was killed: what it says had not begun.
            Err(_) if index + 1 == count => break,
            Err(_) => return Err(ReadError::Damaged(index + 1)),
        };
        has_begun |= matches!(entry, Entry::Begin { .. });
        if !has_begun {
            return Err(ReadError::NoBegin);
        }
        past.take(entry)?;
    }
    if has_begun { Ok(past) } else { Err(ReadError::NoBegin) }
}

impl Past {
    fn take(&mut self, entry: Entry) -> Result<(), ReadError> {
        self.is_ended = matches!(entry, Entry::End);
        match entry {
            Entry::Begin { schema, .. } if schema != SCHEMA => {
                return Err(ReadError::OtherSchema(schema));
            }
            Entry::Begin { run, wanted, tool, scope, .. } => {
                (self.run, self.wanted, self.tool, self.scope) = (run, wanted, tool, scope);
            }
            Entry::WaveBegun { wave, ringing } => drop(self.ringing.insert(wave, ringing)),
            Entry::Execute { stack, change_set, token, before, .. } => {
                self.stacks.insert(stack, StackPast::Executing { change_set, token, before });
            }
            Entry::Done { stack, .. } => drop(self.stacks.insert(stack, StackPast::Done)),
            Entry::Failed { stack, cause, next, .. } => {
                self.stacks.insert(stack, StackPast::Failed { cause, next });
            }
            Entry::WaveDone { wave } => self.waves_done.push(wave),
            Entry::Resume | Entry::Baking { .. } | Entry::Stopped { .. } | Entry::End => {}
        }
        Ok(())
    }
}

impl Journal for JournalFile {
    fn add(&mut self, line: &str) -> Result<(), JournalError> {
        Self::add(self, line).map_err(|source| JournalError {
            place: self.path().display().to_string(),
            source: Box::new(source),
        })
    }

    fn text(&self) -> String {
        Self::text(self).to_owned()
    }
}

/// A journal that is kept nowhere, for a run that nobody goes on with, such as a rehearsal's.
#[derive(Debug, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn add(&mut self, _: &str) -> Result<(), JournalError> {
        Ok(())
    }

    fn text(&self) -> String {
        String::new()
    }
}
