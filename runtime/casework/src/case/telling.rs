//! Who is to be told of a case, and who was. Pure.
//!
//! An alert is wanted at the highest priority of any rule. Whomever any rule of any detection of the
//! incident tells is told of it, at that rule's priority or a higher one, and at none twice: whoever
//! comes in too late for a message is owed one, and nobody is left out because another was told. To
//! change who is told, start at [`want`].

use std::collections::BTreeMap;

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
    let mut heard = heard(case);
    for audience in &told.audiences {
        let rank = heard.entry(audience.clone()).or_default();
        *rank = told.rank.max(*rank);
    }
    let alert = &mut change.case.alert;
    alert.told = heard;
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

/// The audiences that were told, and the highest rank of which each was.
fn heard(case: &CaseItem) -> BTreeMap<String, u8> {
    let alert = &case.alert;
    let mut heard = alert.told.clone();
    // A case that an older release opened has no list: whom its alert named was told.
    if let Some(sent) = alert.sent_rank.filter(|_| alert.wanted_rank <= alert.sent_rank) {
        for audience in case.notify.iter().filter(|it| !alert.owed.contains(it)) {
            let rank = heard.entry(audience.clone()).or_default();
            *rank = sent.max(*rank);
        }
    }
    heard
}

/// Notes that people are to be told, unless they were or are already to be told of at least that
/// priority.
pub(super) fn want(case: &mut CaseItem, detection: &RoutedDetection) {
    let routing = &detection.routing;
    let rank = routing.priority.rank();
    if !routing.tells_people() {
        return;
    }
    if Some(rank) <= case.alert.wanted_rank {
        want_others(case, &routing.notify, rank);
        return;
    }
    // Who was to be told by a lower rule, and has not been, is told with the higher one's.
    let owed = audiences(case).to_vec();
    case.notify.clone_from(&routing.notify);
    case.notify.extend(owed.into_iter().filter(|audience| !routing.notify.contains(audience)));
    case.alert.owed.clear();
    case.alert.wanted_rank = Some(rank);
    case.alert.rule = Some(routing.rule.clone());
    case.alert.status = AlertStatus::Pending;
}

/// Takes over the alert of a case that becomes part of this one.
///
/// Who was told by either, as high as the other would, is not told again; who was to be told by
/// either and was not, is.
pub(super) fn take_over(case: &mut CaseItem, other: &CaseItem) {
    let (ours, theirs) = (case.alert.clone(), &other.alert);
    let wanted = ours.wanted_rank.max(theirs.wanted_rank);
    let sent = ours.sent_rank.max(theirs.sent_rank);
    let both = [(&case.notify, &ours), (&other.notify, theirs)];
    let mut heard = heard(case);
    for (audience, rank) in self::heard(other) {
        let known = heard.entry(audience).or_default();
        *known = rank.max(*known);
    }
    let mut due: Vec<&String> = Vec::new();
    for part in [&*case, other].into_iter().filter(|part| is_due(&part.alert)) {
        let is_news = |it: &&String| heard.get(*it).copied() < part.alert.wanted_rank;
        due.extend(audiences(part).iter().filter(is_news));
    }
    let mut owed: Vec<String> = Vec::new();
    if wanted <= sent {
        owed.extend(due.iter().map(|it| (*it).clone()));
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
        told: heard,
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

/// Adds audiences to an alert, unless they were told as high: to the message that is due, or else to
/// one of their own.
fn want_others(case: &mut CaseItem, notify: &[String], rank: u8) {
    let heard = heard(case);
    let is_due = case.alert.wanted_rank > case.alert.sent_rank;
    for audience in notify {
        let was_told = heard.get(audience).is_some_and(|told| *told >= rank);
        if was_told || audiences(case).contains(audience) {
            continue;
        }
        if !case.notify.contains(audience) {
            case.notify.push(audience.clone());
        }
        if !is_due {
            case.alert.owed.push(audience.clone());
            case.alert.status = AlertStatus::Pending;
        }
    }
}
