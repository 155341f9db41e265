//! One event followed through a store: which rule matches and why each earlier one does not, the case,
//! the words that each person gets, and whom it does not reach.
//!
//! What happens is found by `trial`; this only arranges it. The picture for people is in
//! `trace/page.rs`, the JSON for programs in `trace/json.rs`. Pure.

mod json;
mod note;
mod overview;
mod page;

use std::collections::BTreeSet;

use contract::health::OPS_AUDIENCE;
use contract::incident::UNROUTED;

use crate::model::{Channel, Endpoint, Rule, Store, Subscriber};
use crate::rules::{CompiledRule, RuleSet};
use crate::trial::{Event, NoCase, Outcome, Trial, misses};

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
    /// What a reader should know besides; whoever asks may add what only they know.
    pub notes: Vec<String>,
}

/// What is said of a rule whose conditions hold as people read them, and whose pattern does not match.
const UNMATCHED: &str = "to EventBridge a number of the event is none";

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
    let mut trace = Trace {
        store,
        event,
        tried,
        untold: Vec::new(),
        notes: note::notes(store, event),
        outcome,
    };
    let unrouted = trace.outcome.matched.iter().find(|rule| rule.rule == UNROUTED);
    let last = match unrouted {
        Some(rule) => Verdict::Matches(rule),
        None if trace.outcome.matched.is_empty() => Verdict::Misses(vec![UNMATCHED.to_owned()]),
        None => Verdict::Taken,
    };
    trace.tried.push(Tried { name: UNROUTED, verdict: last });
    trace.untold = untold(&trace);
    trace
}

fn tried<'a>(rule: &'a Rule, outcome: &Outcome<'a>, event: &Event) -> Tried<'a> {
    let name = rule.name.as_str();
    let verdict = match outcome.matched.iter().find(|it| it.rule == name) {
        Some(matched) => Verdict::Matches(matched),
        None => match misses(&rule.when, event.detail()) {
            misses if misses.is_empty() && outcome.matched.is_empty() => {
                Verdict::Misses(vec![UNMATCHED.to_owned()])
            }
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
    // One stored address may stand behind two channels.
    let told: Vec<(Channel, &Endpoint)> = trace
        .outcome
        .alerts
        .iter()
        .flat_map(|sent| sent.told.iter().map(|told| (told.channel, told.endpoint)))
        .collect();
    let is_in =
        |audience: &str| store.subscribers.iter().any(|it| it.audience.as_str() == audience);
    let empty = wanted.iter().filter(|audience| !is_in(audience)).map(|audience| Untold {
        audience,
        subscriber: None,
        reason: "nobody in this store is in this audience".to_owned(),
    });
    let reason = reason(trace);
    let others = store.subscribers.iter().filter(|it| !told.contains(&(it.channel, &it.endpoint)));
    let others = others.map(|subscriber| Untold {
        audience: subscriber.audience.as_str(),
        subscriber: Some(subscriber),
        reason: match subscriber.audience.as_str() {
            OPS_AUDIENCE if !wanted.contains(OPS_AUDIENCE) => {
                "`ops` is told of cameras that ail, and no rule that matches names it".to_owned()
            }
            _ => reason.clone(),
        },
    });
    empty.chain(others).collect()
}

/// Why a subscriber is not told.
fn reason(trace: &Trace<'_>) -> String {
    let matched = &trace.outcome.matched;
    let names = matched.iter().map(|rule| format!("`{}`", rule.rule)).collect::<Vec<_>>();
    let names = names.join(", ");
    let audiences: Vec<_> = matched.iter().flat_map(|rule| &rule.notify).collect();
    let says = |one: &'static str, many: &'static str| if matched.len() == 1 { one } else { many };
    match &trace.outcome.result {
        Err(NoCase::Unmatched) => return "EventBridge drops the event".to_owned(),
        Err(NoCase::NotADetection(_)) => return "the event is no detection".to_owned(),
        Ok(_) => {}
    }
    if matched.iter().all(|rule| rule.rule == UNROUTED) {
        return "no rule asks for this detection; `unrouted` only logs it".to_owned();
    }
    if matched.iter().all(|rule| rule.shadow) {
        return format!(
            "{names} {} only logged",
            says("is a shadow: its case is", "are shadows: the case is")
        );
    }
    if audiences.is_empty() {
        return format!("{names} {} nobody: `notify: []`", says("tells", "tell"));
    }
    let told: BTreeSet<_> = audiences.iter().map(|it| format!("`{it}`")).collect();
    let told = told.into_iter().collect::<Vec<_>>().join(", ");
    format!("{names} {} only {told}", says("tells", "tell"))
}
