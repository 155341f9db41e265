//! What a change loses: video, cases, evidence and logs that are gone or out of reach afterwards.
//!
//! The rule: say what becomes of the data, not of the resource. What is retained is not lost, but
//! nobody looks after it; what is deleted is gone. A stack that is in no file any more is left alone
//! by `arm deploy`, and the sentence says so. Pure. To add a resource that holds data, start in
//! `loss/hold.rs`; a setting that shortens its life, in `loss/setting.rs`.

mod camera;
mod hold;
mod setting;
mod whole;

use std::collections::BTreeMap;

use serde_json::Value;

use super::noun::{Nouns, listed, tag};
use super::{About, Class, Finding, Weight, path};
use crate::change::resource_type::words;
use crate::change::{Action, Fate, ResourceChange};
use crate::name::{CELL_TAG, STORE_TAG};
use crate::template::Template;

/// Tells what data a change of one stack deletes or puts out of reach.
pub(super) fn loss(
    changes: &[ResourceChange],
    before: Option<&Template>,
    after: Option<&Template>,
) -> Vec<Finding> {
    match (before, after) {
        (Some(before), Some(after)) => {
            let (old, new) = (Nouns::new(before, None), Nouns::new(after, None));
            let mut findings = camera::findings(changes);
            findings.extend(ended(changes, &old));
            findings.extend(setting::findings(changes, &new));
            findings.sort_by_key(|it| it.weight);
            findings
        }
        (Some(before), None) => vec![whole::removed(before)],
        (None, Some(after)) => vec![whole::added(after)],
        (None, None) => vec![],
    }
}

/// What a resource holds that a template cannot bring back, in words that follow "with".
pub(super) fn held(id: &str, resource: &Value) -> Option<String> {
    hold::holding(id, resource)
}

/// What becomes of a resource that leaves its stack and of what it holds; `None` where that is nothing.
pub(super) fn end(id: &str, resource: &Value, fate: Fate) -> Option<String> {
    Some(hold::ending(resource, &held(id, resource)?, fate))
}

/// Everything but streams that leaves the stack, or whose place another takes.
fn ended(changes: &[ResourceChange], nouns: &Nouns<'_>) -> Vec<Finding> {
    let mut alike: BTreeMap<_, Vec<&ResourceChange>> = BTreeMap::new();
    for change in changes.iter().filter(|it| !camera::is_stream(it)) {
        let Some((resource, fate)) = change.before.as_ref().zip(change.fate()) else { continue };
        let Some(end) = end(&change.logical_id, resource, fate) else { continue };
        let key = (change.action, change.resource_type.as_str(), end);
        alike.entry(key).or_default().push(change);
    }
    let findings = alike.into_iter().map(|((action, resource_type, end), changes)| {
        let names: Vec<_> = changes.iter().map(|it| nouns.of(&it.logical_id)).collect();
        let whom = match &names[..] {
            [only] => only.clone(),
            all => {
                let many = words(resource_type).map_or("resources", |it| it.many);
                format!("each of {} {many} ({})", all.len(), listed(&names))
            }
        };
        let text = match action {
            Action::Replace => format!("{whom} is made anew, empty; the old one {end}"),
            Action::MayReplace => format!("{whom} may be made anew, empty; the old one then {end}"),
            _ => format!("{whom} leaves the stack and {end}"),
        };
        let mut finding = finding(Weight::Loud, text);
        if listed(&names).contains(" more") {
            finding.details.push(names.join(", "));
        }
        let first = changes.first().and_then(|it| it.before.as_ref());
        finding.about = first.map(|it| about(it, None)).unwrap_or_default();
        finding
    });
    findings.collect()
}

/// The settings of the cell, for what belongs to a cell and to no store.
fn about(resource: &Value, key: Option<&str>) -> Vec<About> {
    let cell = tag(resource, CELL_TAG).filter(|_| tag(resource, STORE_TAG).is_none());
    let of = |cell| key.map_or_else(|| path(&["cells", cell]), |key| path(&["cells", cell, key]));
    cell.map(of).into_iter().collect()
}

/// Whether a resource that leaves its stack stays outside of it.
pub(super) fn is_kept(resource: &Value) -> bool {
    let policy = resource.get("DeletionPolicy").and_then(Value::as_str);
    policy.is_some_and(|it| it.starts_with("Retain"))
}

fn finding(weight: Weight, text: String) -> Finding {
    Finding::new(Class::DataLoss, weight, text)
}

#[cfg(test)]
mod tests;
