//! A file as its layout sees it: entries in blocks and brackets, each with its comments.
//!
//! A comment belongs to an entry, above it or beside it, or to the end of a collection. To change
//! which, see `read`, which makes this from a text; `write` writes it.

use super::scalar::Scalar;
use super::{of_item, of_value};
use crate::schema::Kind;

/// A whole file.
pub(super) struct Tree {
    pub root: Collection,
    /// What stands above everything.
    pub head: Vec<Comment>,
    /// Whether a blank line follows the head.
    pub head_blank: bool,
    /// The texts of all comments, in order.
    pub comments: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Comment {
    /// With its `#`.
    pub text: String,
    /// Whether a blank line stands above it.
    pub blank: bool,
    pub column: usize,
}

#[derive(Debug)]
pub(super) struct Collection {
    pub is_mapping: bool,
    /// Whether the author wrote it in brackets.
    pub is_flow: bool,
    pub entries: Vec<Entry>,
    /// Comments below the last entry.
    pub end: Vec<Comment>,
    /// Comments beside its opening bracket.
    pub opening: Vec<Comment>,
}

/// An item of a list, or a key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub above: Vec<Comment>,
    /// Whether a blank line stands right above it.
    pub blank: bool,
    /// As it is written; `None` in a list.
    pub key: Option<String>,
    /// What it means.
    pub name: String,
    pub value: Content,
    /// Comments on its line, in order; the last can stay there.
    pub trailing: Vec<Comment>,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    Collection(Collection),
}

impl Comment {
    /// True for what looks like an entry of a block behind its `#`: `#  - { id: a }`.
    pub(super) fn is_like_entry(&self) -> bool {
        let text = self.text.trim_start_matches('#');
        text.starts_with("  ") || text.trim_start().starts_with("- ")
    }
}

impl Collection {
    /// Puts the keys of every mapping into the order of its table; where people choose the keys,
    /// theirs stays.
    pub(super) fn sort(&mut self, kind: &Kind) {
        if let (Kind::Mapping(noun), true) = (kind, self.is_mapping) {
            let place = |entry: &Entry| noun.names().position(|name| name == entry.name);
            self.entries.sort_by_key(|entry| place(entry).unwrap_or(usize::MAX));
        }
        for entry in &mut self.entries {
            let Content::Collection(collection) = &mut entry.value else { continue };
            let inner = if self.is_mapping { of_value(kind, &entry.name) } else { of_item(kind) };
            if let Some(inner) = inner {
                collection.sort(inner);
            }
        }
    }
}

impl Entry {
    /// Makes it the first of its collection: a blank line above that belongs to what is around.
    pub(super) fn open(&mut self) {
        *self.above.first_mut().map_or(&mut self.blank, |comment| &mut comment.blank) = false;
    }

    /// Whether a comment stands above or beside it.
    pub(super) fn has_comment(&self) -> bool {
        !self.above.is_empty() || !self.trailing.is_empty()
    }

    /// Moves comments above the entry.
    pub(super) fn lift(&mut self, comments: &mut Vec<Comment>) {
        for mut comment in comments.drain(..) {
            comment.blank = std::mem::take(&mut self.blank);
            self.above.push(comment);
        }
    }
}
