//! A pattern's JSON -> what `pattern` holds against events, or why EventBridge would not take it.
//!
//! `$or` is written out: one alternative for each combination of branches. A field that is given
//! twice, in a branch and outside, keeps what stands last, as in EventBridge. To add an operator,
//! start in [`operator`].

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::address::Block;
use super::number::{Bound, Range, comparable};
use super::operator::Operator;
use super::text::{AnyCase, Wildcard};
use super::{Alternative, CHARACTERS_MAX, COMBINATIONS_MAX, Field, Pattern, PatternError};

/// The key whose branches are alternatives.
const OR: &str = "$or";
/// Names that no field in a branch of `$or` may have. Source: event-ruler's `Constants`.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Where a field stands: below a `$or` some names are reserved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Nothing,
    Or,
}

type Refused = PatternError;

fn refused<T>(path: &str, reason: impl Into<String>) -> Result<T, Refused> {
    Err(PatternError { path: path.to_owned(), reason: reason.into() })
}

/// Reads a whole pattern.
pub(super) fn pattern(pattern: &Value) -> Result<Pattern, Refused> {
    let Value::Object(object) = pattern else { return refused("", "it is no object") };
    let characters = pattern.to_string().chars().count();
    if characters > CHARACTERS_MAX {
        return refused("", format!("it has {characters} of {CHARACTERS_MAX} characters"));
    }
    let combinations = combinations(object);
    if combinations > COMBINATIONS_MAX {
        let reason = format!("its `$or` have {combinations} of {COMBINATIONS_MAX} combinations");
        return refused("", reason);
    }
    let mut alternatives = Vec::new();
    read_object(&mut alternatives, "", object, Below::Nothing)?;
    for fields in &mut alternatives {
        fields.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(Pattern { alternatives })
}

/// The product of the number of branches of every `$or`, as EventBridge counts.
fn combinations(object: &Map<String, Value>) -> usize {
    let factors = object.iter().map(|(name, value)| match value {
        Value::Array(branches) if name == OR => {
            let nested = branches.iter().filter_map(Value::as_object).map(combinations);
            nested.fold(branches.len().max(1), usize::saturating_mul)
        }
        Value::Object(object) => combinations(object),
        _ => 1,
    });
    factors.fold(1, usize::saturating_mul)
}

/// Adds an object's fields to each of the alternatives so far; with none, begins the first.
fn read_object(
    alternatives: &mut Vec<Alternative>,
    path: &str,
    object: &Map<String, Value>,
    below: Below,
) -> Result<(), Refused> {
    if object.is_empty() {
        return refused(path, if path.is_empty() { "it is empty" } else { "an empty object" });
    }
    for (name, value) in object {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            _ if name == OR => read_or(alternatives, &path, value)?,
            _ if name.is_empty() => return refused(&path, "a field needs a name"),
            _ if below == Below::Or && RESERVED.contains(&name.as_str()) => {
                return refused(&path, "EventBridge reserves this name inside `$or`");
            }
            Value::Object(object) => read_object(alternatives, &path, object, below)?,
            Value::Array(list) => add(alternatives, read_field(path, list)?),
            _ => return refused(&path, "it must be a list or an object"),
        }
    }
    Ok(())
}

/// Replaces the alternatives so far by their combinations with each branch.
fn read_or(
    alternatives: &mut Vec<Alternative>,
    path: &str,
    branches: &Value,
) -> Result<(), Refused> {
    let branches = branches.as_array().filter(|it| it.len() >= 2);
    let Some(branches) = branches else {
        return refused(path, "it must be a list of two or more objects");
    };
    let outer = path.strip_suffix(OR).unwrap_or(path).trim_end_matches('.');
    let before = std::mem::take(alternatives);
    for branch in branches {
        let Value::Object(branch) = branch else {
            return refused(path, format!("`{branch}` is no object"));
        };
        let mut forked = before.clone();
        read_object(&mut forked, outer, branch, Below::Or)?;
        alternatives.append(&mut forked);
    }
    Ok(())
}

fn add(alternatives: &mut Vec<Alternative>, field: Field) {
    let field = Arc::new(field);
    if alternatives.is_empty() {
        alternatives.push(Vec::new());
    }
    for fields in alternatives {
        fields.retain(|it| it.path != field.path);
        fields.push(Arc::clone(&field));
    }
}

fn read_field(path: String, list: &[Value]) -> Result<Field, Refused> {
    if list.is_empty() {
        return refused(&path, "an empty list matches nothing");
    }
    let operators: Result<_, _> = list.iter().map(|entry| read_entry(&path, entry)).collect();
    Ok(Field { operators: operators?, path })
}

/// One entry of a field's list: a value, or an operator with its operand.
fn read_entry(path: &str, entry: &Value) -> Result<Operator, Refused> {
    match entry {
        Value::Null => Ok(Operator::Null),
        Value::Bool(it) => Ok(Operator::Bool(*it)),
        Value::Number(it) => Ok(Operator::Number(it.clone())),
        Value::String(it) => {
            Ok(Block::one(it).map_or_else(|| Operator::Text(it.clone()), Operator::Addresses))
        }
        Value::Array(_) => refused(path, format!("a list in the list: `{entry}`")),
        Value::Object(object) => {
            let (name, operand) = only(path, entry, object)?;
            operator(path, name, operand)
        }
    }
}

/// The one key of an object.
fn only<'v>(
    path: &str,
    entry: &Value,
    object: &'v Map<String, Value>,
) -> Result<(&'v str, &'v Value), Refused> {
    let mut pairs = object.iter();
    match (pairs.next(), pairs.next()) {
        (Some((name, operand)), None) => Ok((name, operand)),
        _ => refused(path, format!("`{entry}` must have one operator")),
    }
}

fn operator(path: &str, name: &str, operand: &Value) -> Result<Operator, Refused> {
    match (name, operand) {
        ("exactly", _) => Ok(Operator::Text(text(path, name, operand)?.to_owned())),
        ("prefix", Value::Object(object)) => {
            Ok(Operator::PrefixAnyCase(any_case(path, name, operand, object)?))
        }
        ("suffix", Value::Object(object)) => {
            Ok(Operator::SuffixAnyCase(any_case(path, name, operand, object)?))
        }
        ("prefix", _) => Ok(Operator::Prefix(text(path, name, operand)?.to_owned())),
        ("suffix", _) => Ok(Operator::Suffix(text(path, name, operand)?.to_owned())),
        ("equals-ignore-case", _) => {
            Ok(Operator::EqualsAnyCase(AnyCase::new(text(path, name, operand)?)))
        }
        ("wildcard", _) => {
            let text = text(path, name, operand)?;
            let wildcard = Wildcard::parse(text);
            wildcard.map(Operator::Wildcard).or_else(|it| refused(path, format!("`{text}` {it}")))
        }
        ("cidr", _) => {
            let text = text(path, name, operand)?;
            let block = Block::parse(text);
            block.map(Operator::Addresses).or_else(|it| refused(path, format!("`{text}` {it}")))
        }
        ("exists", Value::Bool(it)) => Ok(Operator::Exists(*it)),
        ("exists", _) => refused(path, format!("`exists` needs true or false, not `{operand}`")),
        ("numeric", _) => Ok(Operator::Numeric(numeric(path, operand)?)),
        ("anything-but", _) => anything_but(path, operand),
        _ => refused(path, format!("unknown operator `{name}`")),
    }
}

fn text<'v>(path: &str, name: &str, operand: &'v Value) -> Result<&'v str, Refused> {
    let reason = || format!("`{name}` needs a text, not `{operand}`");
    operand.as_str().map_or_else(|| refused(path, reason()), Ok)
}

/// The text of `{"equals-ignore-case": ...}` inside `prefix` or `suffix`.
fn any_case(
    path: &str,
    name: &str,
    operand: &Value,
    object: &Map<String, Value>,
) -> Result<AnyCase, Refused> {
    match only(path, operand, object)? {
        (inner @ "equals-ignore-case", operand) => Ok(AnyCase::new(text(path, inner, operand)?)),
        (inner, _) => refused(path, format!("`{name}` takes no `{inner}`")),
    }
}

/// `=`, one bound, or a lower bound and then an upper one.
fn numeric(path: &str, operand: &Value) -> Result<Range, Refused> {
    let help = "`numeric` needs `=`, `<`, `<=`, `>` or `>=` and a number, or `>` and then `<`";
    let wrong = PatternError { path: path.to_owned(), reason: format!("{help}; not `{operand}`") };
    let bound = |sign: &str, value: &Value| {
        let Value::Number(number) = value else { return Err(wrong.clone()) };
        Ok(Some(Bound { value: to_double(path, number)?, inclusive: sign.ends_with('=') }))
    };
    let range = match operand.as_array().map_or(&[][..], Vec::as_slice) {
        [Value::String(sign), value] => match sign.as_str() {
            "=" => return Ok(Range { low: bound(sign, value)?, high: bound(sign, value)? }),
            "<" | "<=" => Range { low: None, high: bound(sign, value)? },
            ">" | ">=" => Range { low: bound(sign, value)?, high: None },
            _ => return Err(wrong),
        },
        [Value::String(above), low, Value::String(below), high] => {
            let (low, high) = (bound(above, low)?, bound(below, high)?);
            if !matches!(above.as_str(), ">" | ">=") || !matches!(below.as_str(), "<" | "<=") {
                return Err(wrong);
            }
            Range { low, high }
        }
        _ => return Err(wrong),
    };
    // EventBridge has the least and the greatest double for a bound that is not there.
    let [low, high] = [(range.low, f64::MIN), (range.high, f64::MAX)];
    if low.0.map_or(low.1, |it| it.value) >= high.0.map_or(high.1, |it| it.value) {
        return refused(path, format!("no number lies in `{operand}`, or only one"));
    }
    Ok(range)
}

fn to_double(path: &str, number: &Number) -> Result<f64, Refused> {
    let reason = || format!("`{number}` has more digits than EventBridge compares");
    comparable(number).map_or_else(|| refused(path, reason()), Ok)
}

fn anything_but(path: &str, operand: &Value) -> Result<Operator, Refused> {
    let (inner, operand) = match operand {
        Value::Object(object) => {
            let (inner, operand) = only(path, operand, object)?;
            (Some(inner), operand)
        }
        _ => (None, operand),
    };
    let alone = std::slice::from_ref(operand);
    let list = operand.as_array().map_or(alone, Vec::as_slice);
    let kind = |it: &Value| (it.is_number() && inner.is_none(), it.is_string());
    if list.iter().any(|it| kind(it) == (false, false)) || list.is_empty() {
        let kinds = if inner.is_none() { "texts or numbers" } else { "texts" };
        return refused(path, format!("`anything-but` needs {kinds}, not `{operand}`"));
    }
    if list.windows(2).any(|pair| matches!(pair, [a, b] if kind(a) != kind(b))) {
        return refused(path, "`anything-but` takes texts or numbers, not both");
    }
    let operators: Result<_, _> = list.iter().map(|it| excluded(path, inner, it)).collect();
    Ok(Operator::AnythingBut(operators?))
}

/// One value that a field must not have.
fn excluded(path: &str, inner: Option<&str>, value: &Value) -> Result<Operator, Refused> {
    match (inner, value) {
        (None, Value::Number(it)) => to_double(path, it).map(|_| Operator::Number(it.clone())),
        (None, _) => operator(path, "exactly", value),
        (Some("prefix" | "suffix"), Value::String(it)) if it.is_empty() => {
            refused(path, "an empty text inside `anything-but` excludes all texts")
        }
        (Some(inner @ ("prefix" | "suffix" | "equals-ignore-case" | "wildcard")), _) => {
            operator(path, inner, value)
        }
        (Some(inner), _) => refused(path, format!("`anything-but` takes no `{inner}`")),
    }
}
