//! Tells once what is the same in many stacks. Pure.
//!
//! Two findings, or two changes of resources, are the same when they say the same once the names of
//! store and cell are left out. Their causes need not be: each store has a file of its own. What is
//! told of one stack alone keeps its names.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::noun::replaced;
use super::side::StackId;
use super::{Cause, Finding, Group, STORE, Subject};
use crate::change::ResourceChange;

/// Stands for the cell's id in texts that would otherwise differ from cell to cell.
const CELL: &str = "<cell>";

/// Something that can be told without the names of a stack.
pub(super) trait Told: Clone {
    /// The same with every text put through this.
    fn with(self, text: &impl Fn(&str) -> String) -> Self;

    /// What makes it the same as another.
    fn key(&self) -> String;
}

/// Collects what is the same.
#[derive(Debug)]
pub(super) struct Groups<T> {
    groups: Vec<Collected<T>>,
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Collected<T> {
    what: T,
    /// The first of the stacks.
    id: StackId,
    has_many_cells: bool,
    subjects: BTreeSet<Subject>,
    causes: BTreeSet<Cause>,
}

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self { groups: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Told> Groups<T> {
    /// Adds what is told of a stack.
    pub(super) fn add(&mut self, what: T, id: &StackId, causes: Vec<Cause>) {
        let key = what.clone().with(&|text| masked(text, id.store(), &id.cell)).key();
        let place = *self.places.entry(key).or_insert(self.groups.len());
        match self.groups.get_mut(place) {
            Some(group) => {
                group.has_many_cells |= group.id.cell != id.cell;
                group.subjects.insert(id.subject.clone());
                group.causes.extend(causes);
            }
            None => self.groups.push(Collected {
                what,
                id: id.clone(),
                has_many_cells: false,
                subjects: BTreeSet::from([id.subject.clone()]),
                causes: causes.into_iter().collect(),
            }),
        }
    }

    /// All of them, in the order in which the first of each came.
    pub(super) fn finish(self) -> Vec<Group<T>> {
        let group = |it: Collected<T>| {
            let is_one = it.subjects.len() == 1;
            let what = it.what.with(&|text| {
                let text = match it.id.store() {
                    Some(store) if is_one => text.replace(STORE, store),
                    Some(store) => replaced(text, store, STORE),
                    None => text.to_owned(),
                };
                if it.has_many_cells { replaced(&text, &it.id.cell, CELL) } else { text }
            });
            Group {
                what,
                subjects: it.subjects.into_iter().collect(),
                causes: it.causes.into_iter().collect(),
            }
        };
        self.groups.into_iter().map(group).collect()
    }
}

impl Told for Finding {
    fn with(self, text: &impl Fn(&str) -> String) -> Self {
        let details = self.details.iter().map(|it| text(it)).collect();
        Self { text: text(&self.text), details, ..self }
    }

    fn key(&self) -> String {
        let Self { class, weight, text, details, about: _ } = self;
        format!("{class:?} {weight:?} {text} {details:?}")
    }
}

impl Told for ResourceChange {
    fn with(mut self, text: &impl Fn(&str) -> String) -> Self {
        for property in &mut self.properties {
            for value in [&mut property.before, &mut property.after].into_iter().flatten() {
                *value = with_texts(value, text);
            }
        }
        self
    }

    fn key(&self) -> String {
        let Self { logical_id, resource_type, action, properties, .. } = self;
        format!("{logical_id} {resource_type} {action:?} {properties:?}")
    }
}

fn with_texts(value: &Value, text: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(it) => Value::String(text(it)),
        Value::Array(items) => items.iter().map(|it| with_texts(it, text)).collect(),
        Value::Object(entries) => {
            let entry = |(key, it): (&String, &Value)| (key.clone(), with_texts(it, text));
            Value::Object(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// A text in which the names of a store and its cell are left out.
fn masked(text: &str, store: Option<&str>, cell: &str) -> String {
    let text = match store {
        Some(store) => replaced(text, store, STORE),
        None => text.to_owned(),
    };
    replaced(&text, cell, CELL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{Class, Weight};

    #[test]
    fn a_name_is_left_out_where_it_stands_for_itself() {
        let masked = |text| masked(text, Some("sea-1"), "us-west");
        assert_eq!(
            masked("arm-us-west-sea-1-gw-a and sea-1"),
            "arm-<cell>-<store>-gw-a and <store>"
        );
        assert_eq!(masked("sea-10, asea-1, us-west2, sea-1"), "sea-10, asea-1, us-west2, <store>");
    }

    #[test]
    fn the_same_of_many_is_told_once_with_every_cause_and_of_one_by_its_name() {
        let mut groups = Groups::default();
        let cause = |file: &str| Cause {
            file: file.to_owned(),
            line: 1,
            is_before: false,
            text: String::new(),
        };
        let finding = |text: String| Finding {
            class: Class::Other,
            weight: Weight::Quiet,
            text,
            details: Vec::new(),
            about: Vec::new(),
        };
        let id = |store: &str| StackId {
            cell: "west".to_owned(),
            subject: Subject::Store(store.to_owned()),
        };
        for store in ["b", "a", "b"] {
            let causes = vec![cause(store), cause("fleet.yaml")];
            groups.add(finding(format!("lp-{store} in west")), &id(store), causes);
        }
        groups.add(finding("c and <store>".to_owned()), &id("c"), vec![]);
        let groups = groups.finish();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].what.text, "lp-<store> in west");
        assert_eq!(groups[0].subjects, ["a", "b"].map(|it| Subject::Store(it.to_owned())));
        assert_eq!(groups[0].causes, ["a", "b", "fleet.yaml"].map(cause));
        assert_eq!(groups[1].what.text, "c and c");
    }
}
