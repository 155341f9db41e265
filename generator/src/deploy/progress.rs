//! What a run tells while it is carried out, and what it adds up to.
//!
//! Values only: how they look to people and programs is decided in `commands/deploy/`. A new kind of
//! news is a variant here, and a line in each of those.

use std::collections::BTreeMap;
use std::time::Duration;

use super::StackEvent;

/// What happens while a rollout is carried out, told as it happens.
///
/// `cell` is the cell's id, `stack` the stack's name, `store` a store's id where the stack is one's.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The run begins, or goes on after it was interrupted.
    Begun { run: String, is_resumed: bool, cells: Vec<String>, waves: Vec<WaveSize>, stacks: usize },
    /// A cell begins to be served: its stacks were listed.
    Listed { cell: String, unchanged: usize, changing: usize },
    /// The first stack of a wave is next.
    WaveBegun { wave: String },
    /// All stacks of a wave have ended; its alarms are watched for this long.
    Baking { wave: String, time: Duration },
    /// A wave is over, and the next may begin.
    WaveDone { wave: String },
    /// No further wave begins, and why: too many failures, an alarm, or the person.
    Stopped { wave: String, reason: String },
    /// Nothing changed; no call but the list was made.
    Unchanged { cell: String, stack: String, store: Option<String> },
    /// A change set was asked for.
    Preparing { cell: String, stack: String, store: Option<String> },
    /// A change set is being executed; `resources` says how many of each type it changes, such as
    /// `AWS::KinesisVideo::Stream` 40.
    Started {
        cell: String,
        stack: String,
        store: Option<String>,
        creates: bool,
        resources: BTreeMap<String, usize>,
    },
    /// An operation that an earlier run or somebody else began is followed.
    Attached { cell: String, stack: String, store: Option<String>, status: String },
    /// A resource of a stack reached a status.
    Resource { cell: String, stack: String, event: StackEvent },
    /// A stack is as it shall be.
    Done { cell: String, stack: String, store: Option<String> },
    /// A stack is not; why, and the one command to run next.
    Failed { cell: String, stack: String, store: Option<String>, cause: String, next: String },
    /// An object was put, or was there already.
    Uploaded { cell: String, key: String, bytes: usize, was_there: bool },
    /// How the calls of a cell go; told every few seconds while anything is under way.
    Pace { cell: String, pace: Pace },
    /// Something that does not stop the run, and that a person should know.
    Warning { cell: String, text: String },
    /// The run is over, or was stopped; what it adds up to.
    Ended { summary: Summary },
}

/// A wave as the run shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveSize {
    pub name: String,
    /// Store stacks in it that are to be changed.
    pub stacks: usize,
}

/// How the calls of one cell go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Calls of the whole run so far that read, and that change something.
    pub reads: u64,
    pub writes: u64,
    /// How many of all of them AWS throttled.
    pub throttled: u64,
    /// Most reads a second that are allowed now.
    pub reads_per_second: f64,
    /// Stacks that may be under way at once now.
    pub parallel: usize,
    /// Time until the last stack of the run will be done, as far as can be told.
    pub left: Option<Duration>,
}

/// What a finished run adds up to; names of stacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub changed: Vec<String>,
    pub unchanged: Vec<String>,
    pub failed: Vec<Failure>,
    /// Stacks that were not begun, because the run stopped before their turn.
    pub left: Vec<String>,
    /// Stacks with which CloudFormation goes on, though the run has ended.
    pub under_way: Vec<String>,
}

/// A stack that is not as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub stack: String,
    pub cause: String,
    /// The one command to run next.
    pub next: String,
}
