//! Why a text is no YAML: the likely cause, its place, and what to do about it.
//!
//! The parser says where it gave up, which is often lines below the mistake. Each cause here looks
//! at the text near that place and at what was open there (`scan`), and answers or passes on; the
//! first answer counts, and the parser's own words are the last. To name one more cause, add a
//! function to [`diagnose`] and a case to the table in `tests.rs`.

mod line;

use std::ops::Range;

use crate::diagnostic::{Diagnostic, FileId, Place, cover};

use super::scan::{self, Bracket, Scan};

/// What is known where the parser gave up.
struct Failure<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    info: &'t str,
    /// The bracket that is open there.
    inside: Option<Bracket>,
    /// What was seen up to the end of its line.
    scan: Scan,
}

/// Says what is wrong with a text that the parser gave up at a byte, with this reason.
pub(super) fn diagnose(file: FileId, text: &str, at: usize, info: &str) -> Diagnostic {
    let end = line_end(text, at);
    let scan = scan::scan(text.get(..end).unwrap_or(text));
    let inside = scan::scan(text.get(..at).unwrap_or(text)).open.last().copied();
    let it = Failure { file, text, at, info, inside, scan };
    it.merge_marker()
        .or_else(|| it.alias())
        .or_else(|| it.escape())
        .or_else(|| it.odd_space())
        .or_else(|| it.quote())
        .or_else(|| it.placeholder())
        .or_else(|| it.bracket())
        .or_else(|| it.line())
        .or_else(|| it.value())
        .unwrap_or_else(|| it.unclear())
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length)
}

impl<'t> Failure<'t> {
    fn problem(&self, span: Range<usize>, message: impl Into<String>, help: &str) -> Diagnostic {
        Diagnostic::error("syntax", &self.place(span), message).help(cover(help))
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file, span }
    }

    fn slice(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn at_end(&self) -> bool {
        self.text.get(self.at..).unwrap_or_default().trim().is_empty()
    }

    /// `<<<<<<<` and its like at the beginning of a line.
    fn merge_marker(&self) -> Option<Diagnostic> {
        let starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1));
        let marker = |at: &usize| {
            let rest = self.text.get(*at..).unwrap_or_default();
            let mut marks = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].into_iter();
            let behind = marks.find_map(|mark| rest.strip_prefix(mark));
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\r', '\n']))
        };
        let at = starts.into_iter().find(marker)?;
        let message = "a merge conflict is not resolved here";
        let help =
            "keep one of the two versions, and delete the lines `<<<<<<<`, `=======` and `>>>>>>>`";
        Some(self.problem(at..at + 7, message, help))
    }

    fn alias(&self) -> Option<Diagnostic> {
        let unknown = self.info.contains("unknown anchor")
            || (self.info.contains("anchor or alias")
                && self.text.as_bytes().get(self.at) == Some(&b'*'));
        if !unknown {
            return None;
        }
        let rest = self.text.get(self.at..line_end(self.text, self.at)).unwrap_or_default();
        let length = rest.find([' ', ',', ']', '}', '\r']).unwrap_or(rest.len());
        let place = self.place(self.at..self.at + length);
        let help = "share settings through a format in fleet.yaml instead; put a value that begins with `*` in quotes";
        let message = "YAML anchors and aliases are not read";
        Some(Diagnostic::error("yaml-anchor", &place, message).help(help))
    }

    fn escape(&self) -> Option<Diagnostic> {
        if !["unknown escape", "hexadecimal", "escape code"].iter().any(|it| self.info.contains(it))
        {
            return None;
        }
        let at = bad_escape(self.text, self.at)?;
        let length = self.text.get(at + 1..)?.chars().next().map_or(0, char::len_utf8);
        let escape = self.text.get(at..=at + length)?;
        let message = format!("`{escape}` means nothing in double quotes");
        let help = "write `\\\\` for one `\\`, or put the text in single quotes";
        Some(self.problem(at..at + 1 + length, message, help))
    }

    /// Tabs and spaces that are none, near the place.
    fn odd_space(&self) -> Option<Diagnostic> {
        let before = self.scan.lines.get(1).and_then(Option::as_ref);
        let here = self.scan.lines.first().and_then(Option::as_ref);
        let from = [before, here].into_iter().flatten().map(|it| it.span.start - it.indent).min();
        let from = from.unwrap_or(self.at).min(self.at);
        let next = line_end(self.text, self.at);
        let to = line_end(self.text, (next + 1).min(self.text.len()));
        let mut start = from;
        for line in self.text.get(from..to)?.split_inclusive('\n') {
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            let tab = line.get(..indent).and_then(|it| it.find('\t'));
            let behind_colon = line.find(":\t").map(|at| at + 1);
            let blank = line.trim().is_empty();
            if let Some(tab) = tab.or(behind_colon).filter(|_| !blank) {
                let (message, help) = if tab < indent {
                    (
                        "a tab stands in the indentation",
                        "write spaces in its place, two for each level",
                    )
                } else {
                    ("a tab stands behind the colon", "write a space in its place")
                };
                return Some(self.problem(start + tab..start + tab + 1, message, help));
            }
            let code = line.split(" #").next().unwrap_or(line);
            let odd = code.char_indices().find_map(|(at, it)| Some((at, it, odd_name(it)?)));
            if let Some((at, it, name)) = odd.filter(|_| !code.contains(['"', '\''])) {
                let message =
                    format!("this is a {name} (U+{:04X}) and counts as a letter", u32::from(it));
                let help = if it == '：' {
                    "write `:` and a space"
                } else {
                    "write a plain space in its place"
                };
                return Some(self.problem(start + at..start + at + it.len_utf8(), message, help));
            }
            start += line.len();
        }
        None
    }

    /// A text without quotes that begins with a placeholder of an alert's words, which YAML takes for
    /// a mapping: `{place} is empty`.
    fn placeholder(&self) -> Option<Diagnostic> {
        let end = line_end(self.text, self.at);
        let line_start = self.text.get(..self.at)?.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(line_start..end)?.trim_end();
        let begins = |(at, _): (usize, &str)| {
            let inside = line.get(at + ": {".len()..)?;
            let (name, rest) = inside.split_once('}')?;
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let goes_on = !rest.trim_start().starts_with([',', '}', ']', '#']) && !rest.is_empty();
            let quotes = line.get(..at)?.matches(['"', '\'']).count();
            (is_name && goes_on && quotes % 2 == 0).then_some(at + ": ".len())
        };
        let at = line.match_indices(": {").find_map(begins)?;
        let (before, value) = line.split_at(at);
        let message = "a value without quotes cannot begin with `{`";
        // Between brackets nobody knows where the text was meant to end.
        if before.contains(['{', '[']) {
            let length = value.find('}').map_or(value.len(), |end| end + 1);
            let span = line_start + at..line_start + at + length;
            return Some(self.problem(span, message, "put the whole text in quotes"));
        }
        let mark = if value.contains('"') { '\'' } else { '"' };
        let (before, shown) = (before.trim_start(), short(value));
        let help = format!("put the text in quotes: `{before}{mark}{shown}{mark}`");
        Some(self.problem(line_start + at..line_start + line.len(), message, &help))
    }

    fn quote(&self) -> Option<Diagnostic> {
        let unclosed = |at: usize| {
            let mark = self.text.get(at..=at).unwrap_or_default();
            let help = format!("write the `{mark}` that ends the text, on the same line");
            self.problem(at..at + 1, format!("the `{mark}` here is not closed"), &help)
        };
        if let Some(quote) = self.scan.quote {
            return Some(unclosed(quote.at));
        }
        let long = self.scan.long_quote.as_ref();
        let Some((span, behind)) = &self.scan.behind_quote else {
            let here = long.filter(|it| it.contains(&self.at) || it.end == self.at)?;
            return Some(unclosed(here.start));
        };
        if long == Some(span) {
            let closed = self.place(span.end - 1..span.end);
            return Some(unclosed(span.start).related(&closed, "it runs on to here"));
        }
        let text = self.slice(span);
        let rest = self.slice(&(span.end..line_end(self.text, span.end)));
        let help = if text.starts_with('\'') && *behind == span.end {
            let word: String = rest.chars().take_while(|it| *it != '\'').collect();
            let inner = text.trim_matches('\'');
            let all = short(&format!("{inner}'{word}"));
            format!(
                "double the `'` inside: `'{}'`, or use double quotes: `\"{all}\"`",
                all.replace('\'', "''")
            )
        } else if text.starts_with('"') && *behind == span.end {
            "write `\\\"` for a quote inside the text, or put the text in single quotes".to_owned()
        } else {
            "let the quotes reach to the end of the value, or leave them away".to_owned()
        };
        let message = "the quoted text ends before this";
        Some(
            self.problem(*behind..*behind + char_length(self.text, *behind), message, &help)
                .related(&self.place(span.clone()), "the quoted text"),
        )
    }

    fn bracket(&self) -> Option<Diagnostic> {
        let last = self.scan.open.last();
        let flow_indent = self.info.contains("invalid indentation in flow");
        let (bracket, other) = match (&self.scan.outsider, &self.scan.mismatch) {
            (Some((it, other)), _) => (it, Some((*other, "this cannot stand inside it"))),
            (None, Some((it, other))) => {
                (it, Some((*other, "this closes another kind of bracket")))
            }
            (None, None) if self.at_end() => (last?, None),
            (None, None) if flow_indent => (last?, Some((self.at, "this cannot stand inside it"))),
            (None, None) => return self.stray_bracket(),
        };
        let message = format!("the `{}` here is not closed", bracket.opener);
        let help = match bracket.comment {
            Some(_) => format!(
                "put the text with the `#` in quotes: behind a space `#` begins a comment, and the `{}` is part of it",
                bracket.closer
            ),
            None => format!("write the `{}` that belongs to it", bracket.closer),
        };
        let mut problem = self.problem(bracket.at..bracket.at + 1, message, &help);
        if let Some(at) = bracket.comment {
            problem = problem.related(&self.place(at..at + 1), "a comment begins here");
        }
        Some(match other {
            Some((at, label)) => problem.related(&self.place(at..at), label),
            None => problem,
        })
    }

    /// A bracket that closes nothing, and an entry of a list inside brackets.
    fn stray_bracket(&self) -> Option<Diagnostic> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = rest.chars().next()?;
        if self.inside.is_none() && self.info.contains("misplaced bracket") && "]}".contains(found)
        {
            let message = format!("no bracket is open that this `{found}` could close");
            return Some(self.problem(
                self.at..self.at + 1,
                message,
                "delete it, or write the bracket that opens it",
            ));
        }
        let bracket = self.inside?;
        if rest.starts_with("- ") {
            let message = format!("an entry with `-` cannot stand inside `{}`", bracket.opener);
            let help = "separate the entries by commas, or take the brackets away";
            let here = self.problem(self.at..self.at + 1, message, help);
            return Some(
                here.related(&self.place(bracket.at..bracket.at + 1), "inside what begins here"),
            );
        }
        None
    }

    fn unclear(&self) -> Diagnostic {
        let here = self.at..self.at;
        let Some(bracket) = self.inside else {
            if self.info.contains("expected key") || self.info.contains("expected '-'") {
                let message = "this line begins in no column of the lines that it belongs to";
                return self.problem(
                    here,
                    message,
                    "let it begin in the same column as its neighbours",
                );
            }
            let help =
                "mend the YAML here or just above: indentation, a missing colon, quote or bracket";
            return self.problem(here, self.info, help);
        };
        let help = format!(
            "look for a missing `,`, `:`, quote or `{}` here or just before",
            bracket.closer
        );
        let inside = self.place(bracket.at..bracket.at + 1);
        self.problem(here, self.info, &help).related(&inside, "inside what begins here")
    }
}

/// The name of a character that looks like a space or colon and is none.
pub(super) fn odd_name(it: char) -> Option<&'static str> {
    match it {
        '\u{a0}' => Some("no-break space"),
        '\u{202f}' | '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => {
            Some("space of another width")
        }
        '\u{200b}' | '\u{2060}' | '\u{feff}' => Some("space that shows nothing"),
        '：' => Some("full-width colon"),
        _ => None,
    }
}

fn char_length(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// A text as it may stand in a help.
fn short(text: &str) -> String {
    /// Most characters; our choice, to keep a help on one line.
    const SHOWN_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{} ...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The first escape behind a place that double quotes do not have, or whose digits are wrong.
fn bad_escape(text: &str, from: usize) -> Option<usize> {
    let mut rest = text.get(from..)?;
    loop {
        let at = rest.find('\\')?;
        let start = text.len() - rest.len() + at;
        let behind = rest.get(at + 1..)?;
        let kind = behind.chars().next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let number =
            behind.get(1..=digits).is_some_and(|it| it.chars().all(|it| it.is_ascii_hexdigit()));
        if !number || !"0abt\tnvfre \"/\\N_LPxuU\r\n".contains(kind) {
            return Some(start);
        }
        rest = behind.get(kind.len_utf8()..)?;
    }
}
