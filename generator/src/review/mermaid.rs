//! A picture of what a change touches, as a Mermaid flowchart: stacks, and what happens to which of
//! their resources; what is replaced or removed is red, and what refers to it hangs on it.
//!
//! It never has more than [`NODES_MAX`] nodes; the rest is one node with a count. Every label is
//! data from anywhere, so all but letters, digits and a few marks goes in as numbered entities.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::summed::{self, Entry};
use super::words::{Detail, bare, path, subject, thousands_of, verb};
use super::{Review, Subject};
use crate::change::Action;
use crate::paragraph::shortened;

/// Most nodes of a picture. Our choice: with more, GitHub draws what nobody can read.
const NODES_MAX: usize = 30;
/// Stacks, of those: each has entries below it, and the count of what is left out needs one.
const STACKS_MAX: usize = 6;
/// Types of resources that are named in a node. Our choice: a line.
const KINDS_MAX: usize = 2;
/// Longest line of a label, in characters. Our choice: nodes stay beside each other.
const LABEL_MAX: usize = 44;

/// The picture, without the fence around it; empty where nothing changes.
pub fn mermaid(review: &Review) -> String {
    let entries = summed::entries(review, Detail::Summary);
    if entries.is_empty() {
        return String::new();
    }
    let mut picture = Picture::default();
    picture.draw(&entries);
    for (from, to) in picture.references(review) {
        picture.edges.push(format!("  r{from} -.->|refers to| r{to}\n"));
    }
    let mut text = String::from("flowchart LR\n");
    text.push_str(&picture.nodes);
    text.extend(picture.edges);
    text.push_str(STYLES);
    text
}

/// Colours that can be read on GitHub's light and dark pages alike.
const STYLES: &str = "  classDef lost fill:#cf222e,stroke:#a40e26,color:#ffffff\n  \
     classDef changed fill:#bf8700,stroke:#7d4e00,color:#ffffff\n  \
     classDef added fill:#1a7f37,stroke:#116329,color:#ffffff\n  \
     classDef rest stroke-dasharray:4 4\n";

#[derive(Default)]
struct Picture<'a> {
    nodes: String,
    edges: Vec<String>,
    /// Those that were drawn, by the number of their node.
    drawn: Vec<Drawn<'a>>,
}

/// The resources that one node shows.
struct Drawn<'a> {
    subjects: &'a [Subject],
    ids: Vec<&'a str>,
    is_lost: bool,
}

impl<'a> Picture<'a> {
    fn draw(&mut self, entries: &[Entry<'a>]) {
        let mut stacks: BTreeMap<&[Subject], usize> = BTreeMap::new();
        let mut left = 0;
        for entry in entries {
            let known = stacks.get(entry.subjects).copied();
            let room = NODES_MAX - 1 - stacks.len() - self.drawn.len();
            if room < 1 + usize::from(known.is_none())
                || (known.is_none() && stacks.len() == STACKS_MAX)
            {
                left += 1;
                continue;
            }
            let stack = known.unwrap_or_else(|| {
                let number = stacks.len();
                stacks.insert(entry.subjects, number);
                self.node(&format!("s{number}([\"{}\"])", stack(entry.subjects)));
                number
            });
            self.entry(entry, stack);
        }
        if left > 0 {
            self.node(&format!("more[\"and {} more, not drawn\"]:::rest", thousands_of(left)));
        }
    }

    fn node(&mut self, node: &str) {
        writeln!(self.nodes, "  {node}").expect("a text takes everything");
    }

    fn entry(&mut self, entry: &Entry<'a>, stack: usize) {
        let number = self.drawn.len();
        let class = match entry.action {
            Action::Replace | Action::MayReplace | Action::Remove => "lost",
            Action::Update | Action::Attributes => "changed",
            Action::Add => "added",
        };
        self.node(&format!("r{number}[\"{}\"]:::{class}", label(&lines(entry))));
        self.edges.push(format!("  s{stack} -->|{}| r{number}\n", verb(entry.action)));
        let ids = entry.resources.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        self.drawn.push(Drawn { subjects: entry.subjects, ids, is_lost: class == "lost" });
    }

    /// Which nodes hold resources that refer to one that is replaced or removed: pairs of numbers.
    fn references(&self, review: &Review) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for group in &review.changes {
            let has = |drawn: &Drawn<'_>, id: &str| {
                drawn.subjects == group.subjects && drawn.ids.contains(&id)
            };
            let Some(from) = self.drawn.iter().position(|it| has(it, &group.what.logical_id))
            else {
                continue;
            };
            let to = self.drawn.iter().enumerate().filter(|(number, it)| {
                *number != from
                    && it.is_lost
                    && group.what.refers_to.iter().any(|name| has(it, name))
            });
            pairs.extend(to.map(|(number, _)| (from, number)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

fn stack(subjects: &[Subject]) -> String {
    match subjects {
        [one] => label(&[subject(one)]),
        many => {
            let is_store = many.iter().all(|it| matches!(it, Subject::Store(_)));
            let noun = if is_store { "stores" } else { "stacks" };
            let first = many.first().map(subject).unwrap_or_default();
            let more = format!("{first} and {} more", thousands_of(many.len() - 1));
            label(&[format!("{} {noun}", thousands_of(many.len())), more])
        }
    }
}

/// What a node says of resources, and what of them changes first.
fn lines(entry: &Entry<'_>) -> Vec<String> {
    let what = entry.what(Detail::Summary);
    let mut lines: Vec<_> = match (what.split_once(": "), entry.resources.as_slice()) {
        (Some((kind, _)), [(_, ids)]) => {
            let first = ids.first().copied().unwrap_or_default();
            vec![kind.to_owned(), format!("{first} and {} more", thousands_of(ids.len() - 1))]
        }
        (Some((number, kinds)), _) => {
            let kinds: Vec<_> = kinds.split(", ").collect();
            let dots = if kinds.len() > KINDS_MAX { ", ..." } else { "" };
            let kinds: Vec<_> = kinds.into_iter().take(KINDS_MAX).collect();
            vec![number.to_owned(), format!("{}{dots}", kinds.join(", "))]
        }
        (None, _) => vec![what],
    };
    if let [only] = entry.properties {
        let path = path(only);
        let name = path.rsplit('.').next().unwrap_or(&path).to_owned();
        lines.push(format!("{name} {}", bare(only, Detail::Summary)));
    }
    lines
}

/// Lines of a label, each cut to its length.
fn label(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| escaped(&shortened(line, LABEL_MAX))).collect();
    lines.join("<br>")
}

/// A text that means nothing to Mermaid, Markdown or HTML. Source: Mermaid, "Entity codes to escape
/// characters".
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for it in text.chars() {
        if it.is_alphanumeric() || " ,.-:()".contains(it) {
            safe.push(it);
        } else {
            write!(safe, "#{};", u32::from(it)).expect("a text takes everything");
        }
    }
    safe
}
