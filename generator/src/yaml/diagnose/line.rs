//! Lines and values that are no YAML though every quote and bracket around them is closed: a colon
//! that is missing or has no space behind it, a comment of another language, a value that needs
//! quotes. It answers only where the line is surely wrong, and shows how it should read.

use crate::diagnostic::Diagnostic;

use super::super::scan::Line;
use super::{Failure, line_end, short};

impl Failure<'_> {
    /// A line that is no key with its value.
    pub(super) fn line(&self) -> Option<Diagnostic> {
        if self.inside.is_some() {
            return None;
        }
        if let [Some(here), Some(above), _] = &self.scan.lines
            && self.column(here) == self.column(above)
            && here.indent > above.indent
            && !self.slice(&above.span).contains(':')
        {
            return self.no_colon(above);
        }
        let [here, before, first] = &self.scan.lines;
        let lines = [(here, before), (before, first)];
        let known = lines.into_iter().filter_map(|(line, above)| Some((line.as_ref()?, above)));
        known.into_iter().find_map(|(line, above)| {
            // A line that stands further right goes on with the text above it.
            let goes_on = above.as_ref().is_some_and(|above| {
                self.column(line) > self.column(above) && !self.slice(&above.span).ends_with(':')
            });
            if goes_on { self.too_far_right(line, above.as_ref()?) } else { self.no_key(line) }
        })
    }

    fn no_key(&self, line: &Line) -> Option<Diagnostic> {
        let text = self.slice(&line.span);
        let start = line.span.start;
        if let Some(mark) = ["//", "/*", ";", "--"].into_iter().find(|it| text.starts_with(it))
            && !text.starts_with("---")
        {
            let message = format!("`{mark}` begins no comment");
            return Some(self.problem(
                start..start + mark.len(),
                message,
                "begin a comment with `#`",
            ));
        }
        let entry = text.strip_prefix('-');
        if let Some(rest) =
            entry.filter(|it| it.starts_with(char::is_alphabetic) && it.contains(':'))
        {
            let help = format!("write `- {}`", short(rest));
            return Some(self.problem(start..start + 1, "the `-` has no space behind it", &help));
        }
        let inner = text.trim_start_matches("- ");
        let start = start + text.len() - inner.len();
        let length = inner.find(|it: char| !(it.is_alphanumeric() || "_-".contains(it)));
        let (word, rest) = inner.split_at(length.unwrap_or(inner.len()));
        let value = rest.trim_start();
        let end = start + word.len();
        if word.is_empty() || value.starts_with(": ") || rest == ":" || value == ":" {
            return None;
        }
        if let Some(value) = value.strip_prefix('=') {
            let at = line.span.end - value.len() - 1;
            let help = format!("write `{word}: {}`", short(value.trim()));
            return Some(self.problem(
                at..at + 1,
                "a value stands behind a colon, not behind `=`",
                &help,
            ));
        }
        if let Some(value) = rest.strip_prefix(':') {
            let help = format!("write `{word}: {}`", short(value));
            return Some(self.problem(end..end + 1, "the colon has no space behind it", &help));
        }
        let plain = inner.len() == text.len() && !rest.contains(": ") && !word.starts_with("--");
        if !plain || !(rest.is_empty() || rest.starts_with(' ')) {
            return None;
        }
        let help = format!("write `{}`", short(format!("{word}: {value}").trim_end()));
        let message = format!("the colon behind `{}` is missing", short(word));
        Some(self.problem(end..end, message, &help))
    }

    /// Where a line's key begins, behind the `- ` of an entry.
    fn column(&self, line: &Line) -> usize {
        let text = self.slice(&line.span);
        line.indent + text.len() - text.trim_start_matches(['-', ' ']).len()
    }

    /// `- name Foo` above a key of the same entry.
    fn no_colon(&self, line: &Line) -> Option<Diagnostic> {
        let text = self.slice(&line.span);
        let (word, value) = text.strip_prefix("- ")?.split_once(' ')?;
        let end = line.span.end - value.len() - 1;
        let help = format!("write `- {}`", short(&format!("{word}: {value}")));
        let message = format!("the colon behind `{}` is missing", short(word));
        Some(self.problem(end..end, message, &help))
    }

    fn too_far_right(&self, line: &Line, above: &Line) -> Option<Diagnostic> {
        let is_key =
            |it: &Line| self.slice(&it.span).contains(": ") || self.slice(&it.span).ends_with(':');
        let same = (line.span.start..=line.span.end).contains(&self.at);
        if !(is_key(line) && same && self.info.contains("mapping values")) {
            return None;
        }
        if let Some(problem) = self.no_key(above) {
            return Some(problem);
        }
        if !is_key(above) {
            return self.no_colon(above);
        }
        let message =
            "this line stands further right than the key above it, which has a value already";
        let help = "let it begin in the same column as the keys it belongs to";
        Some(self.problem(line.span.start..line.span.start + 1, message, help))
    }

    /// A value without quotes that needs them, in the line where the parser gave up.
    pub(super) fn value(&self) -> Option<Diagnostic> {
        let flow = self.inside.is_some();
        let line_start = self.text.get(..self.at)?.rfind('\n').map_or(0, |at| at + 1);
        let end = line_end(self.text, self.at);
        let edge = |it: &char| flow && "[]{},".contains(*it);
        let before = self.text.get(line_start..self.at)?;
        let from = before.rfind(|it| edge(&it)).map_or(line_start, |at| line_start + at + 1);
        let rest = self.text.get(self.at..end)?;
        let skip = rest.chars().next().filter(edge).map_or(0, char::len_utf8);
        let to = rest.get(skip..)?.find(|it| edge(&it)).map_or(end, |at| self.at + skip + at);
        let part = self.text.get(from..to)?;
        let part = part.split(" #").next().unwrap_or(part).trim_end();
        let inner = part.trim_start_matches([' ', '-']);
        let (key, value) = match inner.split_once(": ") {
            Some((key, value)) => (key, value.trim_start()),
            None => ("", inner),
        };
        let span = from + part.len() - value.len()..from + part.len();
        let needs = match value.chars().next()? {
            '"' | '\'' | '[' | '{' | '#' => return self.tight_colon(),
            it @ ('@' | '`' | '%' | '*' | '&' | '!' | '|' | '>') => {
                let name = if it == '`' { "a backtick".to_owned() } else { format!("`{it}`") };
                format!("a value without quotes cannot begin with {name}")
            }
            '-' if value.starts_with("- ") && !key.is_empty() => {
                let message = "a list cannot begin behind its key on the same line";
                let help =
                    "write each entry on a line of its own, or the list in brackets: `[a, b]`";
                return Some(self.problem(span.start..span.start + 1, message, help));
            }
            _ if !key.is_empty() && (value.contains(": ") || value.ends_with(':')) => {
                "a value without quotes cannot hold `: `".to_owned()
            }
            _ => return self.tight_colon(),
        };
        let quoted = if value.contains(['"', '\\']) {
            format!("'{}'", value.replace('\'', "''"))
        } else {
            format!("\"{value}\"")
        };
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        let help = format!("put it in quotes: `{}`", short(&format!("{key}{quoted}")));
        Some(self.problem(span, needs, &help))
    }

    /// `area:[0, 0, 1, 1]`.
    fn tight_colon(&self) -> Option<Diagnostic> {
        let before = self.text.get(..self.at)?;
        let rest = self.text.get(self.at..)?;
        let colon = before.trim_end_matches(['[', '{', '"', '\'']);
        let tight = colon.ends_with(':')
            && (colon.len() < before.len() || rest.starts_with(['[', '{', '"', '\'']));
        let at = if tight { colon.len() - 1 } else { self.at };
        let here = self.text.get(at..)?;
        if !(tight || here.starts_with(":[") || here.starts_with(":{")) {
            return None;
        }
        Some(self.problem(
            at..at + 1,
            "the colon has no space behind it",
            "write a space behind the colon",
        ))
    }
}
