//! What a scenario expects beside what there is, key by key.
//!
//! Both sides are values as YAML has them, so that what was found can be copied into the file. To add
//! an expectation, add its line in [`unmet`].

use std::collections::{BTreeMap, BTreeSet};

use casework::respond::Action;
use casework::time::parse_ms;
use serde_json::Value;

use crate::config::ExpectConfig;
use crate::diagnostic::{At, Place};
use crate::rules::CompiledRule;
use crate::scalar;
use crate::trial::{Event, Opened, Outcome, Sent, Trial};

use super::Scenario;

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    pub key: &'static str,
    pub place: Place,
    pub expected: String,
    /// `None`: there is no case or no alert that would have such a thing.
    pub found: Option<String>,
    /// What each of several detections came to, in a few words, and why; else empty.
    pub steps: String,
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
    /// Of each detection in turn.
    steps: Vec<Step>,
}

/// What one detection did.
struct Step {
    did: &'static str,
    /// Why it did not join the case before it, or joined it.
    why: String,
    alerts: usize,
}

/// Lets the detections of a scenario happen; `None` when it has none.
pub(super) fn happen<'a>(scenario: &Scenario<'a>) -> Option<Happened<'a>> {
    let mut trial = Trial::new(scenario.tested.store, scenario.tested.rules);
    let (mut reached, mut cases) = (BTreeSet::new(), BTreeSet::new());
    let (mut alerts, mut steps) = (Vec::new(), Vec::new());
    let (mut last, mut chain) = (None, Chain::default());
    for event in &scenario.given {
        let mut outcome = trial.put(event);
        reached.extend(outcome.matched.iter().map(|rule| rule.rule.as_str()));
        let (did, why) = match &outcome.result {
            Ok(opened) => {
                cases.insert(opened.case.case_id.clone());
                cases.retain(|case| !opened.absorbed.contains(case));
                (word(opened.action), chain.follow(event, opened, outcome.matched.first()))
            }
            Err(_) => ("no detection", String::new()),
        };
        steps.push(Step { did, why, alerts: outcome.alerts.len() });
        alerts.append(&mut outcome.alerts);
        last = Some((event.detail().clone(), outcome));
    }
    let (detail, last) = last?;
    Some(Happened { detail, last, reached, cases, alerts, steps })
}

/// The detections that could be one case: those of one camera and event type.
#[derive(Default)]
struct Chain {
    /// When the last of each was over, milliseconds since the epoch.
    last_ms: BTreeMap<(Option<String>, String), i64>,
}

impl Chain {
    /// Why a detection opened a case or joined one; empty for the first of all, and where there is
    /// more to it than a cooldown.
    fn follow(&mut self, event: &Event, opened: &Opened, rule: Option<&&CompiledRule>) -> String {
        let Opened { case, action, .. } = opened;
        let start_ms = event.detail().get("start_ms").and_then(Value::as_i64);
        let start_ms = start_ms.unwrap_or(event.at_ms);
        let seen_ms = parse_ms(&case.last_seen_at).unwrap_or(start_ms);
        let is_first = self.last_ms.is_empty();
        let key = (case.camera.clone(), case.event_type.clone());
        let before_ms = self.last_ms.get(&key).copied();
        self.last_ms.insert(key, before_ms.unwrap_or(seen_ms).max(seen_ms));
        let cooldown =
            rule.map(|rule| format!("{} s cooldown of `{}`", rule.cooldown_s, rule.rule));
        let cooldown = cooldown.unwrap_or_default();
        let since = before_ms.map(|before_ms| start_ms - before_ms).filter(|since| *since >= 0);
        let since_s = since.map(|since| since.div_euclid(1_000));
        match (action, since_s) {
            (Action::Opened, Some(s)) => format!("{s} s after the last one, over the {cooldown}"),
            (Action::Joined, Some(s)) => format!("{s} s after the last one, within the {cooldown}"),
            (Action::Opened, None) if before_ms.is_none() && !is_first => {
                "the first of its camera and event type".to_owned()
            }
            _ => String::new(),
        }
    }
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
    let actions: Vec<_> = happened.steps.iter().map(|step| step.did.to_owned()).collect();
    let counts: Vec<_> = happened.steps.iter().map(|step| step.alerts.to_string()).collect();
    let cases = counted("cases", expect.cases.as_ref(), happened.cases.len(), &actions);
    let cases = cases.map(|unmet| because(unmet, expect, happened));
    let told = told(happened);
    let all = [
        listed("rule", expect.rule.as_ref(), matched),
        single("priority", expect.priority.as_ref(), case.map(|case| case.priority)),
        listed("notify", expect.notify.as_ref(), audiences.map(String::as_str)),
        listed("told", expect.told.as_ref(), told.iter().map(String::as_str)),
        text("alert", expect.alert.as_ref(), last_alert.map(|texts| &texts.default)),
        text("sms", expect.sms.as_ref(), last_alert.map(|texts| &texts.sms)),
        text("email_subject", expect.email_subject.as_ref(), last_alert.map(|it| &it.subject)),
        cases,
        counted("alerts", expect.alerts.as_ref(), happened.alerts.len(), &counts),
    ];
    all.into_iter().flatten().collect()
}

/// Adds why there are more cases than expected, or fewer: of the last detection that made it so.
fn because(unmet: Unmet, expect: &ExpectConfig, happened: &Happened<'_>) -> Unmet {
    let expected = expect.cases.as_ref().and_then(|at| usize::try_from(at.value).ok());
    let is_more = expected.is_some_and(|expected| happened.cases.len() > expected);
    let did = word(if is_more { Action::Opened } else { Action::Joined });
    let mut steps = happened.steps.iter().enumerate().rev();
    let found = steps.find(|(_, step)| step.did == did && !step.why.is_empty());
    let Some((index, step)) = found else { return unmet };
    let reason = format!("detection {} {did}: {}", index + 1, step.why);
    let steps = [unmet.steps.as_str(), &reason].into_iter().filter(|it| !it.is_empty());
    let steps = steps.collect::<Vec<_>>().join("; ");
    Unmet { steps, ..unmet }
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
