//! Detections that two templates of a store treat otherwise: exactly which, and one as an example.
//!
//! Patterns of one template exclude each other and cover all, so what an event came to and what it
//! comes to now is a pair of rules; each pair whose treatment differs is one sentence. The rule to
//! keep: what is said follows from the patterns that are deployed, and an example is a detection that a
//! camera of the store can make. What the model watches is told in `routing/watching.rs`, what is kept
//! of a case in `routing/setting.rs`, the words are in `routing/words.rs`. Pure. To change which
//! differences count, start in [`routed`].

mod setting;
mod space;
#[cfg(test)]
mod tests;
mod view;
mod watching;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::hearing::{ReadRule, Side, Treatment, same};
use super::{About, Class, Finding, Weight, path};
use crate::template::Template;
use space::{CONFIDENCE, EVENT_TYPE, FIELDS, Region, Space, branches};
use view::{Shift, View, views};

/// Returns what becomes otherwise of the detections of a store, what may be missed first.
pub(super) fn rules(before: Option<&Template>, after: Option<&Template>) -> Vec<Finding> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) if !same(before, after) => {
            (Side::read(before), Side::read(after))
        }
        (Some(before), None) => return gone(&Side::read(before)).into_iter().collect(),
        _ => return Vec::new(),
    };
    let unread = unread(&before, &after);
    if !unread.is_empty() {
        return unread;
    }
    let mut findings = Vec::new();
    if !routes_alike(&before, &after) {
        let routed = routed(&before, &after);
        findings = routed.map_or_else(|| vec![foreign()], |it| words::findings(&it));
    }
    findings.extend(watching::findings(&before, &after));
    findings.extend(setting::findings(&before, &after));
    findings
}

/// Whether there is nothing to compare: the same rules for the same views.
fn routes_alike(before: &Side, after: &Side) -> bool {
    fn routing(side: &Side) -> Vec<(&Value, Treatment)> {
        side.rules.iter().map(|it| (&it.pattern, Treatment::of(&it.message))).collect()
    }
    before.watch == after.watch && routing(before) == routing(after)
}

fn gone(before: &Side) -> Option<Finding> {
    let text = "the store is not watched any more, and no detection is routed".to_owned();
    let is_store = before.watch.is_some() || !before.rules.is_empty();
    is_store.then(|| finding(Weight::Loud, text, Vec::new()))
}

fn finding(weight: Weight, text: String, about: Vec<About>) -> Finding {
    Finding { about, ..Finding::new(Class::Rules, weight, text) }
}

fn unread(before: &Side, after: &Side) -> Vec<Finding> {
    let of = |side: &Side, which: &str| {
        let all = side.unread.iter();
        let text = |id: &String| {
            format!("the {which} `{id}` is not as `arm` writes it, so its rules are not compared")
        };
        all.map(|id| finding(Weight::Loud, text(id), Vec::new())).collect::<Vec<_>>()
    };
    [of(before, "earlier"), of(after, "later")].concat()
}

fn foreign() -> Finding {
    let text = "a pattern is not as `arm` writes it, so the rules are not compared".to_owned();
    finding(Weight::Loud, text, vec![path(&["rules"])])
}

/// All detections that came to one treatment, and come to another one now.
#[derive(Clone, Debug, PartialEq)]
struct Change<'p> {
    before: Treatment,
    after: Treatment,
    shift: Shift,
    /// Of several, of those that a camera can see.
    regions: Vec<Region>,
    example: Option<Example<'p>>,
    /// A detail of an event that nothing in the store makes, where there is no example.
    made_up: Value,
}

/// A detection that a camera of the store can make.
#[derive(Clone, Debug, PartialEq)]
struct Example<'p> {
    view: View<'p>,
    /// `None`: one that no rule names.
    event_type: Option<String>,
    confidence: f64,
}

/// What is treated otherwise, and the terms that it is said in.
struct Routed<'p> {
    space: Space<'p>,
    changes: Vec<Change<'p>>,
}

/// One EventBridge rule with its boxes.
struct Boxed<'p> {
    pattern: &'p Value,
    treatment: Treatment,
    boxes: Vec<Region>,
}

/// A class of views that no rule tells apart.
struct Seen<'p> {
    view: View<'p>,
    shift: Shift,
    before: Region,
    after: Region,
}

/// `None` where a pattern is none that the compiler of rules writes.
fn routed<'p>(before: &'p Side, after: &'p Side) -> Option<Routed<'p>> {
    let read = |rules: &'p [ReadRule]| {
        let all = rules.iter().map(|rule| Some((rule, branches(&rule.pattern)?)));
        all.collect::<Option<Vec<_>>>()
    };
    let (old, new) = (read(&before.rules)?, read(&after.rules)?);
    let space = Space::new(old.iter().chain(&new).flat_map(|(_, branches)| branches))?;
    let boxed = |rules: Vec<(&'p ReadRule, Vec<space::Branch<'p>>)>| -> Vec<Boxed<'p>> {
        let all = rules.into_iter().map(|(rule, branches)| Boxed {
            pattern: &rule.pattern,
            treatment: Treatment::of(&rule.message),
            boxes: branches.iter().map(|branch| space.region(branch)).collect(),
        });
        all.collect()
    };
    let (old, new) = (boxed(old), boxed(new));
    let watches = before.watch.as_ref().zip(after.watch.as_ref());
    let seen =
        watches.map_or_else(Vec::new, |(before, after)| classes(&space, views(before, after)));
    let changes = changes(&space, &old, &new, &seen);
    Some(Routed { space, changes })
}

/// Views that no rule tells apart, once each.
fn classes<'p>(space: &Space<'_>, views: Vec<View<'p>>) -> Vec<Seen<'p>> {
    let mut known = BTreeSet::new();
    let mut classes = Vec::new();
    for view in views {
        let is_same = view.before == view.after;
        let shift = if is_same { Shift::default() } else { view.shift() };
        let after = view.after.atoms(space);
        let before = if is_same { after } else { view.before.atoms(space) };
        if known.insert((before, after, shift.clone())) {
            let (before, after) = (view.before.region(space), view.after.region(space));
            classes.push(Seen { view, shift, before, after });
        }
    }
    classes
}

fn changes<'p>(
    space: &Space<'p>,
    old: &[Boxed<'_>],
    new: &[Boxed<'_>],
    seen: &[Seen<'p>],
) -> Vec<Change<'p>> {
    let mut found = Found { space, changes: BTreeMap::new() };
    let kept = |rule: &Boxed<'_>, others: &[Boxed<'_>]| {
        others.iter().position(|it| it.pattern == rule.pattern)
    };
    let twins: Vec<_> = old.iter().map(|rule| kept(rule, new)).collect();
    let is_new: Vec<_> = (0..new.len()).map(|at| !twins.contains(&Some(at))).collect();
    let is_shifted = |it: &&Seen<'_>| !it.shift.fields.is_empty();
    let shifted: Vec<_> = seen.iter().filter(is_shifted).collect();
    let still: Vec<_> = seen.iter().filter(|it| !is_shifted(it)).collect();
    for (rule, twin) in old.iter().zip(&twins) {
        for (at, other) in new.iter().enumerate() {
            if rule.treatment == other.treatment {
                continue;
            }
            // Patterns of one side exclude each other: what stands on both sides meets only itself.
            let can_meet = match twin {
                Some(twin) => *twin == at,
                None => is_new.get(at) == Some(&true),
            };
            if can_meet {
                found.put_same(rule, other, &still);
            }
            found.put_shifted(rule, other, &shifted);
        }
    }
    found.changes.into_values().collect()
}

struct Found<'s, 'p> {
    space: &'s Space<'p>,
    changes: BTreeMap<(Treatment, Treatment, Shift), Change<'p>>,
}

impl<'p> Found<'_, 'p> {
    /// Events that are the same on both sides.
    fn put_same(&mut self, old: &Boxed<'_>, new: &Boxed<'_>, seen: &[&Seen<'p>]) {
        for a in &old.boxes {
            for b in &new.boxes {
                let both = a.intersect(b);
                if !self.space.holds_something(&both) {
                    continue;
                }
                let example = seen.iter().find_map(|it| {
                    let here = both.intersect(&it.after);
                    self.space.holds_something(&here).then(|| example(self.space, &here, &it.view))
                });
                self.put((old, new), &Shift::default(), both, example);
            }
        }
    }

    /// Detections that are not the same on both sides.
    fn put_shifted(&mut self, old: &Boxed<'_>, new: &Boxed<'_>, seen: &[&Seen<'p>]) {
        for it in seen {
            for a in &old.boxes {
                let here = a.intersect(&it.before);
                if !self.space.holds_something(&here) {
                    continue;
                }
                for b in &new.boxes {
                    let there = b.intersect(&it.after);
                    let meet = |field| self.space.meet_in(&here, &there, field);
                    if !self.space.holds_something(&there)
                        || ![EVENT_TYPE, CONFIDENCE].into_iter().all(meet)
                    {
                        continue;
                    }
                    let region = wide(self.space, &a.intersect(b), &it.shift);
                    let example = example(self.space, &here.intersect(&there), &it.view);
                    self.put((old, new), &it.shift, region, Some(example));
                }
            }
        }
    }

    fn put(
        &mut self,
        (old, new): (&Boxed<'_>, &Boxed<'_>),
        shift: &Shift,
        region: Region,
        example: Option<Example<'p>>,
    ) {
        let key = (old.treatment.clone(), new.treatment.clone(), shift.clone());
        let change = self.changes.entry(key).or_insert_with(|| Change {
            before: old.treatment.clone(),
            after: new.treatment.clone(),
            shift: shift.clone(),
            regions: Vec::new(),
            example: None,
            made_up: made_up(self.space, &region),
        });
        match (&change.example, example) {
            // What a camera can see is worth more than all that none can.
            (None, Some(example)) => {
                change.example = Some(example);
                change.regions = vec![region];
            }
            (Some(_), None) => {}
            (Some(_), Some(_)) | (None, None) => {
                if !change.regions.contains(&region) {
                    change.regions.push(region);
                }
            }
        }
    }
}

/// The box without limits to the fields that shift.
fn wide(space: &Space<'_>, region: &Region, shift: &Shift) -> Region {
    space.without(region, shift.fields.iter().copied())
}

/// A detection of a box, of which the rest is the view's.
fn example<'p>(space: &Space<'_>, region: &Region, view: &View<'p>) -> Example<'p> {
    /// Surest first, but for what no model says. Our choice.
    const LIKELY: [f64; 12] = [0.9, 0.95, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.99, 1.0];
    let bounds = space.bounds().iter().copied().filter(|it| (0.0..=1.0).contains(it));
    // Of a stretch that begins at 0 and ends below any likely one.
    let mut confidences = LIKELY.into_iter().chain(bounds).chain([0.0]);
    let is_in = |it: &f64| space.has(region, CONFIDENCE, space.atom_of_number(*it));
    let names = space.names(EVENT_TYPE).iter();
    let mut types =
        names.filter(|it| space.has(region, EVENT_TYPE, space.atom_of(EVENT_TYPE, Some(it))));
    Example {
        view: *view,
        event_type: types.next().cloned(),
        confidence: confidences.find(is_in).unwrap_or_default(),
    }
}

/// The detail of an event of a box, whoever makes it.
fn made_up(space: &Space<'_>, region: &Region) -> Value {
    let fields = FIELDS
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some(((*name).to_owned(), space.sample(region, at)?.clone()?)));
    Value::Object(fields.collect())
}
