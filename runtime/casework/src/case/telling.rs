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

/// Most detections that an alert remembers as those it is about. Our choice: one for each priority is
/// enough for one case; the rest is room for those of cases that became part of it.
const DETECTIONS_MAX: usize = 32;

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

/// Takes over the alert of a case that becomes part of this one.
///
/// Who was told at the higher of the two priorities, by whichever case, is not told again; who was
/// to be told by either and was not, is.
pub(super) fn take_over(case: &mut CaseItem, other: &CaseItem) {
    let (ours, theirs) = (case.alert.clone(), &other.alert);
    let wanted = ours.wanted_rank.max(theirs.wanted_rank);
    let sent = ours.sent_rank.max(theirs.sent_rank);
    let both = [(&case.notify, &ours), (&other.notify, theirs)];
    let mut due: Vec<&String> = Vec::new();
    for part in [&*case, other] {
        due.extend(audiences(part).iter().filter(|_| is_due(&part.alert)));
    }
    let is_told = |audience: &String| {
        let has = |(notify, alert): &(&Vec<String>, &AlertState)| {
            let was_sent = alert.sent_rank.is_some() && alert.sent_rank >= wanted;
            was_sent && notify.contains(audience) && !alert.owed.contains(audience)
        };
        both.iter().any(has)
    };
    let mut owed: Vec<String> = Vec::new();
    if wanted <= sent {
        owed.extend(due.iter().filter(|it| !is_told(it)).map(|it| (*it).clone()));
    }
    let leading = both.iter().filter(|(_, alert)| alert.wanted_rank == wanted);
    let mut notify: Vec<String> = Vec::new();
    for audience in leading.flat_map(|(notify, _)| notify.iter()).chain(due) {
        if !notify.contains(audience) {
            notify.push(audience.clone());
        }
    }
    owed.sort();
    owed.dedup();
    let newest = if theirs.sent_at > ours.sent_at { theirs } else { &ours };
    let claim = |alert: &AlertState| (alert.claimed_rank, alert.claimed_until.clone());
    let claimed = if claim(theirs) > claim(&ours) { theirs } else { &ours };
    let leader = if theirs.wanted_rank > ours.wanted_rank { theirs } else { &ours };
    let mut detections = [ours.detections.clone(), theirs.detections.clone()].concat();
    detections.drain(..detections.len().saturating_sub(DETECTIONS_MAX));
    case.notify = notify;
    case.alert = AlertState {
        status: AlertStatus::None,
        sent_rank: sent,
        message_id: newest.message_id.clone(),
        sent_at: newest.sent_at.clone(),
        claimed_until: claimed.claimed_until.clone(),
        claimed_by: claimed.claimed_by.clone(),
        claimed_rank: claimed.claimed_rank,
        wanted_rank: wanted,
        rule: leader.rule.clone(),
        detections,
        owed,
    };
    set_status(&mut case.alert);
}

/// The alert of a case that has become part of another, which tells people in its stead.
pub(super) fn hand_over(alert: &mut AlertState) {
    alert.wanted_rank = alert.sent_rank;
    alert.owed.clear();
    (alert.claimed_until, alert.claimed_by, alert.claimed_rank) = (None, None, None);
    set_status(alert);
}

fn set_status(alert: &mut AlertState) {
    alert.status = match alert.sent_rank {
        _ if is_due(alert) => AlertStatus::Pending,
        Some(_) => AlertStatus::Sent,
        None => AlertStatus::None,
    };
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
