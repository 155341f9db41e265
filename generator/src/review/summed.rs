//! Changes of resources, summed up: what happens alike to many resources of the same stacks is one
//! entry, such as the 40 streams of a store whose retention changes, or all that a new store brings.
//!
//! Every page shows these entries; the JSON has each resource for itself. Pure.

use std::collections::BTreeMap;

use super::words::{Detail, count, named, places, plain, text_for, thousands_of};
use super::{Cause, Group, Review, Subject};
use crate::change::resource_type;
use crate::change::{Action, PropertyChange, ResourceChange};

/// What happens alike to some resources of the same stacks.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub action: Action,
    /// Types, each with its resources' logical ids, in the order of the review.
    pub resources: Vec<(&'a str, Vec<&'a str>)>,
    /// The same of all of them; empty where they come or go.
    pub properties: &'a [PropertyChange],
    pub subjects: &'a [Subject],
    pub causes: Vec<&'a Cause>,
}

/// All changes of a review: what leaves or is replaced first, what comes last.
pub(super) fn entries(review: &Review, detail: Detail) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut known: BTreeMap<(&[Subject], String), usize> = BTreeMap::new();
    for (index, group) in review.changes.iter().enumerate() {
        let key = if detail == Detail::All { index.to_string() } else { key(&group.what) };
        let entry = *known.entry((group.subjects.as_slice(), key)).or_insert_with(|| {
            let change = &group.what;
            entries.push(Entry {
                action: change.action,
                resources: Vec::new(),
                properties: if comes_or_goes(change) { &[] } else { &change.properties },
                subjects: &group.subjects,
                causes: Vec::new(),
            });
            entries.len() - 1
        });
        let Some(entry) = entries.get_mut(entry) else { continue };
        add(entry, group);
    }
    for entry in &mut entries {
        entry.causes.sort();
        entry.causes.dedup();
    }
    entries.sort_by_key(|it| (order(it.action), usize::MAX - it.subjects.len()));
    entries
}

fn add<'a>(entry: &mut Entry<'a>, group: &'a Group<ResourceChange>) {
    let (kind, id) = (group.what.resource_type.as_str(), group.what.logical_id.as_str());
    match entry.resources.iter_mut().find(|(it, _)| *it == kind) {
        Some((_, ids)) => ids.push(id),
        None => entry.resources.push((kind, vec![id])),
    }
    entry.causes.extend(&group.causes);
}

fn comes_or_goes(change: &ResourceChange) -> bool {
    matches!(change.action, Action::Add | Action::Remove)
}

/// What must be the same for two changes of the same stacks to be told as one.
fn key(change: &ResourceChange) -> String {
    if comes_or_goes(change) {
        return format!("{:?}", change.action);
    }
    format!("{:?} {} {:?}", change.action, change.resource_type, change.properties)
}

fn order(action: Action) -> usize {
    match action {
        Action::Replace => 0,
        Action::MayReplace => 1,
        Action::Remove => 2,
        Action::Update => 3,
        Action::Attributes => 4,
        Action::Add => 5,
    }
}

impl Entry<'_> {
    /// How many resources of one stack it tells of.
    pub(super) fn number(&self) -> usize {
        self.resources.iter().map(|(_, ids)| ids.len()).sum()
    }

    /// `KinesisVideo Stream CameraA, CameraB`, `12 resources: 6 KinesisVideo Stream, ...`.
    pub(super) fn what(&self, detail: Detail) -> String {
        match self.resources.as_slice() {
            [(one, ids)] => {
                let names: Vec<_> = ids.iter().map(|id| text_for(id, self.subjects)).collect();
                let colon = if names.len() == 1 { "" } else { ":" };
                format!("{}{colon} {}", kind(one, names.len()), named(&names, detail))
            }
            many => {
                let mut many: Vec<_> = many.iter().collect();
                many.sort_by_key(|(_, ids)| usize::MAX - ids.len());
                let kinds = many.iter().map(|(it, ids)| match ids.len() {
                    1 => format!("1 {}", kind(it, 1)),
                    number => kind(it, number),
                });
                let kinds: Vec<_> = kinds.collect();
                format!("{}: {}", count(self.number(), "resource"), kinds.join(", "))
            }
        }
    }

    /// In which stacks.
    pub(super) fn places(&self, detail: Detail) -> String {
        places(self.subjects, detail)
    }
}

/// So many resources of a type, as people call them: `4 video streams`; one goes without number.
fn kind(resource_type: &str, number: usize) -> String {
    match (resource_type::words(resource_type), number) {
        (Some(words), 1) => words.one.to_owned(),
        (Some(words), _) => format!("{} {}", thousands_of(number), words.many),
        (None, 1) => plain(resource_type),
        (None, _) => format!("{} {}", thousands_of(number), plain(resource_type)),
    }
}
