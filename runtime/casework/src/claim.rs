//! The claim on a case's alert, so that of many attempts one publishes. Pure.
//!
//! An alert is due while some rule wants people told of a higher priority than they were told, or
//! tells others of the incident. Whoever publishes claims first, for a short time and in the name of
//! its message. If it dies, the queue delivers that message again and its claim has run out by then,
//! so the alert is never lost. It comes twice where SNS took it and that was not noted: the function
//! ended between the two, or the note could not be written, or SNS's answer was lost, so that the SDK
//! publishes once more or the claim is given back. `tests/crash_matrix.py` counts these.

use contract::alert::AlertFacts;
use contract::case::{AlertState, AlertStatus, CaseItem};
use contract::priority::Priority;
use contract::store::StoreRef;

use crate::case::{self, Change};
use crate::time::{parse_ms, rfc3339};

/// How long a claim holds, in milliseconds. Our choice: longer than `respond` may run (30 s) and
/// shorter than its queue hides a message that is being handled (70 s).
pub const CLAIM_MS: i64 = 60_000;

/// Whether a message is to publish a case's alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Nobody is to be told, or people were told.
    NotDue,
    /// Another message has claimed it, and will come again if it fails.
    Others,
    /// An earlier attempt of this very message has claimed it; only time tells how it ended.
    Earlier,
    /// Write this change, then publish.
    Ours(Box<Change>),
    /// Publish: this attempt's claim is on record, though the answer to its writing was lost.
    Held,
}

/// Claims the alert of a case in the name of a message.
pub fn claim(case: &CaseItem, by: &str, now_ms: i64) -> Claim {
    if !case::is_due(&case.alert) {
        return Claim::NotDue;
    }
    let wanted_rank = case.alert.wanted_rank;
    let claimed_until = rfc3339(now_ms.saturating_add(CLAIM_MS));
    let is_ours = case.alert.claimed_by.as_deref() == Some(by);
    if is_ours && case.alert.claimed_until.as_deref() == Some(&claimed_until) {
        return Claim::Held;
    }
    let until_ms = case.alert.claimed_until.as_deref().and_then(parse_ms).unwrap_or(i64::MIN);
    if now_ms < until_ms && case.alert.claimed_rank >= wanted_rank {
        return if is_ours { Claim::Earlier } else { Claim::Others };
    }
    let alert = AlertState {
        claimed_until: Some(claimed_until),
        claimed_by: Some(by.to_owned()),
        claimed_rank: wanted_rank,
        ..case.alert.clone()
    };
    Claim::Ours(Box::new(case::with_alert(case, alert, now_ms)))
}

/// Gives a claim back after publishing failed; `None` when it is no longer ours.
pub fn release(case: &CaseItem, by: &str, now_ms: i64) -> Option<Change> {
    let is_ours = case.alert.claimed_by.as_deref() == Some(by);
    let alert = AlertState {
        status: AlertStatus::Pending,
        claimed_until: None,
        claimed_by: None,
        claimed_rank: None,
        ..case.alert.clone()
    };
    is_ours.then(|| case::with_alert(case, alert, now_ms))
}

/// What the alert of a case says.
pub fn facts(case: &CaseItem) -> AlertFacts {
    let rank = case.alert.wanted_rank.unwrap_or(case.priority_rank);
    let wanted = Priority::ALL.into_iter().find(|priority| priority.rank() == rank);
    AlertFacts {
        priority: wanted.unwrap_or(case.priority),
        event_type: case.event_type.clone(),
        store: StoreRef {
            id: case.store.clone(),
            name: case.store_name.clone(),
            cell: case.cell.clone(),
            timezone: case.timezone.clone(),
        },
        aisle_name: case.aisle_name.clone(),
        camera: case.camera.clone(),
        start_ms: case::opened_ms(case),
        case_id: case.case_id.clone(),
        confidence: case.confidence,
        rule: case.alert.rule.clone().unwrap_or_else(|| case.rule.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::example::detection;

    /// A case of high priority, claimed by `a` at 0.
    fn claimed() -> CaseItem {
        let case = case::open(&detection(0, Priority::High), None, "evidence", 0).case;
        let Claim::Ours(change) = claim(&case, "a", 0) else { panic!("nobody has claimed it") };
        change.case
    }

    #[test]
    fn a_claim_holds_for_its_time_against_everybody() {
        let case = claimed();
        assert_eq!(claim(&case, "a", 0), Claim::Held, "the same attempt");
        assert_eq!(claim(&case, "a", 1), Claim::Earlier);
        assert_eq!(claim(&case, "b", CLAIM_MS - 1), Claim::Others);
        assert!(matches!(claim(&case, "b", CLAIM_MS), Claim::Ours(_)));
        assert!(matches!(claim(&case, "a", CLAIM_MS), Claim::Ours(_)));
    }

    #[test]
    fn a_higher_priority_does_not_wait_for_a_claim() {
        let case = claimed();
        let critical = detection(1, Priority::Critical);
        let raised = case::reroute(&case, &critical, 1).unwrap().case;
        let Claim::Ours(change) = claim(&raised, "b", 2) else { panic!("it is higher") };
        // The lower one ends meanwhile; the higher is still to be told.
        let told = |priority: Priority| case::Told {
            rank: priority.rank(),
            audiences: case.notify.clone(),
            texts: contract::alert::texts(&facts(&case), &critical.routing.wording),
            message_id: "1".to_owned(),
        };
        let lower = case::alerted(&change.case, &told(Priority::High), 3).case;
        assert_eq!(lower.alert.status, AlertStatus::Pending);
        assert_eq!(lower.alert.claimed_by.as_deref(), Some("b"));
        assert_eq!(facts(&lower).priority, Priority::Critical);
        let both = case::alerted(&lower, &told(Priority::Critical), 4).case;
        assert_eq!(both.alert.status, AlertStatus::Sent);
        assert_eq!(claim(&both, "c", 5), Claim::NotDue);
    }

    #[test]
    fn only_its_owner_gives_a_claim_back() {
        let case = claimed();
        assert_eq!(release(&case, "b", 1), None);
        let released = release(&case, "a", 1).unwrap().case;
        assert!(matches!(claim(&released, "b", 2), Claim::Ours(_)));
    }

    #[test]
    fn a_higher_rule_does_not_take_an_alert_from_those_who_were_to_be_told() {
        let mut higher = detection(110, Priority::High);
        higher.routing.notify = vec!["security".to_owned(), "floor".to_owned()];
        let mut opening = detection(100, Priority::Medium);
        opening.routing.notify = vec!["manager".to_owned(), "floor".to_owned()];
        let opened = case::open(&opening, None, "evidence", 0).case;
        let owed = case::join(&opened, &higher, None, 0).case;
        assert_eq!(owed.notify, ["security", "floor", "manager"]);
        let told = case::Told {
            rank: Priority::Medium.rank(),
            audiences: opened.notify.clone(),
            texts: contract::alert::texts(&facts(&opened), &opening.routing.wording),
            message_id: "1".to_owned(),
        };
        let told = case::alerted(&opened, &told, 0).case;
        assert_eq!(case::join(&told, &higher, None, 0).case.notify, ["security", "floor"]);
    }
}
