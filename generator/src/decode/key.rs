//! Keys that a mapping must not have, that it lacks, or that have no value.
//!
//! Inside `{ }` a comma ends a value: what stands behind it is a key without a value, and is told
//! as the rest of the value that it was meant to be. Start at `Decoder::fields`, which calls these.

use crate::diagnostic::{Diagnostic, Place, SHOWN_PER_FILE, is_near, suggest};
use crate::schema::{Key, Kind, Noun, Presence};
use crate::yaml::{Node, Value};

use super::{Decoder, Fields};

/// Most values behind commas that are taken for one list; our choice, more are no slip.
const LISTED_MAX: usize = 64;

impl Decoder {
    /// True when more problems are known than will be shown: a suggestion, which takes the time of
    /// all names, is then for nobody.
    fn is_told(&self) -> bool {
        self.problems.len() >= SHOWN_PER_FILE
    }

    /// The nearest of what is known, as long as it will be shown.
    pub(super) fn suggest(
        &self,
        wrong: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) -> String {
        if self.is_told() { String::new() } else { suggest(wrong, known) }
    }

    /// True for a key that is the rest of a value with a comma in it; reports the first of them.
    pub(super) fn is_rest(&mut self, entries: &[(Node, Node)], index: usize, noun: &Noun) -> bool {
        let Some((rest, empty)) = entries.get(index) else { return false };
        let text = rest.text().unwrap_or_default();
        if self.is_told() || !is_bare(rest, empty) || noun.names().any(|it| is_near(text, it)) {
            return false;
        }
        let Some((name, value)) = owner(entries, index) else { return false };
        let Some(known) = noun.key(name) else { return false };
        let first = entries.get(index - 1).is_some_and(|(key, _)| key.text() == Some(name));
        if !first {
            return true;
        }
        let more = entries.get(index..).unwrap_or_default().iter();
        let more = more.take(LISTED_MAX).take_while(|(key, value)| is_bare(key, value));
        let rest_of: Vec<_> = more.filter_map(|(key, _)| key.text()).collect();
        let all = format!("{value}, {}", rest_of.join(", "));
        let help = match known.kind {
            _ if torn(entries, index).is_some() => {
                format!("write a decimal point: `{name}: {value}.{text}`")
            }
            Kind::List(_) | Kind::OneOrMany { .. } | Kind::Exactly(..) => {
                format!("put the values in brackets: `{name}: [{all}]`")
            }
            Kind::Text { .. } => {
                format!("write one entry for each `{name}`, or put a text with a comma in quotes")
            }
            _ => format!("put a text with a comma in quotes: `{name}: \"{all}\"`"),
        };
        let message = format!("the comma ends the value of `{name}`, so `{text}` is a key");
        self.report(Diagnostic::error("unknown-key", &rest.place, message).help(help));
        true
    }

    /// True for a span of a day's hours that a comma cut off inside `{ }`; reports it.
    pub fn is_span(&mut self, entries: &[(Node, Node)], index: usize) -> bool {
        let Some((rest, empty)) = entries.get(index) else { return false };
        let text = rest.text().unwrap_or_default();
        if !is_bare(rest, empty) || !text.starts_with(|it: char| it.is_ascii_digit()) {
            return false;
        }
        let Some((day, value)) = owner(entries, index) else { return false };
        let message = format!("the comma ends the hours of `{day}`, so `{text}` is a key");
        let help = format!("put the spans in brackets: `{day}: [{value}, {text}]`");
        self.report(Diagnostic::error("wrong-value", &rest.place, message).help(help));
        true
    }

    /// Reports a key that the table lacks; returns the one that was probably meant.
    pub(super) fn unknown_key(
        &mut self,
        noun: &'static Noun,
        absent: &[&'static Key],
        key: &Node,
    ) -> Option<&'static str> {
        let name = key.text().unwrap_or_default();
        if noun.key("min_confidence").is_some()
            && ["max_confidence", "confidence_max"].contains(&name)
        {
            let message =
                format!("{} has no key `{name}`: confidence has a lower bound only", noun.what);
            let help = "put a rule with `min_confidence` above this one: it takes what is surer, and this one gets the rest";
            self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
            return None;
        }
        let near =
            || absent.iter().filter(|_| !self.is_told()).filter(|key| is_near(name, key.name));
        let required = near().find(|key| key.presence == Presence::Required);
        let meant = required.or_else(|| near().next()).map(|key| key.name);
        let inside = noun.keys.iter().find_map(|outer| match outer.kind {
            Kind::Mapping(inner) => inner.key(name).map(|it| (outer.name, it)),
            _ => None,
        });
        let help = match (meant, inside) {
            (None, Some((outer, it))) => {
                format!("it stands inside `{outer}`: `{outer}: {{ {name}: {} }}`", it.example)
            }
            (Some(meant), _) if required.is_some() => format!("did you mean `{meant}`?"),
            _ => self.suggest(name, noun.names()),
        };
        let message = format!("{} has no key `{name}`", noun.what);
        self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
        meant
    }

    pub(super) fn empty_value(&mut self, known: &Key, key: &Node) {
        let message = format!("`{}` has no value", known.name);
        let help = match known.presence {
            Presence::Required => format!("write a value, such as `{}`", known.example),
            _ => format!("write a value, such as `{}`, or delete the key", known.example),
        };
        self.report(Diagnostic::error("empty-value", &key.place, message).help(help));
    }

    pub(super) fn missing_key(&mut self, fields: &Fields<'_>, key: &Key) {
        let start = fields.place.span.start;
        let place = Place { file: fields.place.file, span: start..start };
        let id = ["id", "name"].into_iter().find_map(|key| fields.find(key)?.text());
        let article = ["a ", "an "].into_iter().find_map(|it| fields.noun.what.strip_prefix(it));
        let what = match (id, article) {
            (Some(id), Some(noun)) => format!("the {noun} `{id}`"),
            _ => fields.noun.what.to_owned(),
        };
        let message = format!("{what} lacks `{}`", key.name);
        let help = if (fields.noun.what, key.name) == ("the store", "store") {
            "add `store:` with its id, the file's name without `.yaml`".to_owned()
        } else {
            format!("add `{}: {}`", key.name, key.example)
        };
        self.report(Diagnostic::error("missing-key", &place, message).help(help));
    }

    /// Reports a key that is none of those that a mapping may have.
    pub fn unknown_name(
        &mut self,
        what: &str,
        key: &Node,
        known: impl IntoIterator<Item = &'static str>,
    ) {
        let name = key.text().unwrap_or_default();
        let message = format!("{what} has no key `{name}`");
        let help = self.suggest(name, known);
        self.report(Diagnostic::error("unknown-key", &key.place, message).help(help));
    }
}

/// True for a key inside `{ }` that has neither colon nor value.
pub(super) fn is_bare(key: &Node, value: &Node) -> bool {
    matches!(&value.value, Value::Scalar { text, plain: true } if text.is_empty())
        && matches!(&key.value, Value::Scalar { plain: true, .. })
        && value.place.span.start <= key.place.span.end
}

/// The key and the text to which a key without a value belongs.
fn owner(entries: &[(Node, Node)], index: usize) -> Option<(&str, &str)> {
    let before = entries.get(..index)?.iter().rev().take(LISTED_MAX);
    let (key, value) =
        before.skip_while(|(key, value)| is_bare(key, value)).map(|it| (&it.0, &it.1)).next()?;
    Some((key.text()?, value.text()?))
}

/// The key whose number with a decimal comma ends before this one.
pub(super) fn torn(entries: &[(Node, Node)], index: usize) -> Option<&str> {
    let (name, value) = owner(entries, index)?;
    let rest = entries.get(index)?.0.text()?;
    let is_number = value.bytes().all(|it| it.is_ascii_digit());
    (is_number && rest.starts_with(|it: char| it.is_ascii_digit())).then_some(name)
}
