//! `respond`: a routed detection becomes a case, people are told, and the clip is asked for.
//!
//! A queue delivers a message at least once, in any order, and the function may stop between any
//! two calls. So each detection is counted in one transaction with its case, its guards and its mark,
//! together with all others of its incident in the batch; a detection that links two cases makes them
//! one, and whoever has to do with the other follows it (`merged_into`). The alert is claimed before and noted after; the clip's request is harmless twice. The case comes
//! first: neither a failing alert nor a failing request undoes it, and each is tried without the
//! other. A message that fails comes again and does only what is left.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use contract::alert::{
    ATTRIBUTE_AISLE, ATTRIBUTE_AUDIENCE, ATTRIBUTE_EVENT_TYPE, ATTRIBUTE_PRIORITY, ATTRIBUTE_STORE,
    AlertTexts,
};
use contract::case::{CaseItem, GuardItem};
use contract::evidence::EvidenceMessage;
use futures_util::future::join_all;

use crate::case::{self, Told};
use crate::case_table::{
    ATTEMPTS_MAX, CaseError, CaseTable, Written, amend, amend_standing, fetch, fetch_standing,
};
use crate::claim::{self, Claim};
use crate::evidence;
use crate::guard;
use crate::incident::{RoutedDetection, Routing};
use crate::step::{StepError, spread};

mod gathering;
mod recording;

use recording::{Recorded, record};

/// Most messages that one attempt publishes about a case. Our choice: one at each priority, and as
/// many for audiences that were added meanwhile; the rest is left to the next delivery.
const MESSAGES_MAX: u32 = 8;

/// A message to publish on a store's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub topic: String,
    pub texts: AlertTexts,
    pub audiences: Vec<String>,
    /// Attributes that subscriptions filter by, beside the audiences.
    pub attributes: Vec<(&'static str, String)>,
}

impl Alert {
    /// Name of the attribute that holds the audiences, as a JSON list.
    pub const AUDIENCES: &'static str = ATTRIBUTE_AUDIENCE;
}

/// What `respond` needs of the outside world.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait RespondServices: CaseTable {
    /// Name of the evidence bucket.
    fn evidence_bucket(&self) -> &str;
    /// The case that holds a detection, once it has been counted.
    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError>;
    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError>;
    /// Publishes an alert and returns the message's id.
    async fn publish(&self, alert: &Alert) -> Result<String, StepError>;
    async fn send_evidence(&self, message: &EvidenceMessage, delay_s: i32)
    -> Result<(), StepError>;
    /// Waits a second for other messages about the same event.
    async fn wait_for_others(&self);
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responded {
    pub case_id: String,
    pub action: Action,
    /// Cases that became part of this one, because the message showed that they are one incident.
    pub absorbed: Vec<String>,
}

/// What a message did to its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Opened,
    Joined,
    /// Another rule matched a detection that was counted already.
    Rerouted,
    /// It was counted already.
    Repeated,
}

/// Handles a batch and returns one result for each message, in the batch's order.
///
/// Each camera and event type is a group, and the groups are handled side by side: a case that many
/// write to takes no time from the others. Within a group all cases are written, oldest detection
/// first, before anybody is told: where several rules match one event, its messages meet here, since
/// all of them have the same detail, and one alert goes out at the highest priority.
pub async fn handle(
    services: &impl RespondServices,
    detections: &[RoutedDetection],
    now_ms: i64,
) -> Vec<Result<Responded, StepError>> {
    let mut order: Vec<(usize, &RoutedDetection)> = detections.iter().enumerate().collect();
    order.sort_by_key(|(_, it)| (it.start_ms, Reverse(it.routing.priority)));
    let mut groups: BTreeMap<String, Vec<(usize, &RoutedDetection)>> = BTreeMap::new();
    for (index, detection) in order {
        groups.entry(guard::group(detection)).or_default().push((index, detection));
    }
    let groups = groups.values().map(|group| handle_group(services, group, now_ms));
    let mut handled: Vec<_> = join_all(groups).await.into_iter().flatten().collect();
    handled.sort_by_key(|(index, _)| *index);
    handled.into_iter().map(|(_, result)| result).collect()
}

/// Counts the detections of one camera and event type, and sees to what follows.
async fn handle_group(
    services: &impl RespondServices,
    group: &[(usize, &RoutedDetection)],
    now_ms: i64,
) -> Vec<(usize, Result<Responded, StepError>)> {
    let results = record(services, group, now_ms).await;
    // The other rules' messages may be with another instance of this function.
    if group.iter().any(|(_, it)| it.matches_several && it.routing.tells_people()) {
        services.wait_for_others().await;
    }
    let mut handled = Vec::new();
    for (index, result) in results {
        let detection = group.iter().find(|(at, _)| *at == index).map(|(_, it)| *it);
        let result = match (result, detection) {
            (Ok(recorded), Some(detection)) => {
                let followed = follow_up(services, detection, &recorded, now_ms).await;
                followed.map(|()| recorded.responded)
            }
            (Ok(recorded), None) => Ok(recorded.responded),
            (Err(error), _) => Err(error),
        };
        handled.push((index, result));
    }
    handled
}

/// Tells people and asks for the clip, each whether or not the other fails.
async fn follow_up(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    recorded: &Recorded,
    now_ms: i64,
) -> Result<(), StepError> {
    if recorded.is_deleted {
        return Ok(());
    }
    let told = tell_people(services, detection, &recorded.responded.case_id, now_ms).await;
    let mut result = told;
    for case_id in &recorded.clips {
        let asked = ask_for_clip(services, detection, case_id, now_ms).await;
        result = result.and(asked);
    }
    result
}

async fn tell_people(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> Result<(), StepError> {
    let by = format!("{}/{}", detection.id, detection.routing.rule);
    // Again for whom another rule added meanwhile: its message left the publishing to this one.
    for _ in 0..MESSAGES_MAX {
        let Some(case) = claim_alert(services, case_id, &by, now_ms).await? else { return Ok(()) };
        let case = publish(services, &case, &detection.routing, (&by, now_ms)).await?;
        if !case::is_due(&case.alert) {
            return Ok(());
        }
    }
    Err(StepError::retryable("publish every alert of case", case_id, CaseError::Busy))
}

/// Publishes what is claimed, and returns the case once that is noted.
async fn publish(
    services: &impl RespondServices,
    case: &CaseItem,
    routing: &Routing,
    (by, now_ms): (&str, i64),
) -> Result<CaseItem, StepError> {
    let alert = alert(case, routing);
    let message_id = match services.publish(&alert).await {
        Ok(message_id) => message_id,
        Err(error) => {
            // The claim runs out by itself when it cannot be given back.
            let release = |case: &CaseItem| claim::release(case, by, now_ms);
            return amend_standing(services, case, by, release).await.and(Err(error));
        }
    };
    let told = Told {
        rank: case.alert.wanted_rank.unwrap_or_default(),
        audiences: alert.audiences,
        texts: alert.texts,
        message_id,
    };
    let note = |case: &CaseItem| Some(case::alerted(case, &told, now_ms));
    // The claim has just read the case: the shorter the way to the note, the fewer alerts come twice.
    amend_standing(services, case, by, note).await
}

/// Returns the case with its alert claimed by us; `None` when there is nothing for us to publish.
async fn claim_alert(
    services: &impl RespondServices,
    case_id: &str,
    by: &str,
    now_ms: i64,
) -> Result<Option<CaseItem>, StepError> {
    for attempt in 1..=ATTEMPTS_MAX {
        let case = fetch_standing(services, case_id).await?;
        match claim::claim(&case, by, now_ms) {
            Claim::NotDue | Claim::Others => return Ok(None),
            Claim::Held => return Ok(Some(case)),
            Claim::Earlier => break,
            Claim::Ours(change) => {
                if services.put_change(&change).await? == Written::Done {
                    return Ok(Some(change.case));
                }
                services.pause(spread(attempt, by)).await;
            }
        }
    }
    Err(StepError::retryable("claim the alert of case", case_id, CaseError::Busy))
}

fn alert(case: &CaseItem, routing: &Routing) -> Alert {
    let facts = claim::facts(case);
    let mut attributes = vec![
        (ATTRIBUTE_PRIORITY, facts.priority.to_string()),
        (ATTRIBUTE_EVENT_TYPE, case.event_type.clone()),
        (ATTRIBUTE_STORE, case.store.clone()),
    ];
    attributes.extend(case.aisle.clone().map(|aisle| (ATTRIBUTE_AISLE, aisle)));
    Alert {
        topic: routing.topic.clone(),
        texts: contract::alert::texts(&facts, &routing.wording),
        audiences: case::audiences(case).to_vec(),
        attributes,
    }
}

async fn ask_for_clip(
    services: &impl RespondServices,
    detection: &RoutedDetection,
    case_id: &str,
    now_ms: i64,
) -> Result<(), StepError> {
    let mut case = fetch(services, case_id).await?;
    if case.evidence.requested_at.is_some() {
        return Ok(());
    }
    // A case that an older release opened knows no more than the stretch.
    let request = case.evidence.request.take();
    case.evidence.request = request.or_else(|| evidence::request_for(detection));
    let Some(request) = evidence::request(&case) else { return Ok(()) };
    let delay_s = evidence::delay_s(request.end_ms, now_ms);
    services.send_evidence(&request, delay_s).await?;
    let requested = |case: &_| case::evidence_requested(case, &request.key, now_ms);
    amend(services, case_id, requested).await.map(drop)
}

#[cfg(test)]
mod tests;
