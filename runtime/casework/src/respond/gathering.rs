//! What the messages about one incident make of its cases, its guards and its marks. Pure.
//!
//! All of it is one change, so that a storm of detections meets at its case once for each batch. A
//! detection counts once whatever number of rules match it; of its messages the first counts it and
//! the others can only raise the case. To change what a message does, start at [`gather`].

use std::collections::{BTreeMap, BTreeSet};

use contract::case::{CaseItem, GuardItem};

use super::Action;
use crate::case::{self, Change, Counted, GuardChange, Parts};
use crate::guard::{self, Stretch};
use crate::incident::RoutedDetection;

/// Most cases that become part of another in one change; what is beyond comes in the next one. Our
/// choice: with three items each, and the bounds in `recording`, at most 90 of the 100 items that a
/// transaction may have.
pub(super) const ABSORBED_MAX: usize = 8;

/// The messages about one incident, and what is on record of it.
pub(super) struct Ground<'a> {
    /// Oldest first.
    pub(super) messages: Vec<Message<'a>>,
    /// Its cases, none of which has become part of another.
    pub(super) cases: Vec<CaseItem>,
    /// What guards call these cases, and which they are now.
    pub(super) names: BTreeMap<String, String>,
    pub(super) guards: Vec<GuardItem>,
}

/// A detection under one rule.
pub(super) struct Message<'a> {
    /// Its place in the batch.
    pub(super) index: usize,
    pub(super) detection: &'a RoutedDetection,
    /// The case in which it was counted, if it was.
    pub(super) counted_in: Option<String>,
}

/// What is to be written, and what it does.
pub(super) struct Gathered {
    /// `None`: all is on record.
    pub(super) change: Option<Change>,
    pub(super) case_id: String,
    /// What each message does, in their order.
    pub(super) actions: Vec<Action>,
    /// Cases that become part of this one.
    pub(super) absorbed: Vec<String>,
    /// False: there are more cases to absorb, and no message was looked at.
    pub(super) is_whole: bool,
}

/// Decides about the messages of one incident; `None` when there are none.
pub(super) fn gather(ground: &Ground<'_>, bucket: &str, now_ms: i64) -> Option<Gathered> {
    let first = ground.messages.first()?;
    let parts = case::parts(&ground.cases);
    let mut change = match &parts {
        Some(parts) => Change::of(parts.survivor, now_ms),
        None => Change::opening(first.detection, bucket, now_ms),
    };
    let mergeable = parts.as_ref().map(|parts| parts.absorbed.as_slice()).unwrap_or_default();
    let absorbed: Vec<_> = mergeable.iter().take(ABSORBED_MAX).collect();
    for other in &absorbed {
        change.absorb(other, now_ms);
    }
    let absorbed: Vec<_> = absorbed.into_iter().map(|case| case.case_id.clone()).collect();
    let is_whole = absorbed.len() == mergeable.len();
    let (mut actions, mut seen) = (Vec::new(), Vec::new());
    if is_whole {
        (actions, seen) = count(&mut change, ground, parts.as_ref());
    }
    let case_id = change.case.case_id.clone();
    let seen: Vec<_> = seen.into_iter().map(|it| guard::seen(it, &case_id, now_ms)).collect();
    let ours = |(_, case): &(&String, &String)| **case == case_id || absorbed.contains(case);
    let names = ground.names.iter().filter(ours).map(|(name, _)| name.clone()).collect();
    let mut guards = guards(ground, &case_id, &names, now_ms);
    if seen.is_empty() {
        let is_news = |it: &GuardChange| {
            it.before.as_ref().is_none_or(|before| before.incidents != it.guard.incidents)
        };
        guards.retain(is_news);
    }
    let is_counted = !guards.is_empty() || !seen.is_empty();
    change.counted = is_counted.then_some(Counted { guards, seen });
    let change = (!change.is_idle()).then_some(change);
    Some(Gathered { change, case_id, actions, absorbed, is_whole })
}

/// Lets each message do to the case what it does; returns the detections that it counts now.
fn count<'a>(
    change: &mut Change,
    ground: &Ground<'a>,
    parts: Option<&Parts<'_>>,
) -> (Vec<Action>, Vec<&'a RoutedDetection>) {
    let apart = parts.map(|parts| parts.apart.as_slice()).unwrap_or_default();
    let apart: Vec<_> = apart.iter().map(|case| case.case_id.clone()).collect();
    let is_counted = |it: &&Message<'a>| it.counted_in.is_some();
    let counted = ground.messages.iter().filter(is_counted);
    let mut counted: BTreeSet<_> = counted.map(|it| it.detection.id.as_str()).collect();
    let (mut actions, mut seen) = (Vec::new(), Vec::new());
    for (place, Message { detection, .. }) in ground.messages.iter().enumerate() {
        if !counted.insert(&detection.id) {
            let before = said(&change.case);
            change.raise(detection);
            let is_same = said(&change.case) == before;
            actions.push(if is_same { Action::Repeated } else { Action::Rerouted });
            continue;
        }
        seen.push(*detection);
        if parts.is_none() && place == 0 {
            actions.push(Action::Opened);
            continue;
        }
        change.add(detection, &apart);
        actions.push(Action::Joined);
    }
    (actions, seen)
}

/// What rules say about a case.
fn said(case: &CaseItem) -> impl PartialEq + use<> {
    (case.priority_rank, case.shadow, case.notify.clone(), case.alert.clone())
}

/// The guards that the messages touch, as they were and as they will be.
fn guards(
    ground: &Ground<'_>,
    case_id: &str,
    names: &BTreeSet<String>,
    now_ms: i64,
) -> Vec<GuardChange> {
    let mut stretches: BTreeMap<String, Stretch> = BTreeMap::new();
    for Message { detection, .. } in &ground.messages {
        let stretch = Stretch::of(detection);
        for span in stretch.spans() {
            let known = stretches.entry(guard::pk(detection, span)).or_insert(stretch);
            *known = known.with(stretch);
        }
    }
    let changes = stretches.into_iter().map(|(pk, stretch)| {
        let before = ground.guards.iter().find(|guard| guard.pk == pk).cloned();
        let guard = guard::with(before.as_ref(), &pk, stretch, case_id, names);
        GuardChange { guard: guard::kept(guard, now_ms), before }
    });
    changes.collect()
}
