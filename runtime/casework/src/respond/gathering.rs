//! What the messages about one incident make of its cases, its guards and its marks. Pure.
//!
//! All of it is one change, so that a storm of detections meets at its case once for each batch. A
//! detection counts once whatever number of rules match it; of its messages the first counts it and
//! the others can only raise the case. To change what a message does, start at [`gather`].

use std::collections::{BTreeMap, BTreeSet};

use contract::case::{CaseItem, GuardItem};

use super::Action;
use crate::case::{self, Change, Counted, GuardChange};
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
    /// What guards call cases that somebody deleted.
    pub(super) deleted: BTreeSet<String>,
    /// What all these messages have in common.
    pub(super) home: Home,
}

/// Where messages belong.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Home {
    /// In a case that takes detections in, or in a new one.
    Open,
    /// A case that people have decided has counted them: it takes in nothing else.
    Decided(Box<CaseItem>),
    /// The case that counted them was deleted: nothing is left to do.
    Deleted(String),
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
    match &ground.home {
        Home::Open => {}
        Home::Decided(case) => return Some(decided(case, ground, now_ms)),
        Home::Deleted(case_id) => return Some(deleted(case_id, ground)),
    }
    let parts = case::parts(&ground.cases);
    let apart: Vec<_> = parts.apart.iter().map(|case| case.case_id.clone()).collect();
    let mut change = match parts.survivor {
        Some(survivor) => Change::of(survivor, now_ms),
        None => Change::opening(first.detection, &apart, bucket, now_ms),
    };
    let absorbed: Vec<_> = parts.absorbed.iter().take(ABSORBED_MAX).collect();
    for other in &absorbed {
        change.absorb(other, now_ms);
    }
    let absorbed: Vec<_> = absorbed.into_iter().map(|case| case.case_id.clone()).collect();
    let is_whole = absorbed.len() == parts.absorbed.len();
    let (mut actions, mut seen) = (Vec::new(), Vec::new());
    if is_whole {
        (actions, seen) = count(&mut change, ground, &apart);
    }
    let case_id = change.case.case_id.clone();
    let seen: Vec<_> = seen.into_iter().map(|it| guard::seen(it, &case_id, now_ms)).collect();
    let names = names(ground, &case_id, &absorbed);
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

/// What messages say about the decided case that has counted them.
fn decided(case: &CaseItem, ground: &Ground<'_>, now_ms: i64) -> Gathered {
    let mut change = Change::of(case, now_ms);
    let (actions, _) = count(&mut change, ground, &[]);
    let change = (!change.is_idle()).then_some(change);
    let (case_id, absorbed) = (case.case_id.clone(), Vec::new());
    Gathered { change, case_id, actions, absorbed, is_whole: true }
}

fn deleted(case_id: &str, ground: &Ground<'_>) -> Gathered {
    let actions = ground.messages.iter().map(|_| Action::Repeated).collect();
    let (case_id, absorbed) = (case_id.to_owned(), Vec::new());
    Gathered { change: None, case_id, actions, absorbed, is_whole: true }
}

/// What guards shall call the case from now on: what becomes part of it, and what takes in nothing
/// more, so that the next detection finds the case that does.
fn names(ground: &Ground<'_>, case_id: &str, absorbed: &[String]) -> BTreeSet<String> {
    let closed = ground.cases.iter().filter(|case| case::is_closed(case));
    let closed: BTreeSet<_> = closed.map(|case| case.case_id.as_str()).collect();
    let is_ours = |(_, case): &(&String, &String)| {
        *case == case_id || absorbed.contains(case) || closed.contains(case.as_str())
    };
    let ours = ground.names.iter().filter(is_ours).map(|(name, _)| name);
    ours.chain(&ground.deleted).cloned().collect()
}

/// Lets each message do to the case what it does; returns the detections that it counts now.
fn count<'a>(
    change: &mut Change,
    ground: &Ground<'a>,
    apart: &[String],
) -> (Vec<Action>, Vec<&'a RoutedDetection>) {
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
        if change.before.is_none() && place == 0 {
            actions.push(Action::Opened);
            continue;
        }
        change.add(detection, apart);
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
