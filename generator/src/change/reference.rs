//! Which resources refer to which, and what follows where one of them is made anew.
//!
//! A resource that is replaced has another name and ARN: whoever was told the old ones is told the new
//! ones, and is itself replaced where it cannot change them. `DependsOn` is an order and tells nothing.
//! To know another function of CloudFormation that names resources, start at [`named`].

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Action, Dependents, Effect, PropertyChange, ResourceChange};
use super::{difference, resource_type};
use crate::template::Template;

/// The resources of a template that others refer to, with these others in the template's order.
pub fn dependents(template: &Template) -> Dependents {
    let mut found = Dependents::new();
    for (id, resource) in template.resources() {
        for name in referred(resource).into_iter().filter(|name| name != id) {
            let dependents: &mut Vec<String> = found.entry(name).or_default();
            if dependents.last().is_none_or(|last| last != id) {
                dependents.push(id.to_owned());
            }
        }
    }
    found.retain(|name, _| template.resources().any(|(id, _)| id == name));
    found
}

/// The logical ids to which a resource refers, each as often as it does, and whatever else is named
/// like one.
pub fn referred(resource: &Value) -> Vec<String> {
    let mut names = Vec::new();
    each(resource, &mut Vec::new(), &mut |_, value| named(value, &mut names));
    let order = resource.get("DependsOn").map_or(&[][..], |it| match it {
        Value::Array(many) => many,
        one => std::slice::from_ref(one),
    });
    names.extend(order.iter().filter_map(Value::as_str).map(str::to_owned));
    names
}

/// A value that names a resource, and where it stands.
struct Reference<'a> {
    dependent: &'a str,
    path: Vec<String>,
    value: &'a Value,
}

/// Adds what follows from replacements: properties that say the same in both templates, of resources
/// that are replaced as well, because what they say means another resource now.
pub(super) fn follow<'a>(
    changes: &mut BTreeMap<&'a str, ResourceChange>,
    earlier: &BTreeMap<&str, &Value>,
    after: &'a Template,
) {
    let severity = |change: &ResourceChange| match change.action {
        Action::Replace => Effect::Replace,
        Action::MayReplace => Effect::MayReplace,
        _ => Effect::None,
    };
    let all = changes.iter().map(|(id, change)| (*id, severity(change)));
    let mut waiting: Vec<(&str, Effect)> = all.filter(|(_, it)| *it > Effect::None).collect();
    if waiting.is_empty() {
        return;
    }
    let references = references(after);
    let resources: BTreeMap<&str, &Value> = after.resources().collect();
    while let Some((id, worst)) = waiting.pop() {
        for reference in references.get(id).into_iter().flatten() {
            let sides = [earlier, &resources].map(|it| it.get(reference.dependent).copied());
            let Some(unchanged) = in_place(reference.dependent, sides) else { continue };
            let known = changes.get(reference.dependent).unwrap_or(&unchanged);
            let Some(grown) = with(known, reference, worst) else { continue };
            if severity(&grown) > severity(known) {
                waiting.push((reference.dependent, severity(&grown)));
            }
            changes.insert(reference.dependent, grown);
        }
    }
}

/// A resource that is in both templates under one type, as if nothing of it differed.
fn in_place(id: &str, sides: [Option<&Value>; 2]) -> Option<ResourceChange> {
    let [Some(before), Some(after)] = sides else { return None };
    let resource_type = after.get("Type")?.as_str()?.to_owned();
    (before.get("Type") == after.get("Type")).then(|| ResourceChange {
        logical_id: id.to_owned(),
        resource_type,
        action: Action::Attributes,
        properties: Vec::new(),
        before: Some(before.clone()),
        after: Some(after.clone()),
        refers_to: Vec::new(),
    })
}

/// The change with what a reference adds to it, if it adds anything.
fn with(
    known: &ResourceChange,
    reference: &Reference<'_>,
    worst: Effect,
) -> Option<ResourceChange> {
    let value = Some(reference.value.clone());
    let path = reference.path.clone();
    let mut new =
        PropertyChange { path, before: value.clone(), after: value, effect: Effect::None };
    new.effect = resource_type::effect(&known.resource_type, &new).min(worst);
    let is_told = |it: &PropertyChange| {
        let is_along = it.path.iter().zip(&new.path).all(|(one, other)| one == other);
        is_along && it.effect >= new.effect
    };
    if new.effect == Effect::None || known.properties.iter().any(is_told) {
        return None;
    }
    let mut grown = known.clone();
    grown.properties.retain(|it| it.path != new.path);
    grown.properties.push(new);
    grown.properties.sort_by(|one, other| one.path.cmp(&other.path));
    grown.action = Action::of(&grown.properties);
    Some(grown)
}

/// All references of a template, by the name of the resource that they mean.
fn references(template: &Template) -> BTreeMap<String, Vec<Reference<'_>>> {
    let mut found = BTreeMap::<String, Vec<Reference<'_>>>::new();
    for (dependent, resource) in template.resources() {
        each(resource, &mut Vec::new(), &mut |path, value| {
            let mut names = Vec::new();
            named(value, &mut names);
            for name in names {
                let reference = Reference { dependent, path: path.to_vec(), value };
                found.entry(name).or_default().push(reference);
            }
        });
    }
    found
}

/// Every outermost function in a value, with its path.
fn each<'a>(value: &'a Value, path: &mut Vec<String>, told: &mut dyn FnMut(&[String], &'a Value)) {
    let inner: Vec<(String, &'a Value)> = match value {
        function if difference::is_function(function) => return told(path, function),
        Value::Array(items) => difference::segments(items).into_iter().zip(items).collect(),
        Value::Object(fields) => fields.iter().map(|(key, it)| (key.clone(), it)).collect(),
        _ => return,
    };
    for (segment, value) in inner {
        path.push(segment);
        each(value, path, told);
        path.pop();
    }
}

/// The logical ids, and whatever else is named like one, that a function names.
fn named(value: &Value, names: &mut Vec<String>) {
    let first = |text: &str| text.split('.').next().unwrap_or(text).to_owned();
    match value {
        Value::Array(items) => items.iter().for_each(|it| named(it, names)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("Ref", Value::String(name)) => names.push(name.clone()),
                    ("Fn::GetAtt", Value::String(name)) => names.push(first(name)),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        names.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", Value::String(text)) => names.extend(filled(text).map(first)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        let own =
                            |name: &&str| parts.get(1).is_none_or(|it| it.get(name).is_none());
                        names.extend(filled(text).filter(own).map(first));
                        parts.iter().skip(1).for_each(|it| named(it, names));
                    }
                    (_, value) => named(value, names),
                }
            }
        }
        _ => {}
    }
}

/// The names in `${..}`; `${!..}` is text.
fn filled(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.split("${").skip(1).filter_map(|it| it.split_once('}'));
    inner.map(|(name, _)| name).filter(|name| !name.starts_with('!'))
}
