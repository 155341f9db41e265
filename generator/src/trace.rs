//! One event followed through a store: which rule matches and why each earlier one does not, the case,
//! the words that each person gets, and whom it does not reach.
//!
//! What happens is found by `trial`; this only arranges it. The picture for people is in
//! `trace/page.rs`, the JSON for programs in `trace/json.rs`. Pure.

mod json;
mod overview;
mod page;

use std::collections::BTreeSet;

use contract::incident::UNROUTED;
use contract::watch::WatchWhen;

use crate::model::{Endpoint, Rule, Store, Subscriber};
use crate::rules::{CompiledRule, RuleSet};
use crate::trial::{Event, Outcome, Trial, misses};

pub use json::to_json;
pub use overview::Overview;
pub use page::page;

/// One event and everything that follows from it.
#[derive(Debug)]
pub struct Trace<'a> {
    pub store: &'a Store,
    pub event: &'a Event,
    /// Every rule in the order of the YAML, the implicit last one included.
    pub tried: Vec<Tried<'a>>,
    pub outcome: Outcome<'a>,
    pub untold: Vec<Untold<'a>>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried<'a> {
    pub name: &'a str,
    pub verdict: Verdict<'a>,
}

/// What a rule says of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// Its pattern matches.
    Matches(&'a CompiledRule),
    /// These of its conditions do not hold.
    Misses(Vec<String>),
    /// All its conditions hold, but an earlier rule took the event.
    Taken,
}

/// Somebody whom the alert does not reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Untold<'a> {
    pub audience: &'a str,
    /// `None`: nobody is in the audience.
    pub subscriber: Option<&'a Subscriber>,
    pub reason: String,
}

/// Follows one event through an empty store.
pub fn follow<'a>(store: &'a Store, rules: &'a RuleSet, event: &'a Event) -> Trace<'a> {
    let outcome = Trial::new(store, rules).put(event);
    let tried = store.rules.iter().map(|rule| tried(rule, &outcome, event)).collect();
    let mut trace =
        Trace { store, event, tried, untold: Vec::new(), notes: notes(store, event), outcome };
    let unrouted = trace.outcome.matched.iter().find(|rule| rule.rule == UNROUTED);
    let last = unrouted.map_or(Verdict::Taken, |rule| Verdict::Matches(rule));
    trace.tried.push(Tried { name: UNROUTED, verdict: last });
    trace.untold = untold(&trace);
    trace
}

fn tried<'a>(rule: &'a Rule, outcome: &Outcome<'a>, event: &Event) -> Tried<'a> {
    let name = rule.name.as_str();
    let verdict = match outcome.matched.iter().find(|it| it.rule == name) {
        Some(matched) => Verdict::Matches(matched),
        None => match misses(&rule.when, event.detail()) {
            misses if misses.is_empty() => Verdict::Taken,
            misses => Verdict::Misses(misses),
        },
    };
    Tried { name, verdict }
}

/// Whom the alert does not reach: audiences without anybody, then everybody else in the store.
fn untold<'a>(trace: &Trace<'a>) -> Vec<Untold<'a>> {
    let store = trace.store;
    let wanted: BTreeSet<&'a str> =
        trace.outcome.matched.iter().flat_map(|rule| &rule.notify).map(String::as_str).collect();
    let told: Vec<&Endpoint> = trace
        .outcome
        .alerts
        .iter()
        .flat_map(|sent| sent.told.iter().map(|told| told.endpoint))
        .collect();
    let is_in =
        |audience: &str| store.subscribers.iter().any(|it| it.audience.as_str() == audience);
    let empty = wanted.iter().filter(|audience| !is_in(audience)).map(|audience| Untold {
        audience,
        subscriber: None,
        reason: "nobody in this store is in this audience".to_owned(),
    });
    let reason = reason(trace);
    let others = store.subscribers.iter().filter(|it| !told.contains(&&it.endpoint));
    let others = others.map(|subscriber| Untold {
        audience: subscriber.audience.as_str(),
        subscriber: Some(subscriber),
        reason: reason.clone(),
    });
    empty.chain(others).collect()
}

/// Why a subscriber is not told.
fn reason(trace: &Trace<'_>) -> String {
    let matched = &trace.outcome.matched;
    let names = matched.iter().map(|rule| format!("`{}`", rule.rule)).collect::<Vec<_>>();
    let names = names.join(", ");
    let audiences: Vec<_> = matched.iter().flat_map(|rule| &rule.notify).collect();
    if trace.outcome.result.is_err() {
        return "the event is no detection".to_owned();
    }
    if matched.iter().all(|rule| rule.shadow) {
        return format!("{names} is a shadow: its cases are only logged");
    }
    if matched.iter().any(|rule| rule.rule == UNROUTED) {
        return "no rule asks for this detection; `unrouted` only logs it".to_owned();
    }
    if audiences.is_empty() {
        return format!("{names} tells nobody: `notify: []`");
    }
    let told = audiences.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    format!("{names} tells only {told}")
}

/// What could make the event another one in life.
fn notes(store: &Store, event: &Event) -> Vec<String> {
    let mut notes = Vec::new();
    let text = |field: &str| event.detail().get(field).and_then(serde_json::Value::as_str);
    let camera =
        text("camera").and_then(|id| store.cameras.iter().find(|camera| camera.id.as_str() == id));
    let period = store.hours.period_at(event.at_ms);
    if let Some(camera) = camera {
        let (id, when) = (&camera.id, camera.when);
        let only = match when {
            WatchWhen::Never => Some("never watched".to_owned()),
            WatchWhen::Open | WatchWhen::Closed if period.as_str() != when.as_str() => {
                Some(format!("watched only while the store is {}", when.as_str()))
            }
            _ => None,
        };
        notes.extend(only.map(|only| {
            format!("the camera `{id}` is {only}: at this time the model does not see it")
        }));
    } else if let Some(id) = text("camera") {
        notes.push(format!("the store has no camera `{id}`: there is no video to keep"));
    }
    let named = |rule: &Rule| {
        let types = rule.when.event_types.as_ref();
        types.is_none_or(|types| types.iter().any(|it| Some(it.as_str()) == text("event_type")))
    };
    if let Some(event_type) = text("event_type").filter(|_| !store.rules.iter().any(named)) {
        notes.push(format!("no rule of this store names the event type `{event_type}`"));
    }
    notes
}
