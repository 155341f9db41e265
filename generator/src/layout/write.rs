//! Writes a tree in its one layout.
//!
//! What the author wrote in brackets stays in brackets on one line while it fits, holds no comment
//! and no text over several lines; a list of mappings under a key always has an item per line.
//! Everything else is written as blocks, two columns in for each level.

use super::scalar::Scalar;
use super::tree::{Collection, Comment, Content, Entry, Tree};

/// Longest line that brackets are kept on, in characters. Our choice: two such files fit side by
/// side on a wide screen, and every example store keeps its one line per camera.
const LINE_MAX: usize = 120;

/// How an entry's value is written.
enum Form {
    Nothing,
    Line(String),
    Lines(Vec<String>),
    /// A header, and lines that belong to it.
    Text(String, Vec<String>),
    Block,
}

/// What stands around an entry.
struct Around {
    above: Vec<Comment>,
    /// Whether a blank line stands between that and the entry.
    blank: bool,
    beside: Option<Comment>,
}

/// Writes a whole file.
pub(super) fn write(tree: &Tree) -> String {
    let mut writer = Writer::default();
    for comment in &tree.head {
        writer.comment(comment, 0);
    }
    if tree.root.entries.is_empty() {
        for comment in &tree.root.end {
            writer.comment(comment, 0);
        }
        return writer.out + "{}\n";
    }
    let first = tree.root.entries.first();
    let has_own = first.is_some_and(|entry| !around(entry, 0).above.is_empty());
    if !tree.head.is_empty() && (tree.head_blank || has_own) {
        writer.blank_line();
    }
    writer.block(&tree.root, 0, Start::Line);
    writer.out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// The first entry begins a line.
    Line,
    /// It stands behind the `- ` of an item, its comments above that.
    BehindDash,
}

#[derive(Default)]
struct Writer {
    out: String,
    /// A text that keeps its last line breaks was just written: another would belong to it.
    after_kept: bool,
}

impl Writer {
    fn blank_line(&mut self) {
        if !self.after_kept && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.indent(indent);
        self.out.push_str(text);
        self.end_line();
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.after_kept = false;
    }

    fn comment(&mut self, comment: &Comment, indent: usize) {
        if comment.blank {
            self.blank_line();
        }
        self.line(indent, &comment.text);
    }

    fn block(&mut self, collection: &Collection, indent: usize, start: Start) {
        let mut before: Option<&Entry> = None;
        for entry in &collection.entries {
            let mut around = around(entry, indent);
            match before {
                // Nothing opens a block with a blank line.
                None => *around.first() = false,
                // What follows a block stands apart from it, or a comment would seem to be in it.
                Some(before) if indent == 0 && is_block(before, 0) => *around.first() = true,
                Some(_) => {}
            }
            if before.is_some() || start == Start::Line {
                for comment in &around.above {
                    self.comment(comment, indent);
                }
                if around.blank {
                    self.blank_line();
                }
                self.indent(indent);
            }
            self.entry(entry, around.beside.as_ref(), indent);
            before = Some(entry);
        }
        if indent == 0 && !collection.end.is_empty() && before.is_some_and(|it| is_block(it, 0)) {
            self.blank_line();
        }
        for comment in &collection.end {
            self.comment(comment, indent);
        }
    }

    fn entry(&mut self, entry: &Entry, beside: Option<&Comment>, indent: usize) {
        let form = form(entry, indent);
        let mark = entry.key.as_ref().map_or_else(|| "-".to_owned(), |key| format!("{key}:"));
        self.out.push_str(&mark);
        match (&form, &entry.value) {
            (Form::Block, Content::Collection(collection)) if entry.key.is_none() => {
                self.out.push(' ');
                self.block(collection, indent + 2, Start::BehindDash);
            }
            (Form::Block, Content::Collection(collection)) => {
                self.beside(beside);
                self.block(collection, indent + 2, Start::Line);
            }
            (Form::Line(line), _) => {
                self.out.push(' ');
                self.out.push_str(line);
                self.beside(beside);
            }
            (Form::Lines(lines), _) => {
                self.out.push(' ');
                self.out.push_str(&folded(lines, indent + 2));
                self.beside(beside);
            }
            (Form::Text(header, lines), _) => {
                self.out.push(' ');
                self.out.push_str(header);
                self.beside(beside);
                for line in lines {
                    self.line(if line.is_empty() { 0 } else { indent + 2 }, line);
                }
                self.after_kept = header.ends_with('+');
            }
            (Form::Nothing | Form::Block, _) => self.beside(beside),
        }
    }

    fn beside(&mut self, comment: Option<&Comment>) {
        if let Some(comment) = comment {
            self.out.push(' ');
            self.out.push_str(&comment.text);
        }
        self.end_line();
    }
}

impl Around {
    /// Whether a blank line stands above all of it.
    fn first(&mut self) -> &mut bool {
        self.above.first_mut().map_or(&mut self.blank, |comment| &mut comment.blank)
    }

    fn lift(&mut self, comments: impl IntoIterator<Item = Comment>) {
        for mut comment in comments {
            comment.blank = std::mem::take(&mut self.blank);
            self.above.push(comment);
        }
    }
}

/// Sorts out which comments stand above an entry: one can stay beside it, and none behind a dash
/// that opens a block.
fn around(entry: &Entry, indent: usize) -> Around {
    let mut around = Around { above: entry.above.clone(), blank: entry.blank, beside: None };
    let mut trailing = entry.trailing.clone();
    if let (None, Content::Collection(collection)) = (&entry.key, &entry.value)
        && is_block(entry, indent)
    {
        around.lift(trailing);
        if let Some(first) = collection.entries.first() {
            around.lift(self::around(first, indent + 2).above);
        }
        return around;
    }
    around.beside = trailing.pop();
    around.lift(trailing);
    around
}

fn is_block(entry: &Entry, indent: usize) -> bool {
    matches!(form(entry, indent), Form::Block)
}

fn form(entry: &Entry, indent: usize) -> Form {
    let collection = match &entry.value {
        Content::Scalar(Scalar::Nothing) => return Form::Nothing,
        Content::Scalar(Scalar::Line(line)) => return Form::Line(line.clone()),
        Content::Scalar(Scalar::Lines(lines)) => return Form::Lines(lines.clone()),
        Content::Scalar(Scalar::Block { header, lines }) => {
            return Form::Text(header.clone(), lines.clone());
        }
        Content::Collection(collection) => collection,
    };
    let mark = entry.key.as_ref().map_or(1, |key| key.chars().count() + 1);
    match in_brackets(collection) {
        Some(line) if collection.entries.is_empty() => Form::Line(line),
        Some(line) if !lists_mappings(collection) => {
            let fits = indent + mark + 1 + line.chars().count() <= LINE_MAX;
            if fits { Form::Line(line) } else { Form::Block }
        }
        _ => Form::Block,
    }
}

fn lists_mappings(collection: &Collection) -> bool {
    let is_mapping =
        |entry: &Entry| matches!(&entry.value, Content::Collection(it) if it.is_mapping);
    !collection.is_mapping && collection.entries.iter().any(is_mapping)
}

/// A collection on one line, where its author wrote it in brackets and nothing in it needs a line.
fn in_brackets(collection: &Collection) -> Option<String> {
    if collection.entries.is_empty() {
        return Some(if collection.is_mapping { "{}" } else { "[]" }.to_owned());
    }
    if !collection.is_flow || !collection.end.is_empty() {
        return None;
    }
    let items: Option<Vec<_>> = collection.entries.iter().map(item).collect();
    let items = items?.join(", ");
    Some(if collection.is_mapping { format!("{{ {items} }}") } else { format!("[{items}]") })
}

fn item(entry: &Entry) -> Option<String> {
    if !entry.above.is_empty() || !entry.trailing.is_empty() {
        return None;
    }
    let value = match &entry.value {
        Content::Scalar(Scalar::Nothing) => return entry.key.as_ref().map(|key| format!("{key}:")),
        Content::Scalar(Scalar::Line(line)) => line.clone(),
        Content::Scalar(_) => return None,
        Content::Collection(collection) => in_brackets(collection)?,
    };
    Some(entry.key.as_ref().map_or_else(|| value.clone(), |key| format!("{key}: {value}")))
}

/// A text over several lines, of which all but the first stand so far in.
fn folded(lines: &[String], indent: usize) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', if line.is_empty() { 0 } else { indent }));
        }
        text.push_str(line);
    }
    text
}
