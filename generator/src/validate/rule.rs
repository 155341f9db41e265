//! Rules: every name that a rule uses exists, and no two rules of a store share one.

use std::collections::{BTreeSet, HashSet};

use contract::hours::Period;
use contract::incident::UNROUTED;

use crate::config::{AisleConfig, CameraConfig, ConditionConfig, Layer, RuleConfig};
use crate::diagnostic::{At, Diagnostic};
use crate::model::{Condition, Confidence, Id, Rule};

use super::{Context, subscriber};

/// Seconds within which detections belong together unless something says otherwise. Our choice:
/// a person sweeping a shelf is done within a minute.
const COOLDOWN_SECONDS: u32 = 60;
/// Longest event type. Our choice: it is part of ids, keys and SMS texts.
const EVENT_TYPE_MAX: usize = 48;

/// What the rules of one store may refer to.
pub(super) struct Names<'a> {
    pub(super) store: &'a str,
    pub(super) aisles: &'a [AisleConfig],
    pub(super) cameras: &'a [CameraConfig],
}

/// Whether a rule stands in the store's own file, where a name that the store lacks is a mistake,
/// or is inherited, where it may be meant for other stores.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    Inherited,
}

/// The store's own rules, then its format's, then the fleet's; `layers` comes in that order.
pub(super) fn validate(
    context: &mut Context<'_>,
    names: &Names<'_>,
    layers: &[&Layer],
) -> Vec<Rule> {
    let audiences = subscriber::known_audiences(context, layers);
    let cooldown = layers.iter().find_map(|layer| layer.cooldown.as_ref());
    let cooldown = cooldown.map_or(COOLDOWN_SECONDS, |it| it.value);
    let mut taken: HashSet<String> = HashSet::new();
    let mut rules = Vec::new();
    for (depth, layer) in layers.iter().enumerate() {
        let origin = if depth == 0 { Origin::Own } else { Origin::Inherited };
        context.check_unique(
            "duplicate-rule",
            "rule",
            layer.rules.iter().filter_map(|rule| rule.name.as_ref()),
        );
        for config in &layer.rules {
            let name = config.name.as_ref().map_or("", |name| name.value.as_str());
            if taken.contains(name) {
                continue;
            }
            let key = (names.store.to_owned(), name.to_owned());
            context.rule_places.insert(key, config.place.clone());
            rules.extend(rule(context, names, origin, config, (&audiences, cooldown)));
        }
        taken.extend(layer.rules.iter().filter_map(|rule| Some(rule.name.as_ref()?.value.clone())));
    }
    rules
}

fn rule(
    context: &mut Context<'_>,
    names: &Names<'_>,
    origin: Origin,
    config: &RuleConfig,
    (audiences, cooldown): (&BTreeSet<String>, u32),
) -> Option<Rule> {
    let name = config.name.as_ref().and_then(|name| context.id(name, "a rule"));
    if let Some(name) = config.name.as_ref().filter(|name| name.value == UNROUTED) {
        let message = format!("`{UNROUTED}` is the name of the implicit last rule");
        context.report(
            Diagnostic::error("reserved-name", &name.place, message).help("choose another name"),
        );
    }
    let when = condition(context, names, origin, &config.when);
    let mut notify = Vec::new();
    for audience in &config.notify {
        if !audiences.contains(&audience.value) {
            let message = format!("no audience `{}`: nobody would be told", audience.value);
            context.unknown(
                "unknown-audience",
                audience,
                message,
                audiences.iter().map(String::as_str),
            );
            continue;
        }
        if let Some(id) = Id::new(&audience.value).filter(|id| !notify.contains(id)) {
            notify.push(id);
        }
    }
    Some(Rule {
        name: name?,
        when,
        priority: config.priority?,
        notify,
        cooldown_s: config.cooldown.as_ref().map_or(cooldown, |it| it.value),
        shadow: config.shadow,
    })
}

fn condition(
    context: &mut Context<'_>,
    names: &Names<'_>,
    origin: Origin,
    config: &ConditionConfig,
) -> Condition {
    let own = origin == Origin::Own;
    let aisles: Vec<_> = names.aisles.iter().map(|aisle| aisle.id.value.as_str()).collect();
    let kinds: BTreeSet<_> =
        names.aisles.iter().filter_map(|it| Some(it.kind.as_ref()?.value.as_str())).collect();
    let kinds: Vec<_> = kinds.into_iter().collect();
    let cameras: Vec<_> = names.cameras.iter().map(|camera| camera.id.value.as_str()).collect();
    let zones: BTreeSet<_> =
        names.cameras.iter().flat_map(|it| &it.zones).map(|zone| zone.id.value.as_str()).collect();
    let zones: Vec<_> = zones.into_iter().collect();
    let mut checked =
        |what: &'static str, code, values: Option<&Vec<At<String>>>, known: &[&str]| {
            let values = values?;
            for value in values.iter().filter(|value| own && !known.contains(&value.value.as_str()))
            {
                let message = format!("this store has no {what} `{}`", value.value);
                context.unknown(code, value, message, known.iter().copied());
            }
            Some(values.iter().map(|value| value.value.clone()).collect::<Vec<_>>())
        };
    let ids = |texts: Option<Vec<String>>| {
        texts.map(|texts| texts.iter().filter_map(|text| Id::new(text)).collect())
    };
    let condition = Condition {
        event_types: None,
        aisles: ids(checked("aisle", "unknown-aisle", config.aisle.as_ref(), &aisles)),
        aisle_kinds: ids(checked(
            "aisle of kind",
            "unknown-aisle-kind",
            config.aisle_kind.as_ref(),
            &kinds,
        )),
        cameras: ids(checked("camera", "unknown-camera", config.camera.as_ref(), &cameras)),
        zones: checked("zone", "unknown-zone", config.zone.as_ref(), &zones),
        min_confidence: None,
        period: None,
    };
    Condition {
        event_types: config.event_type.as_ref().map(|texts| event_types(context, texts)),
        min_confidence: config.min_confidence.as_ref().and_then(|it| confidence(context, it)),
        period: config.period.as_ref().and_then(|it| period(context, it)),
        ..condition
    }
}

fn event_types(context: &mut Context<'_>, texts: &[At<String>]) -> Vec<String> {
    for text in texts {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let fits = (1..=EVENT_TYPE_MAX).contains(&text.value.len());
        if !fits || !text.value.bytes().all(allowed) {
            let message = format!("`{}` is no event type", text.value);
            let folded = text.value.to_ascii_lowercase().replace(['-', ' '], "_");
            let help = format!(
                "use lower-case letters, digits and `_`, at most {EVENT_TYPE_MAX} characters, as the model says it, such as `{folded}`"
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
        let help = "give a fraction from 0 to 1 with at most four decimals, such as 0.8";
        context.report(Diagnostic::error("confidence-out-of-range", &at.place, message).help(help));
    }
    found
}

fn period(context: &mut Context<'_>, at: &At<String>) -> Option<Period> {
    let found = [Period::Open, Period::Closed].into_iter().find(|it| it.as_str() == at.value);
    if found.is_none() {
        let message = format!("`{}` is no period", at.value);
        context.unknown("unknown-period", at, message, ["open", "closed"]);
    }
    found
}
