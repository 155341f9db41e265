//! Warnings about alerts: nobody hears them, somebody hears them twice, a text message loses words.

use std::collections::{BTreeMap, BTreeSet};

use contract::alert::{self, AlertFacts, SMS_SEPTETS_MAX};
use contract::store::StoreRef;

use crate::diagnostic::{Diagnostic, Place};
use crate::model::{Aisle, Channel, Id, Rule, Store};

use super::Subject;

/// A case's id has so many characters; see `runtime/src/id.rs`.
const CASE_ID: &str = "0123456789ABCDEF";

pub(super) fn warn(subject: &mut Subject<'_, '_>) {
    unheard(subject);
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

/// Aisles whose name makes a text message lose words.
fn texts(subject: &mut Subject<'_, '_>) {
    let store = subject.store;
    let by_sms: BTreeSet<_> = store
        .subscribers
        .iter()
        .filter(|it| it.channel == Channel::Sms)
        .map(|it| &it.audience)
        .collect();
    let told = |rule: &&Rule| !rule.shadow && rule.notify.iter().any(|it| by_sms.contains(it));
    // The longest text that each rule can make.
    let longest: Vec<_> = store
        .rules
        .iter()
        .filter(told)
        .filter_map(|rule| {
            let event_type = rule.when.event_types.iter().flatten().max_by_key(|it| it.len())?;
            Some((rule, event_type, rule.priority.as_str().len() + event_type.len()))
        })
        .collect();
    for aisle in &store.aisles {
        let here = longest.iter().filter(|(rule, ..)| meets(rule, aisle));
        let Some((rule, event_type, _)) = here.max_by_key(|(.., length)| *length) else { continue };
        let facts = facts(store, rule, event_type, aisle);
        let Some(loss) = alert::sms_loss(&facts) else { continue };
        let place = aisle_place(subject, aisle);
        let message =
            format!("a text message about `{event_type}` in the aisle `{}` {loss}", aisle.id);
        let help = format!(
            "choose a shorter or plainer name; the message would be: {}",
            alert::texts(&facts).sms
        );
        let problem = Diagnostic::warning("sms-shortened", &place, message)
            .label(format!("a text message has {SMS_SEPTETS_MAX} characters"));
        subject.warn(problem.help(help), aisle.id.as_str());
    }
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
        camera: None,
        start_ms: 0,
        case_id: CASE_ID.to_owned(),
        confidence: None,
        rule: rule.name.to_string(),
    }
}

fn aisle_place(subject: &Subject<'_, '_>, aisle: &Aisle) -> Place {
    let aisles = &subject.inherited.config.aisles;
    let config = aisles.iter().find(|config| config.id.value == aisle.id.as_str());
    let name = config.map(|config| config.name.as_ref().unwrap_or(&config.id));
    name.map_or_else(|| subject.id_place(), |name| name.place.clone())
}
