//! The check of an audit trail: what somebody changed, left out or put in. Pure.
//!
//! The chain is computed again from the entries alone and held against what the case says of it. Every
//! finding stands by itself: one entry that was altered does not make those after it suspicious,
//! unless they were bound anew. To find something more, start in [`verify`].

use std::collections::BTreeMap;

use contract::case::{AuditEntry, CaseItem};

use super::{FIRST_HASH, hash};

/// What is wrong with a trail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("entry {entry} does not have the hash of what it says: it was altered")]
    Altered { entry: String },
    #[error(
        "entry {entry} does not follow the entry before it: one of the two was replaced, or put in"
    )]
    WrongPrevious { entry: String },
    #[error("entry {entry} is there twice")]
    Repeated { entry: String },
    #[error("entry {entry} stands after a later one")]
    OutOfOrder { entry: String },
    #[error("entry {entry} belongs to case `{case_id}`")]
    OtherCase { entry: String, case_id: String },
    #[error("entry {entry} has no number: entries are `EVENT#` with six digits, from 1")]
    NoNumber { entry: String },
    #[error("{count} entries are missing from {first} on")]
    Missing { first: String, count: u64 },
    #[error("entry {entry} is beyond the {count} entries that the case counts")]
    Uncounted { entry: String, count: u64 },
    #[error("the case names another newest entry than {entry}: its hash is not `{audit_hash}`")]
    NotTheNewest { entry: String, audit_hash: String },
    #[error("the case has no entries and names `{audit_hash}` as the hash of the newest")]
    NoNewest { audit_hash: String },
}

/// Holds the entries of a case, in the order of the table, against each other and against the case.
///
/// Returns everything that is wrong; nothing, when the trail is whole.
pub fn verify(case: &CaseItem, entries: &[AuditEntry]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut trail: BTreeMap<u64, &AuditEntry> = BTreeMap::new();
    let mut latest = "";
    for entry in entries {
        let name = || entry.sk.clone();
        if entry.case_id != case.case_id || entry.pk != case.pk {
            let case_id = of_case(entry, case);
            findings.push(Finding::OtherCase { entry: name(), case_id });
            continue;
        }
        if entry.hash != hash(entry) {
            findings.push(Finding::Altered { entry: name() });
        }
        let Some(number) = number(&entry.sk) else {
            findings.push(Finding::NoNumber { entry: name() });
            continue;
        };
        if trail.contains_key(&number) {
            findings.push(Finding::Repeated { entry: name() });
            continue;
        }
        // As the table sorts: by text.
        if entry.sk.as_str() < latest {
            findings.push(Finding::OutOfOrder { entry: name() });
        }
        latest = latest.max(&entry.sk);
        trail.insert(number, entry);
    }
    findings.extend(links(&trail));
    findings.extend(gaps(case, &trail));
    findings.extend(newest(case, &trail));
    findings
}

/// The other case that an entry says it is of, in its field or else in its key.
fn of_case(entry: &AuditEntry, case: &CaseItem) -> String {
    let of_key = entry.pk.strip_prefix("CASE#").unwrap_or(&entry.pk);
    let of_field = entry.case_id.as_str();
    if of_field == case.case_id { of_key.to_owned() } else { of_field.to_owned() }
}

fn number(sk: &str) -> Option<u64> {
    let number = sk.strip_prefix("EVENT#")?.parse().ok()?;
    (number > 0 && sort_key(number) == sk).then_some(number)
}

/// Sort key of the entry with a number.
pub(super) fn sort_key(number: u64) -> String {
    format!("EVENT#{number:06}")
}

/// Entries that are not bound to the one before, where that one is there.
fn links(trail: &BTreeMap<u64, &AuditEntry>) -> Vec<Finding> {
    let is_bound = |(number, entry): &(&u64, &&AuditEntry)| {
        let before = match *number - 1 {
            0 => Some(FIRST_HASH),
            before => trail.get(&before).map(|it| it.hash.as_str()),
        };
        before.is_none_or(|hash| hash == entry.previous_hash)
    };
    let loose = trail.iter().filter(|link| !is_bound(link));
    loose.map(|(_, entry)| Finding::WrongPrevious { entry: entry.sk.clone() }).collect()
}

/// Entries that the case counts and that are not there, and those that it does not count.
fn gaps(case: &CaseItem, trail: &BTreeMap<u64, &AuditEntry>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let missing = |from: u64, to: u64| Finding::Missing { first: sort_key(from), count: to - from };
    let mut next = 1;
    for (number, entry) in trail {
        if *number > next {
            findings.push(missing(next, *number));
        }
        next = *number + 1;
        if *number > case.audit_count {
            let (entry, count) = (entry.sk.clone(), case.audit_count);
            findings.push(Finding::Uncounted { entry, count });
        }
    }
    if next <= case.audit_count {
        findings.push(missing(next, case.audit_count.saturating_add(1)));
    }
    findings
}

/// Whether the case names the newest entry by its hash.
fn newest(case: &CaseItem, trail: &BTreeMap<u64, &AuditEntry>) -> Option<Finding> {
    let audit_hash = case.audit_hash.clone();
    let Some((_, newest)) = trail.last_key_value() else {
        return (audit_hash != FIRST_HASH).then_some(Finding::NoNewest { audit_hash });
    };
    let entry = newest.sk.clone();
    (newest.hash != audit_hash).then_some(Finding::NotTheNewest { entry, audit_hash })
}

#[cfg(test)]
mod tests {
    use contract::priority::Priority;
    use serde_json::json;

    use super::*;
    use crate::case;
    use crate::incident::example::detection;

    /// A case with three entries.
    fn trail() -> (CaseItem, Vec<AuditEntry>) {
        let opened = case::open(&detection(100, Priority::Low), None, "evidence", 0);
        let joined = case::join(&opened.case, &detection(110, Priority::High), None, 0);
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
            [
                "entry EVENT#000003 does not follow the entry before it: one of the two was replaced, \
              or put in"
            ]
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
            let other = case::open(&detection(900, Priority::Low), None, "evidence", 0);
            (other.case, other.entries)
        };
        let case_id = others[0].case_id.clone();
        let expected = [format!("entry EVENT#000001 belongs to case `{case_id}`")];
        assert_eq!(check(|_, entries| entries.push(others[0].clone())), expected);
    }
}
