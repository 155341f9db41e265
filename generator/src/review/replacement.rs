//! Resources that are made anew: what forces it, what depends on them, what must fail.
//!
//! The rule: CloudFormation makes the new resource before it deletes the old one, so a name that
//! stays is taken, and the deployment fails; that is said as a failure with its remedy. What may be
//! replaced is said as such. What is lost with the old one is told in `loss`. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::noun::{Nouns, kind, listed, tag};
use super::{About, Class, Finding, Weight, owner, path};
use crate::change::{Action, Effect, Fate, NameConflict, PropertyChange, ResourceChange};
use crate::change::{dependents, taken_names};
use crate::name::{CAMERA_TAG, CELL_TAG, STORE_TAG};
use crate::template::Template;

/// Tells which resources of one stack are replaced; `after` is the template that `changes` lead to.
pub(super) fn replacements(changes: &[ResourceChange], after: &Template) -> Vec<Finding> {
    let replaced: Vec<_> = changes
        .iter()
        .filter(|it| matches!(it.action, Action::Replace | Action::MayReplace))
        .collect();
    let taken = taken_names(changes);
    if replaced.is_empty() && taken.is_empty() {
        return vec![];
    }
    let (nouns, dependents) = (Nouns::new(after, None), dependents(after));
    let mut findings = Vec::new();
    for change in replaced {
        let mut finding = finding(told(change, &nouns), change.after.as_ref());
        let is_of_store = change.resource_type == "AWS::SNS::Subscription" && nouns.is_store();
        if is_of_store {
            finding.about = vec![vec!["subscribers".to_owned()]];
        }
        if change.resource_type == "AWS::SNS::Subscription" {
            finding.details.push(
                "whoever is told by e-mail or HTTPS must confirm the new subscription before it tells anything"
                    .to_owned(),
            );
        }
        if let Some(others) = dependents.get(&change.logical_id) {
            let names: Vec<_> = others.iter().map(|id| nouns.called(id)).collect();
            let count = names.len();
            let are = if count == 1 { "resource refers" } else { "resources refer" };
            finding.details.push(format!("{count} {are} to it: {}", listed(&names)));
        }
        findings.push(finding);
    }
    for name in taken {
        let resource = after.resources().find(|(id, _)| *id == name.added).map(|(_, it)| it);
        let text = format!(
            "cannot be done: `{}` wants the {} that `{}` still has: CloudFormation makes the new one before it deletes the old; keep the logical id, or deploy the removal first",
            name.added,
            shown_name(&name.conflict, &nouns),
            name.removed,
        );
        findings.push(finding(text, resource));
    }
    alike(findings)
}

fn told(change: &ResourceChange, nouns: &Nouns<'_>) -> String {
    let whom = nouns.called(&change.logical_id);
    if change.is_other_type() {
        let was = change.before.as_ref().map(super::noun::kind).unwrap_or_default();
        return format!(
            "cannot be done: `{}` was of type {was} and would be of type {}: CloudFormation changes no resource's type; give the new one another logical id",
            change.logical_id, change.resource_type,
        );
    }
    let why = reasons(change, nouns);
    if let Some(conflict) = change.name_conflict() {
        let must = if change.action == Action::Replace { "cannot" } else { "may fail to" };
        return format!(
            "{must} be done: {whom} has to be made anew, because {why}, and CloudFormation makes the new one before it deletes the old, while both have the {}; change the name with it, or take the resource out and put it back in a second deployment",
            shown_name(&conflict, nouns),
        );
    }
    let verb = if change.action == Action::Replace { "is" } else { "may be" };
    let what = match change.fate() {
        Some(Fate::Retained) => "made anew, and the old one left outside every stack",
        _ => "deleted and made anew",
    };
    format!("{whom} {verb} {what}, because {why}")
}

fn shown_name(conflict: &NameConflict, nouns: &Nouns<'_>) -> String {
    let name = nouns.shown(&nouns.text(&conflict.name));
    format!("name `{name}` (`{}`)", conflict.property.join("."))
}

/// The properties that force it, with what they were and are.
fn reasons(change: &ResourceChange, nouns: &Nouns<'_>) -> String {
    let forcing = change.properties.iter().filter(|it| it.effect > Effect::None);
    let each: Vec<_> = forcing.map(|it| reason(it, nouns)).collect();
    match &each[..] {
        [] => "it changes as a whole".to_owned(),
        each => listed(each),
    }
}

fn reason(property: &PropertyChange, nouns: &Nouns<'_>) -> String {
    let path = property.path.strip_prefix(&["Properties".to_owned()]).unwrap_or(&property.path);
    let path = path.join(".");
    if property.is_followed() {
        return format!("`{path}` refers to what is made anew");
    }
    let shown =
        |value: &Option<Value>| value.as_ref().map(|it| short(&nouns.shown(&nouns.text(it))));
    match (shown(&property.before), shown(&property.after)) {
        (None, Some(is)) => format!("`{path}` is set to `{is}`"),
        (Some(was), None) => format!("`{path}` is no longer set (it was `{was}`)"),
        (Some(was), Some(is)) => format!("`{path}` changes from `{was}` to `{is}`"),
        (None, None) => format!("`{path}` changes"),
    }
}

/// A value as far as it fits into a sentence.
fn short(text: &str) -> String {
    /// Characters. Our choice: an ARN fits, a policy does not.
    const CHARACTERS_MAX: usize = 80;
    if text.chars().count() <= CHARACTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(CHARACTERS_MAX).chain("...".chars()).collect()
}

fn finding(text: String, resource: Option<&Value>) -> Finding {
    let about = resource.map(about).unwrap_or_default();
    Finding { about, ..Finding::new(Class::Replacement, Weight::Loud, text) }
}

/// The camera, or the cell, that a resource is made for.
fn about(resource: &Value) -> Vec<About> {
    match (tag(resource, CAMERA_TAG), tag(resource, STORE_TAG), tag(resource, CELL_TAG)) {
        (Some(camera), ..) => vec![path(&["cameras", camera])],
        (None, None, Some(cell)) => owner::of_shared(kind(resource), cell),
        _ => vec![],
    }
}

/// Findings that say the same are one.
fn alike(findings: Vec<Finding>) -> Vec<Finding> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let place = *places.entry(finding.text.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(first) => first.about.extend(finding.about),
            None => kept.push(finding),
        }
    }
    kept
}

#[cfg(test)]
mod tests;
