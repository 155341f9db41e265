//! The words of alerts: each text by itself, with the place of what is wrong inside of it.
//!
//! The language is `contract::wording`'s, read here by the very function that reads it when an alert
//! goes out. What is legal and unwise is in `unwise`. To refuse something more, add it in [`wrong`].

use std::ops::Range;

use contract::inert;
use contract::wording::{MistakeKind, Part, Placeholder, WordingKey, parse};

use crate::diagnostic::{At, Diagnostic, Place, suggest};

use super::Context;

/// Returns the text that holds, or reports why it cannot be one.
pub(super) fn validate<'t>(
    context: &mut Context<'_>,
    key: WordingKey,
    at: &'t At<String>,
) -> Option<&'t str> {
    // A block text of YAML ends with a line break, which nobody means.
    let text = at.value.strip_suffix('\n').unwrap_or(&at.value);
    let (length, most) = (text.chars().count(), key.characters_max());
    if length > most {
        let message = format!("`{}` has {length} characters, and holds {most}", key.as_str());
        let help = "shorten it; placeholders count as they are written";
        context.report(Diagnostic::error("bad-wording", &at.place, message).help(help));
        return None;
    }
    if text.trim().is_empty() {
        let message = format!("`{}` says nothing", key.as_str());
        let help = "write what people are to read, or delete the key for the built-in text";
        context.report(Diagnostic::error("bad-wording", &at.place, message).help(help));
        return None;
    }
    let (carried, most) = (inert::characters(text), key.carried_characters_max());
    if carried > most {
        let name = key.as_str();
        let message = format!("`{name}` takes {carried} characters in every rule, and has {most}");
        let help = "shorten it, or write fewer of `<`, `>`, `$` and `{{`, which take 6 each";
        context.report(Diagnostic::error("bad-wording", &at.place, message).help(help));
        return None;
    }
    let wrong = wrong(key, text);
    let fine = wrong.is_empty();
    for (part, code, message, help) in wrong {
        let place = within(context.sources.text(at.place.file), at, &part);
        context.report(Diagnostic::error(code, &place, message).help(help));
    }
    fine.then_some(text)
}

/// A stretch of the text with code, message and help.
type Wrong = (Range<usize>, &'static str, String, String);

fn wrong(key: WordingKey, text: &str) -> Vec<Wrong> {
    let name = key.as_str();
    let parsed = parse(text);
    let mut all: Vec<Wrong> = letters(key, text).into_iter().collect();
    for mistake in parsed.mistakes {
        all.push(match mistake.kind {
            MistakeKind::Unknown(unknown) => {
                let known = Placeholder::ALL.into_iter().filter(|it| key.takes(*it));
                let help = suggest(unknown.trim(), known.map(Placeholder::as_str));
                let message = format!("there is no placeholder `{{{unknown}}}`");
                let help = match help.strip_prefix("use one of: ") {
                    Some(_) => format!("{help}; for braces as such, double them: `{{{{`, `}}}}`"),
                    None => help,
                };
                (mistake.at, "unknown-placeholder", message, help)
            }
            MistakeKind::Unclosed => {
                let message = format!("the `{{` here in `{name}` is not closed");
                let help = "close the placeholder with `}`, or write `{{` for the brace itself";
                (mistake.at, "bad-wording", message, help.to_owned())
            }
            MistakeKind::Stray => {
                let message = format!("the `}}` here in `{name}` closes nothing");
                let help = "open the placeholder with `{`, or write `}}` for the brace itself";
                (mistake.at, "bad-wording", message, help.to_owned())
            }
        });
    }
    if let Some((start, written)) = itself(key, text) {
        let message = "the headline cannot hold itself".to_owned();
        let help = "delete `{headline}` here; the other texts may hold it".to_owned();
        all.push((start..start + written.len(), "bad-wording", message, help));
    }
    all
}

/// Where a text holds itself: not in doubled braces.
fn itself(key: WordingKey, text: &str) -> Option<(usize, &str)> {
    let is_itself = |part: &Part<'_>| matches!(part, Part::Value(it) if !key.takes(*it));
    text.match_indices("{headline}").find(|(start, written)| {
        let upto = text.get(..start + written.len()).unwrap_or_default();
        parse(upto).parts.last().is_some_and(is_itself)
    })
}

/// The first character that the channel does not take.
fn letters(key: WordingKey, text: &str) -> Option<Wrong> {
    let is_line_break = |c: char| c == '\n' && key.has_lines();
    let ascii = key == WordingKey::EmailSubject;
    let is_refused = |c: char| {
        c.is_control() && !is_line_break(c)
            || !key.has_lines() && shows_nothing(c)
            || ascii && !c.is_ascii()
    };
    let (at, c) = text.char_indices().find(|(_, c)| is_refused(*c))?;
    let name = key.as_str();
    let (message, help) = if c == '\n' {
        let message = format!("`{name}` has more than one line");
        (message, "write it on one line; only `email` has several".to_owned())
    } else if c.is_control() {
        let message = format!("`{name}` holds the control character U+{:04X}", u32::from(c));
        (message, "write spaces instead".to_owned())
    } else if shows_nothing(c) {
        let message = format!("`{name}` holds the character U+{:04X}", u32::from(c));
        let help = "leave it out: it shows nothing, breaks the line or turns what follows around";
        (message, help.to_owned())
    } else {
        let message = format!("`{name}` holds `{c}`, and a subject is ASCII");
        (message, "write it in plain letters; values lose their accents by themselves".to_owned())
    };
    Some((at..at + c.len_utf8(), "bad-wording", message, help))
}

/// Line and paragraph separators, and marks that show nothing or turn what follows around. The joiners
/// U+200C and U+200D are spelling, in Persian and in emoji.
fn shows_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// The place of a part of a value in its file: the source has as many of the part's first character
/// as the value. Where it has not, as where an escape stands for one, the place is that of the whole.
fn within(source: &str, at: &At<String>, part: &Range<usize>) -> Place {
    let found = || {
        let first = at.value.get(part.start..)?.chars().next()?;
        let before = at.value.get(..part.start)?.matches(first).count();
        let source = source.get(at.place.span.clone())?;
        if source.matches(first).count() != at.value.matches(first).count() {
            return None;
        }
        let (start, _) = source.match_indices(first).nth(before)?;
        let written = source.get(start..)?;
        let whole = at.value.get(part.clone()).filter(|part| written.starts_with(*part));
        let length = whole.map_or(first.len_utf8(), str::len);
        let start = at.place.span.start + start;
        Some(Place { file: at.place.file, span: start..start + length })
    };
    found().unwrap_or_else(|| at.place.clone())
}
