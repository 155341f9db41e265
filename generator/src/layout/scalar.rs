//! Scalars as their author spelt them: found in the source, and written again at another place.
//!
//! Spelling and quotes stay. Only what a line's place decides changes: how far the lines of a text
//! over several lines are indented.

use crate::scalar::quoted;
use crate::yaml::Value;

/// A scalar as it is to be written.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    /// Nothing at all, which is null.
    Nothing,
    Line(String),
    /// A plain or quoted text over several lines, each without the blanks around it.
    Lines(Vec<String>),
    /// A block scalar: its header, and its lines without their common indentation.
    Block {
        header: String,
        lines: Vec<String>,
    },
}

/// A scalar in the source, and where it ends there.
pub(super) struct Found {
    pub scalar: Scalar,
    pub end: usize,
    /// Where its header ends, when it is a block scalar: a comment may follow there.
    pub header_end: Option<usize>,
}

/// Finds the scalar that begins at `at`; `span_end` is where the parser saw it end.
pub(super) fn find(text: &str, at: usize, span_end: usize, value: &Value) -> Option<Found> {
    let Value::Scalar { text: meaning, plain } = value else { return None };
    let rest = text.get(at..)?;
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) if !plain => {
            let end = at + quoted_length(rest, quote)?;
            Some(Found { scalar: of_lines(text.get(at..end)?), end, header_end: None })
        }
        Some('|' | '>') if !plain => block(text, at, span_end, meaning),
        _ => {
            let source = text.get(at..span_end)?.trim_end();
            let end = at + source.len();
            Some(Found { scalar: of_lines(source), end, header_end: None })
        }
    }
}

/// The same as a key, which stands on one line.
pub(super) fn key(scalar: &Scalar, value: &Value) -> String {
    match (scalar, value) {
        (Scalar::Line(line), _) => line.clone(),
        (_, Value::Scalar { text, plain: false }) => quoted(text),
        (_, Value::Scalar { text, plain: true }) if !text.is_empty() => text.clone(),
        _ => "null".to_owned(),
    }
}

/// Length of a quoted text with its quotes.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quote == '"' => {
                letters.next();
            }
            _ if letter != quote => {}
            '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
            }
            _ => return Some(at + 1),
        }
    }
    None
}

/// Splits a plain or quoted text into its lines.
fn of_lines(source: &str) -> Scalar {
    if !source.contains('\n') {
        return Scalar::Line(source.to_owned());
    }
    let last = source.matches('\n').count();
    let blank = |c| c == ' ' || c == '\t';
    let lines = source.split('\n').enumerate().map(|(number, line)| {
        let line = if number == 0 { line } else { line.trim_start_matches(blank) };
        let short = line.trim_end_matches(blank);
        let escapes = short.chars().rev().take_while(|c| *c == '\\').count();
        // In `"... \ ` the blank after the backslash is part of the text.
        let kept = if source.starts_with('"') && escapes % 2 == 1 && short.len() < line.len() {
            line.get(..=short.len()).unwrap_or(line)
        } else {
            short
        };
        if number == last { line.to_owned() } else { kept.to_owned() }
    });
    Scalar::Lines(lines.collect())
}

fn block(text: &str, at: usize, span_end: usize, meaning: &str) -> Option<Found> {
    let line_end = text.get(at..)?.find('\n').map_or(text.len(), |length| at + length);
    let line = text.get(at..line_end)?;
    let header = line.split([' ', '\t', '#']).next().unwrap_or_default();
    let header_end = at + header.len();
    if meaning.chars().all(|c| c == '\n' || c == ' ' || c == '\t') {
        return Some(without_text(text, (line_end, span_end), header_end, meaning));
    }
    let content = text.get(line_end + 1..span_end)?;
    // Beyond the last line break stands the indentation of what comes next, unless the file ends.
    let content = match content.rfind('\n') {
        Some(end) if content.get(end + 1..).is_some_and(|it| it.trim().is_empty()) => {
            content.get(..=end)?
        }
        _ => content,
    };
    let end = line_end + 1 + content.len();
    let first = content.split('\n').find(|line| !line.trim().is_empty())?;
    let first_meant = meaning.split('\n').find(|line| !line.trim().is_empty())?;
    let indent = leading(first).checked_sub(leading(first_meant))?;
    let content = content.strip_suffix('\n').unwrap_or(content);
    let mut lines: Vec<String> =
        content.split('\n').map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
    if !header.contains('+') {
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
    }
    let header = new_header(header, meaning);
    Some(Found { scalar: Scalar::Block { header, lines }, end, header_end: Some(header_end) })
}

/// A block scalar of blanks and line breaks alone, which quotes show better.
fn without_text(
    text: &str,
    (line_end, span_end): (usize, usize),
    header_end: usize,
    meaning: &str,
) -> Found {
    let content = text.get(line_end..span_end).unwrap_or_default();
    let blank = content.len() - content.trim_start().len();
    let end = if meaning.is_empty() { line_end } else { line_end + blank };
    let line = if meaning.is_empty() { "\"\"".to_owned() } else { quoted(meaning) };
    Found { scalar: Scalar::Line(line), end, header_end: Some(header_end) }
}

/// The header at its new place, where the lines stand two columns in.
fn new_header(header: &str, meaning: &str) -> String {
    let style = header.chars().next().unwrap_or('|');
    let digit = if header.contains(|c: char| c.is_ascii_digit()) { "2" } else { "" };
    let chomp = match header {
        // At the end of a file without a last line break.
        _ if !meaning.ends_with('\n') => "-",
        _ if header.contains('+') => "+",
        _ => "",
    };
    format!("{style}{digit}{chomp}")
}

fn leading(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
