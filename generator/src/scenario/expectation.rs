//! What a scenario expects beside what there is, key by key.
//!
//! Both sides are values as YAML has them, so that what was found can be copied into the file. To add
//! an expectation, add its line in [`unmet`].

use std::collections::BTreeSet;

use casework::respond::Action;
use serde_json::Value;

use crate::config::ExpectConfig;
use crate::diagnostic::{At, Place};
use crate::scalar;
use crate::trial::{Outcome, Sent, Trial};

use super::Scenario;

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    pub key: &'static str,
    pub place: Place,
    pub expected: String,
    /// `None`: there is no case or no alert that would have such a thing.
    pub found: Option<String>,
    /// What each of several detections came to, in a few words; else empty.
    pub(super) steps: String,
}

/// What became of a scenario's detections.
pub(super) struct Happened<'a> {
    /// Of the last one: its detail, and what became of it.
    pub detail: Value,
    pub last: Outcome<'a>,
    /// The rules that matched any, by name.
    pub reached: BTreeSet<&'a str>,
    cases: BTreeSet<String>,
    alerts: Vec<Sent<'a>>,
    /// Of each detection in turn: what it did to its case, and how many alerts it sent.
    steps: Vec<(&'static str, usize)>,
}

/// Lets the detections of a scenario happen; `None` when it has none.
pub(super) fn happen<'a>(scenario: &Scenario<'a>) -> Option<Happened<'a>> {
    let mut trial = Trial::new(scenario.tested.store, scenario.tested.rules);
    let (mut reached, mut cases) = (BTreeSet::new(), BTreeSet::new());
    let (mut alerts, mut steps) = (Vec::new(), Vec::new());
    let mut last = None;
    for event in &scenario.given {
        let mut outcome = trial.put(event);
        reached.extend(outcome.matched.iter().map(|rule| rule.rule.as_str()));
        let did = match &outcome.result {
            Ok(opened) => {
                cases.insert(opened.case.case_id.clone());
                word(opened.action)
            }
            Err(_) => "no detection",
        };
        steps.push((did, outcome.alerts.len()));
        alerts.append(&mut outcome.alerts);
        last = Some((event.detail().clone(), outcome));
    }
    let (detail, last) = last?;
    Some(Happened { detail, last, reached, cases, alerts, steps })
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Opened => "opened",
        Action::Joined => "joined",
        Action::Rerouted => "rerouted",
        Action::Repeated => "repeated",
    }
}

/// The expectations that do not hold, in the order of the table of keys.
pub(super) fn unmet(expect: &ExpectConfig, happened: &Happened<'_>) -> Vec<Unmet> {
    let matched = happened.last.matched.iter().map(|rule| rule.rule.as_str());
    let audiences = happened.alerts.iter().flat_map(|sent| &sent.alert.audiences);
    let last_alert = happened.alerts.last().map(|sent| &sent.alert.texts);
    let case = happened.last.result.as_ref().ok().map(|opened| &opened.case);
    let actions: Vec<_> = happened.steps.iter().map(|(did, _)| (*did).to_owned()).collect();
    let counts: Vec<_> = happened.steps.iter().map(|(_, sent)| sent.to_string()).collect();
    let told = told(happened);
    let all = [
        listed("rule", expect.rule.as_ref(), matched),
        single("priority", expect.priority.as_ref(), case.map(|case| case.priority)),
        listed("notify", expect.notify.as_ref(), audiences.map(String::as_str)),
        listed("told", expect.told.as_ref(), told.iter().map(String::as_str)),
        text("alert", expect.alert.as_ref(), last_alert.map(|texts| &texts.default)),
        text("sms", expect.sms.as_ref(), last_alert.map(|texts| &texts.sms)),
        text("email_subject", expect.email_subject.as_ref(), last_alert.map(|it| &it.subject)),
        counted("cases", expect.cases.as_ref(), happened.cases.len(), &actions),
        counted("alerts", expect.alerts.as_ref(), happened.alerts.len(), &counts),
    ];
    all.into_iter().flatten().collect()
}

/// The subscribers that alerts reached, as audience and channel.
fn told(happened: &Happened<'_>) -> BTreeSet<String> {
    let told = happened.alerts.iter().flat_map(|sent| &sent.told);
    told.flat_map(|told| {
        told.audiences.iter().map(|audience| format!("{audience}/{}", told.channel.as_str()))
    })
    .collect()
}

/// A list in any order.
fn listed<'f>(
    key: &'static str,
    expected: Option<&At<Vec<At<String>>>>,
    found: impl Iterator<Item = &'f str>,
) -> Option<Unmet> {
    let expected = expected?;
    let wanted: Vec<_> = expected.value.iter().map(|it| it.value.as_str()).collect();
    let found: Vec<_> = found.collect();
    let set = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    let holds = set(&wanted) == set(&found);
    let found = Some(written(&found));
    (!holds).then(|| Unmet::new(key, expected, written(&wanted), found))
}

/// `a`, or `[a, b]`; each once.
fn written(list: &[&str]) -> String {
    let mut seen = BTreeSet::new();
    let each: Vec<_> =
        list.iter().filter(|it| seen.insert(**it)).map(|it| scalar::written(it)).collect();
    match &each[..] {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    }
}

fn single<T: ToString + PartialEq>(
    key: &'static str,
    expected: Option<&At<T>>,
    found: Option<T>,
) -> Option<Unmet> {
    let expected = expected?;
    let holds = found.as_ref() == Some(&expected.value);
    let found = found.map(|it| it.to_string());
    (!holds).then(|| Unmet::new(key, expected, expected.value.to_string(), found))
}

fn text(key: &'static str, expected: Option<&At<String>>, found: Option<&String>) -> Option<Unmet> {
    let expected = expected?;
    let holds = found == Some(&expected.value);
    let found = found.map(|it| scalar::written(it));
    (!holds).then(|| Unmet::new(key, expected, scalar::written(&expected.value), found))
}

fn counted(
    key: &'static str,
    expected: Option<&At<u32>>,
    found: usize,
    steps: &[String],
) -> Option<Unmet> {
    /// Our choice: so many still fit one line.
    const STEPS_MAX: usize = 8;
    let expected = expected?;
    let holds = usize::try_from(expected.value) == Ok(found);
    let found = Some(found.to_string());
    let shown = (2..=STEPS_MAX).contains(&steps.len());
    let steps = if shown { steps.join(", ") } else { String::new() };
    let unmet = || Unmet::new(key, expected, expected.value.to_string(), found);
    (!holds).then(|| Unmet { steps, ..unmet() })
}

impl Unmet {
    fn new<T>(key: &'static str, at: &At<T>, expected: String, found: Option<String>) -> Self {
        Self { key, place: at.place.clone(), expected, found, steps: String::new() }
    }

    /// In a sentence without its end.
    pub fn message(&self) -> String {
        let Self { key, expected, .. } = self;
        match &self.found {
            Some(found) => format!("`{key}` is `{found}`, not `{expected}`"),
            None if *key == "priority" => format!("there is no case with `{key}: {expected}`"),
            None => format!("there is no alert, and so no `{key}: {expected}`"),
        }
    }
}
