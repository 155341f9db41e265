//! A review for programs: schema `arm.diff/1`, which [`JSON_SCHEMA`] describes.
//!
//! Keys are added, never renamed or removed; a change that breaks a reader gets a new number. Here
//! nothing is cut, summed up or escaped: texts of many stores have `<store>` in the place of the id.

use serde_json::{Map, Value, json};

use super::words::headline;
use super::{Cause, Costs, Finding, Group, Review, Subject, Tally, Weight};
use crate::change::{Effect, PropertyChange, ResourceChange};

/// The JSON Schema of it, which `arm schema diff` prints. A new field stands there too.
pub const JSON_SCHEMA: &str = include_str!("diff.schema.json");

/// The whole review.
pub fn json(review: &Review) -> Value {
    json!({
        "schema": "arm.diff/1",
        "base": review.base,
        "head": review.head,
        "headline": headline(review),
        "stacks": tally(&review.stacks),
        "resources": tally(&review.resources),
        "findings": review.findings.iter().map(finding).collect::<Vec<_>>(),
        "changes": review.changes.iter().map(change).collect::<Vec<_>>(),
        "costs": review.costs.as_ref().map(costs),
        "omissions": review.omissions.iter().map(|it| &it.text).collect::<Vec<_>>(),
    })
}

fn tally(tally: &Tally) -> Value {
    json!({
        "added": tally.added, "changed": tally.changed, "removed": tally.removed,
        "replaced": tally.replaced, "unchanged": tally.unchanged,
    })
}

fn finding(group: &Group<Finding>) -> Value {
    let Finding { class, weight, text, details, about } = &group.what;
    let weight = match weight {
        Weight::Loud => "loud",
        Weight::Quiet => "quiet",
    };
    json!({
        "class": class.as_str(), "weight": weight, "text": text, "details": details,
        "about": about, "subjects": subjects(&group.subjects), "causes": causes(&group.causes),
    })
}

fn change(group: &Group<ResourceChange>) -> Value {
    let ResourceChange { logical_id, resource_type, action, properties, .. } = &group.what;
    json!({
        "logical_id": logical_id, "type": resource_type, "action": action.as_str(),
        "properties": properties.iter().map(property).collect::<Vec<_>>(),
        "subjects": subjects(&group.subjects), "causes": causes(&group.causes),
    })
}

/// A side that has no value lacks its key: `null` is a value.
fn property(change: &PropertyChange) -> Value {
    let effect = match change.effect {
        Effect::None => "none",
        Effect::MayReplace => "may-replace",
        Effect::Replace => "replace",
    };
    let mut all = Map::new();
    all.insert("path".to_owned(), json!(change.path));
    all.insert("effect".to_owned(), json!(effect));
    for (key, value) in [("before", &change.before), ("after", &change.after)] {
        if let Some(value) = value {
            all.insert(key.to_owned(), value.clone());
        }
    }
    Value::Object(all)
}

fn subjects(subjects: &[Subject]) -> Vec<Value> {
    subjects.iter().map(subject).collect()
}

fn subject(subject: &Subject) -> Value {
    let (kind, id) = match subject {
        Subject::Platform(id) => ("platform", id),
        Subject::Artifacts(id) => ("artifacts", id),
        Subject::Store(id) => ("store", id),
        Subject::Home(id) => ("home", id),
    };
    json!({ "kind": kind, "id": id })
}

fn causes(causes: &[Cause]) -> Vec<Value> {
    let cause = |it: &Cause| {
        let side = if it.is_before { "before" } else { "after" };
        json!({ "file": it.file, "line": it.line, "side": side, "text": it.text })
    };
    causes.iter().map(cause).collect()
}

fn costs(costs: &Costs) -> Value {
    let by_subject = costs.by_subject.iter().map(|(it, before, after)| {
        json!({ "subject": subject(it), "before_cents": before, "after_cents": after })
    });
    json!({
        "currency": "USD", "per": "month",
        "before_cents": costs.before_cents, "after_cents": costs.after_cents,
        "by_subject": by_subject.collect::<Vec<_>>(),
        "assumptions": costs.assumptions,
    })
}
