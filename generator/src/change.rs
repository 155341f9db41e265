//! What is different between two templates of one stack: resource by resource, property by property,
//! and what CloudFormation does about it.
//!
//! Order, layout and spelling of a template mean nothing here: two values that CloudFormation takes
//! for the same are the same. What forces a replacement, and which property is a resource's name,
//! stands in `change/resource_type.rs`, from the official resource schemas. Pure.

mod difference;
mod reference;
pub mod resource_type;
mod text;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use reference::{dependents, referred};

use crate::template::Template;

/// What a template may have beside its resources. Source: CloudFormation user guide, "Template sections".
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Outputs",
];

/// One resource that is not the same in both templates.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceChange {
    pub logical_id: String,
    /// Such as `AWS::SNS::Topic`; of the later template where it is in both.
    pub resource_type: String,
    pub action: Action,
    /// What differs, in the order of the paths; of a resource that is added or removed, nothing.
    pub properties: Vec<PropertyChange>,
    /// The whole resource in each template.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Resources that change with it and to which it refers, in either template; `compare` leaves it
    /// empty.
    pub refers_to: Vec<String>,
}

/// What CloudFormation does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Add,
    /// It leaves the stack; what becomes of it says its [`Fate`].
    Remove,
    Replace,
    /// A property changed that forces a replacement only with some values.
    MayReplace,
    Update,
    /// Only attributes that CloudFormation alone looks at, such as `DeletionPolicy` or `Metadata`.
    Attributes,
}

/// One value that differs, or that says the same and means another: see [`Self::is_followed`].
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyChange {
    /// From the resource on, such as `Properties`, `RetentionPeriodHours`. An element of a list goes by
    /// what tells it apart (`Tags`, `arm:cell`), or by its index; JSON that stands as text goes on below.
    pub path: Vec<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub effect: Effect,
}

/// What changing a property makes of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    None,
    MayReplace,
    Replace,
}

/// What becomes of a resource, or of the old one of two, that leaves its stack; the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stays, outside every stack.
    Retained,
    /// A snapshot of it stays.
    Snapshot,
    Deleted,
}

/// The resources that refer to another, by its logical id: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn`.
pub type Dependents = BTreeMap<String, Vec<String>>;

/// Why CloudFormation cannot replace a resource: it makes the new one first, and the old one still
/// has the name. Source: CloudFormation template reference, "CloudFormation resource custom naming".
#[derive(Clone, Debug, PartialEq)]
pub struct NameConflict {
    /// From `Properties` on, such as `TableName`, or `TableInput`, `Name`.
    pub property: Vec<String>,
    pub name: Value,
}

/// A resource that goes by another logical id and wants the name of one that leaves the stack:
/// CloudFormation makes what is new before it removes what is old, and fails.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenName {
    pub removed: String,
    pub added: String,
    pub conflict: NameConflict,
}

/// What differs between two templates of one stack, in the order of the later one, and what it has no
/// more after that. A resource that is replaced only because another is, is among them.
pub fn compare(before: &Template, after: &Template) -> Vec<ResourceChange> {
    let earlier: BTreeMap<&str, &Value> = before.resources().collect();
    let mut changes = BTreeMap::new();
    for (id, resource) in after.resources() {
        if let Some(change) = change(id, earlier.get(id).copied(), Some(resource)) {
            changes.insert(id, change);
        }
    }
    reference::follow(&mut changes, &earlier, after);
    let mut found: Vec<_> = after.resources().filter_map(|(id, _)| changes.remove(id)).collect();
    let later: BTreeMap<&str, &Value> = after.resources().collect();
    let gone = before.resources().filter(|(id, _)| !later.contains_key(id));
    found.extend(gone.filter_map(|(id, resource)| change(id, Some(resource), None)));
    found
}

/// What else differs; a path begins with the section. What a parameter, mapping or condition changes in
/// resources that refer to it is not told: its value is known only where the template is deployed.
pub fn sections(before: &Template, after: &Template) -> Vec<PropertyChange> {
    let [before, after] = [before, after].map(|template| {
        let named = |name: &str| template.section(name).map(|it| (name.to_owned(), it.clone()));
        Value::Object(SECTIONS.into_iter().filter_map(named).collect::<Map<_, _>>())
    });
    difference::of_values(&before, &after)
}

/// Resources that cannot be made while those that leave the stack still have their names.
pub fn taken_names(changes: &[ResourceChange]) -> Vec<TakenName> {
    let of = |action| changes.iter().filter(move |it| it.action == action);
    let mut found = Vec::new();
    for added in of(Action::Add) {
        for removed in of(Action::Remove).filter(|it| it.resource_type == added.resource_type) {
            let sides = [removed.before.as_ref(), added.after.as_ref()];
            if let Some(conflict) = conflict(&added.resource_type, sides) {
                let [removed, added] = [removed, added].map(|it| it.logical_id.clone());
                found.push(TakenName { removed, added, conflict });
            }
        }
    }
    found
}

impl ResourceChange {
    /// Why this replacement must fail, if it must.
    pub fn name_conflict(&self) -> Option<NameConflict> {
        if !matches!(self.action, Action::Replace | Action::MayReplace) || self.is_other_type() {
            return None;
        }
        let known = resource_type::find(&self.resource_type)?;
        let is_at = |pointer: &[String], it: &PropertyChange| {
            let path = it.path.get(1..).unwrap_or_default();
            it.path.first().is_some_and(|head| head == "Properties")
                && pointer.iter().zip(path).all(|(one, other)| one == other)
        };
        let mut properties = self.properties.iter().filter(|it| it.is_followed());
        if properties.any(|it| known.identity.iter().any(|pointer| is_at(pointer, it))) {
            return None;
        }
        conflict(&self.resource_type, [self.before.as_ref(), self.after.as_ref()])
    }

    /// Whether one logical id stands for two types. CloudFormation refuses the whole update: "Update of
    /// resource type is not permitted. The new template modifies resource type of the following resources".
    pub fn is_other_type(&self) -> bool {
        self.properties.iter().any(|it| it.path.as_slice() == ["Type"])
    }

    /// What becomes of the resource that leaves the stack; `None` where none does.
    ///
    /// For a removal the earlier template says it, which is the only one that has the resource. Of a
    /// replacement AWS does not say which template's policy counts; where they differ, the worse is
    /// told. Sources: CloudFormation template reference, "`DeletionPolicy` attribute" (which tells also
    /// the default of databases) and "`UpdateReplacePolicy` attribute".
    pub fn fate(&self) -> Option<Fate> {
        match self.action {
            Action::Remove => {
                let resource = self.before.as_ref()?;
                Some(fate(
                    resource,
                    "DeletionPolicy",
                    removal_default(&self.resource_type, resource),
                ))
            }
            Action::Replace | Action::MayReplace => {
                let sides = [self.before.as_ref(), self.after.as_ref()].into_iter().flatten();
                sides.map(|it| fate(it, "UpdateReplacePolicy", Fate::Deleted)).max()
            }
            Action::Add | Action::Update | Action::Attributes => None,
        }
    }
}

impl PropertyChange {
    /// Whether it says the same in both templates, and means another: it refers to a resource that is
    /// replaced.
    pub fn is_followed(&self) -> bool {
        self.effect > Effect::None && self.before == self.after
    }
}

impl Action {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::MayReplace => "may-replace",
            Self::Update => "update",
            Self::Attributes => "attributes",
        }
    }

    /// What CloudFormation does to a resource of which this differs.
    fn of(properties: &[PropertyChange]) -> Self {
        let is_property =
            |it: &PropertyChange| it.path.first().is_some_and(|it| it == "Properties");
        match properties.iter().map(|it| it.effect).max() {
            Some(Effect::Replace) => Self::Replace,
            Some(Effect::MayReplace) => Self::MayReplace,
            _ if properties.iter().any(is_property) => Self::Update,
            _ => Self::Attributes,
        }
    }
}

/// `None` where nothing differs.
fn change(id: &str, before: Option<&Value>, after: Option<&Value>) -> Option<ResourceChange> {
    if let (Some(before), Some(after)) = (before, after)
        && difference::is_identical(before, after)
    {
        return None;
    }
    let type_of = |it: Option<&Value>| Some(it?.get("Type")?.as_str()?.to_owned());
    let resource_type = type_of(after.or(before))?;
    let (action, properties) = match (before, after) {
        (Some(before), Some(after)) => {
            let properties = differences(&resource_type, before, after);
            (Action::of(&properties), properties)
        }
        (None, _) => (Action::Add, Vec::new()),
        (_, None) => (Action::Remove, Vec::new()),
    };
    let is_same = properties.is_empty() && before.is_some() && after.is_some();
    (!is_same).then(|| ResourceChange {
        logical_id: id.to_owned(),
        resource_type,
        action,
        properties,
        before: before.cloned(),
        after: after.cloned(),
        refers_to: Vec::new(),
    })
}

/// Of two types nothing else is compared: they have nothing in common.
fn differences(resource_type: &str, before: &Value, after: &Value) -> Vec<PropertyChange> {
    let types = [before, after].map(|it| it.get("Type").cloned());
    if let [before, after] = types
        && before != after
    {
        return vec![PropertyChange {
            path: vec!["Type".into()],
            before,
            after,
            effect: Effect::Replace,
        }];
    }
    let mut properties = difference::of_resources(before, after);
    for property in &mut properties {
        property.effect = resource_type::effect(resource_type, property);
    }
    properties
}

/// The name that two resources of a type cannot both have; `None` where they are told apart.
fn conflict(resource_type: &str, sides: [Option<&Value>; 2]) -> Option<NameConflict> {
    let [before, after] = sides.map(|side| side.and_then(|it| it.get("Properties")));
    let (before, after) = (before?, after?);
    let dig = |value: &'_ Value, pointer: &[String]| {
        pointer.iter().try_fold(value.clone(), |value, name| value.get(name).cloned())
    };
    let known = resource_type::find(resource_type)?;
    let is_same = |pointer: &resource_type::Pointer| dig(before, pointer) == dig(after, pointer);
    let property = known.identity.last()?;
    let name = dig(after, property)?;
    known.identity.iter().all(is_same).then(|| NameConflict { property: property.clone(), name })
}

fn fate(resource: &Value, policy: &str, default: Fate) -> Fate {
    match resource.get(policy).and_then(Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => Fate::Retained,
        Some("Snapshot") => Fate::Snapshot,
        Some(_) => Fate::Deleted,
        None => default,
    }
}

fn removal_default(resource_type: &str, resource: &Value) -> Fate {
    let is_member = resource.pointer("/Properties/DBClusterIdentifier").is_some();
    match resource_type {
        "AWS::RDS::DBCluster" => Fate::Snapshot,
        "AWS::RDS::DBInstance" if !is_member => Fate::Snapshot,
        _ => Fate::Deleted,
    }
}

#[cfg(test)]
mod tests;
