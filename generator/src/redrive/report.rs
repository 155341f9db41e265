//! What a redrive found and did, whatever ended it.
//!
//! It says of every queue whether it was looked at: a run that read nothing never looks like one that
//! found nothing. To tell something more, add it here and show it in `commands/redrive`.

use std::collections::{BTreeMap, BTreeSet};

use super::Clips;
use crate::dead_letter::{Alert, DeadLetters, Letter, Useless};

/// The kind of a letter of which nothing can be made.
pub const NOT_UNDERSTOOD: &str = "not-understood";

/// What became of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// They are in this queue again.
    PutBack(DeadLetters),
    /// The cases that they are about are on their way to the case log again.
    Rows,
    Dropped,
    /// They lie where they lay.
    Left,
}

/// Letters of one queue and kind that became the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub count: usize,
    /// When the oldest was sent, in milliseconds since the epoch.
    pub oldest_ms: i64,
}

/// A letter that was left, or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub queue: DeadLetters,
    pub id: String,
    /// The word for programs.
    pub kind: &'static str,
    /// When it was sent, in milliseconds since the epoch.
    pub sent_ms: i64,
    /// Why it is left, or was deleted.
    pub reason: String,
    /// What AWS says of it.
    pub from_aws: Option<String>,
    pub alert: Option<Alert>,
    pub excerpt: String,
}

impl Entry {
    /// A letter with why it is left, or deleted.
    pub fn new(queue: DeadLetters, letter: &Letter, kind: &'static str, reason: String) -> Self {
        Self {
            queue,
            id: letter.id.clone(),
            kind,
            sent_ms: letter.sent_ms,
            reason,
            from_aws: letter.from_aws(),
            alert: (kind == Useless::Alerts.noun()).then(|| Alert::of(letter)),
            excerpt: letter.excerpt(),
        }
    }
}

/// How far a queue was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    #[default]
    NotTried,
    Whole,
    /// The person stopped the run before its end.
    Stopped,
    /// A call failed, with this error.
    Failed(String),
}

/// What a run found and did.
#[derive(Debug, Default)]
pub struct Report {
    /// Every queue that was asked for.
    pub queues: BTreeMap<DeadLetters, Looked>,
    /// Letters that others hid before this run, where there are any.
    pub hidden: BTreeMap<DeadLetters, u64>,
    /// Letters that this run could not make visible again.
    pub still_hidden: BTreeMap<DeadLetters, usize>,
    pub sums: BTreeMap<(DeadLetters, &'static str, Became), Sum>,
    /// Every letter that lies where it lay.
    pub left: Vec<Entry>,
    /// Every letter that was deleted.
    pub dropped: Vec<Entry>,
    /// What of no use was left.
    pub useless: BTreeSet<Useless>,
    /// Cases that are on their way to the case log again.
    pub rows: BTreeSet<String>,
    /// Cases whose request was among the letters.
    pub requested: BTreeSet<String>,
    pub clips: Clips,
    /// The person stopped it.
    pub is_stopped: bool,
    /// Queues that hold more than one run takes.
    pub more: Vec<DeadLetters>,
}

impl Report {
    pub(super) fn note(
        &mut self,
        queue: DeadLetters,
        (kind, became): (&'static str, Became),
        sent_ms: i64,
    ) {
        let sum = self.sums.entry((queue, kind, became)).or_default();
        sum.oldest_ms = if sum.count == 0 { sent_ms } else { sum.oldest_ms.min(sent_ms) };
        sum.count += 1;
    }

    pub(super) fn leave(&mut self, entry: Entry) {
        self.note(entry.queue, (entry.kind, Became::Left), entry.sent_ms);
        self.left.push(entry);
    }

    pub(super) fn delete(&mut self, entry: Entry) {
        self.note(entry.queue, (entry.kind, Became::Dropped), entry.sent_ms);
        self.dropped.push(entry);
    }

    /// How many letters became this.
    pub fn count(&self, is_it: impl Fn(Became) -> bool) -> usize {
        let sums = self.sums.iter().filter(|((_, _, became), _)| is_it(*became));
        sums.map(|(_, sum)| sum.count).sum()
    }

    /// Whether anything was read at all.
    pub fn has_read(&self) -> bool {
        let is_read = |it: &Looked| matches!(it, Looked::Whole | Looked::Stopped);
        self.queues.values().any(is_read) || !self.sums.is_empty()
    }
}
