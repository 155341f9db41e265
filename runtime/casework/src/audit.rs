//! The audit trail: what happened to a case, each entry bound to the one before by its hash.
//!
//! Entries are only added. Whoever changes one, or leaves one out, breaks the chain from there on,
//! and the case names the hash of the newest; [`verify`] finds it. Pure.

use contract::case::{AuditEntry, CaseItem};
use serde_json::{Value, json};

use crate::id;

mod verification;

pub use verification::{Finding, verify};

/// `previous_hash` of a case's first audit entry.
pub const FIRST_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The entry that follows what the case's trail holds, at the case's time and count.
///
/// `facts` hold no fractions: a number that the table writes differently would break the hash.
pub fn entry(case: &CaseItem, actor: &str, action: &str, facts: Value) -> AuditEntry {
    let mut entry = AuditEntry {
        pk: case.pk.clone(),
        sk: verification::sort_key(case.audit_count),
        case_id: case.case_id.clone(),
        at: case.updated_at.clone(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        facts,
        previous_hash: case.audit_hash.clone(),
        hash: String::new(),
    };
    entry.hash = hash(&entry);
    entry
}

/// The hash of an entry: SHA-256, in hex, over the entry without `hash`, as JSON with sorted keys
/// and without spaces.
pub fn hash(entry: &AuditEntry) -> String {
    let fields = json!({
        "action": entry.action,
        "actor": entry.actor,
        "at": entry.at,
        "case_id": entry.case_id,
        "facts": entry.facts,
        "pk": entry.pk,
        "previous_hash": entry.previous_hash,
        "sk": entry.sk,
    });
    id::hex(&id::sha256(sorted(&fields).to_string().as_bytes()))
}

/// The value with the keys of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(fields.collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(facts: Value) -> String {
        hash(&AuditEntry {
            pk: "CASE#1".to_owned(),
            sk: "EVENT#000001".to_owned(),
            case_id: "1".to_owned(),
            at: "2026-11-22T18:03:03.200Z".to_owned(),
            actor: "respond".to_owned(),
            action: "opened".to_owned(),
            facts,
            previous_hash: FIRST_HASH.to_owned(),
            hash: "not part of it".to_owned(),
        })
    }

    #[test]
    fn anybody_can_compute_a_hash_again() {
        // printf '%s' '{"action":"opened",...}' | sha256sum, with keys in order.
        let expected = "834b6d45efacdcac3c9803ad5562d26be5927f3bc770471601a65601087b1b48";
        assert_eq!(check(json!({ "b": [{ "d": 1, "c": null }], "a": "x" })), expected);
        assert_eq!(check(json!({ "a": "x", "b": [{ "c": null, "d": 1 }] })), expected);
        assert_ne!(check(json!({ "a": "y", "b": [{ "c": null, "d": 1 }] })), expected);
    }
}
