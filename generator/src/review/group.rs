//! Tells once what is the same in many stacks. Pure.
//!
//! Two findings, or two changes of resources, are the same when they say the same once the names of
//! store and cell are left out. Their causes need not be: each store has a file of its own.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use serde_json::Value;

use super::{Cause, Group, STORE, Subject};
use crate::change::ResourceChange;

/// Stands for the cell's id in texts that would otherwise differ from cell to cell.
pub(super) const CELL: &str = "<cell>";

/// Collects what is the same.
#[derive(Debug)]
pub(super) struct Groups<K, T> {
    groups: Vec<Collected<T>>,
    places: HashMap<K, usize>,
}

#[derive(Debug)]
struct Collected<T> {
    what: T,
    subjects: BTreeSet<Subject>,
    causes: BTreeSet<Cause>,
}

impl<K, T> Default for Groups<K, T> {
    fn default() -> Self {
        Self { groups: Vec::new(), places: HashMap::new() }
    }
}

impl<K: Eq + Hash, T> Groups<K, T> {
    /// Adds one; `key` is what makes it the same as others.
    pub(super) fn add(&mut self, key: K, what: T, subject: Subject, causes: Vec<Cause>) {
        let place = *self.places.entry(key).or_insert(self.groups.len());
        match self.groups.get_mut(place) {
            Some(group) => {
                group.subjects.insert(subject);
                group.causes.extend(causes);
            }
            None => self.groups.push(Collected {
                what,
                subjects: BTreeSet::from([subject]),
                causes: causes.into_iter().collect(),
            }),
        }
    }

    /// All of them, in the order in which the first of each came.
    pub(super) fn finish(self) -> Vec<Group<T>> {
        let group = |it: Collected<T>| Group {
            what: it.what,
            subjects: it.subjects.into_iter().collect(),
            causes: it.causes.into_iter().collect(),
        };
        self.groups.into_iter().map(group).collect()
    }
}

/// A text in which the names of a store and its cell are left out.
pub(super) fn masked(text: &str, store: Option<&str>, cell: &str) -> String {
    let text = match store {
        Some(store) => replaced(text, store, STORE),
        None => text.to_owned(),
    };
    replaced(&text, cell, CELL)
}

/// The same of a resource that differs.
pub(super) fn masked_change(
    change: &ResourceChange,
    store: Option<&str>,
    cell: &str,
) -> ResourceChange {
    let value = |value: &Option<Value>| value.as_ref().map(|it| masked_value(it, store, cell));
    let mut masked = change.clone();
    // Whole resources are shown by nobody and would only tell stores apart.
    (masked.before, masked.after) = (None, None);
    for property in &mut masked.properties {
        property.before = value(&property.before);
        property.after = value(&property.after);
    }
    masked
}

fn masked_value(value: &Value, store: Option<&str>, cell: &str) -> Value {
    match value {
        Value::String(text) => Value::String(masked(text, store, cell)),
        Value::Array(items) => items.iter().map(|it| masked_value(it, store, cell)).collect(),
        Value::Object(entries) => {
            let entry =
                |(key, value): (&String, &Value)| (key.clone(), masked_value(value, store, cell));
            Value::Object(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// Replaces a name where it stands for itself, not inside of another word.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut out = String::new();
    let (mut rest, mut last) = (text, None);
    while let Some(at) = rest.find(name).filter(|_| !name.is_empty()) {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(name.len()..).unwrap_or_default();
        let before = head.chars().next_back().or(last);
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let stands_alone = !is_word(before) && !is_word(tail.chars().next());
        out.push_str(head);
        out.push_str(if stands_alone { by } else { name });
        last = name.chars().next_back();
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_left_out_where_it_stands_for_itself() {
        let masked = |text| masked(text, Some("sea-1"), "us-west");
        assert_eq!(
            masked("arm-us-west-sea-1-gw-a and sea-1"),
            "arm-<cell>-<store>-gw-a and <store>"
        );
        assert_eq!(masked("sea-10, asea-1, us-west2, sea-1"), "sea-10, asea-1, us-west2, <store>");
        assert_eq!(super::replaced("aaa", "a", "b"), "aaa");
    }

    #[test]
    fn the_same_of_many_is_told_once_with_every_cause() {
        let mut groups = Groups::default();
        let cause = |file: &str| Cause {
            file: file.to_owned(),
            line: 1,
            is_before: false,
            text: String::new(),
        };
        for store in ["b", "a", "b"] {
            groups.add(
                "key",
                1,
                Subject::Store(store.to_owned()),
                vec![cause(store), cause("fleet.yaml")],
            );
        }
        groups.add("other", 2, Subject::Store("a".to_owned()), vec![]);
        let groups = groups.finish();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].subjects, ["a", "b"].map(|it| Subject::Store(it.to_owned())));
        assert_eq!(groups[0].causes, ["a", "b", "fleet.yaml"].map(cause));
    }
}
