//! Counting the detections of a batch: read what is on record of each incident, write what becomes of
//! it, all at once.
//!
//! Messages about one store, camera and event type come in together, oldest first; those of one
//! incident are one change. A change that cannot be written at all is tried again message by message,
//! so that a bad one fails alone. To change how much is written at once, see the bounds below; what is
//! written stands in `gathering`.

use std::collections::{BTreeMap, BTreeSet};

use contract::case::{CaseItem, GuardItem};

use super::gathering::{Gathered, Ground, Home, Message, gather};
use super::{RespondServices, Responded};
use crate::case;
use crate::case_table::{ATTEMPTS_MAX, CaseError, Written, find_standing};
use crate::guard::{self, Stretch};
use crate::incident::RoutedDetection;
use crate::step::{StepError, spread};

/// Most messages of one change. Our choice: as many as a batch has; each is a mark and an entry.
const MESSAGES_MAX: usize = 10;

/// Most guards of one change. Our choice: more than the 26 that the longest cooldown needs. With the
/// case, [`MESSAGES_MAX`] marks and entries, three escalations and a longer clip, and eight cases to
/// absorb at three items each, at most 89 of the 100 items of a transaction. Source: `DynamoDB` API
/// reference, `TransactWriteItems`.
const GUARDS_MAX: usize = 40;

/// A message whose detection is on record.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) responded: Responded,
    /// The cases whose clip it sees to.
    pub(super) clips: Vec<String>,
    /// True: somebody deleted its case, and nobody is told of it any more.
    pub(super) is_deleted: bool,
}

/// Counts detections of one store, camera and event type, oldest first; a result for each.
pub(super) async fn record(
    services: &impl RespondServices,
    detections: &[(usize, &RoutedDetection)],
    now_ms: i64,
) -> Vec<(usize, Result<Recorded, StepError>)> {
    let mut left = detections.to_vec();
    let mut results = Vec::new();
    while !left.is_empty() {
        match record_incident(services, &left, now_ms).await {
            Ok(recorded) => {
                let is_done = |index: usize| recorded.iter().any(|(done, _)| *done == index);
                left.retain(|(index, _)| !is_done(*index));
                results.extend(recorded.into_iter().map(|(index, it)| (index, Ok(it))));
            }
            Err(error) if error.retryable || left.len() == 1 => {
                let (text, retryable) = (error.chain(), error.retryable);
                let failures = left.iter().map(|(index, detection)| {
                    let error = StepError::permanent("record", &detection.id, text.clone());
                    (*index, Err(StepError { retryable, ..error }))
                });
                results.extend(failures);
                break;
            }
            Err(_) => {
                for message in &left {
                    results.push(record_alone(services, *message, now_ms).await);
                }
                break;
            }
        }
    }
    results
}

async fn record_alone(
    services: &impl RespondServices,
    message: (usize, &RoutedDetection),
    now_ms: i64,
) -> (usize, Result<Recorded, StepError>) {
    let (index, detection) = message;
    let recorded = record_incident(services, &[message], now_ms).await;
    let recorded = recorded.and_then(|mut recorded| {
        let missing = || StepError::retryable("record", &detection.id, CaseError::Busy);
        recorded.pop().map(|(_, recorded)| recorded).ok_or_else(missing)
    });
    (index, recorded)
}

/// Counts those that are one incident with the first.
async fn record_incident(
    services: &impl RespondServices,
    detections: &[(usize, &RoutedDetection)],
    now_ms: i64,
) -> Result<Vec<(usize, Recorded)>, StepError> {
    let by = detections.first().map(|(_, first)| first.id.as_str()).unwrap_or_default();
    let mut attempt = 0;
    let mut merged = Vec::new();
    while attempt < ATTEMPTS_MAX {
        let ground = read(services, bounded(detections)).await?;
        let gathered = gather(&ground, services.evidence_bucket(), now_ms);
        let Some(gathered) = gathered else { break };
        let written = match &gathered.change {
            Some(change) => services.put_change(change).await?,
            None => Written::Done,
        };
        if written == Written::Done {
            merged.extend(gathered.absorbed.iter().cloned());
            if gathered.is_whole {
                return Ok(recorded(&ground, &gathered, &merged));
            }
            continue;
        }
        attempt += 1;
        services.pause(spread(attempt, by)).await;
    }
    Err(StepError::retryable("record detection", by, CaseError::Busy))
}

/// As many of the detections, from the first, as one change can hold.
fn bounded<'d, 'a>(
    detections: &'d [(usize, &'a RoutedDetection)],
) -> &'d [(usize, &'a RoutedDetection)] {
    let mut guards = BTreeSet::new();
    let fits = |(_, detection): &&(usize, &RoutedDetection)| {
        guards.extend(Stretch::of(detection).spans());
        guards.len() <= GUARDS_MAX
    };
    let fitting = detections.iter().take(MESSAGES_MAX).take_while(fits).count();
    detections.get(..fitting.max(1)).unwrap_or(detections)
}

/// Reads what is on record of the incident of the first detection.
async fn read<'a>(
    services: &impl RespondServices,
    detections: &[(usize, &'a RoutedDetection)],
) -> Result<Ground<'a>, StepError> {
    let mut marks: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (_, detection) in detections {
        if !marks.contains_key(detection.id.as_str()) {
            marks.insert(&detection.id, services.fetch_seen(&detection.id).await?);
        }
    }
    let touched = detections.iter().flat_map(|(_, detection)| {
        Stretch::of(detection).spans().map(|span| guard::pk(detection, span))
    });
    let mut guards: Vec<GuardItem> = Vec::new();
    for pk in touched.collect::<BTreeSet<_>>() {
        guards.extend(services.fetch_guard(&pk).await?);
    }
    let routed: Vec<_> = detections.iter().map(|(_, detection)| *detection).collect();
    let linked = guard::linked(&routed, &guards);
    let ours = linked.detections.iter().filter_map(|place| detections.get(*place));
    let messages = ours.map(|(index, detection)| Message {
        index: *index,
        detection,
        counted_in: marks.get(detection.id.as_str()).cloned().flatten(),
    });
    let messages = messages.collect();
    let mut ground = Ground {
        messages,
        cases: Vec::new(),
        names: BTreeMap::new(),
        guards,
        deleted: BTreeSet::new(),
        home: Home::Open,
    };
    read_cases(services, linked.cases, &mut ground).await?;
    keep_with_first(&mut ground);
    Ok(ground)
}

/// Leaves the messages that belong where the first does; the others' turn comes after it.
fn keep_with_first(ground: &mut Ground<'_>) {
    let Some(first) = ground.messages.first() else { return };
    let home = home_of(ground, first);
    let are_alike: Vec<_> = ground.messages.iter().map(|it| home_of(ground, it) == home).collect();
    let mut are_alike = are_alike.into_iter();
    ground.messages.retain(|_| are_alike.next().unwrap_or_default());
    ground.home = home;
}

/// Where a message belongs.
fn home_of(ground: &Ground<'_>, message: &Message<'_>) -> Home {
    let Some(name) = &message.counted_in else { return Home::Open };
    let Some(standing) = ground.names.get(name) else { return Home::Deleted(name.clone()) };
    let decided = ground.cases.iter().find(|case| case.case_id == *standing);
    let decided = decided.filter(|case| case::is_closed(case));
    decided.map_or(Home::Open, |case| Home::Decided(Box::new(case.clone())))
}

/// Reads the cases that guards and marks name, or what they have become part of.
async fn read_cases(
    services: &impl RespondServices,
    named: BTreeSet<String>,
    ground: &mut Ground<'_>,
) -> Result<(), StepError> {
    let counted = ground.messages.iter().filter_map(|message| message.counted_in.clone());
    let counted: BTreeSet<_> = counted.collect();
    for name in named.union(&counted) {
        let case = services.fetch_case(name).await?;
        let is_standing = match case {
            Some(case) => stand(services, name, case, ground).await?,
            None => false,
        };
        if !is_standing {
            // Somebody deleted it, as the law may want: new detections open another.
            ground.deleted.insert(name.clone());
        }
    }
    let first = ground.messages.first().filter(|first| first.counted_in.is_none());
    let Some(first) = first.map(|message| message.detection) else { return Ok(()) };
    // The mark is gone but the case is there: a message from before the marks were forgotten.
    let case_id = first.case_id();
    if case::parts(&ground.cases).survivor.is_none()
        && let Some(case) = services.fetch_case(&case_id).await?
    {
        stand(services, &case_id, case, ground).await?;
        for message in ground.messages.iter_mut().filter(|it| it.detection.id == first.id) {
            message.counted_in = Some(case_id.clone());
        }
    }
    Ok(())
}

/// Notes a case, or the one that it has become part of, under the name that led to it; false when
/// that one was deleted.
async fn stand(
    services: &impl RespondServices,
    name: &str,
    case: CaseItem,
    ground: &mut Ground<'_>,
) -> Result<bool, StepError> {
    let standing = match &case.merged_into {
        Some(into) => find_standing(services, into).await?,
        None => Some(case),
    };
    let Some(standing) = standing else { return Ok(false) };
    ground.names.insert(name.to_owned(), standing.case_id.clone());
    if ground.cases.iter().all(|known| known.case_id != standing.case_id) {
        ground.cases.push(standing);
    }
    Ok(true)
}

fn recorded(ground: &Ground<'_>, gathered: &Gathered, merged: &[String]) -> Vec<(usize, Recorded)> {
    let is_deleted = matches!(ground.home, Home::Deleted(_));
    let messages = ground.messages.iter().zip(&gathered.actions).enumerate();
    let recorded = messages.map(|(place, (message, action))| {
        let case_id = gathered.case_id.clone();
        let absorbed = if place == 0 { merged.to_vec() } else { Vec::new() };
        // A case that has become part of another keeps its clip: its own messages see to it.
        let own = message.counted_in.iter().filter(|own| **own != case_id).cloned();
        let clips = [case_id.clone()].into_iter().chain(own).chain(absorbed.iter().cloned());
        let clips = clips.collect();
        let responded = Responded { case_id, action: *action, absorbed };
        (message.index, Recorded { responded, clips, is_deleted })
    });
    recorded.collect()
}
