//! Tests of `audit::verify` on the trails that cases write: every kind of tampering is named.

use contract::case::{AuditEntry, CaseItem};
use contract::priority::Priority;
use serde_json::json;

use super::{join, open};
use crate::audit::{hash, verify};
use crate::incident::example::detection;

/// A case with three entries.
fn trail() -> (CaseItem, Vec<AuditEntry>) {
    let opened = open(&detection(100, Priority::Low), None, "evidence", 0);
    let joined = join(&opened.case, &detection(110, Priority::High), None, 0);
    (joined.case, [opened.entries, joined.entries].concat())
}

/// What is found after somebody has tampered.
fn check(tamper: impl FnOnce(&mut CaseItem, &mut Vec<AuditEntry>)) -> Vec<String> {
    let (mut case, mut entries) = trail();
    assert_eq!(entries.len(), 3);
    tamper(&mut case, &mut entries);
    verify(&case, &entries).iter().map(ToString::to_string).collect()
}

#[test]
fn a_trail_as_it_was_written_is_whole() {
    assert_eq!(check(|_, _| ()), [""; 0]);
}

#[test]
fn an_altered_entry_is_named_and_no_other() {
    let altered = ["entry EVENT#000002 does not have the hash of what it says: it was altered"];
    assert_eq!(check(|_, entries| entries[1].facts = json!({})), altered);
    assert_eq!(check(|_, entries| entries[1].actor = "me".to_owned()), altered);
    assert_eq!(check(|_, entries| entries[1].at = "2026".to_owned()), altered);
    assert_eq!(check(|_, entries| entries[1].action = "opened".to_owned()), altered);
}

#[test]
fn an_altered_entry_whose_hash_was_computed_again_breaks_the_chain() {
    let bind_again = |entry: &mut AuditEntry| {
        entry.facts = json!({});
        entry.hash = hash(entry);
    };
    assert_eq!(
        check(|_, entries| bind_again(&mut entries[1])),
        ["entry EVENT#000003 does not follow the entry before it: one of the two was replaced, \
          or put in"]
    );
    let hash_of_the_case = trail().0.audit_hash;
    assert_eq!(
        check(|_, entries| bind_again(&mut entries[2])),
        [format!(
            "the case names another newest entry than EVENT#000003: its hash is not \
             `{hash_of_the_case}`"
        )]
    );
}

#[test]
fn a_wrong_previous_hash_is_found_wherever_it_is() {
    let loosen = |entries: &mut Vec<AuditEntry>| {
        entries[0].previous_hash = "f".repeat(64);
        entries[0].hash = hash(&entries[0]);
    };
    let findings = check(|_, entries| loosen(entries));
    assert_eq!(findings.len(), 2, "the first is not bound to zeros, nor the second to it");
    assert!(findings[0].starts_with("entry EVENT#000001 does not follow"), "{findings:?}");
    assert!(findings[1].starts_with("entry EVENT#000002 does not follow"), "{findings:?}");
}

#[test]
fn missing_entries_are_named_wherever_they_were() {
    let missing = |first, count| format!("{count} entries are missing from {first} on");
    let check = |index| check(|_, entries| drop(entries.drain(index..=index)));
    assert_eq!(check(0), [missing("EVENT#000001", 1)]);
    assert_eq!(check(1), [missing("EVENT#000002", 1)]);
    let last = check(2);
    assert_eq!(last[0], missing("EVENT#000003", 1));
    assert!(last[1].starts_with("the case names another newest entry than EVENT#000002"));
}

#[test]
fn a_trail_without_entries_or_a_count_without_end_is_told_at_once() {
    let gone = check(|case, entries| {
        entries.clear();
        case.audit_count = u64::MAX;
    });
    assert_eq!(gone[0], format!("{} entries are missing from EVENT#000001 on", u64::MAX - 1));
    assert!(gone[1].starts_with("the case has no entries and names `"), "{gone:?}");
}

#[test]
fn entries_out_of_order_or_twice_are_named() {
    assert_eq!(
        check(|_, entries| entries.swap(1, 2)),
        ["entry EVENT#000002 stands after a later one"]
    );
    assert_eq!(
        check(|_, entries| entries.push(entries[0].clone())),
        ["entry EVENT#000001 is there twice"]
    );
    assert_eq!(
        check(|_, entries| entries[1].sk = "EVENT#2".to_owned())[..2],
        [
            "entry EVENT#2 does not have the hash of what it says: it was altered",
            "entry EVENT#2 has no number: entries are `EVENT#` with six digits, from 1",
        ]
    );
}

#[test]
fn a_case_that_names_another_count_or_hash_is_told() {
    let uncounted = "entry EVENT#000003 is beyond the 2 entries that the case counts";
    assert_eq!(check(|case, _| case.audit_count = 2), [uncounted]);
    let findings = check(|case, _| case.audit_hash = "0".repeat(64));
    assert!(findings[0].starts_with("the case names another newest entry"), "{findings:?}");
}

#[test]
fn an_entry_of_another_case_is_told_and_not_taken_for_ours() {
    let (_, others) = {
        let other = open(&detection(900, Priority::Low), None, "evidence", 0);
        (other.case, other.entries)
    };
    let case_id = others[0].case_id.clone();
    let expected = [format!("entry EVENT#000001 belongs to case `{case_id}`")];
    assert_eq!(check(|_, entries| entries.push(others[0].clone())), expected);
}
