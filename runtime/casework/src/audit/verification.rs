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
