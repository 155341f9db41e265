//! Reads a text with its comments into a tree: each comment belongs to an entry, or to the end of a
//! block.
//!
//! The parser knows the values and forgets the comments, so this walks the source beside the
//! parser's tree. A comment on a line of its own belongs to the entry below it, or, where a block
//! has ended, to the innermost block that it is indented like; one behind something belongs to
//! that. An entry that was taken out with a `#` at the start of its line stays in its block. Every
//! comment that is met is noted in [`Tree::comments`] too, so that none can get lost.

use super::scalar::{self, Scalar};
use super::tree::{Collection, Comment, Content, Entry, Tree};
use crate::yaml::{Node, Value};

/// Reads a text beside the tree that the parser made of it; `None` where the two part.
pub(super) fn read(text: &str, node: &Node) -> Option<Tree> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 0,
        depth: 0,
        beside: false,
        after_text: false,
        waiting: vec![],
        comments: vec![],
    };
    reader.skip_prologue();
    let mut root = reader.collection(node, None)?;
    root.end.extend(reader.inline());
    reader.skip();
    while reader.take("...") {
        reader.skip();
    }
    root.end.append(&mut reader.waiting);
    if reader.at < text.len() {
        return None;
    }
    let (mut head, head_blank) = root.entries.first_mut().map_or((vec![], false), take_head);
    head.append(&mut root.opening);
    Some(Tree { root, head, head_blank, comments: reader.comments })
}

/// Takes from the first entry what is about the whole file: its comments up to the last blank line,
/// or all where there is none. Returns also whether a blank line followed them.
fn take_head(first: &mut Entry) -> (Vec<Comment>, bool) {
    if first.blank || first.above.is_empty() {
        let blank = std::mem::take(&mut first.blank) && !first.above.is_empty();
        return (std::mem::take(&mut first.above), blank);
    }
    match first.above.iter().rposition(|comment| comment.blank) {
        Some(at) if at > 0 => {
            let own = first.above.split_off(at);
            let head = std::mem::replace(&mut first.above, own);
            // The blank line is the head's, wherever the entry goes.
            first.open();
            (head, true)
        }
        _ => (std::mem::take(&mut first.above), false),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Where the line of `at` begins.
    line: usize,
    /// In how many collections `at` is.
    depth: usize,
    /// Whether something stands before `at` on its line.
    beside: bool,
    /// Whether a block scalar was read last: what stands right below it is not below its entry.
    after_text: bool,
    /// Comments on lines of their own that nobody has taken.
    waiting: Vec<Comment>,
    comments: Vec<String>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past a mark, if it is there.
    fn take(&mut self, mark: &str) -> bool {
        let there = self.rest().starts_with(mark);
        if there {
            self.go_to(self.at + mark.len());
        }
        there
    }

    fn go_to(&mut self, at: usize) {
        let passed = self.text.get(self.at..at).and_then(|passed| passed.rfind('\n'));
        self.line = passed.map_or(self.line, |end| self.at + end + 1);
        self.at = at;
        self.beside = true;
        self.after_text = false;
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Goes to the next thing that is no comment.
    fn skip(&mut self) {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some('\n') => {
                    self.at += 1;
                    self.line = self.at;
                    self.beside = false;
                }
                Some('#') => {
                    let comment = self.comment();
                    self.waiting.push(comment);
                }
                _ => return,
            }
        }
    }

    /// The comment beside what was read last.
    fn inline(&mut self) -> Option<Comment> {
        self.skip_blanks();
        let comment = (self.beside && self.peek() == Some('#')).then(|| self.comment())?;
        Some(Comment { blank: false, ..comment })
    }

    fn comment(&mut self) -> Comment {
        let text = self.rest().split('\n').next().unwrap_or_default();
        let length = text.len();
        let text = text.trim_end().to_owned();
        self.comments.push(text.clone());
        let comment = Comment { text, blank: self.blank_above(), column: self.column() };
        self.at += length;
        comment
    }

    fn column(&self) -> usize {
        self.at - self.line
    }

    /// Whether what stands here begins a line, and the line above is blank.
    fn blank_above(&self) -> bool {
        let first = self.text.get(self.line..self.at).unwrap_or_default();
        let above = self.line.checked_sub(1).and_then(|end| self.text.get(..end));
        let above = above.map(|text| text.rsplit('\n').next().unwrap_or_default());
        first.chars().all(|c| " \t-?{[,".contains(c))
            && above.is_some_and(|it| it.trim().is_empty())
    }

    /// Goes past `%YAML 1.2` and `---`, which say nothing that is not known.
    fn skip_prologue(&mut self) {
        self.skip();
        while self.peek() == Some('%') {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let end = line.find(" #").unwrap_or(line.len());
            self.at += end;
            self.skip();
        }
        if self.rest().starts_with("---")
            && self
                .rest()
                .get(3..)
                .is_some_and(|it| it.is_empty() || it.starts_with(char::is_whitespace))
        {
            self.at += 3;
            self.skip();
        }
    }

    /// Reads the collection that begins here; `outer` is the column of the block around it.
    fn collection(&mut self, node: &Node, outer: Option<usize>) -> Option<Collection> {
        let is_mapping = matches!(node.value, Value::Mapping(_));
        let mut collection = Collection {
            is_mapping,
            is_flow: matches!(self.peek(), Some('{' | '[')),
            entries: vec![],
            end: vec![],
            opening: vec![],
        };
        self.depth += 1;
        if collection.is_flow {
            self.flow(node, &mut collection)?;
        } else {
            self.block(node, &mut collection, outer)?;
        }
        self.depth -= 1;
        Some(collection)
    }

    fn flow(&mut self, node: &Node, collection: &mut Collection) -> Option<()> {
        let close = if self.peek() == Some('{') { "}" } else { "]" };
        self.go_to(self.at + 1);
        collection.opening.extend(self.inline());
        let mut last_line = None;
        for (key, value) in children(node) {
            self.skip();
            let mut entry = self.entry(key, value, None)?;
            last_line = Some(self.line);
            if collection.entries.is_empty() {
                entry.open();
            }
            self.skip();
            if self.take(",") {
                entry.trailing.extend(self.inline());
            }
            collection.entries.push(entry);
        }
        self.skip();
        collection.end.append(&mut self.waiting);
        self.take(close).then_some(())?;
        // Where the items of a list have comments, one behind its bracket is about the last item.
        let commented = collection.entries.iter().any(Entry::has_comment);
        if let Some(last) = collection.entries.last_mut()
            && commented
            && !collection.is_mapping
            && last_line == Some(self.line)
        {
            last.trailing.extend(self.inline());
        }
        Some(())
    }

    fn block(
        &mut self,
        node: &Node,
        collection: &mut Collection,
        outer: Option<usize>,
    ) -> Option<()> {
        let column = self.column();
        for (key, value) in children(node) {
            self.skip();
            let mut entry = self.entry(key, value, Some(column))?;
            if collection.entries.is_empty() && outer.is_some() {
                entry.open();
            }
            collection.entries.push(entry);
        }
        self.skip();
        // What is indented like this block, and not like the one around it, ends it.
        let within = |comment: &Comment| {
            comment.column >= column && outer.is_none_or(|outer| comment.column > outer)
        };
        let number = self.waiting.iter().take_while(|comment| within(comment)).count();
        collection.end.extend(self.waiting.drain(..number));
        // The root is the first collection, and its entries hold the second.
        if self.depth == 2 {
            let number = self.taken_out();
            collection.end.extend(self.waiting.drain(..number));
        }
        Some(())
    }

    /// How many of the comments that wait stand right below the block that ends here, whatever their
    /// indentation. Those that touch the entry below as well are about that, unless they look like
    /// an entry of the block.
    fn taken_out(&self) -> usize {
        let Some(first) = self.waiting.first().filter(|it| !it.blank && !self.after_text) else {
            return 0;
        };
        let number = 1 + self.waiting.iter().skip(1).take_while(|comment| !comment.blank).count();
        let touches_next =
            number == self.waiting.len() && self.at < self.text.len() && !self.blank_above();
        if touches_next && !first.is_like_entry() { 0 } else { number }
    }

    /// Reads one entry; `column` is that of the block that it stands in, `None` between brackets.
    fn entry(&mut self, key: Option<&Node>, value: &Node, column: Option<usize>) -> Option<Entry> {
        let mut entry = Entry {
            above: std::mem::take(&mut self.waiting),
            blank: self.blank_above(),
            key: None,
            name: String::new(),
            value: Content::Scalar(Scalar::Nothing),
            trailing: vec![],
        };
        match key {
            Some(key) => self.key(key, &mut entry)?,
            None if column.is_some() => {
                self.take("-").then_some(())?;
                entry.trailing.extend(self.inline());
            }
            // `[a: 1]` is a list of a mapping without brackets.
            None if matches!(value.value, Value::Mapping(_)) && self.peek() != Some('{') => {
                entry.value = Content::Collection(self.pair(value)?);
                return Some(entry);
            }
            None => {}
        }
        if !is_nothing(value) {
            self.value(value, column, &mut entry)?;
        }
        entry.trailing.extend(self.inline());
        Some(entry)
    }

    fn pair(&mut self, node: &Node) -> Option<Collection> {
        let mut entries = vec![];
        for (key, value) in children(node) {
            entries.push(self.entry(key, value, None)?);
        }
        Some(Collection { is_mapping: true, is_flow: true, entries, end: vec![], opening: vec![] })
    }

    fn key(&mut self, node: &Node, entry: &mut Entry) -> Option<()> {
        let explicit =
            self.rest().strip_prefix('?').is_some_and(|it| it.starts_with(char::is_whitespace));
        if explicit {
            self.take("?");
            entry.trailing.extend(self.inline());
            self.skip();
        }
        let mut key = Scalar::Nothing;
        if !is_nothing(node) {
            key = self.scalar(node, &mut entry.trailing)?;
        }
        entry.key = Some(scalar::key(&key, &node.value));
        node.text().unwrap_or_default().clone_into(&mut entry.name);
        entry.trailing.extend(self.inline());
        let at = (self.at, self.line, self.beside);
        let waiting = self.waiting.len();
        let comments = self.comments.len();
        self.skip();
        if self.take(":") {
            entry.trailing.extend(self.inline());
        } else {
            // A key alone: what was skipped is for whatever comes next.
            (self.at, self.line, self.beside) = at;
            self.waiting.truncate(waiting);
            self.comments.truncate(comments);
        }
        Some(())
    }

    fn value(&mut self, node: &Node, column: Option<usize>, entry: &mut Entry) -> Option<()> {
        self.skip();
        if matches!(node.value, Value::Scalar { .. }) {
            entry.lift(&mut self.waiting);
            entry.value = Content::Scalar(self.scalar(node, &mut entry.trailing)?);
            return Some(());
        }
        let mut collection = self.collection(node, column)?;
        entry.trailing.append(&mut collection.opening);
        if collection.entries.is_empty() {
            entry.lift(&mut collection.end);
        }
        entry.value = Content::Collection(collection);
        Some(())
    }

    fn scalar(&mut self, node: &Node, trailing: &mut Vec<Comment>) -> Option<Scalar> {
        let found = scalar::find(self.text, self.at, node.place.span.end, &node.value)?;
        if let Some(header_end) = found.header_end {
            self.go_to(header_end);
            trailing.extend(self.inline());
            // The lines of a block scalar are whole.
            self.go_to(found.end.max(self.at));
            self.beside = false;
            self.after_text = true;
        } else {
            self.go_to(found.end);
        }
        Some(found.scalar)
    }
}

fn children(node: &Node) -> Vec<(Option<&Node>, &Node)> {
    match &node.value {
        Value::Scalar { .. } => vec![],
        Value::Sequence(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Mapping(entries) => entries.iter().map(|(key, value)| (Some(key), value)).collect(),
    }
}

/// True for a null that is not even written.
fn is_nothing(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar { text, plain: true } if text.is_empty())
}
