//! What differs between two values of a template, by path.
//!
//! Two values are the same where CloudFormation, IAM, EventBridge or SNS takes them for the same;
//! which of them reads a value, and so what it takes for the same, is its [`Reading`]. What is equal
//! to the letter is never looked into: most of two templates is.
//! To have another list compared as a set, add its property to [`SETS`].

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Effect, PropertyChange, text};

/// Lists of properties whose order means nothing. Source: the resource schemas have these with
/// `insertionOrder: false`, in some types at least, and in none with `true`; or, of indexes,
/// attribute definitions, lifecycle rules and an alarm's actions, the API references of `DynamoDB`, S3 and
/// `CloudWatch`, which give their order no meaning.
const SETS: [&str; 20] = [
    "AlarmActions",
    "AttributeDefinitions",
    "Dimensions",
    "FunctionResponseTypes",
    "GlobalSecondaryIndexes",
    "InsufficientDataActions",
    "LocalSecondaryIndexes",
    "ManagedPolicyArns",
    "NonKeyAttributes",
    "OKActions",
    "Policies",
    "Queues",
    "Rules",
    "SecurityGroupIds",
    "Subnets",
    "SubnetIds",
    "SuppressedRules",
    "Tags",
    "Targets",
    "Topics",
];

/// Lists of our own JSON whose order means nothing: what `contract::watch` and `contract::incident` hold.
const OWN_SETS: [&str; 4] = ["aisles", "cameras", "notify", "zones"];

/// What tells the elements of a list apart where all have it, tried in this order.
const KEYS: [&str; 9] =
    ["Key", "Sid", "Id", "PolicyName", "IndexName", "AttributeName", "VariantName", "Name", "id"];

/// Who reads a value, by whose rules two are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// CloudFormation: `"10"` is 10 and `"true"` is true.
    Property,
    /// IAM: lists are sets, and one is a list of one; numbers and booleans as CloudFormation.
    Policy,
    /// EventBridge and SNS: lists are sets, and a text is no number.
    Pattern,
    /// Whoever gets JSON: order counts but in [`OWN_SETS`], and a text is no number.
    Json,
}

/// What differs between two resources of one type, sorted by path; every effect is `None` yet.
pub(super) fn of_resources(before: &Value, after: &Value) -> Vec<PropertyChange> {
    of_fields(before, after, |key| match key {
        "DependsOn" => Reading::Policy,
        _ => Reading::Property,
    })
}

/// What differs between two values of which nobody knows more.
pub(super) fn of_values(before: &Value, after: &Value) -> Vec<PropertyChange> {
    of_fields(before, after, |_| Reading::Property)
}

fn of_fields(before: &Value, after: &Value, reading: fn(&str) -> Reading) -> Vec<PropertyChange> {
    let mut walk = Walk::default();
    let nothing = Value::Object(Map::new());
    for key in keys(before, after) {
        let [mut left, mut right] = [before.get(key), after.get(key)].map(present);
        if key == "Properties" {
            (left, right) = (left.or(Some(&nothing)), right.or(Some(&nothing)));
        }
        walk.step(key, |walk| walk.maybe(left, right, reading(key)));
    }
    walk.found.sort_by(|one, other| one.path.cmp(&other.path));
    walk.found
}

/// Whether two values are the same to the letter, keys in one order: no more than a quick way to know
/// of most of two templates, for looking keys up is what takes long.
pub(super) fn is_identical(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let mut fields = before.iter().zip(after);
            before.len() == after.len()
                && fields.all(|((key, one), (name, other))| key == name && is_identical(one, other))
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut items = before.iter().zip(after);
            before.len() == after.len() && items.all(|(one, other)| is_identical(one, other))
        }
        (before, after) => before == after,
    }
}

/// Whether a value is computed by CloudFormation.
pub(super) fn is_function(value: &Value) -> bool {
    let Some(fields) = value.as_object().filter(|it| it.len() == 1) else { return false };
    fields.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

/// What the elements of a list are called in paths: by what tells them apart, or by their index.
pub(super) fn segments(items: &[Value]) -> Vec<String> {
    let Some(key) = key_of(&[items]) else {
        return (0..items.len()).map(|index| index.to_string()).collect();
    };
    items.iter().filter_map(|it| name_by(key, it)).map(str::to_owned).collect()
}

fn keys<'a>(before: &'a Value, after: &'a Value) -> Vec<&'a str> {
    let of = |value: &'a Value| value.as_object().into_iter().flat_map(Map::keys);
    let gone = of(before).filter(|key| after.get(key).is_none());
    of(after).chain(gone).map(String::as_str).collect()
}

/// A value that is there: `null` and `AWS::NoValue` are not.
fn present(value: Option<&Value>) -> Option<&Value> {
    let is_none = |it: &Value| it.is_null() || it.get("Ref").is_some_and(|it| it == "AWS::NoValue");
    value.filter(|it| !is_none(it))
}

/// A way down two values at once.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    found: Vec<PropertyChange>,
}

impl Walk {
    fn step(&mut self, segment: &str, inner: impl FnOnce(&mut Self)) {
        self.path.push(segment.to_owned());
        inner(self);
        self.path.pop();
    }

    fn tell(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let shown = |side: Option<&Value>| side.map(text::unmarked);
        let (mut left, mut right) = (shown(before), shown(after));
        if left == right {
            // A bare placeholder and its text look alike but for the quotes.
            (left, right) = (before.map(text::written), after.map(text::written));
        }
        let path = self.path.clone();
        let effect = Effect::None;
        self.found.push(PropertyChange { path, before: left, after: right, effect });
    }

    fn maybe(&mut self, before: Option<&Value>, after: Option<&Value>, reading: Reading) {
        match (before, after) {
            (Some(before), Some(after)) => self.values(before, after, reading),
            (None, None) => {}
            (before, after) => self.tell(before, after),
        }
    }

    fn values(&mut self, before: &Value, after: &Value, reading: Reading) {
        if is_identical(before, after) {
            return;
        }
        if let Some((before, after)) = self.texts(before, after, reading) {
            return self.values(&before, &after, self.reader(reading));
        }
        if is_function(before) || is_function(after) {
            return self.functions(before, after, reading);
        }
        match (before, after) {
            (Value::Object(_), Value::Object(_)) => self.objects(before, after, reading),
            (Value::Array(left), Value::Array(right)) if self.is_set(reading) => {
                self.sets(left, right, reading);
            }
            (Value::Array(left), Value::Array(right)) => self.lists(left, right, reading),
            (one, Value::Array(many)) if reading == Reading::Policy => {
                self.sets(std::slice::from_ref(one), many, reading);
            }
            (Value::Array(many), one) if reading == Reading::Policy => {
                self.sets(many, std::slice::from_ref(one), reading);
            }
            (before, after) if is_same_scalar(before, after, reading) => {}
            (before, after) => self.tell(Some(before), Some(after)),
        }
    }

    fn functions(&mut self, before: &Value, after: &Value, reading: Reading) {
        if reading == Reading::Policy && before.is_array() != after.is_array() {
            let many = |it: &'_ Value| it.as_array().cloned().unwrap_or_else(|| vec![it.clone()]);
            return self.sets(&many(before), &many(after), reading);
        }
        if plain_function(before) != plain_function(after) {
            self.tell(Some(before), Some(after));
        }
    }

    /// Two texts of JSON as JSON, where the property is one that holds such.
    fn texts(&self, before: &Value, after: &Value, reading: Reading) -> Option<(Value, Value)> {
        let is_text = |it: &Value| it.is_string() || it.get("Fn::Sub").is_some();
        let holds = reading == Reading::Property && self.reader(reading) != Reading::Property;
        (holds && is_text(before) && is_text(after)).then(|| text::both(before, after))?
    }

    /// Who reads the property at hand, and all below it.
    fn reader(&self, reading: Reading) -> Reading {
        match self.path.last().map_or("", String::as_str) {
            _ if reading != Reading::Property => reading,
            "EventPattern" | "FilterPolicy" => Reading::Pattern,
            "PolicyDocument" | "AssumeRolePolicyDocument" | "KeyPolicy" => Reading::Policy,
            "Input" | "InputTemplate" | "DashboardBody" | "DefinitionString" => Reading::Json,
            _ => reading,
        }
    }

    fn is_set(&self, reading: Reading) -> bool {
        let last = self.path.last().map_or("", String::as_str);
        match reading {
            Reading::Property => SETS.contains(&last),
            Reading::Policy => true,
            // `["<", 5, ">=", 1]`: each operator stands before its number.
            Reading::Pattern => last != "numeric",
            Reading::Json => OWN_SETS.contains(&last),
        }
    }

    fn objects(&mut self, before: &Value, after: &Value, reading: Reading) {
        let is_policy = is_policy(before) || is_policy(after);
        let reading = match self.reader(reading) {
            Reading::Property if is_policy => Reading::Policy,
            reader => reader,
        };
        for key in keys(before, after) {
            let mut sides = [before.get(key), after.get(key)];
            if let [Some(left), Some(right)] = sides
                && is_identical(left, right)
            {
                continue;
            }
            if reading == Reading::Property {
                sides = sides.map(present);
            }
            let [left, right] = sides;
            self.step(key, |walk| walk.maybe(left, right, reading));
        }
    }

    /// Whether nothing differs.
    fn same(&self, before: &Value, after: &Value, reading: Reading) -> bool {
        let is_scalar = |it: &Value| !it.is_object() && !it.is_array();
        if is_scalar(before) && is_scalar(after) {
            return is_same_scalar(before, after, reading);
        }
        let mut walk = Self { path: self.path.clone(), found: Vec::new() };
        walk.values(before, after, reading);
        walk.found.is_empty()
    }

    fn sets(&mut self, before: &[Value], after: &[Value], reading: Reading) {
        if let Some(key) = key_of(&[before, after]) {
            return self.named(key, before, after, reading);
        }
        let missing = |from: &[Value], other: &[Value]| -> Vec<usize> {
            let is_there = |it: &Value| {
                other.contains(it) || other.iter().any(|other| self.same(it, other, reading))
            };
            let all = from.iter().enumerate().filter(|(_, it)| !is_there(it));
            all.map(|(index, _)| index).collect()
        };
        let (gone, new) = (missing(before, after), missing(after, before));
        if gone.len() == new.len() {
            for (left, right) in gone.into_iter().zip(new) {
                self.element(&right.to_string(), [before.get(left), after.get(right)], reading);
            }
            return;
        }
        for index in gone {
            self.element(&index.to_string(), [before.get(index), None], reading);
        }
        for index in new {
            self.element(&index.to_string(), [None, after.get(index)], reading);
        }
    }

    fn lists(&mut self, before: &[Value], after: &[Value], reading: Reading) {
        if let Some(key) = key_of(&[before, after]) {
            let common = |from: &[Value], other: &[Value]| -> Vec<String> {
                let names = from.iter().filter_map(|it| name_by(key, it));
                let is_common = |name: &&str| other.iter().any(|it| name_by(key, it) == Some(name));
                names.filter(is_common).map(str::to_owned).collect()
            };
            if common(before, after) == common(after, before) {
                return self.named(key, before, after, reading);
            }
            let [before, after] = [before, after].map(|it| Value::Array(it.to_vec()));
            return self.tell(Some(&before), Some(&after));
        }
        let same = |(left, right): &(&Value, &Value)| self.same(left, right, reading);
        let head = before.iter().zip(after).take_while(same).count();
        let (left, right) =
            (before.get(head..).unwrap_or_default(), after.get(head..).unwrap_or_default());
        let tail = left.iter().rev().zip(right.iter().rev()).take_while(same).count();
        let most = left.len().max(right.len()) - tail;
        for index in 0..most {
            let left = left.get(index).filter(|_| index + tail < left.len());
            let right = right.get(index).filter(|_| index + tail < right.len());
            self.element(&(head + index).to_string(), [left, right], reading);
        }
    }

    /// Elements that have names, by these.
    fn named(&mut self, key: &str, before: &[Value], after: &[Value], reading: Reading) {
        let find = |items: &'_ [Value], name: &str| {
            items.iter().position(|it| name_by(key, it) == Some(name))
        };
        for it in after {
            let Some(name) = name_by(key, it) else { continue };
            let left = find(before, name).and_then(|index| before.get(index));
            self.element(name, [left, Some(it)], reading);
        }
        for it in before {
            let Some(name) = name_by(key, it) else { continue };
            if find(after, name).is_none() {
                self.element(name, [Some(it), None], reading);
            }
        }
    }

    fn element(&mut self, segment: &str, [before, after]: [Option<&Value>; 2], reading: Reading) {
        self.step(segment, |walk| walk.maybe(before, after, reading));
    }
}

/// The key that all elements of all lists have, each list every value of it once.
fn key_of(lists: &[&[Value]]) -> Option<&'static str> {
    let tells_apart = |key: &str, items: &[Value]| {
        let names: Option<BTreeSet<&str>> = items.iter().map(|it| name_by(key, it)).collect();
        names.is_some_and(|names| names.len() == items.len())
    };
    KEYS.into_iter().find(|key| lists.iter().all(|items| tells_apart(key, items)))
}

fn name_by<'a>(key: &str, element: &'a Value) -> Option<&'a str> {
    element.get(key).and_then(Value::as_str)
}

/// A policy document, whatever the property is called: statements with an effect.
fn is_policy(value: &Value) -> bool {
    let has_effect = |it: &Value| it.get("Effect").is_some();
    value.get("Statement").is_some_and(|statement| match statement {
        Value::Array(statements) => statements.first().is_some_and(has_effect),
        statement => has_effect(statement),
    })
}

fn is_same_scalar(before: &Value, after: &Value, reading: Reading) -> bool {
    match (before, after) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64()))
        }
        _ if matches!(reading, Reading::Pattern | Reading::Json) => before == after,
        (Value::String(text), other @ (Value::Number(_) | Value::Bool(_)))
        | (other @ (Value::Number(_) | Value::Bool(_)), Value::String(text)) => {
            other.to_string().as_str() == text
        }
        _ => before == after,
    }
}

/// A function in the one of its spellings that says it plainest.
fn plain_function(value: &Value) -> Value {
    let attribute = |text: &str| match text.split_once('.') {
        Some((id, attribute)) => json!({ "Fn::GetAtt": [id, attribute] }),
        None => json!({ "Ref": text }),
    };
    if let Some(Value::String(text)) = value.get("Fn::GetAtt") {
        return attribute(text);
    }
    let Some(Value::String(text)) = value.get("Fn::Sub") else { return value.clone() };
    let only = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    match only.filter(|it| !it.contains(['$', '{', '}', '!'])) {
        Some(name) => attribute(name),
        None if text.contains("${") => value.clone(),
        None => Value::String(text.clone()),
    }
}
