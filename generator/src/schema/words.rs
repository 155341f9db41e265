//! A key and its value in words: what the reference, hover texts and completion say alike.
//!
//! Everything is Markdown made from the tables; nothing here knows a key by its name. To say
//! something better about one key, change its `about` in `schema/`.

use contract::wording::WordingKey;

use super::{Key, Kind, Noun, Presence, Unit};

impl Noun {
    /// Whether it is the very same table.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// What it is, without article: `camera`, `value of camera`, `entry of allow`.
    pub fn title(&self) -> String {
        let bare = ["a ", "an ", "the "].iter().find_map(|it| self.what.strip_prefix(it));
        match bare {
            Some(bare) => bare.replace('`', ""),
            None if self.what.starts_with('`') => {
                format!("value of {}", self.what.trim_matches('`'))
            }
            None => self.what.to_owned(),
        }
    }
}

impl Key {
    /// What it says, as a sentence.
    pub fn sentence(&self) -> String {
        let mut letters = self.about.chars();
        let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }

    /// Whether it must be there, and what holds when it is not.
    pub fn default_in_words(&self) -> String {
        match self.presence {
            Presence::Required => "must be given".to_owned(),
            Presence::Inherited(None) => "inherited; must be given somewhere".to_owned(),
            Presence::Inherited(Some(built_in)) => format!("inherited, or {built_in}"),
            Presence::Optional(default) => default.to_owned(),
        }
    }
}

impl Kind {
    /// Its form and range.
    pub fn in_words(&self) -> String {
        match self {
            Self::Id { min: 1, max } => format!("id of at most {max} characters"),
            Self::Id { min, max } => format!("id of {min} to {max} characters"),
            Self::Reference(what) => format!("id of {what}"),
            Self::Name => "1 to 64 characters without `<`, `>`, `\"`, `\\`".to_owned(),
            Self::Text { form, .. } => (*form).to_owned(),
            Self::Wording(key) => {
                let lines = if key.has_lines() { "text of" } else { "text on one line, of" };
                let ascii = if *key == WordingKey::EmailSubject { " of ASCII" } else { "" };
                format!("{lines} at most {} characters{ascii}", key.characters_max())
            }
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Choice(words) => {
                let each: Vec<_> =
                    words.iter().map(|(word, says)| format!("`{word}` ({says})")).collect();
                each.join(", ")
            }
            Self::Duration { unit, min, max } => {
                let (min, max) = (format!("{min}{}", unit.letter()), unit.shown(*max));
                match unit {
                    Unit::Seconds => format!("time from `{min}` to `{max}`"),
                    _ => format!("time from `{min}` to `{max}`, in whole {}", unit.word()),
                }
            }
            Self::Rate { min, max } => format!("rate from `{min}kbps` to `{}Mbps`", max / 1_000),
            Self::Whole { min, max } => format!("whole number from {min} to {max}"),
            Self::WholeOrRange { min, max } => {
                format!("whole number from {min} to {max}, or a range such as `1-8`")
            }
            Self::WholeOrPercent { min, max } => {
                format!("whole number from {min} to {max}, or a percentage from `{min}%` to `100%`")
            }
            Self::Fraction => "number from 0 to 1".to_owned(),
            Self::Date => "date such as `2027-03-31`".to_owned(),
            Self::DayHours => "`07:00-23:00`, a list of such spans, or `closed`".to_owned(),
            Self::Quotas => "mapping of quotas to numbers".to_owned(),
            Self::Prices => "mapping of prices to dollars".to_owned(),
            Self::Json => "mapping of any keys, as in JSON".to_owned(),
            Self::Mapping(noun) => noun.title(),
            Self::List(of) => format!("list: {}", of.in_words()),
            Self::Exactly(number, of) => format!("list of {number}: {}", of.in_words()),
            Self::OneOrMany { of, may_be_empty: true } => {
                format!("one or a list, also an empty one: {}", of.in_words())
            }
            Self::OneOrMany { of, .. } => format!("one or a list: {}", of.in_words()),
            Self::Map { key, value, .. } => format!("mapping of {key} to {}", value.in_words()),
        }
    }

    /// The mapping that stands in it, however deep.
    pub fn noun(&self) -> Option<&'static Noun> {
        match self {
            Self::Mapping(noun) => Some(noun),
            Self::List(of)
            | Self::Exactly(_, of)
            | Self::OneOrMany { of, .. }
            | Self::Map { value: of, .. } => of.noun(),
            _ => None,
        }
    }
}

/// Every kind of mapping in one that is the whole file, in the order in which they are met, each
/// once.
pub fn nouns_of(file: &'static Noun) -> Vec<&'static Noun> {
    let mut found = vec![file];
    let mut next = 0;
    while let Some(noun) = found.get(next).copied() {
        next += 1;
        for inner in noun.keys.iter().filter_map(|key| key.kind.noun()) {
            if !found.iter().any(|it| it.is(inner)) {
                found.push(inner);
            }
        }
    }
    found
}
