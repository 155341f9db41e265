//! Texts as EventBridge compares them: wildcards, beginnings and ends, letters of either case.
//!
//! EventBridge compares a text with its quotes on, and so do we: `abc"` is a beginning of `abc`, as
//! the quote ends it. Source: event-ruler's `JsonRuleCompiler` and its parsers in `input`. To change
//! what equals without regard to case, start in [`AnyCase`].

/// Whether a text begins with `start`, the quote at its end counted in.
pub(super) fn begins(text: &str, start: &str) -> bool {
    text.starts_with(start) || start.strip_suffix('"') == Some(text)
}

/// Whether a text ends with `end`, the quote before it counted in.
pub(super) fn ends(text: &str, end: &str) -> bool {
    text.ends_with(end) || end.strip_prefix('"') == Some(text)
}

/// A text with `*` for any text, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// What stands before the first `*`; all of it where there is none.
    start: String,
    /// What follows each `*`.
    rest: Vec<String>,
}

impl Wildcard {
    /// Reads `*`, and `\*` and `\\` for themselves, or says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Wildcard, &'static str> {
        let mut wildcard = Wildcard { start: String::new(), rest: Vec::new() };
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let letter = match (letter, letters.peek()) {
                ('*', Some('*')) => return Err("has two `*` in a row"),
                ('*', _) => {
                    wildcard.rest.push(String::new());
                    continue;
                }
                ('\\', Some('*' | '\\')) => letters.next().unwrap_or(letter),
                ('\\', _) => return Err(r"has a `\` that is not followed by `*` or `\`"),
                _ => letter,
            };
            wildcard.rest.last_mut().unwrap_or(&mut wildcard.start).push(letter);
        }
        Ok(wildcard)
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        let Some((last, between)) = self.rest.split_last() else { return text == self.start };
        let Some(mut left) = text.strip_prefix(self.start.as_str()) else { return false };
        for part in between {
            let Some((_, after)) = left.split_once(part.as_str()) else { return false };
            left = after;
        }
        left.ends_with(last.as_str())
    }
}

/// A text of which each letter may be of either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AnyCase(Vec<Letter>);

/// A letter in both cases; the same twice where there is but one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Letter {
    lower: String,
    upper: String,
}

impl AnyCase {
    pub(super) fn new(text: &str) -> AnyCase {
        AnyCase(text.chars().map(Letter::new).collect())
    }

    pub(super) fn equals(&self, text: &str) -> bool {
        cut_start(&self.0, text) == Some("")
    }

    pub(super) fn begins(&self, text: &str) -> bool {
        let quoted = self.0.split_last().filter(|(last, _)| last.lower == "\"");
        cut_start(&self.0, text).is_some()
            || quoted.is_some_and(|(_, it)| cut_start(it, text) == Some(""))
    }

    pub(super) fn ends(&self, text: &str) -> bool {
        let quoted = self.0.split_first().filter(|(first, _)| first.lower == "\"");
        cut_end(&self.0, text).is_some()
            || quoted.is_some_and(|(_, it)| cut_end(it, text) == Some(""))
    }
}

impl Letter {
    /// EventBridge takes a letter apart that needs two UTF-16 units, and has `?` for each half.
    fn new(letter: char) -> Letter {
        if letter.len_utf16() > 1 {
            return Letter { lower: "??".to_owned(), upper: "??".to_owned() };
        }
        Letter { lower: letter.to_lowercase().collect(), upper: letter.to_uppercase().collect() }
    }
}

/// What is left of a text without these letters at its start. No letter's one case is the start of
/// its other, so that there is one way to cut.
fn cut_start<'t>(letters: &[Letter], text: &'t str) -> Option<&'t str> {
    letters.iter().try_fold(text, |text, it| {
        text.strip_prefix(it.lower.as_str()).or_else(|| text.strip_prefix(it.upper.as_str()))
    })
}

/// What is left of a text without these letters at its end.
fn cut_end<'t>(letters: &[Letter], text: &'t str) -> Option<&'t str> {
    letters.iter().rev().try_fold(text, |text, it| {
        text.strip_suffix(it.lower.as_str()).or_else(|| text.strip_suffix(it.upper.as_str()))
    })
}
