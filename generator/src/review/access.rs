//! Who may do what after a change that could not before it, and the other way round.
//!
//! Policies are compared by what they mean, in their smallest pieces: order, layout and how rights
//! are spread over statements mean nothing. More access in a stack that exists is loud, less is
//! quiet; of what a new stack brings only what endangers others is loud. Pure. To change what is
//! dangerous start in `access/danger.rs`, the words in `access/sentence.rs`.

mod atom;
mod condition;
mod danger;
mod guard;
mod policy;
mod sentence;

use std::collections::BTreeSet;

use super::loss::is_kept;
use super::noun::{Nouns, kind, tag};
use super::{Class, Finding, Weight, path};
use crate::name::CELL_TAG;
use crate::template::Template;
use atom::{Atom, Effect, is_covered};
use policy::{Atoms, Source, atoms};

/// A piece of a policy that counts on one side only.
struct News<'a> {
    atom: &'a Atom,
    source: &'a Source,
    turn: Turn,
    /// The conditions on the other side of what is the same but for them.
    others: Vec<&'a condition::Condition>,
    /// What is left of it on the other side.
    left: Vec<&'a Atom>,
    /// Whether the principal had a right before.
    also: bool,
    dangers: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Gained,
    Lost,
}

/// Compares what two templates of one stack allow and refuse; `account` is the stack's own, where
/// it is known: every other one that a policy names is told.
pub(super) fn access(
    before: Option<&Template>,
    after: Option<&Template>,
    account: Option<&str>,
) -> Vec<Finding> {
    match (before, after) {
        (Some(before), Some(after)) => changed(before, after, account),
        (None, Some(after)) => brought(after, account),
        (Some(before), None) => taken(before, account),
        (None, None) => vec![],
    }
}

fn changed(before: &Template, after: &Template, account: Option<&str>) -> Vec<Finding> {
    if before == after {
        return vec![];
    }
    let (old_nouns, new_nouns) = (Nouns::new(before, account), Nouns::new(after, account));
    let (old, new) = (atoms(before, &old_nouns), atoms(after, &new_nouns));
    let mut gained = news(&new, &old, Turn::Gained);
    for one in &mut gained {
        one.dangers = danger::dangers(one.atom, &new_nouns);
        one.also =
            old.keys().any(|it| it.effect == Effect::Allow && it.principal == one.atom.principal);
    }
    // A refusal that goes with what it protects is no loss.
    let stands = |source: &Source| {
        source.protects.is_empty() || source.protects.iter().any(|id| remains(id, before, after))
    };
    let mut lost = news(&old, &new, Turn::Lost);
    lost.retain(|it| it.atom.effect == Effect::Allow || stands(it.source));
    // Other conditions are told once: by the side on which more is possible.
    let is_told = |one: &News<'_>, by: &[News<'_>]| {
        by.iter().any(|it| it.atom.is_as_wide(one.atom) && one.atom.is_as_wide(it.atom))
    };
    let (softer, harder): (Vec<_>, Vec<_>) =
        gained.into_iter().partition(|it| it.atom.effect == Effect::Allow);
    lost.retain(|it| it.atom.effect == Effect::Deny || !is_told(it, &softer));
    let harder = harder.into_iter().filter(|it| !is_told(it, &lost));
    let gained: Vec<_> = softer.into_iter().chain(harder.collect::<Vec<_>>()).collect();
    let mut findings = sentence::sentences(&gained, &new_nouns);
    findings.extend(sentence::sentences(&lost, &old_nouns));
    findings.extend(guard::findings(before, after, account));
    about(&mut findings, after);
    findings.sort_by_key(|it| it.weight);
    findings
}

/// Pieces of one side that the other side does not cover.
fn news<'a>(these: &'a Atoms, others: &'a Atoms, turn: Turn) -> Vec<News<'a>> {
    let fresh: Vec<_> = these.iter().filter(|(atom, _)| !others.contains_key(*atom)).collect();
    if fresh.is_empty() {
        return vec![];
    }
    let all: Vec<_> = others.keys().collect();
    let fresh = fresh.into_iter().filter(|(atom, _)| !is_covered(atom, &all));
    let news = fresh.map(|(atom, source)| News {
        atom,
        source,
        turn,
        others: all.iter().filter(|it| it.is_as_wide(atom)).map(|it| &it.condition).collect(),
        left: all.iter().copied().filter(|it| atom.covers(it)).collect(),
        also: false,
        dangers: BTreeSet::new(),
    });
    news.collect()
}

/// Whether a resource is still there: in the stack, or outside it because it is retained.
fn remains(id: &str, before: &Template, after: &Template) -> bool {
    let find = |template: &Template| {
        template.resources().find(|(it, _)| *it == id).map(|(_, resource)| resource.clone())
    };
    match (find(after), find(before)) {
        (None, Some(resource)) => is_kept(&resource),
        // It is in the stack, or in another one.
        _ => true,
    }
}

/// Of a new stack: what endangers others, and one line for the rest.
fn brought(after: &Template, account: Option<&str>) -> Vec<Finding> {
    let nouns = Nouns::new(after, account);
    let all = atoms(after, &nouns);
    let none = Atoms::new();
    let mut fresh = news(&all, &none, Turn::Gained);
    for one in &mut fresh {
        one.dangers = danger::dangers(one.atom, &nouns);
    }
    fresh.retain(|it| !it.dangers.is_empty());
    let mut findings = sentence::sentences(&fresh, &nouns);
    findings.extend(guard::of_new(after, &nouns));
    let (rights, refusals) = counts(&all);
    if rights + refusals > fresh.len() {
        let rest = if findings.is_empty() { "" } else { ", beside what is told above" };
        findings.push(quiet(format!(
            "{} brings its usual rights{rest}: {}, as its blueprint has them",
            if nouns.is_store() { "a new store" } else { "a new stack" },
            counted(rights, refusals),
        )));
    }
    about(&mut findings, after);
    findings
}

fn taken(before: &Template, account: Option<&str>) -> Vec<Finding> {
    let nouns = Nouns::new(before, account);
    let (rights, refusals) = counts(&atoms(before, &nouns));
    if rights + refusals == 0 {
        return vec![];
    }
    let mut findings =
        vec![quiet(format!("if the stack is deleted, {} go with it", counted(rights, refusals)))];
    about(&mut findings, before);
    findings
}

fn counts(atoms: &Atoms) -> (usize, usize) {
    let rights = atoms.keys().filter(|it| it.effect == Effect::Allow).count();
    (rights, atoms.len() - rights)
}

fn counted(rights: usize, refusals: usize) -> String {
    let count = |count: usize, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{} and {}", count(rights, "permission"), count(refusals, "refusal"))
}

fn quiet(text: String) -> Finding {
    finding(Weight::Quiet, text)
}

fn finding(weight: Weight, text: String) -> Finding {
    Finding::new(Class::Access, weight, text)
}

/// Rights are the blueprints' business; what a cell says of its model decides some of the platform's.
fn about(findings: &mut [Finding], template: &Template) {
    let mut resources = template.resources().map(|(_, resource)| resource);
    let is_platform = template.resources().any(|(_, it)| kind(it) == "AWS::KMS::Key");
    let Some(cell) = resources.find_map(|it| tag(it, CELL_TAG)).filter(|_| is_platform) else {
        return;
    };
    for finding in findings {
        finding.about = vec![path(&["cells", cell])];
    }
}

#[cfg(test)]
mod tests;
