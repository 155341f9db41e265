//! What a change of YAML really does: the one answer that all formats of `arm diff` show.
//!
//! Two sides are made into templates, compared stack by stack, and judged: what is lost, what is
//! replaced, who gains access, who is told, which detections are treated otherwise, what it costs,
//! and what no longer fits. What is the same in many stacks is told once. Pure.
//!
//! The way in is [`review`]. To judge something more, add it to `review/judge.rs`.

pub mod setting;
mod noun;
mod owner;
pub mod side;
mod access;
mod loss;
mod replacement;
mod hearing;
mod people;
mod routing;
mod operators;
mod place;
mod quota;
mod costs;
mod bill;
mod group;
mod judge;
mod github;
mod json;
mod markdown;
mod mermaid;
pub mod opinion;
mod page;
mod sarif;
mod summed;
mod words;

pub use github::github;
pub use json::{JSON_SCHEMA, json};
pub use judge::{Names, review};
pub use markdown::{COMMENT_MAX, Links, MARKER, markdown};
pub use mermaid::mermaid;
pub use owner::lines_of;
pub use page::human;
pub use sarif::sarif;
pub use words::{Detail, headline, is_empty};

use crate::change::ResourceChange;

/// What a finding is about, the weightiest first: the order of every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Video, cases, evidence or logs that are gone or out of reach afterwards.
    DataLoss,
    /// A resource that is deleted and made anew.
    Replacement,
    /// Who may do what.
    Access,
    /// Who is told of what.
    People,
    /// Detections that are treated otherwise.
    Rules,
    Cost,
    Quota,
    /// What else a reviewer should know.
    Other,
}

impl Class {
    /// The weightiest first.
    pub const ALL: [Self; 8] = [
        Self::DataLoss,
        Self::Replacement,
        Self::Access,
        Self::People,
        Self::Rules,
        Self::Cost,
        Self::Quota,
        Self::Other,
    ];

    /// The word in JSON and for `--fail-on`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataLoss => "data-loss",
            Self::Replacement => "replacement",
            Self::Access => "access",
            Self::People => "people",
            Self::Rules => "rules",
            Self::Cost => "cost",
            Self::Quota => "quota",
            Self::Other => "other",
        }
    }
}

/// How weighty a finding is within its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It must not be overlooked: a gate of its class says no. Costs have a gate of their own, by amount.
    Loud,
    /// It is worth a sentence, and no gate's business.
    Quiet,
}

/// One thing that a change does to one stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub class: Class,
    pub weight: Weight,
    /// A sentence without its full stop. It names no store, so that the same of many stores is told
    /// once; texts that hold a store's id have [`STORE`] in its place.
    pub text: String,
    /// More sentences, for those who look closer.
    pub details: Vec<String>,
    /// The settings that may have caused it.
    pub about: Vec<About>,
}

impl Finding {
    /// A sentence with no more to say, that nothing is known to have caused.
    fn new(class: Class, weight: Weight, text: String) -> Self {
        Self { class, weight, text, details: Vec::new(), about: Vec::new() }
    }
}

/// Stands for the store's id in texts that would otherwise differ from store to store.
pub const STORE: &str = "<store>";

/// A setting, or all settings below it, by its path in the effective store, such as `cameras`,
/// `aisle-5-a`, `retention`; below `cells`, the cell's id and its keys as in fleet.yaml.
pub type About = Vec<String>;

/// The path of a setting, from its names.
fn path(names: &[&str]) -> About {
    names.iter().map(|it| (*it).to_owned()).collect()
}

/// Where a cause stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// As people should see it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Whether the line is one of the earlier side: what stood there is gone now.
    pub is_before: bool,
    /// What was done there, such as `retention: 24h -> 48h`.
    pub text: String,
}

/// A stack of which something is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// What all stores of a cell share, by the cell's id.
    Platform(String),
    /// A cell's artifacts, by the cell's id.
    Artifacts(String),
    /// A store, by its id.
    Store(String),
    /// An account and region, such as `123456789012 us-west-2`.
    Home(String),
}

/// Something that is the same for all of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<T> {
    pub what: T,
    /// Sorted.
    pub subjects: Vec<Subject>,
    /// Sorted; every line once.
    pub causes: Vec<Cause>,
}

/// How many of something there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
    pub replaced: usize,
    pub unchanged: usize,
}

/// What a month costs on both sides, in cents of a US dollar; only of what changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    pub before_cents: i64,
    pub after_cents: i64,
    /// Of each subject that costs otherwise, before and after, in cents a month.
    pub by_subject: Vec<(Subject, i64, i64)>,
    /// What the prices are and rest on: sentences for the reader.
    pub assumptions: Vec<String>,
}

/// All that a change does.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The earlier side as people call it, such as `main`.
    pub base: String,
    /// The later side, such as `stores`.
    pub head: String,
    /// Stacks: added, changed, removed, unchanged.
    pub stacks: Tally,
    /// Resources of all stacks: added, changed, removed, replaced.
    pub resources: Tally,
    /// By class, then the loud first, then those of most subjects.
    pub findings: Vec<Group<Finding>>,
    /// Every resource that is not the same, with [`STORE`] in place of the store's id.
    pub changes: Vec<Group<ResourceChange>>,
    /// `None` where a side says too little to know.
    pub costs: Option<Costs>,
    pub omissions: Vec<Omission>,
}

/// Something that could not be compared, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Omission {
    /// A sentence without its full stop.
    pub text: String,
    /// Whether the change may do to what is in its scope what no finding tells of: then no gate lets
    /// it through.
    pub is_gap: bool,
}

impl Omission {
    /// What a reader should know, and what takes nothing from the findings.
    pub fn known(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_gap: false }
    }

    /// What keeps a finding from being found.
    pub fn gap(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_gap: true }
    }
}

impl Review {
    /// Whether a class was looked at: what templates alone do not say is not compared.
    pub fn compares(&self, class: Class) -> bool {
        self.costs.is_some() || !matches!(class, Class::Cost | Class::Quota)
    }
}
