//! What is different between two templates of one stack: resource by resource, property by property,
//! and what CloudFormation does about it.
//!
//! Order, layout and spelling of a template mean nothing here: two values that CloudFormation takes
//! for the same are the same. What forces a replacement, and which property is a resource's name,
//! stands in `change/resource_type.rs`, from the official resource schemas. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

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

/// One value that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyChange {
    /// From the resource on, such as `Properties`, `RetentionPeriodHours`; indices of lists are digits.
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

/// What becomes of a resource, or of the old one of two, that leaves its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Deleted,
    /// It stays, outside every stack.
    Retained,
    /// A snapshot of it stays.
    Snapshot,
}

/// Where resources stand that refer to another, by logical id: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `DependsOn`.
pub type Dependents = BTreeMap<String, Vec<String>>;
