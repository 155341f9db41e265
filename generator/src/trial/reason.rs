//! Why a rule does not match: its conditions that do not hold, in the words of the YAML. And why the
//! model does not see what a camera does.
//!
//! That a rule does not match is found by its pattern; this only says why. A field that holds a list
//! meets a condition when one of its entries does, as EventBridge has it.

use contract::watch::WatchWhen;
use serde_json::Value;

use crate::model::{Camera, Condition, Store};
use crate::paragraph::first_of;

/// Most words of a condition that are named.
const WORDS_MAX: usize = 4;

/// The conditions that an event's detail does not meet, in the order in which YAML has them; empty
/// when all hold.
pub fn misses(when: &Condition, detail: &Value) -> Vec<String> {
    let texts = when.texts();
    let mut misses: Vec<String> =
        texts.iter().filter_map(|(field, wanted)| text_miss(field, wanted, detail)).collect();
    if let Some(least) = when.min_confidence {
        misses.extend(confidence_miss(least.value(), detail));
    }
    misses
}

/// How a camera is watched, where the model does not see it at this moment; completes "the camera is".
pub fn unwatched(store: &Store, camera: &Camera, at_ms: i64) -> Option<String> {
    let when = camera.when.as_str();
    match camera.when {
        WatchWhen::Always => None,
        WatchWhen::Never => Some("never watched".to_owned()),
        WatchWhen::Open | WatchWhen::Closed => {
            let is_then = store.hours.period_at(at_ms).as_str() == when;
            (!is_then)
                .then(|| format!("watched only while the store is {when}, and then it is not"))
        }
    }
}

fn text_miss(field: &str, wanted: &[&str], detail: &Value) -> Option<String> {
    let found = leaves(detail, field);
    let holds = |leaf: &&Value| leaf.as_str().is_some_and(|text| wanted.contains(&text));
    if found.iter().any(holds) {
        return None;
    }
    let wanted = one_of(wanted);
    Some(match found.as_slice() {
        [] => format!("{field} is missing, and must be {wanted}"),
        [leaf] => format!("{field} is {}, not {wanted}", shown(leaf)),
        leaves => {
            let all = leaves.iter().map(|leaf| shown(leaf)).collect::<Vec<_>>().join(", ");
            format!("{field} is {all}; none is {wanted}")
        }
    })
}

fn confidence_miss(least: f64, detail: &Value) -> Option<String> {
    let found = leaves(detail, "confidence");
    if found.iter().any(|leaf| leaf.as_f64().is_some_and(|it| it >= least)) {
        return None;
    }
    Some(match found.as_slice() {
        [] => format!("confidence is missing, and must be at least {least}"),
        [leaf] if leaf.is_number() => format!("confidence is {leaf}, below {least}"),
        [leaf] => format!("confidence is {}, which is no number", shown(leaf)),
        _ => format!("confidence is a list without a number of at least {least}"),
    })
}

/// A field's value, or the entries of its list.
fn leaves<'a>(detail: &'a Value, field: &str) -> Vec<&'a Value> {
    match detail.get(field) {
        None | Some(Value::Object(_)) => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(leaf) => vec![leaf],
    }
}

fn shown(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// `` `a` ``, or `` one of `a`, `b` and 7 more ``.
fn one_of(wanted: &[&str]) -> String {
    let named: Vec<_> = wanted.iter().map(|it| format!("`{it}`")).collect();
    let named = first_of(&named, WORDS_MAX);
    if wanted.len() == 1 { named } else { format!("one of {named}") }
}
