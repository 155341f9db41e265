//! JSON that stands in a template as text, such as the message that a rule sends.
//!
//! Two such texts are compared as what they say. EventBridge's placeholders (`<detail>`) and
//! CloudFormation's (`${Alerts}`) may stand where a value stands, which JSON does not know: they are
//! marked, so that a bare `<detail>` stays another thing than the text `"<detail>"`.
//! Which properties hold such texts is told in `difference.rs`.

use serde_json::Value;

/// Stands before a placeholder that is not in quotes. Private use: no text of ours has it.
const BARE: char = '\u{E000}';

/// What two texts say, where both say something and only that can differ: their placeholders are
/// filled from the same values.
pub(super) fn both(before: &Value, after: &Value) -> Option<(Value, Value)> {
    let (before, after) = (Text::of(before)?, Text::of(after)?);
    let is_same_kind = before.is_filled == after.is_filled
        || !(before.written.contains("${") || after.written.contains("${"));
    if !is_same_kind || before.values != after.values {
        return None;
    }
    Some((parse(before.written)?, parse(after.written)?))
}

/// A value without the marks.
pub(super) fn unmarked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(BARE, "")),
        Value::Array(items) => items.iter().map(unmarked).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, it)| (key.clone(), unmarked(it))).collect()
        }
        other => other.clone(),
    }
}

/// A value as text again: bare placeholders without quotes, all else with them.
pub(super) fn written(value: &Value) -> Value {
    let text = value.to_string();
    let mark = format!("\"{BARE}");
    let mut parts = text.split(mark.as_str());
    let mut made = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| made.push_str(&part.replacen('"', "", 1)));
    Value::String(made)
}

struct Text<'a> {
    written: &'a str,
    /// Whether CloudFormation fills in `${..}`.
    is_filled: bool,
    /// From what it does so, beside the template's resources and parameters.
    values: Option<&'a Value>,
}

impl<'a> Text<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let Value::Object(fields) = value else {
            return Some(Self { written: value.as_str()?, is_filled: false, values: None });
        };
        let (text, values) = match fields.get("Fn::Sub").filter(|_| fields.len() == 1)? {
            Value::Array(parts) => (parts.first()?, parts.get(1)),
            text => (text, None),
        };
        Some(Self { written: text.as_str()?, is_filled: true, values })
    }
}

/// An object or a list; any other text means itself.
fn parse(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(&quoted(text)).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// The text with its bare placeholders in quotes, and marked.
fn quoted(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_in_quotes = false;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '\\' if is_in_quotes => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '<' | '$' if !is_in_quotes => placeholder(rest).unwrap_or(1),
            _ => letter.len_utf8(),
        };
        is_in_quotes ^= letter == '"';
        let (taken, left) = rest.split_at(length);
        if !is_in_quotes && length > 1 && (letter == '<' || letter == '$') {
            made.extend(["\"", BARE.to_string().as_str(), taken, "\""]);
        } else {
            made.push_str(taken);
        }
        rest = left;
    }
    made
}

/// How many bytes a placeholder has that the text begins with.
fn placeholder(text: &str) -> Option<usize> {
    let (inner, end) = match text.strip_prefix("${") {
        Some(inner) => (inner, '}'),
        None => (text.strip_prefix('<')?, '>'),
    };
    let (name, _) = inner.split_once(end)?;
    let is_name = !name.is_empty()
        && name.chars().all(|it| it.is_ascii_alphanumeric() || "_-.:!".contains(it));
    is_name.then(|| text.len() - inner.len() + name.len() + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bare_placeholder_is_a_value_and_another_than_its_text() {
        let text = |it: &str| parse(it).map(|it| unmarked(&it));
        assert_eq!(
            text(r#"{"a": <detail>, "b": "<id> \" <x>", "c": ${Count}, "d": "${Alerts}"}"#),
            Some(json!({"a": "<detail>", "b": "<id> \" <x>", "c": "${Count}", "d": "${Alerts}"}))
        );
        assert_ne!(parse(r#"{"a": <b>}"#), parse(r#"{"a": "<b>"}"#));
        for other in ["<a>", "\"{}\"", "1", "{", r#"{"a": <b c>}"#, r#"{"a": ${}}"#, "{\"a\": \"\\"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn texts_that_are_filled_otherwise_are_not_compared_by_what_they_say() {
        let (plain, filled) = (json!(r#"{"a": "${B}"}"#), json!({"Fn::Sub": r#"{"a": "${B}"}"#}));
        let from = |value: &str| json!({"Fn::Sub": [r#"{"a": "${B}"}"#, {"B": value}]});
        assert!(both(&plain, &filled).is_none());
        assert!(both(&from("x"), &from("y")).is_none());
        assert!(both(&from("x"), &from("x")).is_some());
        assert!(both(&json!({"Fn::Sub": "{}"}), &json!("{ }")).is_some());
        assert!(both(&json!({"Fn::GetAtt": ["A", "Arn"]}), &json!("{}")).is_none());
    }
}
