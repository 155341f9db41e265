//! The keys of `alerts`: the words that people get, one key for each text of an alert.
//!
//! The texts that are built in, their sizes and their placeholders stand in `contract::wording`; here
//! is what people read of them. To add a text, add it there first, then its key here.

use contract::wording::WordingKey;

use super::{Key, Kind, Noun, Presence};

pub(super) const ALERTS_KEY: Key = Key {
    name: "alerts",
    about: "the words of alerts, where others are wanted than the built-in ones, such as another language's",
    presence: Presence::Inherited(Some("see each key")),
    kind: Kind::Mapping(&ALERTS),
    example: r#"{ headline: "{priority}: {behaviour} bei {place}" }"#,
};

/// The words of alerts.
pub static ALERTS: Noun = Noun {
    what: "`alerts`",
    about: "The words of alerts. Each text may hold placeholders in braces, such as `{place}`, for the values of one alert; `{{` and `}}` are braces. What is not known is empty, and takes brackets and spaces that stood for it alone with it, and a line of the e-mail that has no other value. `{priority}`, `{behaviour}` and `{date}` stay English, whatever language the words around them are in.",
    keys: &[
        Key {
            name: WordingKey::Headline.as_str(),
            about: "the one sentence: the title of a push, the `text` of a webhook, and `{headline}` in the texts below",
            presence: Presence::Inherited(Some(
                "`{priority}-Priority Alert: {behaviour} at {place}`",
            )),
            kind: Kind::Wording(WordingKey::Headline),
            example: r#""{priority}: {behaviour} bei {place}""#,
        },
        Key {
            name: WordingKey::Sms.as_str(),
            about: "the text message; of one that is over its 160 characters values are cut, the longest first and the place last, never the case's id",
            presence: Presence::Inherited(Some("`{headline}. {store} {time}. Case {case}`")),
            kind: Kind::Wording(WordingKey::Sms),
            example: r#""{headline}. {store}, {time} Uhr. Fall {case}""#,
        },
        Key {
            name: WordingKey::EmailSubject.as_str(),
            about: "subject of the e-mail; values lose their accents there, it is cut after 99 characters, and a headline of which no word is left gives way to the built-in one",
            presence: Presence::Inherited(Some("`{headline} ({store})`")),
            kind: Kind::Wording(WordingKey::EmailSubject),
            example: r#""[{store_id}] {headline}""#,
        },
        Key {
            name: WordingKey::Email.as_str(),
            about: "body of the e-mail, of one line or several",
            presence: Presence::Inherited(Some("the headline, and every value on its line")),
            kind: Kind::Wording(WordingKey::Email),
            example: r#""{headline}\nKamera: {camera}\nFall: {case}""#,
        },
    ],
    one_of: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_key_for_every_text_and_its_default_is_what_is_built_in() {
        let names: Vec<_> = ALERTS.names().collect();
        assert_eq!(names, WordingKey::ALL.map(WordingKey::as_str));
        for (key, wording) in ALERTS.keys.iter().zip(WordingKey::ALL) {
            let Presence::Inherited(Some(said)) = key.presence else { panic!("{}", key.name) };
            assert!(wording.has_lines() || said == format!("`{}`", wording.built_in()));
        }
    }
}
