//! The words of alerts: four texts with placeholders in braces, built in or as a store has them.
//!
//! `{place}` stands for a value, `{{` and `}}` for braces; there is nothing else. The language is
//! closed and this small on purpose: reading it cannot fail, so no alert is ever lost to a template,
//! and the functions' binary carries no template engine. What is odd is shown as it stands; `arm
//! check` finds it first, by the same [`parse`]. Pure. To add a placeholder, add it to
//! [`Placeholder`] and its value in `alert/words.rs`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The words of one store's alerts; a text that is absent is built in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// The one sentence: the message to whatever has no text of its own, the title of a push, the
    /// `text` of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// The text message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// Subject of the e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_subject: Option<String>,
    /// Body of the e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Wording {
    /// True where every text is built in.
    pub fn is_built_in(&self) -> bool {
        *self == Self::default()
    }

    /// The text that holds.
    pub fn text(&self, key: WordingKey) -> &str {
        let own = match key {
            WordingKey::Headline => &self.headline,
            WordingKey::Sms => &self.sms,
            WordingKey::EmailSubject => &self.email_subject,
            WordingKey::Email => &self.email,
        };
        own.as_deref().unwrap_or(key.built_in())
    }

    /// The same with a text of its own; one that is built in anyway stays absent.
    #[must_use]
    pub fn with(mut self, key: WordingKey, text: &str) -> Self {
        let own = (text != key.built_in()).then(|| text.to_owned());
        match key {
            WordingKey::Headline => self.headline = own,
            WordingKey::Sms => self.sms = own,
            WordingKey::EmailSubject => self.email_subject = own,
            WordingKey::Email => self.email = own,
        }
        self
    }
}

/// One of the four texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordingKey {
    /// See [`Wording::headline`].
    Headline,
    /// See [`Wording::sms`].
    Sms,
    /// See [`Wording::email_subject`].
    EmailSubject,
    /// See [`Wording::email`].
    Email,
}

impl WordingKey {
    /// All four, in the order in which files have them.
    pub const ALL: [Self; 4] = [Self::Headline, Self::Sms, Self::EmailSubject, Self::Email];

    /// The key as YAML has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Sms => "sms",
            Self::EmailSubject => "email_subject",
            Self::Email => "email",
        }
    }

    /// Most characters, placeholders as they are written. Our choice: a lock screen shows about 120;
    /// a text message and a subject hold no more than these; and every rule of a store carries all
    /// four in its input, which has 8,192 characters (see `generator/src/stack/message.rs`).
    pub const fn characters_max(self) -> usize {
        match self {
            Self::Headline => 120,
            Self::Sms => 160,
            Self::EmailSubject => 99,
            Self::Email => 2_000,
        }
    }

    /// Most characters of a text as a rule's input carries it, where `<`, `>`, `$` and the second of
    /// two braces take six each and a quote or a line break two (see `inert`). Our choice: the short
    /// texts may hold anything, and what is left of the 8,192 is for the body and a rule's own.
    pub const fn carried_characters_max(self) -> usize {
        match self {
            Self::Email => 4_000,
            // The longest escape has so many characters.
            short => 6 * short.characters_max(),
        }
    }

    /// True for the body of the e-mail, which may have several lines.
    pub const fn has_lines(self) -> bool {
        matches!(self, Self::Email)
    }

    /// Whether the text may hold a placeholder.
    pub fn takes(self, placeholder: Placeholder) -> bool {
        (self, placeholder) != (Self::Headline, Placeholder::Headline)
    }

    /// The text of a store that has none of its own.
    pub const fn built_in(self) -> &'static str {
        match self {
            Self::Headline => "{priority}-Priority Alert: {behaviour} at {place}",
            Self::Sms => "{headline}. {store} {time}. Case {case}",
            Self::EmailSubject => "{headline} ({store})",
            Self::Email => {
                "\
{headline}

Store:       {store} ({store_id})
Aisle:       {aisle}
Camera:      {camera}
When:        {date}, {time}
Confidence:  {confidence}
Rule:        {rule}
Case:        {case}

The case log holds the case, and its clip once the clip is kept."
            }
        }
    }
}

/// What stands for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`meaning` says what each stands for")]
pub enum Placeholder {
    Headline,
    Priority,
    Behaviour,
    Place,
    Aisle,
    Camera,
    Store,
    StoreId,
    Time,
    Date,
    Confidence,
    Rule,
    Case,
}

impl Placeholder {
    /// All of them, in the order in which people should read them.
    pub const ALL: [Self; 13] = [
        Self::Headline,
        Self::Priority,
        Self::Behaviour,
        Self::Place,
        Self::Aisle,
        Self::Camera,
        Self::Store,
        Self::StoreId,
        Self::Time,
        Self::Date,
        Self::Confidence,
        Self::Rule,
        Self::Case,
    ];

    /// The name between the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headline => "headline",
            Self::Priority => "priority",
            Self::Behaviour => "behaviour",
            Self::Place => "place",
            Self::Aisle => "aisle",
            Self::Camera => "camera",
            Self::Store => "store",
            Self::StoreId => "store_id",
            Self::Time => "time",
            Self::Date => "date",
            Self::Confidence => "confidence",
            Self::Rule => "rule",
            Self::Case => "case",
        }
    }

    /// What it stands for, for people who write a wording.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Headline => "the headline, in all texts but the headline itself",
            Self::Priority => "the priority, such as `High`; English in every language",
            Self::Behaviour => {
                "what was seen, such as `Shelf Sweep`: the words of the event type as they are"
            }
            Self::Place => {
                "the aisle's name, or its id where an event brings no name; else `camera` and the camera's id; else the store's name, or its id where the channel has no letter of the name"
            }
            Self::Aisle => {
                "the aisle's name, or its id where an event brings no name; empty where none is known"
            }
            Self::Camera => "the camera's id; empty where none is known",
            Self::Store => {
                "the store's name; in a text message at most 24 characters of it, and empty in a subject whose `{headline}` ends with it"
            }
            Self::StoreId => "the store's id",
            Self::Time => "the store's local time, such as `10:03`; in `email` `10:03:03 PST`",
            Self::Date => "the day, such as `2026-11-22`; in `email` `Sun 22 Nov 2026`, in English",
            Self::Confidence => {
                "how sure the model is, such as `93 %`; empty where it does not say"
            }
            Self::Rule => "the rule's name",
            Self::Case => "the case's id, 16 characters",
        }
    }

    /// The placeholder of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Said as it stands.
    Text(&'t str),
    /// Said by its value.
    Value(Placeholder),
}

/// What is wrong at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake<'t> {
    /// Where, in bytes of the text.
    pub at: Range<usize>,
    /// What.
    pub kind: MistakeKind<'t>,
}

/// What can be wrong; all of it is said as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MistakeKind<'t> {
    /// No placeholder has this name.
    Unknown(&'t str),
    /// A `{` without its `}`.
    Unclosed,
    /// A `}` without its `{`.
    Stray,
}

/// A text, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed<'t> {
    /// From the first to the last.
    pub parts: Vec<Part<'t>>,
    /// Likewise; none once `arm check` was passed.
    pub mistakes: Vec<Mistake<'t>>,
}

/// Reads any text.
pub fn parse(text: &str) -> Parsed<'_> {
    let mut parsed = Parsed::default();
    let mut rest = text;
    while let Some(found) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(found);
        let start = text.len() - from.len();
        let (length, part, wrong) = brace(from);
        let (taken, after) = from.split_at(length);
        parsed.parts.extend([Part::Text(before), part.unwrap_or(Part::Text(taken))]);
        let at = start..start + length;
        parsed.mistakes.extend(wrong.map(|kind| Mistake { at, kind }));
        rest = after;
    }
    parsed.parts.push(Part::Text(rest));
    parsed.parts.retain(|part| *part != Part::Text(""));
    parsed
}

/// Reads what begins with a brace: its length in bytes, what it is if it is not said as it stands,
/// and what is wrong with it.
fn brace(from: &str) -> (usize, Option<Part<'_>>, Option<MistakeKind<'_>>) {
    if from.starts_with("{{") {
        return (2, Some(Part::Text("{")), None);
    }
    if from.starts_with("}}") {
        return (2, Some(Part::Text("}")), None);
    }
    let Some(inside) = from.strip_prefix('{') else {
        return (1, None, Some(MistakeKind::Stray));
    };
    let end = inside.find(['{', '}', '\n']).unwrap_or(inside.len());
    let (name, behind) = inside.split_at(end);
    if !behind.starts_with('}') {
        return (1, None, Some(MistakeKind::Unclosed));
    }
    let length = name.len() + 2;
    match Placeholder::named(name) {
        Some(placeholder) => (length, Some(Part::Value(placeholder)), None),
        None => (length, None, Some(MistakeKind::Unknown(name))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(text: &str) -> Vec<(Range<usize>, MistakeKind<'_>)> {
        parse(text).mistakes.into_iter().map(|it| (it.at, it.kind)).collect()
    }

    #[test]
    fn braces_hold_placeholders_and_two_of_them_are_one() {
        use Part::{Text, Value};
        let parts = parse("{{{place}}} at {time}").parts;
        let expected = [
            Text("{"),
            Value(Placeholder::Place),
            Text("}"),
            Text(" at "),
            Value(Placeholder::Time),
        ];
        assert_eq!(parts, expected);
        assert_eq!(parse("").parts, []);
    }

    #[test]
    fn what_is_odd_has_its_place_and_is_said_as_it_stands() {
        assert_eq!(wrong("ü {plase}"), [(3..10, MistakeKind::Unknown("plase"))]);
        assert_eq!(wrong("{ place }"), [(0..9, MistakeKind::Unknown(" place "))]);
        assert_eq!(wrong("{}"), [(0..2, MistakeKind::Unknown(""))]);
        assert_eq!(wrong("a {place"), [(2..3, MistakeKind::Unclosed)]);
        assert_eq!(wrong("{place\n}"), [(0..1, MistakeKind::Unclosed), (7..8, MistakeKind::Stray)]);
        assert_eq!(wrong("a } {time}"), [(2..3, MistakeKind::Stray)]);
        let texts = |text| match text {
            Part::Text(text) => text,
            Part::Value(_) => "?",
        };
        let said: String = parse("{plase} } {a {case}").parts.into_iter().map(texts).collect();
        assert_eq!(said, "{plase} } {a ?");
    }

    #[test]
    fn the_built_in_words_are_within_their_bounds_and_hold_no_mistake() {
        for key in WordingKey::ALL {
            assert_eq!(wrong(key.built_in()), [], "{}", key.as_str());
            assert!(key.built_in().chars().count() <= key.characters_max(), "{}", key.as_str());
            assert!(key.has_lines() || !key.built_in().contains('\n'), "{}", key.as_str());
            assert!(Wording::default().with(key, key.built_in()).is_built_in());
            assert_eq!(Wording::default().with(key, "x").text(key), "x");
        }
    }

    #[test]
    fn what_is_built_in_is_not_sent_along() {
        assert_eq!(serde_json::to_string(&Wording::default()).unwrap(), "{}");
        let wording: Wording = serde_json::from_str(r#"{"sms":"{case}","later":1}"#).unwrap();
        assert_eq!(wording, Wording::default().with(WordingKey::Sms, "{case}"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_to_its_end(text in "[{}a-z\n]{0,20}|\\PC{0,20}") {
            let parsed = parse(&text);
            let written: String = parsed
                .parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => (*text).to_owned(),
                    Part::Value(value) => format!("{{{}}}", value.as_str()),
                })
                .collect();
            let bare = |text: &str| text.replace(['{', '}'], "");
            prop_assert_eq!(bare(&written), bare(&text));
            for it in parsed.mistakes {
                prop_assert!(text.get(it.at).is_some());
            }
        }
    }
}
