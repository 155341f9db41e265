//! Compares the stacks of two sides and judges what is different: the way into a review. Pure.
//!
//! Each stack is judged by itself, several at once, and what comes out is grouped. To judge something
//! more about a stack, add it to [`findings`].

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use serde_json::Value;

use super::access::access;
use super::group::Groups;
use super::loss::loss;
use super::operators::operators;
use super::people::people;
use super::replacement::replacements;
use super::routing::rules;
use super::side::{Base, Pair, Pairs, Scope, StackId, Written};
use super::{
    About, Cause, Class, Costs, Finding, Group, Omission, Review, Subject, Tally, Weight, costs,
    owner, place, quota,
};
use crate::change::{self, Action, PropertyChange, ResourceChange};
use crate::stack::StackError;
use crate::template::Template;

/// Fewest stacks for which another thread is worth its start. Our choice: a stack takes milliseconds.
const STACKS_PER_THREAD: usize = 4;

/// What cannot be said of templates.
const NO_SUMS: &str = "costs and quotas are not compared: templates do not say what cameras send";

/// One stack, judged.
struct Judged {
    id: StackId,
    outcome: Outcome,
    resources: Vec<(ResourceChange, Vec<Cause>)>,
    findings: Vec<(Finding, Vec<Cause>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Added,
    Removed,
    Changed,
    Same,
}

/// The names of the sides, as people call them.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    pub base: &'a str,
    pub head: &'a str,
}

/// Reviews what the later side makes of the earlier one.
pub fn review(
    base: &Base<'_>,
    head: Written<'_>,
    scope: &Scope<'_>,
    names: Names<'_>,
) -> Result<Review, StackError> {
    let pairs = Pairs::find(base, head, scope);
    let judged = all(&pairs)?;
    let mut collected = Collected::default();
    collected.stacks.unchanged = pairs.unchanged;
    for it in judged {
        collected.add(it);
    }
    let (costs, omissions) = match base.written() {
        Some(base) => (Some(collected.sums(base, head, &pairs)), Vec::new()),
        None if collected.is_empty() => (None, Vec::new()),
        None => (None, vec![Omission::known(NO_SUMS)]),
    };
    Ok(collected.finish(names, costs, omissions))
}

/// Judges every stack, on as many threads as there are processors.
fn all(pairs: &Pairs<'_>) -> Result<Vec<Judged>, StackError> {
    let ids = pairs.ids();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let size = ids.len().div_ceil(threads).max(STACKS_PER_THREAD);
    thread::scope(|scope| {
        let parts: Vec<_> = ids
            .chunks(size)
            .map(|part| {
                scope.spawn(move || {
                    part.iter().map(|id| judge(pairs, id)).collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let mut judged = Vec::with_capacity(ids.len());
        for part in parts {
            judged.extend(part.join().expect("a stack is judged without a panic")?);
        }
        Ok(judged)
    })
}

fn judge(pairs: &Pairs<'_>, id: &StackId) -> Result<Judged, StackError> {
    let pair = pairs.make(id)?;
    let changes = match (&pair.before, &pair.after) {
        (Some(before), Some(after)) => change::compare(before, after),
        (before, after) => whole(before.as_ref(), after.as_ref()),
    };
    let beside = match (&pair.before, &pair.after) {
        (Some(before), Some(after)) => change::sections(before, after),
        _ => Vec::new(),
    };
    let is_same = changes.is_empty() && beside.is_empty() && !place::has_moved(pairs, &id.cell);
    let outcome = match (&pair.before, &pair.after) {
        (None, _) => Outcome::Added,
        (_, None) => Outcome::Removed,
        (Some(_), Some(_)) if is_same => Outcome::Same,
        (Some(_), Some(_)) => Outcome::Changed,
    };
    let mut judged =
        Judged { id: id.clone(), outcome, resources: Vec::new(), findings: Vec::new() };
    if outcome == Outcome::Same {
        return Ok(judged);
    }
    let settings = pairs.settings(id);
    let mut findings = match place::store(pairs, &pair)? {
        Some(findings) => findings,
        None => findings(pairs, &pair, &changes),
    };
    findings.extend(sections(&beside));
    for finding in findings {
        let mut causes = settings.causes(&finding.about);
        if causes.is_empty() {
            causes = settings.causes(&whole_stack(id, outcome));
        }
        judged.findings.push((finding, causes));
    }
    let together: BTreeSet<String> = changes.iter().map(|it| it.logical_id.clone()).collect();
    for mut change in changes {
        change.refers_to = references(&change, &together);
        let about = match id.store() {
            Some(_) => owner::of_store(&change, &settings),
            None => owner::of_shared(&change.resource_type, &id.cell),
        };
        let mut causes = settings.causes(&about);
        if causes.is_empty() && id.store().is_none() {
            causes = settings.causes(&owner::of_cell(&id.cell));
        }
        judged.resources.push((change, causes));
    }
    Ok(judged)
}

/// To which of the resources that change another of them refers.
fn references(change: &ResourceChange, together: &BTreeSet<String>) -> Vec<String> {
    let sides = [&change.before, &change.after].into_iter().flatten();
    let names: BTreeSet<String> = sides.flat_map(change::referred).collect();
    names.intersection(together).filter(|it| **it != change.logical_id).cloned().collect()
}

/// What may have caused something of which nobody says more: of a stack that comes or goes the line that
/// names it, of others every setting.
fn whole_stack(id: &StackId, outcome: Outcome) -> Vec<About> {
    let is_whole = matches!(outcome, Outcome::Added | Outcome::Removed);
    match id.store() {
        Some(_) if is_whole => vec![vec!["store".to_owned()]],
        None if is_whole => vec![vec!["cells".to_owned(), id.cell.clone(), "id".to_owned()]],
        Some(_) => vec![Vec::new()],
        None => owner::of_cell(&id.cell),
    }
}

/// What is to be said of one stack.
fn findings(pairs: &Pairs<'_>, pair: &Pair, changes: &[ResourceChange]) -> Vec<Finding> {
    let (before, after) = (pair.before.as_ref(), pair.after.as_ref());
    let mut found = loss(changes, before, after);
    // A stack that is in no file goes on as it is: nothing else changes.
    let Some(later) = after else { return found };
    found.extend(place::cell(pairs, &pair.id));
    found.extend(replacements(changes, later));
    found.extend(access(before, after, pairs.account(&pair.id.cell)));
    match &pair.id.subject {
        Subject::Store(_) => {
            found.extend(people(before, after));
            found.extend(rules(before, after));
        }
        Subject::Platform(cell) => {
            if let Some((before, after)) = before.zip(after) {
                found.extend(operators(before, after, cell));
            }
        }
        Subject::Artifacts(_) | Subject::Home(_) => {}
    }
    found
}

/// What a template says otherwise beside its resources.
fn sections(beside: &[PropertyChange]) -> Option<Finding> {
    let names: Vec<String> = beside
        .iter()
        .map(|it| format!("`{}`", it.path.iter().take(2).cloned().collect::<Vec<_>>().join(".")))
        .collect();
    let names: BTreeSet<&String> = names.iter().collect();
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| Finding {
        about: vec![Vec::new()],
        ..Finding::new(
            Class::Other,
            Weight::Quiet,
            format!("the template is different beside its resources: {}", names.join(", ")),
        )
    })
}

/// The resources of a stack that is new or gone.
fn whole(before: Option<&Template>, after: Option<&Template>) -> Vec<ResourceChange> {
    let of = |template: Option<&Template>, action| {
        let resources = template.into_iter().flat_map(Template::resources);
        let change = move |(id, resource): (&str, &Value)| {
            let (before, after) = match action {
                Action::Remove => (Some(resource.clone()), None),
                _ => (None, Some(resource.clone())),
            };
            ResourceChange {
                logical_id: id.to_owned(),
                resource_type: resource
                    .get("Type")
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned(),
                action,
                properties: Vec::new(),
                before,
                after,
                refers_to: Vec::new(),
            }
        };
        resources.map(change).collect::<Vec<_>>()
    };
    let mut changes = of(after, Action::Add);
    changes.extend(of(before, Action::Remove));
    changes
}

/// By class, then the loud first, then those of most subjects.
pub(super) fn sort(findings: &mut [Group<Finding>]) {
    let loud = |it: &Group<Finding>| it.what.weight == Weight::Loud;
    findings.sort_by_key(|it| (it.what.class, !loud(it), Reverse(it.subjects.len())));
}

/// What all stacks come to.
#[derive(Default)]
struct Collected {
    stacks: Tally,
    resources: Tally,
    findings: Groups<Finding>,
    changes: Groups<ResourceChange>,
    /// What is told of costs.
    costs: Vec<Group<Finding>>,
}

impl Collected {
    /// Whether every stack is the same on both sides.
    fn is_empty(&self) -> bool {
        self.stacks == Tally { unchanged: self.stacks.unchanged, ..Tally::default() }
    }

    fn add(&mut self, judged: Judged) {
        let Judged { id, outcome, resources, findings } = judged;
        let tally = &mut self.stacks;
        match outcome {
            Outcome::Added => tally.added += 1,
            Outcome::Removed => tally.removed += 1,
            Outcome::Changed => tally.changed += 1,
            Outcome::Same => tally.unchanged += 1,
        }
        for (finding, causes) in findings {
            self.findings.add(finding, &id, causes);
        }
        for (change, causes) in resources {
            // `arm deploy` leaves the stack of a store or cell that is in no file.
            if outcome == Outcome::Removed {
                continue;
            }
            let tally = &mut self.resources;
            match change.action {
                Action::Add => tally.added += 1,
                Action::Remove => tally.removed += 1,
                Action::Replace | Action::MayReplace => tally.replaced += 1,
                Action::Update | Action::Attributes => tally.changed += 1,
            }
            // Of a stack that is new or gone a finding tells; its resources are what they always are.
            if outcome == Outcome::Changed {
                // Whole resources are shown by nobody and would only tell stores apart.
                let change = ResourceChange { before: None, after: None, ..change };
                self.changes.add(change, &id, causes);
            }
        }
    }

    /// Adds what is told of quotas and costs.
    fn sums(&mut self, base: Written<'_>, head: Written<'_>, pairs: &Pairs<'_>) -> Costs {
        for told in quota::quotas(base, head, pairs) {
            self.findings.add(told.finding, &told.id, told.causes);
        }
        let bills = costs::bills(base, head, pairs);
        self.costs = bills.told;
        bills.costs
    }

    fn finish(self, names: Names<'_>, costs: Option<Costs>, omissions: Vec<Omission>) -> Review {
        let mut findings: Vec<Group<Finding>> = self.findings.finish();
        findings.extend(self.costs);
        sort(&mut findings);
        let mut changes = self.changes.finish();
        changes.sort_by_key(|it| (Reverse(it.subjects.len()), it.what.logical_id.clone()));
        Review {
            base: names.base.to_owned(),
            head: names.head.to_owned(),
            stacks: self.stacks,
            resources: self.resources,
            findings,
            changes,
            costs,
            omissions,
        }
    }
}
