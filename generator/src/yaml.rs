//! YAML as a tree in which every node knows its place; strict where YAML is a trap.
//!
//! Scalars stay text: `NO`, `0421` and `1e3` mean what the field that reads them says, never a
//! boolean, a number in base eight or a float by surprise. Refused, each with its place: anchors
//! and aliases (bombs), tags, several documents, keys that are no scalar, duplicate keys, control
//! characters, nesting and sizes beyond any real file. Reading is linear in the file's size.

mod diagnose;
mod scan;
mod tight;

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::diagnostic::{Diagnostic, FileId, Place};

/// Largest file that is read, in bytes. Our choice: a flagship of 400 cameras, each on five lines,
/// is 60 kB; a file a hundred times that size is a mistake.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting. Our choice: a store's file needs six levels.
const DEPTH_MAX: usize = 24;

/// One node and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, and whether it stood without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// Keys are scalars and differ from one another.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// True for `~`, `null` and nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    pub fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(_))
    }

    /// What it is, in words for a message.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "a value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Parses one file. The tree is `None` when there is nothing to go on with.
pub fn parse(file: FileId, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let mut builder = Builder::new(file, text);
    if let Err(refused) = builder.check_text() {
        return (None, vec![*refused]);
    }
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(Box::new(builder.syntax_error(&error))),
        };
        if let Err(problem) = outcome {
            builder.problems.push(*problem);
            return (None, builder.problems);
        }
    }
    if builder.root.is_none() && builder.problems.is_empty() {
        let problem = Diagnostic::error("empty-file", &builder.place(0..0), "the file is empty")
            .help("write keys and their values, one `key: value` on each line");
        builder.problems.push(problem);
    }
    (builder.root, builder.problems)
}

/// The problem of a file with more than [`FILE_BYTES_MAX`] bytes.
pub fn too_large(file: FileId) -> Diagnostic {
    let message = format!("the file is over the {FILE_BYTES_MAX} bytes that are read");
    Diagnostic::error("file-too-large", &Place { file, span: 0..0 }, message)
        .help("split the store, or look what made the file so large")
}

fn too_deep(place: &Place) -> Diagnostic {
    Diagnostic::error("too-deep", place, format!("nested more than {DEPTH_MAX} levels deep"))
        .help("look for brackets that are never closed")
}

/// A collection that is being read.
enum Open {
    Sequence(Range<usize>, Vec<Node>),
    /// The key that waits for its value stands last.
    Mapping(Range<usize>, Vec<(Node, Node)>, Option<Node>, HashMap<String, Place>),
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    /// Byte offset of each character; empty for ASCII, where both are the same.
    offsets: Vec<usize>,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    problems: Vec<Diagnostic>,
}

type Step = Result<(), Box<Diagnostic>>;

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t str) -> Self {
        let offsets = if text.is_ascii() || text.len() > FILE_BYTES_MAX {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self {
            file,
            text,
            offsets,
            stack: Vec::new(),
            root: None,
            documents: 0,
            problems: Vec::new(),
        }
    }

    fn check_text(&self) -> Step {
        let text = self.text;
        if text.len() > FILE_BYTES_MAX {
            return Err(Box::new(too_large(self.file)));
        }
        let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if let Some((at, c)) = text.char_indices().find(|(_, c)| control(*c)) {
            let message = format!(
                "the file holds the control character U+{:04X}, which shows nothing",
                u32::from(c)
            );
            let place = self.place(at..at + c.len_utf8());
            let problem = Diagnostic::error("control-character", &place, message)
                .help("delete it; save the file as plain UTF-8 text");
            return Err(Box::new(problem));
        }
        Ok(())
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { file: self.file, span }
    }

    fn byte(&self, index: usize) -> usize {
        if self.offsets.is_empty() {
            return index.min(self.text.len());
        }
        self.offsets.get(index).copied().unwrap_or(self.text.len())
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.byte(span.start.index())..self.byte(span.end.index())
    }

    fn syntax_error(&self, error: &saphyr_parser::ScanError) -> Diagnostic {
        let at = self.byte(error.marker().index());
        let here = self.place(at..at);
        // The parser's own bound is met before ours where brackets alone are nested.
        if error.info().contains("recursion limit") {
            return too_deep(&here);
        }
        diagnose::diagnose(self.file, self.text, at, error.info())
    }

    /// The bracket at this place, if one is there, and the one that closes it.
    fn closer(&self, at: usize) -> Option<(char, char)> {
        match self.text.as_bytes().get(at)? {
            b'[' => Some(('[', ']')),
            b'{' => Some(('{', '}')),
            _ => None,
        }
    }

    /// Where a collection in brackets ends: behind the bracket that closes it.
    fn end_of_flow(&self, start: usize, last: usize) -> Option<usize> {
        let (_, closer) = self.closer(start)?;
        let mut in_comment = false;
        let from = last.max(start + 1);
        for (offset, byte) in self.text.as_bytes().get(from..)?.iter().enumerate() {
            match byte {
                b'\n' => in_comment = false,
                b'#' => in_comment = true,
                byte if !in_comment && char::from(*byte) == closer => {
                    return Some(from + offset + 1);
                }
                _ => {}
            }
        }
        None
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Step {
        let span = self.range(span);
        match event {
            Event::DocumentStart(_) => self.start_document(span),
            Event::Alias(_) => Err(Box::new(self.refuse_anchor(span))),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                Err(Box::new(self.refuse_anchor(span)))
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                let problem = Diagnostic::error(
                    "yaml-tag",
                    &self.place(span),
                    "YAML tags such as `!Ref` have no meaning here",
                );
                Err(Box::new(
                    problem.help("write the plain value; quote it if it must begin with `!`"),
                ))
            }
            Event::Scalar(text, style, _, _) => {
                let plain = style == ScalarStyle::Plain;
                self.add(span, Value::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(..) => self.open(Open::Sequence(span, Vec::new())),
            Event::MappingStart(..) => {
                self.open(Open::Mapping(span, Vec::new(), None, HashMap::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn start_document(&mut self, span: Range<usize>) -> Step {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let problem = Diagnostic::error(
            "several-documents",
            &self.place(span),
            "a second YAML document begins here",
        );
        Err(Box::new(problem.help("keep one store per file, without `---` inside")))
    }

    fn refuse_anchor(&self, span: Range<usize>) -> Diagnostic {
        // The parser's span may reach to the value behind it.
        let rest = self.text.get(span.start..).unwrap_or_default();
        let length = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c));
        let span = span.start..span.start + length.unwrap_or(rest.len());
        Diagnostic::error("yaml-anchor", &self.place(span), "YAML anchors and aliases are not read")
            .help("share settings through a format in fleet.yaml instead")
    }

    fn open(&mut self, open: Open) -> Step {
        if self.stack.len() >= DEPTH_MAX {
            let (Open::Sequence(span, _) | Open::Mapping(span, ..)) = open;
            return Err(Box::new(too_deep(&self.place(span.start..span.start))));
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self, end: &Range<usize>) -> Step {
        let (span, last, value) = match self.stack.pop() {
            Some(Open::Sequence(span, items)) => {
                let last = items.last().map(|last| last.place.span.end);
                (span, last, Value::Sequence(items))
            }
            Some(Open::Mapping(span, entries, ..)) => {
                let last = entries.last().map(|(_, value)| value.place.span.end);
                (span, last, Value::Mapping(entries))
            }
            None => return Ok(()),
        };
        let flow_end = self.end_of_flow(span.start, last.unwrap_or_default());
        // A block ends with its last entry, not with the blank lines behind it.
        let end = flow_end.or(last).unwrap_or(end.end).max(span.start);
        self.add(span.start..end, value)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, span: Range<usize>, value: Value) -> Step {
        let mut node = Node { place: self.place(span), value };
        let text = self.text;
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence(_, items)) => items.push(node),
            Some(Open::Mapping(_, entries, waiting, seen)) => {
                if let Some(key) = waiting.take() {
                    tight::mark_bare(text, &key, &mut node);
                    if let Some((key, node, problem)) = tight::split(&key, &node) {
                        keep(&mut self.problems, Some(problem));
                        keep(&mut self.problems, check_key(&key, seen)?);
                        entries.push((key, node));
                    } else {
                        entries.push((key, node));
                    }
                    return Ok(());
                }
                if let Some(problem) = tight::odd_space(&node) {
                    return Err(Box::new(problem));
                }
                keep(&mut self.problems, check_key(&node, seen)?);
                *waiting = Some(node);
            }
        }
        Ok(())
    }
}

/// Takes a problem, unless there are more than anybody will be shown.
fn keep(problems: &mut Vec<Diagnostic>, problem: Option<Diagnostic>) {
    /// Most that are kept. Our choice, five times what is shown: a file of nothing but slips must
    /// not take its size in memory many times over.
    const KEPT_PER_FILE: usize = 1_000;
    if problems.len() < KEPT_PER_FILE {
        problems.extend(problem);
    }
}

/// Takes a key among those of its mapping; returns what is wrong with it, if the rest can be read.
fn check_key(
    node: &Node,
    seen: &mut HashMap<String, Place>,
) -> Result<Option<Diagnostic>, Box<Diagnostic>> {
    let Value::Scalar { text, .. } = &node.value else {
        let problem = Diagnostic::error("key-not-text", &node.place, "a key must be plain text");
        let help = "a placeholder such as `{{ name }}` must be filled in before; a value that begins with `{` or `[` must be quoted";
        return Err(Box::new(problem.help(help)));
    };
    let Some(first) = seen.get(text) else {
        seen.insert(text.clone(), node.place.clone());
        return Ok(None);
    };
    let problem =
        Diagnostic::error("duplicate-key", &node.place, format!("the key `{text}` stands twice"));
    Ok(Some(problem.label("again here").related(first, "first here").help("keep one of the two")))
}

#[cfg(test)]
mod tests;
