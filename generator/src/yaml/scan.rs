//! A rough look at a text that is no YAML: which quote and which bracket is open where the parser
//! gave up, and what cannot be right before that.
//!
//! It goes over the text once, line by line, and stops at the first thing that is surely wrong. It
//! accepts nothing and refuses nothing: `diagnose` makes messages of what it saw.

use std::ops::Range;

/// A bracket that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bracket {
    pub at: usize,
    pub opener: char,
    pub closer: char,
    /// How far its line is indented.
    indent: usize,
    /// A comment inside it that holds what would close it.
    pub comment: Option<usize>,
}

/// A quote that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    pub at: usize,
    mark: u8,
    /// How many lines it has run over.
    lines: usize,
}

/// A line outside of quotes and brackets: where its text stands, and how far right.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub span: Range<usize>,
    pub indent: usize,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub open: Vec<Bracket>,
    /// The quote that is open at the end.
    pub quote: Option<Quote>,
    /// The last quoted text that runs over a line's end.
    pub long_quote: Option<Range<usize>>,
    /// A quoted text, and what stands behind it and does not belong there.
    pub behind_quote: Option<(Range<usize>, usize)>,
    /// A bracket, and one of another kind that would close it.
    pub mismatch: Option<(Bracket, usize)>,
    /// A bracket, and a line inside it that begins like one outside.
    pub outsider: Option<(Bracket, usize)>,
    /// The last lines outside of quotes and brackets, the very last one first.
    pub lines: [Option<Line>; 3],
    /// Lines that stand further right than this belong to a block text.
    block_text: Option<usize>,
}

/// Looks at a text up to a place.
pub(super) fn scan(text: &str) -> Scan {
    let mut scan = Scan::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        scan.line(start, line);
        if scan.behind_quote.is_some() || scan.mismatch.is_some() {
            break;
        }
        start += line.len();
    }
    scan
}

impl Scan {
    fn line(&mut self, start: usize, line: &str) {
        let content = line.trim_end();
        let text = content.trim_start_matches([' ', '\t']);
        let indent = content.len() - text.len();
        if let Some(quote) = &mut self.quote {
            quote.lines += 1;
        } else {
            if self.block_text.is_some_and(|outer| text.is_empty() || indent > outer) {
                return;
            }
            self.block_text = None;
            if text.is_empty() {
                return;
            }
            if let Some(bracket) = self.open.last() {
                let begins = begins_outside(text) && indent <= bracket.indent;
                if begins && self.outsider.is_none() {
                    self.outsider = Some((*bracket, start + indent));
                }
            } else if !text.starts_with('#') {
                self.lines.rotate_right(1);
                let span = start + indent..start + content.len();
                if let Some(last) = self.lines.first_mut() {
                    *last = Some(Line { span, indent });
                }
            }
        }
        self.bytes(start, content, indent);
    }

    /// Goes over one line's quotes, brackets and comment.
    fn bytes(&mut self, start: usize, line: &str, indent: usize) {
        let bytes = line.as_bytes();
        // Whether a value or key may begin here, and whether a comment may.
        let (mut fresh, mut gap) = (true, true);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Some(quote) = self.quote {
                let Some(end) = end_of_quote(bytes, at, quote.mark) else { return };
                self.close_quote(quote, start + end, line.get(end..).unwrap_or_default());
                if self.behind_quote.is_some() {
                    return;
                }
                (at, fresh, gap) = (end, false, false);
                continue;
            }
            let space = bytes.get(at + 1).is_none_or(|it| matches!(it, b' ' | b'\t'));
            let flow = !self.open.is_empty();
            match byte {
                b' ' | b'\t' => {}
                b'#' if gap => return self.comment(start + at, line.get(at..).unwrap_or_default()),
                b'"' | b'\'' if fresh => {
                    self.quote = Some(Quote { at: start + at, mark: *byte, lines: 0 });
                }
                b'[' | b'{' if fresh || flow => {
                    let (opener, closer) = if *byte == b'[' { ('[', ']') } else { ('{', '}') };
                    self.open.push(Bracket {
                        at: start + at,
                        opener,
                        closer,
                        indent,
                        comment: None,
                    });
                    fresh = true;
                }
                b']' | b'}' if flow => {
                    fresh = false;
                    let bracket = self.open.pop();
                    if let Some(it) = bracket.filter(|it| it.closer != char::from(*byte)) {
                        self.mismatch = Some((it, start + at));
                        return;
                    }
                }
                b',' if flow => fresh = true,
                b':' if space => fresh = true,
                b'-' if space && fresh && !flow => {}
                b'|' | b'>' if fresh && !flow && begins_block_text(line.get(at + 1..)) => {
                    self.block_text = Some(indent);
                    return;
                }
                _ => fresh = false,
            }
            gap = matches!(byte, b' ' | b'\t');
            at += 1;
        }
    }

    /// Takes a quoted text that ends, and looks at the rest of its line.
    fn close_quote(&mut self, quote: Quote, end: usize, rest: &str) {
        self.quote = None;
        if quote.lines > 0 {
            self.long_quote = Some(quote.at..end);
        }
        let behind = rest.trim_start();
        let comment = behind.len() < rest.len() && behind.starts_with('#');
        let fits = if self.open.is_empty() { ":" } else { ":,]}" };
        if !behind.is_empty() && !comment && !behind.starts_with(|it| fits.contains(it)) {
            self.behind_quote = Some((quote.at..end, end + rest.len() - behind.len()));
        }
    }

    fn comment(&mut self, at: usize, text: &str) {
        if let Some(bracket) = self.open.last_mut()
            && bracket.comment.is_none()
            && text.contains(bracket.closer)
        {
            bracket.comment = Some(at);
        }
    }
}

/// Just behind the byte that closes a quote, from here on in this line.
fn end_of_quote(line: &[u8], from: usize, mark: u8) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = line.get(at) {
        let doubled = mark == b'\'' && *byte == mark && line.get(at + 1) == Some(&mark);
        match byte {
            b'\\' if mark == b'"' => at += 2,
            _ if doubled => at += 2,
            _ if *byte == mark => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// True for an entry of a list, and for a key of lower-case letters.
fn begins_outside(line: &str) -> bool {
    let key = line.trim_start_matches(|it: char| it.is_ascii_lowercase() || it == '_');
    let is_key = key.len() < line.len() && (key == ":" || key.starts_with(": "));
    line.starts_with("- ") || is_key
}

/// True for what stands behind `|` or `>` where a text of several lines begins.
fn begins_block_text(rest: Option<&str>) -> bool {
    rest.is_some_and(|rest| rest.chars().all(|it| "+-123456789 ".contains(it)))
}
