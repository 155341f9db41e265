//! Runs a scenario and says whether its expectations hold; where not, why, as compilers say it: the
//! expectations that do not hold are marked, and with them the rules in question.
//!
//! To say something better about a failure, start in [`Verdict::diagnostic`].

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Place};
use crate::model::Rule;
use crate::trial;

use super::expectation::{self, Happened, Unmet};
use super::{Scenario, Tested, note};

/// What came of one scenario on one store.
#[derive(Debug)]
pub struct Verdict<'a> {
    pub scenario: Scenario<'a>,
    /// The rules that matched any of its detections.
    pub reached: BTreeSet<&'a str>,
    /// The expectations that do not hold; none: it passed.
    pub unmet: Vec<Unmet>,
    /// All of them in one picture.
    pub diagnostic: Option<Diagnostic>,
    /// What is true in the scenario alone, each in a sentence without its end.
    pub notes: Vec<String>,
}

/// Runs one scenario.
pub fn run(scenario: Scenario<'_>) -> Verdict<'_> {
    let happened = expectation::happen(&scenario).expect("`check` refused scenarios without given");
    let unmet = expectation::unmet(scenario.expect, &happened);
    let diagnostic = diagnostic(&scenario, &happened, &unmet);
    let notes = note::notes(&scenario);
    Verdict { reached: happened.reached, diagnostic, unmet, notes, scenario }
}

impl Verdict<'_> {
    /// Whether all of its expectations hold.
    pub fn passed(&self) -> bool {
        self.unmet.is_empty()
    }
}

fn diagnostic(
    scenario: &Scenario<'_>,
    happened: &Happened<'_>,
    unmet: &[Unmet],
) -> Option<Diagnostic> {
    let (first, others) = unmet.split_first()?;
    let name = &scenario.name.value;
    let more =
        if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let message = format!("{name}: {}{more}", title(first));
    let mut diagnostic = Diagnostic::error("unmet-expectation", &first.place, message)
        .label(label(first))
        .help(help(first, happened))
        .about(scenario.tested.store.id.as_str(), name);
    for other in others {
        diagnostic = diagnostic.related(&other.place, label(other));
    }
    for (place, label) in rules(scenario, happened) {
        diagnostic = diagnostic.related(place, label);
    }
    Some(diagnostic)
}

/// Whether what was found is told beside the mark alone, and not in every sentence.
fn is_long(unmet: &Unmet) -> bool {
    /// Longest value that is repeated, in characters. Our choice: two of them fit one line.
    const REPEATED_MAX: usize = 40;
    [Some(&unmet.expected), unmet.found.as_ref()]
        .into_iter()
        .flatten()
        .any(|value| value.chars().count() > REPEATED_MAX)
}

fn title(unmet: &Unmet) -> String {
    let key = unmet.key;
    match &unmet.found {
        Some(_) if is_long(unmet) => format!("`{key}` is not what is expected"),
        None if is_long(unmet) => format!("there is no alert, and so no `{key}`"),
        _ => unmet.message(),
    }
}

fn label(unmet: &Unmet) -> String {
    let steps = match unmet.steps.as_str() {
        "" => String::new(),
        steps => format!(" ({steps})"),
    };
    match &unmet.found {
        Some(found) if found == "[]" => "found `[]`, nobody".to_owned(),
        Some(found) => format!("found `{found}`{steps}"),
        None if unmet.key == "priority" => "found no case".to_owned(),
        None => "found no alert".to_owned(),
    }
}

fn help(unmet: &Unmet, happened: &Happened<'_>) -> String {
    if let (None, Err(error)) = (&unmet.found, &happened.last.result) {
        return format!("write `cases: 0` if that is right, or mend the event: {error}");
    }
    let right = match &unmet.found {
        Some(_) if is_long(unmet) => "write what was found if that is right".to_owned(),
        Some(found) => format!("write `{}: {found}` if that is right", unmet.key),
        None => "write `alerts: 0` instead if that is right".to_owned(),
    };
    format!("{right}, or mend the store")
}

/// The places of the rules that matched the last detection, and of those that were expected to.
fn rules<'a>(scenario: &Scenario<'a>, happened: &Happened<'a>) -> Vec<(&'a Place, String)> {
    let tested = scenario.tested;
    let matched: Vec<_> = happened.last.matched.iter().map(|rule| rule.rule.as_str()).collect();
    let mut places = Vec::new();
    for name in &matched {
        let shadow = tested.store.rules.iter().any(|it| it.name.as_str() == *name && it.shadow);
        let shadow = if shadow { ", in shadow" } else { "" };
        let label = format!("the rule `{name}` matches{shadow}");
        places.extend(tested.places.get(name).map(|place| (*place, label)));
    }
    let expected = scenario.expect.rule.iter().flat_map(|rules| &rules.value);
    for name in expected.filter(|it| !matched.contains(&it.value.as_str())) {
        let rule = tested.store.rules.iter().find(|rule| rule.name.as_str() == name.value);
        let place = tested.places.get(name.value.as_str());
        let reason = rule.map(|rule| {
            let reason = reason(tested, rule, &happened.detail, &matched);
            format!("the rule `{}` {reason}", rule.name)
        });
        places.extend(place.copied().zip(reason));
    }
    places
}

/// Why a rule does not match.
fn reason(tested: &Tested<'_>, rule: &Rule, detail: &Value, matched: &[&str]) -> String {
    let misses = trial::misses(&rule.when, detail);
    if let Some(first) = misses.first() {
        return match misses.len() {
            1 => format!("does not match: {first}"),
            more => format!("does not match: {first} (and {} more)", more - 1),
        };
    }
    let above = tested.store.rules.iter().take_while(|it| it.name != rule.name);
    let above = above.map(|it| it.name.as_str()).find(|name| matched.contains(name));
    match above {
        Some(above) => format!("would match, but `{above}` stands above it"),
        None => "does not match".to_owned(),
    }
}
