//! Waves: each takes stores in one way, `rest` alone takes what is left, and their labels are some store's.
//! What legal waves take is for `rollout`.

use std::collections::BTreeSet;

use crate::config::{StoreConfig, WaveConfig};
use crate::diagnostic::Diagnostic;
use crate::inherit;
use crate::model::{Id, Portion, Takes, Wave};

use super::Context;

pub(super) fn validate(
    context: &mut Context<'_>,
    stores: &[(String, StoreConfig)],
) -> Option<Vec<Wave>> {
    let configs = &context.fleet.waves;
    if configs.is_empty() {
        return Some(vec![last(Wave::ALL)]);
    }
    let names = configs.iter().filter_map(|wave| wave.name.as_ref());
    context.check_unique("duplicate-wave", "wave", names);
    check_labels(context, stores);
    let waves: Vec<_> = configs.iter().map(|config| wave(context, config)).collect();
    let mut waves = waves.into_iter().collect::<Option<Vec<_>>>()?;
    match waves.iter().position(|wave| wave.takes == Takes::Rest) {
        None => waves.push(last(Wave::REST)),
        Some(at) if at + 1 == waves.len() => {}
        Some(at) => {
            let message = "the wave `rest` takes every store that is left, and others follow";
            let place = configs.get(at).map(|it| it.place.clone())?;
            let help = "move it to the end of `waves`";
            context.report(Diagnostic::error("bad-wave", &place, message).help(help));
        }
    }
    Some(waves)
}

/// The wave that takes what is left, where nobody says more of it.
fn last(name: &str) -> Wave {
    Wave {
        name: Id::new(name).expect("the names that we give are ids"),
        takes: Takes::Rest,
        bake_s: 0,
        failures_max: Portion::Count(0),
    }
}

fn wave(context: &mut Context<'_>, config: &WaveConfig) -> Option<Wave> {
    let name = config.name.as_ref().and_then(|name| context.id(name, "a wave"));
    let takes = takes(context, config);
    Some(Wave {
        name: name?,
        takes: takes?,
        bake_s: config.bake_s.as_ref().map_or(0, |it| it.value),
        failures_max: config.failures_max.as_ref().map_or(Portion::Count(0), |it| it.value),
    })
}

fn takes(context: &mut Context<'_>, config: &WaveConfig) -> Option<Takes> {
    let labels = config.labels.as_ref();
    let ids: Option<Vec<_>> =
        labels.map(|labels| labels.iter().map(|it| context.id(it, "a label")).collect());
    let name = config.name.as_ref()?;
    let mut refuse = |place, message: &str, help: &str| {
        context.report(Diagnostic::error("bad-wave", place, message).help(help));
        None
    };
    match (&config.labels_place, &config.stores_place) {
        (Some(place), _) | (_, Some(place)) if name.value == Wave::REST => {
            let help = "rename it, or let it have `bake` and `max_failures` alone";
            refuse(place, "the wave `rest` takes the stores that no other wave takes", help)
        }
        (None, None) if name.value == Wave::REST => Some(Takes::Rest),
        (None, None) => {
            let message = format!("the wave `{}` does not say which stores it takes", name.value);
            let help = "add `labels: [canary]`, or `stores: 10%`; `rest` takes what is left";
            refuse(&name.place, &message, help)
        }
        (Some(_), Some(stores)) => {
            let message = format!("the wave `{}` has both `labels` and `stores`", name.value);
            refuse(stores, &message, "delete one of the two, or make two waves of it")
        }
        (Some(place), None) if labels.is_some_and(Vec::is_empty) => {
            let message = format!("the wave `{}` names no label", name.value);
            refuse(place, &message, "name at least one, such as `labels: [canary]`")
        }
        (Some(_), None) => Some(Takes::Labels(ids?.into_iter().collect::<Option<_>>()?)),
        (None, Some(_)) => config.stores.as_ref().map(|it| Takes::Portion(it.value)),
    }
}

/// Reports labels that no store has: the wave would be empty, and the next would go first.
fn check_labels(context: &mut Context<'_>, stores: &[(String, StoreConfig)]) {
    let fleet = context.fleet;
    let Some(file) = fleet.waves.first().map(|wave| wave.place.file) else { return };
    // A store that could not be read may have it, and a fleet without stores has none yet.
    if stores.is_empty() || context.errors.keys().any(|other| *other != file) {
        return;
    }
    let labels = fleet.waves.iter().filter_map(|wave| wave.labels.as_ref()).flatten();
    let mut known: Option<BTreeSet<&str>> = None;
    for label in labels.filter(|label| Id::new(&label.value).is_some()) {
        let known = known.get_or_insert_with(|| {
            let all = stores.iter().flat_map(|(_, store)| inherit::resolve(fleet, store).labels);
            all.map(|label| label.value.as_str()).collect()
        });
        if !known.contains(label.value.as_str()) {
            let message = format!("no store has the label `{}`", label.value);
            context.unknown("unknown-label", label, message, known.iter().copied());
        }
    }
}
