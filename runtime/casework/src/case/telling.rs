//! Who is to be told of a case, and who was. Pure.
//!
//! An alert is wanted at the highest priority of any rule, and is for the audiences of every rule
//! that matches the detection it is about: whoever comes in too late for a message is owed one, and
//! nobody is left out because another was being told. To change who is told, start at [`want`].

use contract::alert::AlertTexts;
use contract::case::{AlertState, AlertStatus, CaseItem};
use serde_json::json;

use super::Change;
use crate::incident::RoutedDetection;

/// An alert that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Rank of the priority that people were told.
    pub rank: u8,
    pub audiences: Vec<String>,
    pub texts: AlertTexts,
    /// SNS's id of the message.
    pub message_id: String,
}

/// The case after people were told.
pub fn alerted(case: &CaseItem, told: &Told, now_ms: i64) -> Change {
    let mut change = Change::of(case, now_ms);
    let now = change.case.updated_at.clone();
    // Who came in too late for this message is told by another.
    let mut owed = audiences(case).to_vec();
    owed.retain(|audience| !told.audiences.contains(audience));
    let alert = &mut change.case.alert;
    alert.status = AlertStatus::Sent;
    if Some(told.rank) >= alert.wanted_rank {
        alert.owed = owed;
    }
    alert.sent_rank = alert.sent_rank.max(Some(told.rank));
    alert.message_id = Some(told.message_id.clone());
    alert.sent_at = Some(now);
    if alert.claimed_rank.is_none_or(|claimed| claimed <= told.rank) {
        (alert.claimed_until, alert.claimed_by, alert.claimed_rank) = (None, None, None);
    }
    if is_due(alert) {
        alert.status = AlertStatus::Pending;
    }
    let facts = json!({
        "audiences": told.audiences,
        "rank": told.rank,
        "message_id": told.message_id,
        "subject": told.texts.subject,
        "default": told.texts.default,
        "sms": told.texts.sms,
        "email": told.texts.email,
        "webhook": told.texts.webhook,
        "apns": told.texts.apns,
        "gcm": told.texts.gcm,
    });
    change.note("respond", "alerted", facts);
    change
}

/// True while somebody is still to be told.
pub fn is_due(alert: &AlertState) -> bool {
    alert.wanted_rank > alert.sent_rank || !alert.owed.is_empty()
}

/// Who is still to be told of a case's alert.
pub fn audiences(case: &CaseItem) -> &[String] {
    let is_wanted = case.alert.wanted_rank > case.alert.sent_rank;
    if is_wanted { &case.notify } else { &case.alert.owed }
}

/// A change of the alert alone, which the audit trail does not mention.
pub fn with_alert(case: &CaseItem, alert: AlertState, now_ms: i64) -> Change {
    let mut change = Change::of(case, now_ms);
    change.case.alert = alert;
    change
}

/// Notes that people are to be told, unless they are already to be told of at least that priority.
pub(super) fn want(case: &mut CaseItem, detection: &RoutedDetection) {
    let routing = &detection.routing;
    let rank = Some(routing.priority.rank());
    if !routing.tells_people() {
        return;
    }
    if rank <= case.alert.wanted_rank {
        // The alert is about this very detection: it is for whom its other rules tell as well. The
        // next detection of the incident neither raises it nor widens who gets it.
        if case.alert.detections.contains(&detection.id) {
            want_others(case, &routing.notify);
        }
        return;
    }
    // Who was to be told by a lower rule, and has not been, is told with the higher one's.
    let owed = audiences(case).to_vec();
    case.notify.clone_from(&routing.notify);
    case.notify.extend(owed.into_iter().filter(|audience| !routing.notify.contains(audience)));
    case.alert.owed.clear();
    if !case.alert.detections.contains(&detection.id) {
        case.alert.detections.push(detection.id.clone());
    }
    case.alert.wanted_rank = rank;
    case.alert.rule = Some(routing.rule.clone());
    case.alert.status = AlertStatus::Pending;
}

/// Adds audiences to an alert: to the message that is due, or else to one of their own.
fn want_others(case: &mut CaseItem, notify: &[String]) {
    let is_due = case.alert.wanted_rank > case.alert.sent_rank;
    for audience in notify {
        if case.notify.contains(audience) {
            continue;
        }
        case.notify.push(audience.clone());
        if !is_due {
            case.alert.owed.push(audience.clone());
            case.alert.status = AlertStatus::Pending;
        }
    }
}
