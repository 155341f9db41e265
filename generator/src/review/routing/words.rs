//! What is treated otherwise, in sentences: what may be missed first, all of one kind together.
//!
//! A sentence says what the rules tell apart and no more, so that it is the same in every store where
//! the same happens. An example stands in the sentence where words alone do not bound what is meant,
//! else in the details. Pure. To change what is loud, start at [`Kind::of`].

use std::collections::BTreeSet;

use contract::incident::UNROUTED;

use super::space::{
    AISLE, AISLE_KIND, CAMERA, CONFIDENCE, EVENT_TYPE, FIELDS, PERIOD, Region, Space, ZONE,
};
use super::{Change, Example, Routed, Treatment, finding};
use crate::paragraph::first_of;
use crate::review::{Finding, Weight, path};

/// Most names in a list. Our choice: they stay within a line.
const NAMED_MAX: usize = 4;
/// Most boxes that are said one by one. Our choice: three are no sentence.
const BOXES_MAX: usize = 2;

/// What a change is, in the order in which changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Somebody was told, and nobody is now.
    Lost,
    Lower,
    Higher,
    Others,
    /// Another rule, and all else the same.
    Renamed,
    /// Nothing but the cooldown, which has a sentence of its own.
    Cooldown,
}

impl Kind {
    pub(super) fn of(before: &Treatment, after: &Treatment) -> Self {
        let (was, is) = (before.told(), after.told());
        let is_routed = |it: &Treatment| it.rule != UNROUTED;
        if !was.is_empty() && is.is_empty() {
            Self::Lost
        } else if after.priority < before.priority {
            Self::Lower
        } else if after.priority > before.priority {
            Self::Higher
        } else if was != is
            || before.shadow != after.shadow
            || is_routed(before) != is_routed(after)
        {
            Self::Others
        } else if before.rule != after.rule {
            Self::Renamed
        } else {
            Self::Cooldown
        }
    }
}

/// Every sentence about detections that are treated otherwise.
pub(super) fn findings(routed: &Routed<'_>) -> Vec<Finding> {
    let mut told = Vec::new();
    let mut renamed = BTreeSet::new();
    let mut unseen = Vec::new();
    for change in &routed.changes {
        match (Kind::of(&change.before, &change.after), &change.example) {
            (Kind::Cooldown, _) => {}
            (Kind::Renamed, Some(_)) => {
                renamed.insert((change.before.rule.clone(), change.after.rule.clone()));
            }
            (_, None) => unseen.push(change),
            (kind, Some(example)) => told.push((kind, sentence(&routed.space, change, example))),
        }
    }
    told.sort_by(|(a, one), (b, other)| (a, &one.text).cmp(&(b, &other.text)));
    let mut findings: Vec<_> = told.into_iter().map(|(_, it)| it).collect();
    findings.extend(renames(&renamed));
    // What others put on the bus is worth a sentence where it is all that changes.
    if findings.is_empty() {
        findings.extend(unmade(&unseen));
    }
    findings
}

fn sentence(space: &Space<'_>, change: &Change<'_>, example: &Example<'_>) -> Finding {
    let boxes = merged(space, change.regions.clone());
    let told = said(space, change, &boxes, example);
    let shift = change.shift.words.join(", ");
    let one_of_them = told_example(space, change, &boxes, example);
    let what = match boxes.as_slice() {
        boxes if boxes.len() > BOXES_MAX => format!("{told}, in part, such as {one_of_them}"),
        _ => told,
    };
    let what = if shift.is_empty() { what } else { format!("{shift}, {what}") };
    let text = format!("{what}: {}", treated(&change.before, &change.after));
    let details =
        if text.contains(&one_of_them) { vec![] } else { vec![format!("such as {one_of_them}")] };
    Finding { details, ..finding(Weight::Loud, text, about(change)) }
}

/// `` `after-hours` critical -> `concealment` high, tells `floor` instead of nobody ``
fn treated(before: &Treatment, after: &Treatment) -> String {
    let mut parts = Vec::new();
    if before.rule != after.rule {
        let (was, is) = (before.priority, after.priority);
        parts.push(format!("`{}` {was} -> `{}` {is}", before.rule, after.rule));
    } else if before.priority != after.priority {
        parts.push(format!("`{}` {} -> {}", after.rule, before.priority, after.priority));
    } else {
        parts.push(format!("`{}` {}", after.rule, after.priority));
    }
    if before.told() != after.told() || before.shadow != after.shadow {
        parts.push(format!("tells {} instead of {}", people(after), people(before)));
    }
    parts.join(", ")
}

fn people(treatment: &Treatment) -> String {
    if treatment.shadow {
        return "nobody (a shadow)".to_owned();
    }
    let told: Vec<_> = treatment.told().into_iter().map(|it| format!("`{it}`")).collect();
    if told.is_empty() { "nobody".to_owned() } else { told.join(" and ") }
}

fn about(change: &Change<'_>) -> Vec<Vec<String>> {
    let (before, after) = (&change.before, &change.after);
    let mut about = change.shift.about.clone();
    if !change.shift.fields.is_empty() {
        return about;
    }
    if before.rule == after.rule {
        let keys = [
            ("priority", before.priority != after.priority),
            ("notify", before.notify != after.notify),
            ("shadow", before.shadow != after.shadow),
        ];
        let changed = keys.iter().filter(|(_, is)| *is);
        about.extend(changed.map(|(key, _)| path(&["rules", &after.rule, key])));
        return about;
    }
    let rules = [&before.rule, &after.rule].into_iter().filter(|it| *it != UNROUTED);
    about.extend(rules.map(|it| path(&["rules", it])));
    about
}

/// Joins boxes that differ in one field.
fn merged(space: &Space<'_>, mut boxes: Vec<Region>) -> Vec<Region> {
    loop {
        let before = boxes.len();
        for field in 0..FIELDS.len() {
            let mut joined: Vec<Region> = Vec::new();
            for region in boxes {
                let same = joined.iter_mut().find(|it| space.differ_only_in(it, &region, field));
                match same {
                    Some(same) => same.unite(&region),
                    None => joined.push(region),
                }
            }
            boxes = joined;
        }
        if boxes.len() == before {
            return boxes;
        }
    }
}

fn said(space: &Space<'_>, change: &Change<'_>, boxes: &[Region], example: &Example<'_>) -> String {
    let shifted = &change.shift.fields;
    if boxes.len() <= BOXES_MAX {
        let all: BTreeSet<_> = boxes.iter().map(|it| described(space, it, shifted)).collect();
        return all.into_iter().collect::<Vec<_>>().join(", and ");
    }
    let mut common = boxes.first().cloned().unwrap_or_else(|| example.view.after.region(space));
    for region in boxes {
        common.unite(region);
    }
    described(space, &common, shifted)
}

/// A box in words.
fn described(space: &Space<'_>, region: &Region, shifted: &[usize]) -> String {
    let mut text = types(space, region);
    text.push_str(&period_and_place(space, region, shifted));
    text.extend(confidence(space, region));
    text
}

fn period_and_place(space: &Space<'_>, region: &Region, shifted: &[usize]) -> String {
    let limited = |field: &usize| !shifted.contains(field) && !space.is_any(region, *field);
    let place = [AISLE_KIND, AISLE, CAMERA, ZONE].into_iter().filter(limited);
    let parts = place.map(|field| {
        let (is_outside, names) = names(space, region, field);
        let (within, outside) = match field {
            AISLE_KIND => ("in aisles of kind", "in aisles of another kind than"),
            AISLE => ("at", "anywhere but at"),
            CAMERA => ("before camera", "before other cameras than"),
            _ => ("in zone", "outside zone"),
        };
        format!(" {} {}", if is_outside { outside } else { within }, listed(&names, "`"))
    });
    let period = period(space, region).filter(|_| limited(&PERIOD));
    period.into_iter().chain(parts).collect()
}

fn types(space: &Space<'_>, region: &Region) -> String {
    let (is_outside, names) = names(space, region, EVENT_TYPE);
    match (is_outside, names.is_empty()) {
        (true, true) => "any detection".to_owned(),
        (true, false) => format!("any detection but {}", listed(&names, "")),
        _ => listed(&names, ""),
    }
}

/// Whether a box has what no list names; the names that it has then not, else those that it has.
fn names<'s>(space: &'s Space<'_>, region: &Region, field: usize) -> (bool, Vec<&'s str>) {
    let is_outside = space.has(region, field, space.atom_of(field, Some(" ")));
    let all = space.names(field).iter().map(String::as_str);
    let has = |name: &&str| space.has(region, field, space.atom_of(field, Some(name)));
    (is_outside, all.filter(|name| has(name) != is_outside).collect())
}

fn listed(names: &[&str], quote: &str) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("{quote}{it}{quote}")).collect();
    first_of(&names, NAMED_MAX)
}

/// What is neither open nor closed no camera sees.
fn period(space: &Space<'_>, region: &Region) -> Option<String> {
    let is_in = |word| space.has(region, PERIOD, space.atom_of(PERIOD, Some(word)));
    match (is_in("open"), is_in("closed")) {
        (true, false) => Some(" while open".to_owned()),
        (false, true) => Some(" while closed".to_owned()),
        _ => None,
    }
}

/// The stretches of numbers that a box has; nothing where it has all.
fn confidence(space: &Space<'_>, region: &Region) -> Option<String> {
    let bounds = space.bounds();
    let lowest = bounds.first().map_or(0.0, |it| it - 1.0);
    let starts = [lowest].into_iter().chain(bounds.iter().copied());
    let mut runs: Vec<(f64, Option<f64>)> = Vec::new();
    for (start, end) in starts.zip(bounds.iter().copied().map(Some).chain([None])) {
        if !space.has(region, CONFIDENCE, space.atom_of_number(start)) {
            continue;
        }
        match runs.last_mut() {
            Some((_, last)) if *last == Some(start) => *last = end,
            _ => runs.push((start, end)),
        }
    }
    let run = |(start, end): &(f64, Option<f64>)| {
        let is_lowest = start.total_cmp(&lowest).is_eq();
        match (is_lowest, end) {
            (true, None) => None,
            (true, Some(end)) => Some(format!("below {end}")),
            (false, None) => Some(format!("{start} or more")),
            (false, Some(end)) => Some(format!("{start} to below {end}")),
        }
    };
    let runs: Option<Vec<_>> = runs.iter().map(run).collect();
    let runs = runs.filter(|it| !it.is_empty())?;
    Some(format!(", confidence {}", runs.join(" or ")))
}

/// An example in words: its own event type and confidence, and of the rest what its box limits, as the
/// place itself is another one in every store.
fn told_example(
    space: &Space<'_>,
    change: &Change<'_>,
    boxes: &[Region],
    example: &Example<'_>,
) -> String {
    let here = example.view.after.region(space);
    let shifted = &change.shift.fields;
    let named = example.event_type.as_deref();
    let event_type = space.atom_of(EVENT_TYPE, named.or(Some(" ")));
    let holds = |region: &&Region| {
        space.has(region, EVENT_TYPE, event_type)
            && space.has(region, CONFIDENCE, space.atom_of_number(example.confidence))
            && (0..FIELDS.len())
                .all(|field| shifted.contains(&field) || space.meet_in(region, &here, field))
    };
    let other =
        if space.names(EVENT_TYPE).is_empty() { "a detection" } else { "another detection" };
    let mut text = named.unwrap_or(other).to_owned();
    if let Some(region) = boxes.iter().find(holds) {
        text.push_str(&period_and_place(space, region, shifted));
        let is_said = !space.is_any(region, CONFIDENCE);
        text.extend(is_said.then(|| format!(", confidence {}", example.confidence)));
    }
    text
}

fn renames(renamed: &BTreeSet<(String, String)>) -> Option<Finding> {
    let pairs: Vec<_> = renamed.iter().map(|(was, is)| format!("`{was}` -> `{is}`")).collect();
    let about = renamed.iter().flat_map(|(was, is)| [was, is]).filter(|it| *it != UNROUTED);
    let about: BTreeSet<_> = about.map(|it| vec!["rules".to_owned(), it.clone()]).collect();
    let text = format!(
        "detections match other rules of the same priority, which tell the same people: {}",
        pairs.join(", ")
    );
    let all = || finding(Weight::Quiet, text, about.into_iter().collect());
    (!pairs.is_empty()).then(all)
}

/// What only others put on the bus.
fn unmade(unseen: &[&Change<'_>]) -> Option<Finding> {
    let first = unseen.first()?;
    let pair = |it: &&Change<'_>| treated(&it.before, &it.after);
    let pairs: BTreeSet<_> = unseen.iter().map(pair).collect();
    let text = format!(
        "events that no camera here makes are treated otherwise, such as {}: {}",
        first.made_up,
        treated(&first.before, &first.after)
    );
    let about: BTreeSet<_> = unseen.iter().flat_map(|it| about(it)).collect();
    let details = if pairs.len() > 1 { pairs.into_iter().collect() } else { Vec::new() };
    Some(Finding { details, ..finding(Weight::Quiet, text, about.into_iter().collect()) })
}
