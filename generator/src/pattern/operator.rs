//! What a pattern asks of one value: each operator of EventBridge, and whether it holds.
//!
//! A value is what an event's field holds, or an element of its list; a field that holds none never
//! comes here, and `pattern` itself answers `{"exists": false}`. To add an operator, add its
//! variant, its answer in [`Operator::holds`], and its reading in `parse`.

use serde_json::{Number, Value};

use super::address::Block;
use super::number::{Range, same};
use super::text::{AnyCase, Wildcard, begins, ends};

/// One entry of a field's list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operator {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// A text that is an IP address, or a block of them.
    Addresses(Block),
    Prefix(String),
    PrefixAnyCase(AnyCase),
    Suffix(String),
    SuffixAnyCase(AnyCase),
    EqualsAnyCase(AnyCase),
    Wildcard(Wildcard),
    Numeric(Range),
    Exists(bool),
    /// None of these holds: so any value of another kind is fine.
    AnythingBut(Vec<Operator>),
}

impl Operator {
    /// Whether it holds for a value that is there.
    pub(super) fn holds(&self, value: &Value) -> bool {
        match self {
            Operator::Null => value.is_null(),
            Operator::Bool(it) => value.as_bool() == Some(*it),
            Operator::Number(it) => matches!(value, Value::Number(number) if same(it, number)),
            Operator::Numeric(it) => matches!(value, Value::Number(number) if it.holds(number)),
            Operator::Exists(it) => *it,
            Operator::AnythingBut(operators) => !operators.iter().any(|it| it.holds(value)),
            _ => matches!(value, Value::String(text) if self.holds_for_text(text)),
        }
    }

    fn holds_for_text(&self, text: &str) -> bool {
        match self {
            Operator::Text(it) => it == text,
            Operator::Addresses(it) => it.holds(text),
            Operator::Prefix(it) => begins(text, it),
            Operator::PrefixAnyCase(it) => it.begins(text),
            Operator::Suffix(it) => ends(text, it),
            Operator::SuffixAnyCase(it) => it.ends(text),
            Operator::EqualsAnyCase(it) => it.equals(text),
            Operator::Wildcard(it) => it.holds(text),
            Operator::Null
            | Operator::Bool(_)
            | Operator::Number(_)
            | Operator::Numeric(_)
            | Operator::Exists(_)
            | Operator::AnythingBut(_) => false,
        }
    }
}
