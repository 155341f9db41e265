//! Rules: every name that a rule uses exists, and no two rules of a store share one.

use std::collections::{BTreeSet, HashSet};

use contract::incident::UNROUTED;

use crate::config::{ConditionConfig, Layer, RuleConfig, StoreConfig};
use crate::diagnostic::{At, Diagnostic};
use crate::inherit::{Inherited, Level};
use crate::model::{Condition, Confidence, Id, Rule};

use super::{Context, Things, subscriber};

/// Longest event type. Our choice: it is part of ids, keys and SMS texts.
const EVENT_TYPE_MAX: usize = 48;

/// What the rules of one store may refer to.
struct Names<'a> {
    aisles: Things<'a>,
    kinds: Things<'a>,
    cameras: Things<'a>,
    zones: Things<'a>,
    audiences: BTreeSet<String>,
    /// Whether aisles or cameras could not be read.
    unread: bool,
}

impl<'a> Names<'a> {
    fn new(context: &Context<'_>, inherited: &Inherited<'a>) -> Self {
        let StoreConfig { aisles, cameras, place, .. } = inherited.config;
        // What could not be read was reported, and may hold what a rule names.
        let unread = context.has_error(place.file) && (aisles.is_empty() || cameras.is_empty());
        let kinds = aisles.iter().filter_map(|it| Some(it.kind.as_ref()?.value.as_str()));
        let zones = cameras.iter().flat_map(|camera| &camera.zones);
        let zones = zones.map(|zone| zone.id.value.as_str());
        let aisles = aisles.iter().map(|aisle| aisle.id.value.as_str());
        let cameras = cameras.iter().map(|camera| camera.id.value.as_str());
        Self {
            aisles: Things::new("unknown-aisle", "aisle", aisles),
            kinds: Things::new("unknown-aisle-kind", "aisle of kind", kinds),
            cameras: Things::new("unknown-camera", "camera", cameras),
            zones: Things::new("unknown-zone", "camera with a zone", zones),
            audiences: subscriber::known_audiences(context, inherited),
            unread,
        }
    }
}

/// Reports rules of one file that share a name.
pub(super) fn check_names(context: &mut Context<'_>, layer: &Layer) {
    let names = layer.rules.iter().filter_map(|rule| rule.name.as_ref());
    context.check_unique("duplicate-rule", "rule", names);
}

/// The store's own rules, then its format's, then the fleet's.
pub(super) fn validate(
    context: &mut Context<'_>,
    stem: &str,
    inherited: &Inherited<'_>,
) -> Vec<Rule> {
    check_names(context, &inherited.config.layer);
    let names = Names::new(context, inherited);
    let mut rules = Vec::new();
    let mut places = Vec::new();
    for (level, config) in &inherited.rules {
        let rule = rule(context, &names, *level, config, inherited.cooldown_s.value);
        if let Some(rule) = rule {
            rules.push(rule);
            places.push(config.name.as_ref().map_or(&config.place, |name| &name.place).clone());
        }
    }
    context.rule_places.insert(stem.to_owned(), places);
    rules
}

fn rule(
    context: &mut Context<'_>,
    names: &Names<'_>,
    level: Level,
    config: &RuleConfig,
    cooldown_s: u32,
) -> Option<Rule> {
    let name = config.name.as_ref().and_then(|name| context.id(name, "a rule"));
    if let Some(name) = &config.name {
        check_reserved(context, name);
    }
    let when = condition(context, names, level, &config.when);
    let mut notify = Vec::new();
    let mut told: HashSet<&str> = HashSet::new();
    for audience in config.notify.iter().flatten() {
        if !names.audiences.contains(&audience.value) {
            let message = format!("no audience `{}`: nobody would be told", audience.value);
            let known = names.audiences.iter().map(String::as_str);
            context.unknown("unknown-audience", audience, message, known);
            continue;
        }
        if told.insert(&audience.value) {
            notify.extend(Id::new(&audience.value));
        }
    }
    Some(Rule {
        name: name?,
        when,
        priority: config.priority.as_ref()?.value,
        notify,
        cooldown_s: config.cooldown.as_ref().map_or(cooldown_s, |it| it.value),
        shadow: config.shadow.as_ref().is_some_and(|it| it.value),
    })
}

fn condition(
    context: &mut Context<'_>,
    names: &Names<'_>,
    level: Level,
    config: &ConditionConfig,
) -> Condition {
    let ids = |texts: Option<Vec<String>>| {
        texts.map(|texts| texts.iter().filter_map(|text| Id::new(text)).collect())
    };
    let mut known = |things: &Things<'_>, values: &Option<Vec<At<String>>>| {
        let values = values.as_ref()?;
        for value in values.iter().filter(|_| !names.unread) {
            context.follow(level, things, value);
        }
        Some(values.iter().map(|value| value.value.clone()).collect::<Vec<_>>())
    };
    let aisles = known(&names.aisles, &config.aisle);
    let aisle_kinds = known(&names.kinds, &config.aisle_kind);
    let cameras = known(&names.cameras, &config.camera);
    let zones = known(&names.zones, &config.zone);
    Condition {
        event_types: config.event_type.as_ref().map(|texts| event_types(context, texts)),
        aisles: ids(aisles),
        aisle_kinds: ids(aisle_kinds),
        cameras: ids(cameras),
        zones,
        min_confidence: config.min_confidence.as_ref().and_then(|it| confidence(context, it)),
        period: config.period.as_ref().map(|it| it.value),
    }
}

/// What is wrong with a rule whatever the store has.
pub(super) fn check_alone(context: &mut Context<'_>, config: &RuleConfig) {
    if let Some(name) = &config.name {
        context.id(name, "a rule");
        check_reserved(context, name);
    }
    if let Some(texts) = &config.when.event_type {
        event_types(context, texts);
    }
    if let Some(least) = &config.when.min_confidence {
        confidence(context, least);
    }
    if context.audiences.is_empty() {
        return;
    }
    for audience in config.notify.iter().flatten() {
        if !context.audiences.contains(audience.value.as_str()) {
            let message = format!("no audience `{}`: nobody would be told", audience.value);
            let known: BTreeSet<_> = context.audiences.iter().copied().collect();
            context.unknown("unknown-audience", audience, message, known);
        }
    }
}

fn check_reserved(context: &mut Context<'_>, name: &At<String>) {
    if name.value == UNROUTED {
        let message = format!("`{UNROUTED}` is the name of the implicit last rule");
        let help = format!(
            "choose another name; a rule with `when: {{}}` at the end takes what would fall to `{UNROUTED}`"
        );
        context.report(Diagnostic::error("reserved-name", &name.place, message).help(help));
    }
}

fn event_types(context: &mut Context<'_>, texts: &[At<String>]) -> Vec<String> {
    for text in texts {
        let places = context.event_types.entry(text.value.clone()).or_default();
        places.insert(text.place.clone());
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let fits = (1..=EVENT_TYPE_MAX).contains(&text.value.len());
        if !fits || !text.value.bytes().all(allowed) {
            let message = format!("`{}` is no event type", text.value);
            let folded = text.value.to_ascii_lowercase().replace(['-', ' '], "_");
            let example = match folded.len() {
                1..=EVENT_TYPE_MAX if folded.bytes().all(allowed) => folded.as_str(),
                _ => "shelf_sweep",
            };
            let help = format!(
                "use lower-case letters, digits and `_`, at most {EVENT_TYPE_MAX} characters, as the model says it, such as `{example}`"
            );
            context.report(Diagnostic::error("bad-event-type", &text.place, message).help(help));
        }
    }
    texts.iter().map(|text| text.value.clone()).collect()
}

fn confidence(context: &mut Context<'_>, at: &At<f64>) -> Option<Confidence> {
    let found = Confidence::new(at.value);
    // Four decimals are exact in EventBridge's matching and in every message.
    let exact = ((at.value * 10_000.0).round() / 10_000.0 - at.value).abs() < f64::EPSILON;
    if found.is_none() || !exact {
        let message = format!("`min_confidence` is {}", at.value);
        // A percentage.
        let help = if (10.0..=100.0).contains(&at.value) {
            let fraction = (at.value * 100.0).round() / 10_000.0;
            format!("did you mean {fraction}? 1 is the surest")
        } else {
            "give a fraction from 0 to 1 with at most four decimals, such as 0.8".to_owned()
        };
        context.report(Diagnostic::error("confidence-out-of-range", &at.place, message).help(help));
    }
    found
}
