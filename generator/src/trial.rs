//! Detections tried on one store, before there is any: which rule matches, which case it makes, who
//! is told what.
//!
//! Nothing is guessed here. The rule is found by the patterns that are deployed, with EventBridge's
//! semantics; the case and its alert are made by `casework`, the code of the function `respond`, on a
//! case table in memory. What only AWS can do is left out: delivery itself, and delays.
//!
//! Pure: time comes with each event. To change what an event may look like, see `trial/event.rs`.

mod event;
mod reason;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use casework::case::Change;
use casework::case_table::memory::{MemoryTable, run};
use casework::case_table::{CaseTable, Written};
use casework::guard;
use casework::incident::{self, IncidentError, RoutedDetection};
use casework::respond::{self, Action, Alert, RespondServices};
use casework::step::{Pause, StepError};
use contract::alert::AlertTexts;
use contract::case::{CaseItem, GuardItem};
use contract::evidence::EvidenceMessage;
use contract::incident::IncidentMessage;
use serde_json::Value;

use crate::model::{Address, Channel, Endpoint, Store};
use crate::pattern::Pattern;
use crate::rules::{CompiledRule, RuleSet};
use crate::stack;

pub use event::{Event, EventError, NotATime, Sighting, clock_change, parse_at};
pub use reason::{misses, unwatched};

/// Detections on the bus of one store, in the order in which they are put.
pub struct Trial<'a> {
    store: &'a Store,
    bus: Bus<'a>,
    world: World,
}

/// The patterns of a store's bus, ready to be held against events.
struct Bus<'a>(Vec<(Pattern, &'a CompiledRule)>);

/// What became of one event.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The rules whose patterns match, in the order of the YAML: one for an event whose fields are
    /// scalars, and perhaps several where a field is a list.
    pub matched: Vec<&'a CompiledRule>,
    /// The case as it is now, or why there is none.
    pub result: Result<Opened, NoCase>,
    /// The alerts that the event made.
    pub alerts: Vec<Sent<'a>>,
}

/// Why an event makes no case.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCase {
    #[error("{0}")]
    NotADetection(IncidentError),
    /// EventBridge takes a number with digits that a double cannot hold for no number at all.
    #[error(
        "no pattern of the bus matches the event, and EventBridge drops it; a number must be one that a double holds"
    )]
    Unmatched,
}

/// A case, and what the event did to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub case: CaseItem,
    /// What the first of the matching rules' messages did; the others can only raise the priority.
    pub action: Action,
    /// Cases that became part of this one, because the event showed that they are one incident.
    pub absorbed: Vec<String>,
}

/// One alert, and everybody whom it reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent<'a> {
    pub alert: Alert,
    pub told: Vec<Told<'a>>,
}

/// One address that an alert reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<'a> {
    pub channel: Channel,
    pub endpoint: &'a Endpoint,
    /// Its audiences that the alert is for.
    pub audiences: BTreeSet<&'a str>,
    /// In the words of its channel.
    pub text: String,
}

impl<'a> Trial<'a> {
    /// A store's bus and case table, empty.
    pub fn new(store: &'a Store, rules: &'a RuleSet) -> Self {
        Self { store, bus: Bus::new(rules), world: World::default() }
    }

    /// Puts one event on the bus, and lets everything happen that follows from it.
    pub fn put(&mut self, event: &Event) -> Outcome<'a> {
        let matched = self.bus.matching(&event.json);
        let read =
            |rule: &&CompiledRule| incident::read(message(self.store, rule, event), event.at_ms);
        let detections: Result<Vec<_>, _> = matched.iter().map(read).collect();
        let result = match detections {
            Err(error) => Err(NoCase::NotADetection(error)),
            Ok(detections) => self.respond(&detections, event.at_ms).ok_or(NoCase::Unmatched),
        };
        let alerts = self.world.published.take();
        let alerts = alerts.into_iter().map(|alert| sent(self.store, alert)).collect();
        Outcome { matched, result, alerts }
    }

    /// Forgets what the case table forgets by itself until then, and the audit trails, of which
    /// nothing here is asked.
    pub fn forget(&mut self, now_ms: i64) {
        self.world.table.forget(now_ms);
    }

    /// Hands over the messages of all rules that match; `None` when there is none.
    fn respond(&self, detections: &[RoutedDetection], now_ms: i64) -> Option<Opened> {
        let results = run(respond::handle(&self.world, detections, now_ms));
        let results = results.expect("no call to a world in memory waits");
        let handled = results.into_iter().map(|it| it.expect("no call to a world in memory fails"));
        let handled: Vec<_> = handled.collect();
        let absorbed = handled.iter().flat_map(|it| it.absorbed.iter().cloned()).collect();
        let first = handled.first()?;
        let case = self.world.table.case(&first.case_id).expect("the case was written");
        Some(Opened { case, action: first.action, absorbed })
    }
}

/// The rules whose patterns match an event, in the order of the YAML and each once.
pub fn matching<'a>(rules: &'a RuleSet, event: &Value) -> Vec<&'a CompiledRule> {
    Bus::new(rules).matching(event)
}

impl<'a> Bus<'a> {
    fn new(rules: &'a RuleSet) -> Self {
        let parse = |rule: &'a CompiledRule| {
            let pattern = Pattern::parse(&rule.pattern);
            (pattern.expect("the compiler makes patterns that EventBridge takes"), rule)
        };
        Self(rules.rules.iter().map(parse).collect())
    }

    fn matching(&self, event: &Value) -> Vec<&'a CompiledRule> {
        let hits = self.0.iter().filter(|(pattern, _)| pattern.matches(event));
        let mut rules: Vec<_> = hits.map(|(_, rule)| *rule).collect();
        rules.dedup_by(|a, b| a.rule == b.rule);
        rules
    }
}

/// What the queue `incidents` gets.
fn message(store: &Store, rule: &CompiledRule, event: &Event) -> IncidentMessage {
    let text = |field: &str| event.json.get(field).and_then(Value::as_str).unwrap_or_default();
    let resources = event.json.get("resources").and_then(Value::as_array);
    let resources = resources.into_iter().flatten().filter_map(Value::as_str);
    IncidentMessage {
        event_id: text("id").to_owned(),
        time: text("time").to_owned(),
        resources: resources.map(str::to_owned).collect(),
        detail: event.json.get("detail").cloned().unwrap_or_default(),
        ..stack::incident_message(store, rule)
    }
}

/// Whom SNS tells: each address once whose subscription lets one of the audiences through.
fn sent(store: &Store, alert: Alert) -> Sent<'_> {
    let is_for = |audience: &&str| alert.audiences.iter().any(|it| it == audience);
    let told = store.addresses().into_iter().filter_map(|address| {
        let Address { channel, endpoint, audiences } = address;
        let audiences: BTreeSet<_> = audiences.into_iter().filter(is_for).collect();
        let text = in_words_of(&alert.texts, channel, endpoint);
        let told =
            || Told { channel, endpoint, text: text.to_owned(), audiences: audiences.clone() };
        (!audiences.is_empty()).then(told)
    });
    let told = told.collect();
    Sent { alert, told }
}

/// The text that SNS picks for a channel.
fn in_words_of<'t>(texts: &'t AlertTexts, channel: Channel, endpoint: &Endpoint) -> &'t str {
    let is_apple = matches!(endpoint, Endpoint::Literal(arn) if arn.contains("/APNS"));
    match channel {
        Channel::Email => &texts.email,
        Channel::Sms => &texts.sms,
        Channel::Https => &texts.webhook,
        Channel::Push if is_apple => &texts.apns,
        Channel::Push => &texts.gcm,
    }
}

/// The outside world of `respond`, in memory.
#[derive(Default)]
struct World {
    table: MemoryTable,
    published: RefCell<Vec<Alert>>,
}

impl Pause for World {
    async fn pause(&self, _: Duration) {}
}

impl CaseTable for World {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        Ok(self.table.case(case_id))
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        Ok(self.table.put(change))
    }
}

impl RespondServices for World {
    fn evidence_bucket(&self) -> &'static str {
        ""
    }

    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError> {
        let seen = self.table.seen.borrow();
        Ok(seen.get(&guard::seen_pk(detection_id)).map(|it| it.case_id.clone()))
    }

    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError> {
        Ok(self.table.guards.borrow().get(pk).cloned())
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        self.published.borrow_mut().push(alert.clone());
        Ok(String::new())
    }

    async fn send_evidence(&self, _: &EvidenceMessage, _: i32) -> Result<(), StepError> {
        Ok(())
    }

    async fn wait_for_others(&self) {}
}

#[cfg(test)]
mod tests;
