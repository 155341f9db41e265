//! The queue `undelivered`: events, ticks and alerts that AWS could not deliver, in AWS's own forms.
//!
//! An event whose target refused it becomes the message that its rule would have sent, by the store's
//! YAML as it is now. Two forms are read: the event as it was, and what the rule made of it.
//! Sources: EventBridge user guide, "Using dead-letter queues to process undelivered events"; EventBridge
//! Scheduler user guide, "Configuring a schedule's dead-letter queue"; Lambda developer guide, "Capturing
//! records of asynchronous invocations"; SNS developer guide, "Amazon SNS dead-letter queues".

use casework::incident;
use contract::incident::IncidentMessage;
use contract::watch::WatchInput;
use serde_json::Value;

use super::{DeadLetters, Fate, Letter, Useless, detection, read};
use crate::input::CompiledFleet;
use crate::model::{Cell, Store};
use crate::name::StoreNames;
use crate::rules::{CompiledRule, RuleSet};
use crate::{stack, trial};

/// Decides about a letter.
pub(super) fn fate(
    letter: &Letter,
    (fleet, cell): (&CompiledFleet, &Cell),
    now_ms: i64,
) -> Result<Fate, String> {
    let body: Value = serde_json::from_str(&letter.body)
        .map_err(|error| format!("it is not JSON, and no form of AWS: {error}"))?;
    let has = |fields: &[&str]| fields.iter().all(|field| body.get(field).is_some());
    let is_tick = |body: &Value| serde_json::from_value::<WatchInput>(body.clone()).is_ok();
    if letter.attributes.contains_key("SCHEDULE_ARN") || is_tick(&body) {
        return Ok(Fate::Useless(Useless::Ticks));
    }
    if has(&["requestContext", "requestPayload"]) {
        let payload = body.get("requestPayload").cloned().unwrap_or_default();
        let unknown = "a function failed on a call that is no tick of ours".to_owned();
        return if is_tick(&payload) { Ok(Fate::Useless(Useless::Ticks)) } else { Err(unknown) };
    }
    if has(&["Type", "TopicArn", "Message"]) {
        return Ok(Fate::Useless(Useless::Alerts));
    }
    if has(&["detail-type", "source", "detail"]) {
        return event(letter, &body, (fleet, cell), now_ms);
    }
    if read::<IncidentMessage>(&letter.body).is_ok() {
        return detection(letter, now_ms);
    }
    Err("it is neither an event, nor a tick, nor an alert".to_owned())
}

/// An event becomes the messages of the rules that it is for.
fn event(
    letter: &Letter,
    event: &Value,
    (fleet, cell): (&CompiledFleet, &Cell),
    now_ms: i64,
) -> Result<Fate, String> {
    let rule_arn = letter.attributes.get("RULE_ARN").map(String::as_str);
    let named = rule_arn.and_then(rule_of_arn);
    let store = store_of(named, event, fleet, cell)?;
    let compiled = fleet.rules_of(store);
    let rules = rules(named, event, compiled);
    if rules.is_empty() {
        return Err(format!("no rule of the store `{}` is for the event", store.id));
    }
    let partition = rule_arn.and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
    let topic = format!(
        "arn:{partition}:sns:{}:{}:{}",
        cell.region,
        cell.account,
        StoreNames::new(&cell.id, &store.id).alerts_topic()
    );
    let mut sends = Vec::new();
    for rule in rules {
        let message = message(stack::incident_message(store, rule), event, &topic);
        let body = serde_json::to_string(&message).expect("a message is JSON");
        incident::read(message, now_ms).map_err(|error| error.to_string())?;
        sends.push((DeadLetters::Incidents, body));
    }
    Ok(Fate::PutBack { kind: "event", sends })
}

/// Bus and rule of `arn:aws:events:us-west-2:123456789012:rule/<bus>/<rule>`.
fn rule_of_arn(arn: &str) -> Option<(&str, &str)> {
    let (_, named) = arn.split_once(":rule/")?;
    named.split_once('/')
}

/// The store whose bus the event was on, or that the event names.
fn store_of<'a>(
    named: Option<(&str, &str)>,
    event: &Value,
    fleet: &'a CompiledFleet,
    cell: &Cell,
) -> Result<&'a Store, String> {
    let stores = || fleet.fleet.stores.iter().filter(|store| store.cell == cell.id);
    let bus_of = |store: &Store| StoreNames::new(&cell.id, &store.id).bus().to_owned();
    if let Some((bus, _)) = named {
        let found = stores().find(|store| bus_of(store) == bus);
        return found.ok_or_else(|| format!("no store of the cell has the bus `{bus}`"));
    }
    let id = event.get("detail").and_then(|detail| detail.get("store")).and_then(Value::as_str);
    let found = stores().find(|store| Some(store.id.as_str()) == id);
    found.ok_or_else(|| "it names neither the rule nor a store of the cell".to_owned())
}

/// The rule that AWS names, or where the store has it no longer, those that match the event.
fn rules<'a>(
    named: Option<(&str, &str)>,
    event: &Value,
    compiled: &'a RuleSet,
) -> Vec<&'a CompiledRule> {
    let is_named = |rule: &&CompiledRule| named.is_some_and(|(_, id)| rule.id == id);
    match compiled.rules.iter().find(is_named) {
        Some(rule) => vec![rule],
        None => trial::matching(compiled, event),
    }
}

/// What the rule's target would have got.
fn message(of_rule: IncidentMessage, event: &Value, topic: &str) -> IncidentMessage {
    let text = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
    let resources = event.get("resources").and_then(Value::as_array);
    let resources = resources.into_iter().flatten().filter_map(Value::as_str);
    IncidentMessage {
        topic: topic.to_owned(),
        event_id: text("id").to_owned(),
        time: text("time").to_owned(),
        resources: resources.map(str::to_owned).collect(),
        detail: event.get("detail").cloned().unwrap_or_default(),
        ..of_rule
    }
}
