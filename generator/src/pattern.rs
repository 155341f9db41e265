//! EventBridge pattern semantics: does this pattern match this event.
//!
//! Covers what the rule compiler emits: lists of exact values, `anything-but`, `prefix`, `numeric`
//! and `exists`. Anything else is refused by name rather than guessed at, so that a pattern this
//! file accepts means here what it means in EventBridge. Source: the event-ruler library's README,
//! <https://github.com/aws/event-ruler>.

use serde_json::Value;

/// A pattern that this file cannot judge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot judge the pattern: {0}")]
pub struct UnknownPattern(String);

/// Whether an event matches a pattern: all fields of the pattern must.
pub fn matches(pattern: &Value, event: &Value) -> Result<bool, UnknownPattern> {
    let Value::Object(fields) = pattern else {
        return Err(UnknownPattern(format!("`{pattern}` is no object")));
    };
    for (name, wanted) in fields {
        let found = event.get(name);
        let holds = match wanted {
            Value::Object(_) => matches(wanted, found.unwrap_or(&Value::Null))?,
            Value::Array(list) => any_of(list, found)?,
            _ => {
                return Err(UnknownPattern(format!("`{name}` holds neither a list nor an object")));
            }
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one entry of a list matches; of an array in the event, one element must.
fn any_of(list: &[Value], found: Option<&Value>) -> Result<bool, UnknownPattern> {
    let leaves: Vec<&Value> = match found {
        None | Some(Value::Object(_)) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(leaf) => vec![leaf],
    };
    for matcher in list {
        let holds = if let Some(exists) = matcher.get("exists") {
            exists.as_bool() == Some(!leaves.is_empty())
        } else {
            let mut any = false;
            for leaf in &leaves {
                any |= leaf_matches(matcher, leaf)?;
            }
            any
        };
        if holds {
            return Ok(true);
        }
    }
    Ok(false)
}

fn leaf_matches(matcher: &Value, leaf: &Value) -> Result<bool, UnknownPattern> {
    let Value::Object(operators) = matcher else { return Ok(same(matcher, leaf)) };
    let unknown = || UnknownPattern(format!("`{matcher}`"));
    let mut operators = operators.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return Err(unknown());
    };
    match (operator.as_str(), operand) {
        ("anything-but", Value::Array(list)) => Ok(!list.iter().any(|it| same(it, leaf))),
        ("anything-but", Value::String(_) | Value::Number(_)) => Ok(!same(operand, leaf)),
        ("prefix", Value::String(prefix)) => {
            Ok(leaf.as_str().is_some_and(|text| text.starts_with(prefix)))
        }
        ("numeric", Value::Array(list)) => numeric(list, leaf).ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

/// Equal as EventBridge compares: numbers by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

fn numeric(list: &[Value], leaf: &Value) -> Option<bool> {
    let Some(number) = leaf.as_f64() else { return Some(false) };
    let mut holds = !list.is_empty();
    for pair in list.chunks(2) {
        let [operator, bound] = pair else { return None };
        let bound = bound.as_f64()?;
        holds &= match operator.as_str()? {
            "<" => number < bound,
            "<=" => number <= bound,
            ">" => number > bound,
            ">=" => number >= bound,
            "=" => number.total_cmp(&bound).is_eq(),
            _ => return None,
        };
    }
    Some(holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(matcher: &Value, event: &Value) -> bool {
        matches(&json!({ "detail": { "x": matcher } }), event).unwrap()
    }

    #[test]
    fn each_operator_matches_as_event_ruler_documents() {
        let event = |x: Value| json!({ "detail": { "x": x } });
        assert!(check(&json!(["a", "b"]), &event(json!("b"))));
        assert!(check(&json!([1]), &event(json!(1.0))));
        assert!(check(&json!([null]), &event(json!(null))));
        assert!(!check(&json!(["a"]), &json!({ "detail": {} })));
        assert!(check(&json!([{ "anything-but": ["a"] }]), &event(json!(5))));
        assert!(!check(&json!([{ "anything-but": ["a"] }]), &json!({ "detail": {} })));
        assert!(check(&json!([{ "exists": false }]), &event(json!({ "y": 1 }))));
        assert!(check(&json!([{ "numeric": [">=", 0.5, "<", 0.8] }]), &event(json!(0.5))));
        assert!(!check(&json!([{ "numeric": [">=", 0.5, "<", 0.8] }]), &event(json!(0.8))));
        assert!(!check(&json!([{ "numeric": [">=", 0] }]), &event(json!("1"))));
        assert!(check(&json!([{ "prefix": "" }]), &event(json!(""))));
        assert!(!check(&json!([{ "prefix": "" }]), &event(json!(true))));
        assert!(check(&json!(["a"]), &event(json!(["b", "a"]))));
    }

    #[test]
    fn an_operator_that_is_not_known_is_an_error() {
        let pattern = json!({ "x": [{ "wildcard": "a*" }] });
        assert_eq!(
            matches(&pattern, &json!({ "x": "a" })).unwrap_err().to_string(),
            r#"cannot judge the pattern: `{"wildcard":"a*"}`"#
        );
    }
}
