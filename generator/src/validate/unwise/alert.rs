//! Warnings about alerts: nobody hears them, somebody hears them twice, a text message loses words.

use std::collections::{BTreeMap, BTreeSet};

use casework::id::CASE_CHARACTERS;
use contract::alert::{self, AlertFacts, SMS_SEPTETS_MAX};
use contract::health::OPS_AUDIENCE;
use contract::store::StoreRef;
use contract::wording::{Wording, WordingKey};

use crate::diagnostic::{Diagnostic, Place};
use crate::model::{Aisle, Channel, Id, Rule, Store};

use super::Subject;

pub(super) fn warn(subject: &mut Subject<'_, '_>) {
    unheard(subject);
    never_told(subject);
    told_twice(subject);
    texts(subject);
}

/// Audiences that rules notify and in which nobody is.
fn unheard(subject: &mut Subject<'_, '_>) {
    let rules = &subject.store.rules;
    let heard: BTreeSet<_> =
        subject.inherited.subscribers.iter().map(|it| it.audience.value.as_str()).collect();
    let told: BTreeSet<_> = rules.iter().flat_map(|rule| &rule.notify).map(Id::as_str).collect();
    let place = subject.id_place();
    for audience in told.difference(&heard) {
        let tells = |rule: &&Rule| rule.notify.iter().any(|it| it.as_str() == *audience);
        let names: Vec<_> =
            rules.iter().filter(tells).map(|rule| format!("`{}`", rule.name)).collect();
        let message = format!(
            "nobody in this store is in the audience `{audience}`, which {} would tell",
            names.join(", ")
        );
        let help = format!("add `- {{ audience: {audience}, email: ... }}` to `subscribers`");
        let problem = Diagnostic::warning("audience-without-subscriber", &place, message);
        subject.warn(problem.help(help), audience);
    }
}

/// Subscribers of the store's own in audiences that no rule ever tells.
fn never_told(subject: &mut Subject<'_, '_>) {
    let rules = &subject.store.rules;
    // A store without rules is told about as such.
    if rules.is_empty() {
        return;
    }
    let telling = rules.iter().filter(|rule| !rule.shadow);
    let told: BTreeSet<_> = telling.flat_map(|rule| &rule.notify).map(Id::as_str).collect();
    let mut warned: BTreeSet<&str> = BTreeSet::new();
    for config in subject.inherited.config.layer.subscribers.iter().flatten() {
        let audience = config.audience.value.as_str();
        // `dispatch` tells it of cameras, by no rule.
        let is_told = told.contains(audience) || audience == OPS_AUDIENCE;
        if is_told || !warned.insert(audience) {
            continue;
        }
        let shadows =
            rules.iter().filter(|rule| rule.notify.iter().any(|it| it.as_str() == audience));
        let shadows: Vec<_> = shadows.map(|rule| format!("`{}`", rule.name)).collect();
        let only = match &shadows[..] {
            [] => String::new(),
            [one] => format!(": {one}, which names it, is a shadow"),
            some => format!(": {}, which name it, are shadows", some.join(", ")),
        };
        let message = format!("no rule of this store tells the audience `{audience}`{only}");
        let help = format!(
            "add `{audience}` to the `notify` of a rule that is no shadow, or delete its subscribers"
        );
        let problem = Diagnostic::warning("audience-never-told", &config.audience.place, message)
            .label("is never told anything")
            .help(help);
        subject.warn(problem, audience);
    }
}

fn told_twice(subject: &mut Subject<'_, '_>) {
    let mut seen: BTreeMap<(&str, Channel, &str), &Place> = BTreeMap::new();
    for config in subject.inherited.subscribers {
        let (audience, endpoint) = (config.audience.value.as_str(), config.endpoint.value.as_str());
        let place = &config.endpoint.place;
        let first = *seen.entry((audience, config.channel, endpoint)).or_insert(place);
        if first == place {
            continue;
        }
        let message = format!("this address is in the audience `{audience}` twice");
        let problem = Diagnostic::warning("duplicate-subscriber", &config.endpoint.place, message)
            .label("again here")
            .related(first, "first here")
            .help("delete one: it is told once either way");
        subject.warn(problem, audience);
    }
}

/// Aisles whose name makes a text message lose words, and words of the store that do so themselves.
fn texts(subject: &mut Subject<'_, '_>) {
    let store = subject.store;
    let by_sms: BTreeSet<_> = store
        .subscribers
        .iter()
        .filter(|it| it.channel == Channel::Sms)
        .map(|it| &it.audience)
        .collect();
    let told = |rule: &&Rule| !rule.shadow && rule.notify.iter().any(|it| by_sms.contains(it));
    // What a rule that names no event type may be about: whatever the others name.
    let named = store.rules.iter().filter_map(longest_event_type).max_by_key(|it| it.len());
    // The longest text that each rule can make.
    let longest: Vec<_> = store
        .rules
        .iter()
        .filter(told)
        .map(|rule| {
            let event_type = longest_event_type(rule).or(named).unwrap_or_default();
            (rule, event_type, rule.priority.as_str().len() + event_type.len())
        })
        .collect();
    let mut told = false;
    for aisle in &store.aisles {
        let here = longest.iter().filter(|(rule, ..)| meets(rule, aisle));
        let Some((rule, event_type, _)) = here.max_by_key(|(.., length)| *length) else { continue };
        let facts = facts(store, rule, event_type, aisle);
        let Some(loss) = alert::sms_loss(&facts, &store.wording) else { continue };
        // Where the built-in words lose nothing, it is the store's own that do: told once.
        let words = wording_place(subject, &facts);
        if words.is_some() && std::mem::replace(&mut told, true) {
            continue;
        }
        let what =
            if words.is_some() { "shorter or plainer words" } else { "a shorter or plainer name" };
        let place = words.unwrap_or_else(|| aisle_place(subject, aisle));
        let about = match *event_type {
            "" => format!("of rule `{}`", rule.name),
            event_type => format!("about `{event_type}`"),
        };
        let message = format!("a text message {about} in the aisle `{}` {loss}", aisle.id);
        let sms = alert::texts(&facts, &store.wording).sms;
        let help = format!("choose {what}; the message would be: {sms}");
        let problem = Diagnostic::warning("sms-shortened", &place, message)
            .label(format!("a text message has {SMS_SEPTETS_MAX} characters"));
        subject.warn(problem.help(help), aisle.id.as_str());
    }
}

/// Where the words stand that lose something, if the built-in ones would not: those of the message
/// or of the headline in it, whichever heals it when it gives way to the built-in one.
fn wording_place(subject: &Subject<'_, '_>, facts: &AlertFacts) -> Option<Place> {
    let heals = |wording: &Wording| alert::sms_loss(facts, wording).is_none();
    if !heals(&Wording::default()) {
        return None;
    }
    let own = |wanted| {
        let mut all = subject.inherited.wording.iter();
        all.find_map(|(key, text)| text.filter(|_| *key == wanted).map(|it| it.place.clone()))
    };
    let without = |key: &WordingKey| subject.store.wording.clone().with(*key, key.built_in());
    let keys = [WordingKey::Sms, WordingKey::Headline];
    let alone = keys.into_iter().filter(|key| heals(&without(key))).find_map(own);
    alone.or_else(|| keys.into_iter().find_map(own))
}

fn longest_event_type(rule: &Rule) -> Option<&str> {
    let named = rule.when.event_types.iter().flatten();
    named.map(AsRef::as_ref).max_by_key(|it: &&str| it.len())
}

fn meets(rule: &Rule, aisle: &Aisle) -> bool {
    let kind = aisle.kind.as_ref();
    rule.when.aisles.as_ref().is_none_or(|ids| ids.contains(&aisle.id))
        && rule
            .when
            .aisle_kinds
            .as_ref()
            .is_none_or(|kinds| kind.is_some_and(|kind| kinds.contains(kind)))
}

fn facts(store: &Store, rule: &Rule, event_type: &str, aisle: &Aisle) -> AlertFacts {
    AlertFacts {
        priority: rule.priority,
        event_type: event_type.to_owned(),
        store: StoreRef {
            id: store.id.to_string(),
            name: store.name.clone(),
            cell: store.cell.to_string(),
            timezone: store.hours.timezone.clone(),
        },
        aisle_name: Some(aisle.name.clone()),
        camera: longest_camera(store, aisle),
        start_ms: 0,
        case_id: ('0'..='9').chain('A'..='Z').cycle().take(CASE_CHARACTERS).collect(),
        confidence: Some(1.0),
        rule: rule.name.to_string(),
    }
}

/// The camera of the aisle that takes the most room in a text.
fn longest_camera(store: &Store, aisle: &Aisle) -> Option<String> {
    let here = store.cameras.iter().filter(|camera| camera.aisle == aisle.id);
    here.map(|camera| camera.id.to_string()).max_by_key(String::len)
}

fn aisle_place(subject: &Subject<'_, '_>, aisle: &Aisle) -> Place {
    let aisles = &subject.inherited.config.aisles;
    let config = aisles.iter().find(|config| config.id.value == aisle.id.as_str());
    let name = config.map(|config| config.name.as_ref().unwrap_or(&config.id));
    name.map_or_else(|| subject.id_place(), |name| name.place.clone())
}
