//! When a statement of a policy counts: its conditions, and which of two binds more.
//!
//! The rule: where it cannot be told whether one condition implies another, it does not, and the
//! reader hears of both. Pure. Source: IAM user guide, "IAM JSON policy elements: Condition
//! operators".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::noun::Nouns;
use super::atom::covers_text;

/// All must hold: operator and key -> values, of which (most operators) one must.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Condition(BTreeMap<(String, Key), BTreeSet<String>>);

/// A key of a condition: as it is written, and in lower case, which is all that IAM looks at.
#[derive(Clone, Debug)]
pub(super) struct Key {
    lower: String,
    written: String,
}

impl Key {
    fn new(written: &str) -> Self {
        Self { lower: written.to_lowercase(), written: written.to_owned() }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.lower.cmp(&other.lower)
    }
}

impl Condition {
    pub(super) fn new(value: Option<&Value>, nouns: &Nouns<'_>) -> Self {
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (operator, keys) in value.and_then(Value::as_object).into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let entry = all.entry((operator.clone(), Key::new(key))).or_default();
                entry.extend(texts(values, nouns));
            }
        }
        Self(all)
    }

    pub(super) fn add(&mut self, operator: &str, key: &str, value: String) {
        self.0.entry((operator.to_owned(), Key::new(key))).or_default().insert(value);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In lower case.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(_, key)| key.lower.as_str())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }

    /// Whether everything that meets `self` meets `other` too.
    pub(super) fn implies(&self, other: &Self) -> bool {
        other.0.iter().all(|((operator, key), loose)| {
            self.0.iter().any(|((mine, my_key), tight)| {
                key == my_key && is_tighter(mine, tight, operator, loose)
            })
        })
    }

    /// The conditions that together mean this one: one for each value, of the first operator that
    /// holds where any of several values does. `None` when there is no such operator.
    pub(super) fn split(&self) -> Option<Vec<Self>> {
        /// Most combinations of values that are tried. Our choice: far above any policy of ours.
        const PARTS_MAX: usize = 256;
        let splits = |(operator, _): &(String, Key)| {
            !operator.contains(':') && Sense::of(operator) != Sense::Negative
        };
        let sizes = self.0.iter().filter(|(name, _)| splits(name)).map(|(_, it)| it.len());
        if sizes.fold(1_usize, usize::saturating_mul) > PARTS_MAX {
            return None;
        }
        let (name, values) = self.0.iter().find(|(name, it)| it.len() > 1 && splits(name))?;
        let parts = values.iter().map(|value| {
            let mut part = self.clone();
            part.0.insert(name.clone(), BTreeSet::from([value.clone()]));
            part
        });
        Some(parts.collect())
    }

    /// What it asks for and the other does not.
    pub(super) fn without(&self, other: &Self) -> Self {
        let own = self.0.iter().filter(|(name, values)| other.0.get(name) != Some(values));
        Self(own.map(|(name, values)| (name.clone(), values.clone())).collect())
    }

    /// In words, such as "`aws:SecureTransport` is `false`".
    pub(super) fn words(&self, nouns: &Nouns<'_>) -> String {
        let all: Vec<_> = self.0.iter().map(|(name, values)| one(name, values, nouns)).collect();
        all.join(" and ")
    }
}

/// What more values of an operator do to what meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    /// More values, more meet it.
    Positive,
    /// More values, fewer meet it.
    Negative,
}

impl Sense {
    fn of(operator: &str) -> Self {
        let name = operator.rsplit(':').next().unwrap_or_default();
        if name.contains("Not") { Self::Negative } else { Self::Positive }
    }
}

fn is_tighter(
    mine: &str,
    tight: &BTreeSet<String>,
    theirs: &str,
    loose: &BTreeSet<String>,
) -> bool {
    let (mine, theirs_plain) = match theirs.strip_suffix("IfExists") {
        Some(plain) => (mine.strip_suffix("IfExists").unwrap_or(mine), plain),
        None => (mine, theirs),
    };
    let is_like = |it: &str| it.ends_with("Like") || it.starts_with("Arn");
    let wide = |it: &str| it.replace("Equals", "Like");
    let within = |few: &BTreeSet<String>, many: &BTreeSet<String>, by_pattern: bool| {
        few.iter()
            .all(|value| many.iter().any(|it| it == value || by_pattern && covers_text(it, value)))
    };
    match Sense::of(mine) {
        _ if mine != theirs_plain
            && (wide(mine) != wide(theirs_plain) || !is_like(theirs_plain)) =>
        {
            false
        }
        Sense::Positive => within(tight, loose, is_like(theirs_plain)),
        Sense::Negative => mine == theirs_plain && within(loose, tight, is_like(mine)),
    }
}

fn one((operator, key): &(String, Key), values: &BTreeSet<String>, nouns: &Nouns<'_>) -> String {
    let key = &key.written;
    let quoted = values.iter().map(|value| match value.as_str() {
        value if value == nouns.own_account() => "this account".to_owned(),
        value => match nouns.of_text(value) {
            noun if value.starts_with("arn:") || value.starts_with("${") => noun,
            _ => format!("`{}`", nouns.shown(value)),
        },
    });
    let quoted: Vec<_> = quoted.collect();
    let (each, name) = operator.split_once(':').unwrap_or(("", operator));
    let bare = name.strip_suffix("IfExists").unwrap_or(name);
    let verb = match bare {
        "StringEquals" | "ArnEquals" | "Bool" | "NumericEquals" | "DateEquals" => "is",
        "StringLike" | "ArnLike" => "is like",
        "StringNotEquals" | "ArnNotEquals" | "NumericNotEquals" => "is not",
        "StringNotLike" | "ArnNotLike" => "is not like",
        "Null" if values.contains("true") => return format!("`{key}` is absent"),
        "Null" => return format!("`{key}` is present"),
        _ => return format!("`{key}` is `{operator}` {}", quoted.join(" or ")),
    };
    let between = if Sense::of(name) == Sense::Negative { " nor " } else { " or " };
    let text = format!("`{key}` {verb} {}", quoted.join(between));
    let text = match each {
        "ForAllValues" => format!("every value of {text}"),
        "ForAnyValue" => format!("any value of {text}"),
        _ => text,
    };
    if bare == name { text } else { format!("{text}, where it is present") }
}

/// One value or a list of them, as texts.
pub(super) fn texts(value: &Value, nouns: &Nouns<'_>) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().map(|it| nouns.text(it)).collect(),
        one => vec![nouns.text(one)],
    }
}
