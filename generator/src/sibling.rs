//! A new store's file from another's: `arm new STORE --like OTHER`. Pure.
//!
//! The text is edited where something must change and kept everywhere else, comments and layout
//! included; what comes out is read again and must say what was meant. What is the other store's
//! own does not come along unseen: cameras lose their addresses, warnings that it accepts are not
//! accepted in the new one, and [`Sibling`] names everybody who would be told.

use std::ops::Range;

use crate::diagnostic::Sources;
use crate::layout;
use crate::scalar::written;
use crate::yaml::{self, Node, Value};

/// A new store's text, and what its author must look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sibling {
    pub text: String,
    /// Addresses that are told in the other store and would be in this one.
    pub told: Vec<String>,
    /// References that had the other store's id, with the new one.
    pub references: Vec<String>,
    /// How many cameras had an address.
    pub cameras: usize,
    /// Codes of the warnings that the other store accepts, which do not come along.
    pub accepted: Vec<String>,
}

/// Returns the text of another store with a new id and name; `None` when it has no `store` or no
/// `name`, or is written in a way that cannot be edited.
pub fn make(text: &str, other: &Node, id: &str, name: &str) -> Option<Sibling> {
    let old_id = value_of(other, "store").filter(|node| !node.is_null())?;
    let old_name = value_of(other, "name").filter(|node| !node.is_null())?;
    let mut edits = vec![
        Edit { range: range(text, old_id)?, new: written(id) },
        Edit { range: range(text, old_name)?, new: written(name) },
    ];
    let mut sibling = Sibling::default();
    let mut meant = other.clone();
    set(&mut meant, "store", id);
    set(&mut meant, "name", name);
    for camera in items(&mut meant, "cameras") {
        sibling.cameras += usize::from(forget(camera, "rtsp"));
    }
    if let Some(Value::Sequence(cameras)) = value_of(other, "cameras").map(|node| &node.value) {
        edits.extend(cameras.iter().filter_map(|camera| without(text, camera, "rtsp")));
    }
    sibling.accepted = accepted(other);
    if !sibling.accepted.is_empty() {
        forget(&mut meant, "allow");
        edits.push(without_block(text, other, "allow")?);
    }
    let old_id = old_id.text()?;
    for node in items(&mut meant, "subscribers") {
        for channel in CHANNELS {
            let Some(address) = value_of(node, channel) else { continue };
            let Some(old) = address.text() else { continue };
            let new = with_id(old, old_id, id);
            let is_reference = old.starts_with("ssm:") || old.starts_with("secret:");
            if !is_reference || new == old {
                sibling.told.push(old.to_owned());
                continue;
            }
            let range = range(text, address)?;
            edits.push(Edit { new: with_id(text.get(range.clone())?, old_id, id), range });
            set(node, channel, &new);
            sibling.references.push(new);
        }
    }
    sibling.text = edited(text, edits)?;
    let file = Sources::default().add(String::new(), String::new());
    let (made, problems) = yaml::parse(file, &sibling.text);
    (problems.is_empty() && says(&made?, &meant)).then_some(sibling)
}

/// The id that follows in a series, such as `seattle-002` after `seattle-001`, and is not taken;
/// `None` when the id does not end in a number.
pub fn next_id(id: &str, taken: impl Fn(&str) -> bool) -> Option<String> {
    let series = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = id.get(series.len()..)?;
    let number: u32 = digits.parse().ok()?;
    let width = digits.len();
    (number.checked_add(1)?..=u32::MAX)
        .map(|number| format!("{series}{number:0width$}"))
        .find(|id| !taken(id))
}

/// The channels by which a subscriber is told.
const CHANNELS: [&str; 4] = ["email", "sms", "https", "push"];

/// What to write in place of a stretch of the text.
struct Edit {
    range: Range<usize>,
    new: String,
}

fn value_of<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Mapping(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
}

fn value_of_mut<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let Value::Mapping(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
}

fn items<'n>(node: &'n mut Node, name: &str) -> impl Iterator<Item = &'n mut Node> {
    let items = value_of_mut(node, name).and_then(|node| match &mut node.value {
        Value::Sequence(items) => Some(items),
        _ => None,
    });
    items.into_iter().flatten()
}

fn set(node: &mut Node, name: &str, text: &str) {
    if let Some(node) = value_of_mut(node, name) {
        node.value = Value::Scalar { text: text.to_owned(), plain: false };
    }
}

/// Takes a key out; returns whether it was there.
fn forget(node: &mut Node, name: &str) -> bool {
    let Value::Mapping(entries) = &mut node.value else { return false };
    let before = entries.len();
    entries.retain(|(key, _)| key.text() != Some(name));
    entries.len() < before
}

/// The codes of the warnings that a store accepts.
fn accepted(other: &Node) -> Vec<String> {
    let Some(Value::Sequence(entries)) = value_of(other, "allow").map(|node| &node.value) else {
        return Vec::new();
    };
    let code = |entry| value_of(entry, "code").and_then(Node::text).unwrap_or("?").to_owned();
    entries.iter().map(code).collect()
}

/// Where a scalar stands.
fn range(text: &str, node: &Node) -> Option<Range<usize>> {
    Some(node.place.span.start..layout::end_of(text, node)?)
}

/// The edit that takes a key and its value out of a mapping.
fn without(text: &str, node: &Node, name: &str) -> Option<Edit> {
    let Value::Mapping(entries) = &node.value else { return None };
    let at = entries.iter().position(|(key, _)| key.text() == Some(name))?;
    let (key, value) = entries.get(at)?;
    let (start, end) = (key.place.span.start, range(text, value)?.end);
    let next = entries.get(at + 1).map(|(next, _)| next.place.span.start);
    let range = if text.get(node.place.span.start..)?.starts_with('{') {
        without_in_brackets(text, start..end)?
    } else {
        without_line(text, start..end, next.filter(|_| at == 0))?
    };
    Some(Edit { range, new: String::new() })
}

/// The edit that takes a key of the file and all below it out, with one of the blank lines around.
fn without_block(text: &str, file: &Node, name: &str) -> Option<Edit> {
    let Value::Mapping(entries) = &file.value else { return None };
    let (key, value) = entries.iter().find(|(key, _)| key.text() == Some(name))?;
    let (start, end) = (key.place.span.start, end_of(text, value)?);
    let new = String::new();
    if text.get(file.place.span.start..)?.starts_with('{') {
        return Some(Edit { range: without_in_brackets(text, start..end)?, new });
    }
    let start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let line_end = |from: usize| {
        text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| from + at + 1)
    };
    // The lines of a text end with a line break of their own.
    let mut end = if text.get(..end)?.ends_with('\n') { end } else { line_end(end) };
    // What is indented is in the block too; only comments are left of it.
    while text.get(end..)?.starts_with([' ', '\t'])
        && text.get(end..line_end(end))?.trim_start().starts_with('#')
    {
        end = line_end(end);
    }
    let before = text.get(..start)?.lines().next_back().unwrap_or_default();
    if before.trim().is_empty() && text.get(end..line_end(end))?.trim().is_empty() {
        end = line_end(end);
    }
    Some(Edit { range: start..end, new })
}

/// Where a value ends, whatever it is.
fn end_of(text: &str, node: &Node) -> Option<usize> {
    let last = match &node.value {
        Value::Scalar { .. } => return layout::end_of(text, node),
        _ if text.get(node.place.span.start..)?.starts_with(['[', '{']) => {
            return Some(node.place.span.end);
        }
        Value::Sequence(items) => items.last(),
        Value::Mapping(entries) => entries.last().map(|(_, value)| value),
    };
    end_of(text, last?)
}

/// With the comma behind it and the blanks behind that, or else with the comma before it.
fn without_in_brackets(text: &str, entry: Range<usize>) -> Option<Range<usize>> {
    let blank = |c: char| c == ' ' || c == '\t';
    let after = text.get(entry.end..)?;
    if let Some(rest) = after.trim_start_matches(blank).strip_prefix(',') {
        return Some(entry.start..text.len() - rest.trim_start_matches(blank).len());
    }
    let before = text.get(..entry.start)?.trim_end_matches(blank);
    Some(before.strip_suffix(',').map_or(entry.start, str::len)..entry.end)
}

/// With its whole line, or, for the first key, which stands behind a dash, up to the next key.
fn without_line(text: &str, entry: Range<usize>, next: Option<usize>) -> Option<Range<usize>> {
    if let Some(next) = next {
        let between = text.get(entry.end..next)?;
        // A comment in between stays, behind the dash.
        return Some(entry.start..if between.trim().is_empty() { next } else { entry.end });
    }
    let start = text.get(..entry.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(entry.end..)?.find('\n').map_or(text.len(), |at| entry.end + at + 1);
    Some(start..end)
}

/// A text with one id for another, where that is not a part of a longer word.
fn with_id(text: &str, old: &str, new: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, from) = rest.split_at(at);
        let after = from.get(old.len()..).unwrap_or_default();
        made.push_str(before);
        let joined = made.ends_with(|c: char| c.is_ascii_alphanumeric())
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        made.push_str(if joined { old } else { new });
        rest = after;
    }
    made + rest
}

fn edited(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    edits.sort_by_key(|edit| edit.range.start);
    let mut made = String::new();
    let mut at = 0;
    for edit in edits {
        made.push_str(text.get(at..edit.range.start)?);
        made.push_str(&edit.new);
        at = edit.range.end;
    }
    made.push_str(text.get(at..)?);
    Some(made)
}

/// Whether a tree says what is meant, whatever its quotes.
fn says(made: &Node, meant: &Node) -> bool {
    match (&made.value, &meant.value) {
        (Value::Scalar { text, .. }, Value::Scalar { text: meant, .. }) => text == meant,
        (Value::Sequence(made), Value::Sequence(meant)) => {
            made.len() == meant.len() && made.iter().zip(meant).all(|(a, b)| says(a, b))
        }
        (Value::Mapping(made), Value::Mapping(meant)) => {
            made.len() == meant.len()
                && made.iter().zip(meant).all(|(a, b)| says(&a.0, &b.0) && says(&a.1, &b.1))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sibling(text: &str) -> Option<Sibling> {
        let file = Sources::default().add(String::new(), String::new());
        make(text, &yaml::parse(file, text).0.unwrap(), "kent-010", "Kent: East")
    }

    const KENT: &str = r#"# Kent, the old one.
name: 'Kent' # as people say it
store: kent-1   # its id
cameras:
  - { id: a, aisle: x, rtsp: "rtsp://10.0.0.1/#1" } # by the door
  - {id: b ,rtsp: rtsp://10.0.0.2/a , aisle: x}
  - { rtsp: "secret:kent-1-c", id: c, # why
      aisle: x }
  - { id: d, # over lines
      rtsp: "rtsp://10.0.0.3" }
  - id: e
    rtsp: "rtsp://10.0.0.4" # gone with it
    # about the aisle
    aisle: x
  - rtsp: >-
      rtsp://10.0.0.5
    id: f
  - rtsp: "rtsp://10.0.0.6" # stays
    id: g
subscribers:
  - { audience: floor, sms: "ssm:/arm/kent-1/kent-10/phone" }
  - { audience: floor, email: "secret:arm-kent-1-mail" }
  - { audience: floor, push: "ssm:/arm/kent-10/push" }
  - { audience: floor, email: floor@kent-1.example.com }
"#;

    #[test]
    fn only_what_must_change_is_edited() {
        let Sibling { text, told, references, cameras, .. } = sibling(KENT).unwrap();
        insta::assert_snapshot!(format!("{text}\n{told:#?}\n{references:#?}\n{cameras} cameras"));
    }

    #[test]
    fn line_ends_and_odd_styles_stay() {
        let windows = KENT.replace('\n', "\r\n");
        let text = sibling(KENT).unwrap().text.replace('\n', "\r\n");
        assert_eq!(sibling(&windows).unwrap().text, text);
        let flow = "{store: kent-1, name: \"a\\\n  b\"} # c\n";
        assert_eq!(sibling(flow).unwrap().text, "{store: kent-010, name: \"Kent: East\"} # c\n");
        let block = "store: |-\n  kent-1\n\nname: Kent\n  East\n# end\n";
        let made = "store: |-\n  kent-010\n\nname: \"Kent: East\"\n# end\n";
        assert_eq!(sibling(block).unwrap().text, made);
    }

    #[test]
    fn warnings_that_the_other_store_accepts_are_not_accepted_in_the_new_one() {
        let head = "store: kent-1\nname: Kent\n";
        let right = "store: kent-010\nname: \"Kent: East\"\n";
        let files = [
            (
                "\nallow:\n  - { code: no-rule, until: 2027-01-31 }\n  # soon\n\naisles: []\n",
                "\naisles: []\n",
            ),
            (
                "allow:\n- code: no-rule\n  reason: |\n    soon\n# A\naisles: []\n",
                "# A\naisles: []\n",
            ),
            ("allow: [{ code: no-rule,\n  reason: x }] # why\naisles: []\n", "aisles: []\n"),
            ("aisles: []\n\nallow:\n  - { code: no-rule }\n", "aisles: []\n\n"),
        ];
        for (rest, left) in files {
            let made = sibling(&format!("{head}{rest}")).unwrap();
            assert_eq!(
                (made.text, made.accepted),
                (format!("{right}{left}"), vec!["no-rule".to_owned()])
            );
        }
        let flow = "{store: kent-1, allow: [{code: no-rule}], name: Kent}\n";
        assert_eq!(sibling(flow).unwrap().text, "{store: kent-010, name: \"Kent: East\"}\n");
        assert_eq!(
            sibling("store: kent-1\nname: Kent\nallow: []\n").unwrap().accepted,
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_cannot_be_edited_is_refused() {
        for text in ["store: kent-1\n", "name: Kent\nstore:\n", "store: kent-1\nname: |\n  Kent\n"]
        {
            assert_eq!(sibling(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_id_of_a_series_keeps_its_width() {
        let taken = ["seattle-002", "seattle-003"];
        let next = |id| next_id(id, |id| taken.contains(&id));
        assert_eq!(next("seattle-001").as_deref(), Some("seattle-004"));
        assert_eq!(next("0142").as_deref(), Some("0143"));
        assert_eq!(next("kent-9").as_deref(), Some("kent-10"));
        assert_eq!(next("pike-place"), None);
        assert_eq!(next("x-4294967295"), None);
    }
}
