//! Keys that YAML reads and nobody meant: `id:aisle-1`, which is one word to YAML, and a key with a
//! space in it that is none.
//!
//! The first is reported and read as it was meant, so that nothing else is told about a key that is
//! there. No key of ours holds a colon.

use crate::diagnostic::{Diagnostic, Place, cover};

use super::diagnose::odd_name;
use super::{Node, Value};

/// The key, the value and the problem of an entry whose colon has no space behind it.
pub(super) fn split(key: &Node, value: &Node) -> Option<(Node, Node, Diagnostic)> {
    let Value::Scalar { text, plain: true } = &key.value else { return None };
    let empty = matches!(&value.value, Value::Scalar { text, plain: true } if text.is_empty());
    let (name, rest) = text.split_once(':')?;
    let is_name = name.chars().all(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
    let is_word = name.starts_with(|it: char| it.is_ascii_alphabetic());
    if !empty || !is_name || !is_word || rest.is_empty() || rest.starts_with("//") {
        return None;
    }
    let Place { file, span } = key.place.clone();
    let colon = span.start + name.len();
    let help = format!("put a space after the colon: `{name}: {rest}`");
    let message = format!("the colon behind `{name}` has no space behind it");
    let place = Place { file, span: colon..colon + 1 };
    let problem = Diagnostic::error("syntax", &place, message).help(cover(&help));
    let node = |span, text: &str, plain| {
        let value = Value::Scalar { text: text.to_owned(), plain };
        Node { place: Place { file, span }, value }
    };
    let inner = ['"', '\''].into_iter().find_map(|it| rest.strip_prefix(it)?.strip_suffix(it));
    let value = node(colon + 1..span.end, inner.unwrap_or(rest), inner.is_none());
    Some((node(span.start..colon, name, true), value, problem))
}

/// Puts a value that is not there right behind its key where no colon stands, and nowhere else.
pub(super) fn mark_bare(text: &str, key: &Node, value: &mut Node) {
    if !matches!(&value.value, Value::Scalar { text, plain: true } if text.is_empty()) {
        return;
    }
    let end = key.place.span.end;
    let colon = text.get(end..).is_none_or(|rest| rest.trim_start().starts_with(':'));
    let at = if colon { value.place.span.start.max(end + 1).min(text.len()) } else { end };
    value.place.span = at..at;
}

/// The problem of a key that holds what looks like a space.
pub(super) fn odd_space(key: &Node) -> Option<Diagnostic> {
    let Value::Scalar { text, plain: true } = &key.value else { return None };
    let (at, it, name) = text.char_indices().find_map(|(at, it)| Some((at, it, odd_name(it)?)))?;
    let start = key.place.span.start + at;
    let place = Place { file: key.place.file, span: start..start + it.len_utf8() };
    let message = format!("this is a {name} (U+{:04X}) and counts as a letter", u32::from(it));
    Some(Diagnostic::error("syntax", &place, message).help("write a plain space in its place"))
}
