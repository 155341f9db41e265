//! EventBridge pattern semantics: does this pattern match this event.
//!
//! Every operator of EventBridge, and what it does with lists, missing fields and `$or`. What
//! EventBridge would not take is refused with the field's name, so that a pattern this file accepts
//! means here what it means there. `tests/patterns.py` holds it against AWS's own engine, event-ruler
//! (<https://github.com/aws/event-ruler>), and against MiniStack's. Pure. To add an operator, start
//! in `pattern/parse.rs`.
//!
//! One thing is beyond reach: a number with digits that a double cannot hold is text to EventBridge,
//! which lies in no range; of a fraction those digits are lost before they come here.

mod address;
mod number;
mod operator;
mod parse;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value};

use operator::Operator;

/// Longest pattern in characters of its JSON. Source: EventBridge quotas, "Event pattern size",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>.
pub const CHARACTERS_MAX: usize = 2_048;
/// Most combinations of the branches of all `$or`. Source: EventBridge user guide, "`Or` matching",
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
pub const COMBINATIONS_MAX: usize = 1_000;

/// Why EventBridge would not take a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot take the pattern: {place}{reason}", place = place(path))]
pub struct PatternError {
    /// Names from the outermost field on, joined by dots; empty for the pattern as a whole.
    path: String,
    reason: String,
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`: ") }
}

/// A pattern, ready to be held against events.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// One per combination of `$or` branches; one of them must match.
    alternatives: Vec<Alternative>,
}

/// Fields that all must match, in the order of their paths.
type Alternative = Vec<Arc<Field>>;

/// What one field must be; one of the operators must hold.
#[derive(Debug)]
struct Field {
    path: String,
    operators: Vec<Operator>,
}

/// Whether an event matches a pattern, for who asks once.
pub fn matches(pattern: &Value, event: &Value) -> Result<bool, PatternError> {
    Ok(Pattern::parse(pattern)?.matches(event))
}

impl Pattern {
    /// Reads a pattern as EventBridge does.
    pub fn parse(pattern: &Value) -> Result<Pattern, PatternError> {
        parse::pattern(pattern)
    }

    /// Whether an event matches: one alternative, in all its fields.
    pub fn matches(&self, event: &Value) -> bool {
        let Value::Object(event) = event else { return false };
        self.alternatives.iter().any(|fields| all_match(fields, event, None))
    }
}

/// An element of a list of the event, on the way to a value. Two fields that meet in one list must
/// be in the same element of it.
#[derive(Clone, Copy)]
struct Element<'a> {
    before: Option<&'a Element<'a>>,
    list: &'a [Value],
    index: usize,
}

/// What is looked for at the end of a path, and how the search goes on from there.
struct Search<'s> {
    /// Whether a value is one of those that are looked for.
    holds: &'s dyn Fn(&Value) -> bool,
    /// Takes the elements passed on the way to one; answers whether to stop.
    then: &'s mut dyn FnMut(Option<&Element<'_>>) -> bool,
}

/// Whether all these fields match, in elements that go with those of the fields before.
fn all_match(
    fields: &[Arc<Field>],
    event: &Map<String, Value>,
    element: Option<&Element<'_>>,
) -> bool {
    let Some((field, rest)) = fields.split_first() else { return true };
    let mut search = Search {
        holds: &|value| field.operators.iter().any(|it| it.holds(value)),
        then: &mut |element| all_match(rest, event, element),
    };
    if visit_object(event, &field.path, element, &mut search) {
        return true;
    }
    let may_miss = field.operators.iter().any(|it| matches!(it, Operator::Exists(false)));
    let mut any = Search { holds: &|_| true, then: &mut |_| true };
    may_miss
        && !visit_object(event, &field.path, element, &mut any)
        && all_match(rest, event, element)
}

/// Visits what a path leads to. A name may itself hold dots, as EventBridge compares joined names.
fn visit_object(
    object: &Map<String, Value>,
    path: &str,
    element: Option<&Element<'_>>,
    search: &mut Search<'_>,
) -> bool {
    let ends = path.match_indices('.').map(|(end, _)| path.split_at(end));
    let nested = ends.filter_map(|(name, rest)| Some((object.get(name)?, rest.get(1..)?)));
    for (value, rest) in nested {
        if visit(value, rest, element, search) {
            return true;
        }
    }
    // Which of its values holds is nothing to other fields: the search goes on once.
    object.get(path).is_some_and(|value| any_holds(value, search.holds) && (search.then)(element))
}

/// Whether a value is looked for, or one in its lists. An object is no value.
fn any_holds(value: &Value, holds: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|item| any_holds(item, holds)),
        Value::Object(_) => false,
        value => holds(value),
    }
}

/// Visits the values in `value`, at the rest of the path.
fn visit(value: &Value, rest: &str, before: Option<&Element<'_>>, search: &mut Search<'_>) -> bool {
    match value {
        Value::Array(list) => list.iter().enumerate().any(|(index, item)| {
            matches!(item, Value::Array(_) | Value::Object(_))
                && goes_with(before, list, index)
                && visit(item, rest, Some(&Element { before, list, index }), search)
        }),
        Value::Object(object) => visit_object(object, rest, before, search),
        _ => false,
    }
}

/// Whether no other element of this list was passed before.
fn goes_with(mut element: Option<&Element<'_>>, list: &[Value], index: usize) -> bool {
    while let Some(passed) = element {
        if std::ptr::eq(passed.list, list) {
            return passed.index == index;
        }
        element = passed.before;
    }
    true
}
