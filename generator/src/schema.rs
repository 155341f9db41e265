//! The shape of the YAML: every mapping, every key, its kind, range, default and meaning.
//!
//! This is the one table of keys. `decode` reads by it, so a key or range that stands elsewhere
//! cannot be read; the JSON Schema (`json_schema`), the reference (`reference`) and the canonical
//! order (`layout`) are made from it. What a value must agree with elsewhere is for `validate`.
//!
//! To add a key, add it here, in the order in which people should read it, and then to `config`.

mod alerts;
mod fleet;
mod rule;
mod scenario;
mod store;
mod wave;
mod words;

use contract::wording::WordingKey;

pub use alerts::ALERTS;
pub use fleet::{CELL, FLEET, MODEL};
pub use rule::{ALLOW, RULE, SUBSCRIBER, WHEN};
pub use scenario::{EXPECT, GIVEN, SCENARIO, SCENARIOS};
pub use store::{AISLE, CAMERA, CAMERA_SETTINGS, EVIDENCE, LAYER, STORE, WATCH, ZONE};
pub use wave::WAVE;
pub use words::nouns_of;

/// One kind of mapping, such as a camera.
#[derive(Debug)]
pub struct Noun {
    /// With its article, for messages: `a camera`.
    pub what: &'static str,
    /// One sentence or two.
    pub about: &'static str,
    /// In canonical order.
    pub keys: &'static [Key],
    /// Keys of which exactly one must be there; often empty.
    pub one_of: &'static [&'static str],
}

impl Noun {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of all keys, in canonical order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// One key of a mapping.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// What it says, without its range; Markdown, no full stop.
    pub about: &'static str,
    pub presence: Presence,
    pub kind: Kind,
    /// A value as it may stand in a file.
    pub example: &'static str,
}

/// Whether a key must be there, and what holds when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must stand in this mapping.
    Required,
    /// Without it the nearest of format and defaults counts, and at last this; `None`: one of them
    /// must give it.
    Inherited(Option<&'static str>),
    /// Without it this holds, in words or as a value in backticks.
    Optional(&'static str),
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Lower-case letters, digits and single hyphens inside; fewest and most characters.
    Id {
        min: usize,
        max: usize,
    },
    /// The id of something that stands elsewhere; what that is, for hover texts.
    Reference(&'static str),
    /// As people say it; see `validate` for the characters.
    Name,
    /// Text with a form of its own: the form in words, and as a regular expression.
    Text {
        form: &'static str,
        pattern: &'static str,
    },
    /// One of the texts of an alert, with placeholders.
    Wording(WordingKey),
    /// `true` or `false`.
    Flag,
    /// One of these words, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// A length of time in whole units.
    Duration {
        unit: Unit,
        min: u32,
        max: u32,
    },
    /// A rate, in kbit/s.
    Rate {
        min: u32,
        max: u32,
    },
    /// A whole number.
    Whole {
        min: u32,
        max: u32,
    },
    /// A whole number, or a range such as `1-8`.
    WholeOrRange {
        min: u32,
        max: u32,
    },
    /// A whole number, or a percentage from the same least to 100.
    WholeOrPercent {
        min: u32,
        max: u32,
    },
    /// A number from 0 to 1.
    Fraction,
    /// A calendar date.
    Date,
    /// Opening times of one day: a span, a list of spans, or `closed`.
    DayHours,
    /// Numbers by the keys of [`crate::quota::keys`]; some by instance type.
    Quotas,
    /// Dollars by the keys of [`crate::price::keys`]; some by instance type.
    Prices,
    /// A mapping that is handed on as JSON, whatever its keys.
    Json,
    Mapping(&'static Noun),
    List(&'static Kind),
    /// So many of these.
    Exactly(usize, &'static Kind),
    /// One, or a list of them; none in the list only where that means something.
    OneOrMany {
        of: &'static Kind,
        may_be_empty: bool,
    },
    /// A mapping whose keys people choose: what a key is, its form as a regular expression, and
    /// what each value is.
    Map {
        key: &'static str,
        pattern: &'static str,
        value: &'static Kind,
    },
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Hours,
    Days,
}

impl Unit {
    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Hours => 3_600,
            Self::Days => 86_400,
        }
    }

    /// As it is written after a number.
    pub fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Hours => 'h',
            Self::Days => 'd',
        }
    }

    /// So many of it as a file has them, in the largest unit that is whole: `90s`, `2m`, `1d`.
    pub fn shown(self, value: u32) -> String {
        let seconds = u64::from(value) * self.seconds();
        let larger = [(86_400, 'd'), (3_600, 'h'), (60, 'm')].into_iter();
        let largest =
            larger.filter(|_| seconds > 0).find(|(length, _)| seconds.is_multiple_of(*length));
        match largest {
            Some((length, letter)) => format!("{}{letter}", seconds / length),
            None => format!("{seconds}s"),
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }
}

/// An id of up to [`crate::model::Id::MAX`] characters.
const ID: Kind = Kind::Id { min: 1, max: crate::model::Id::MAX };

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn nouns() -> Vec<&'static Noun> {
        [nouns_of(&STORE), nouns_of(&FLEET), nouns_of(&SCENARIOS)].concat()
    }

    #[test]
    fn keys_differ_and_say_what_they_are() {
        for noun in nouns() {
            let names: BTreeSet<_> = noun.names().collect();
            assert_eq!(names.len(), noun.keys.len(), "{}", noun.what);
            for key in noun.keys {
                assert!(!key.about.is_empty() && !key.example.is_empty(), "{}", key.name);
                assert!(!key.about.ends_with('.'), "{}", key.about);
            }
            assert!(noun.one_of.iter().all(|name| noun.key(name).is_some()), "{}", noun.what);
        }
    }

    #[test]
    fn what_a_layer_holds_a_store_holds_too() {
        for key in LAYER.keys {
            let own = STORE.key(key.name).unwrap();
            assert_eq!((own.about, own.presence), (key.about, key.presence), "{}", key.name);
        }
    }
}
