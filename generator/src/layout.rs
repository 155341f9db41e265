//! The one layout of a store's file and of fleet.yaml: `arm fmt`. Pure: text in, text out.
//!
//! It moves whitespace, commas, brackets and the order of keys, and nothing else: what was laid out
//! is read again, and unless it says the same and holds the same comments it is refused
//! ([`LayoutError::Unfaithful`]). Laying out twice gives what laying out once gives.
//!
//! The order of keys is that of `schema`; `read` reads a text with its comments, `write`
//! writes it.

mod read;
mod scalar;
mod tree;
mod write;

use std::collections::HashMap;

use crate::decode::Decoder;
use crate::diagnostic::{Diagnostic, FileId};
use crate::schema::{Kind, Noun};
use crate::yaml::{self, Node, Value};

/// Why a text was not laid out.
#[derive(Debug)]
pub enum LayoutError {
    /// The text is not YAML as it is read here, or has keys that its kind of file lacks.
    Problems(Vec<Diagnostic>),
    /// Laid out, it would say something else: a bug of ours.
    Unfaithful,
}

/// Returns a text in its one layout. `noun` is what the file as a whole is.
pub fn layout(file: FileId, text: &str, noun: &'static Noun) -> Result<String, LayoutError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (node, mut problems) = yaml::parse(file, text);
    problems.extend(node.iter().flat_map(|node| unreadable(node, noun)));
    let Some(written) = node.filter(|_| problems.is_empty()) else {
        return Err(LayoutError::Problems(problems));
    };
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let laid_out = written_anew(file, &lines, noun).ok_or(LayoutError::Unfaithful)?;
    let (again, _) = yaml::parse(file, &laid_out);
    let faithful = again.is_some_and(|again| {
        same(&written, &again) && comments(file, &lines) == comments(file, &laid_out)
    });
    if faithful { Ok(laid_out) } else { Err(LayoutError::Unfaithful) }
}

/// Where a scalar ends that begins where its place does; a parser's end may lie behind blanks and
/// comments.
pub fn end_of(text: &str, node: &Node) -> Option<usize> {
    let span = &node.place.span;
    scalar::find(text, span.start, span.end, &node.value).map(|found| found.end)
}

fn written_anew(file: FileId, text: &str, noun: &'static Noun) -> Option<String> {
    let node = yaml::parse(file, text).0?;
    let mut tree = read::read(text, &node)?;
    tree.root.sort(&Kind::Mapping(noun));
    Some(write::write(&tree))
}

/// Every comment of a text, sorted; `None` when it cannot be read.
fn comments(file: FileId, text: &str) -> Option<Vec<String>> {
    let node = yaml::parse(file, text).0?;
    let mut comments = read::read(text, &node)?.comments;
    comments.sort();
    Some(comments)
}

/// What stands in the way of knowing each key's place: keys that no table has, and a file that is
/// no mapping. Anything else can be laid out, right or wrong.
fn unreadable(node: &Node, noun: &'static Noun) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if !matches!(node.value, Value::Mapping(_)) {
        let mut decoder = Decoder::default();
        decoder.fields(node, noun);
        problems.extend(decoder.problems);
    }
    unknown_keys(node, &Kind::Mapping(noun), &mut problems);
    problems
}

fn unknown_keys(node: &Node, kind: &Kind, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::Sequence(items) => {
            if let Some(kind) = of_item(kind) {
                for item in items {
                    unknown_keys(item, kind, problems);
                }
            }
        }
        Value::Mapping(entries) => {
            if let Kind::Mapping(noun) = kind {
                let mut decoder = Decoder::default();
                decoder.fields(node, noun);
                problems.extend(decoder.problems.into_iter().filter(|it| it.code == "unknown-key"));
            }
            for (key, value) in entries {
                if let Some(kind) = of_value(kind, key.text().unwrap_or_default()) {
                    unknown_keys(value, kind, problems);
                }
            }
        }
    }
}

/// What the value of a key is; `None` where the table does not say.
fn of_value(kind: &Kind, key: &str) -> Option<&'static Kind> {
    match kind {
        Kind::Mapping(noun) => noun.key(key).map(|key| &key.kind),
        Kind::Map { value, .. } => Some(value),
        _ => None,
    }
}

/// What an item of a list is.
fn of_item(kind: &Kind) -> Option<&'static Kind> {
    match kind {
        Kind::List(of) | Kind::Exactly(_, of) | Kind::OneOrMany { of, .. } => Some(of),
        _ => None,
    }
}

/// True for trees that say the same; the order of a mapping's keys says nothing.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            let by_key: HashMap<_, _> = b.iter().map(|(key, value)| (key.text(), value)).collect();
            let has = |(key, value): &(Node, Node)| {
                by_key.get(&key.text()).is_some_and(|other| same(value, other))
            };
            a.len() == b.len() && a.iter().all(has)
        }
        (a_value, b_value) => (a.is_null() && b.is_null()) || a_value == b_value,
    }
}

#[cfg(test)]
mod tests;
