//! One store: its values with what it inherits, its aisles and cameras.

use std::collections::BTreeSet;

use contract::evidence::LockMode;
use contract::store::Zone;
use contract::watch::WatchWhen;

use crate::config::{AisleConfig, CameraConfig, Layer, StoreConfig, SubscriberConfig};
use crate::diagnostic::{At, Diagnostic};
use crate::model::{Aisle, Camera, EvidenceSettings, Id, Rule, Store};

use super::rule::Names;
use super::{Context, hours, rule, subscriber};

/// What a camera has unless something says otherwise: a day of video, 1 Mbit/s (720p), windows of
/// ten seconds, watched at all times. Source of the first: a failed evidence queue is found and
/// put back the next morning, and the video must still be there.
const RETENTION_HOURS: u32 = 24;
const BITRATE_KBPS: u32 = 1_000;
const WINDOW_SECONDS: u32 = 10;
/// Seconds of evidence on each side, and days it is kept, unless something says otherwise.
const EVIDENCE_SECONDS: u32 = 15;
const EVIDENCE_DAYS: u32 = 90;
/// Most cameras of a store. A stack holds 500 resources (CloudFormation quota), one per camera;
/// 80 are left for the bus, rules, topic and subscriptions.
const CAMERAS_MAX: usize = 400;

pub(super) fn validate(
    context: &mut Context<'_>,
    stem: &str,
    config: &StoreConfig,
) -> Option<Store> {
    let id = config.store.as_ref().and_then(|id| store_id(context, stem, id));
    if let Some(name) = &config.name {
        context.display_text(name, "the store's name");
    }
    let fleet = context.fleet;
    let format = context.format_layer(config.format.as_ref()).cloned();
    if let (Some(name), None) = (&config.format, &format) {
        let message = format!("fleet.yaml has no format `{}`", name.value);
        context.unknown(
            "unknown-format",
            name,
            message,
            fleet.formats.iter().map(|(id, _)| id.value.as_str()),
        );
    }
    let layers: Vec<&Layer> = [Some(&config.layer), format.as_ref(), Some(&fleet.defaults)]
        .into_iter()
        .flatten()
        .collect();
    let cell = cell(context, config, &layers);
    let timezone = match nearest(&layers, |layer| layer.timezone.as_ref()) {
        Some(timezone) => hours::timezone(context, timezone),
        None => missing(context, config, "timezone", "America/Los_Angeles"),
    };
    let hours_config = nearest(&layers, |layer| layer.hours.as_ref());
    let hours = hours::validate(context, timezone.clone().unwrap_or_default(), hours_config);
    let labels = nearest(&layers, |layer| layer.labels.as_ref()).cloned().unwrap_or_default();
    let labels = labels.iter().filter_map(|label| context.id(label, "a label")).collect();
    let aisles = aisles(context, &config.aisles);
    let cameras = cameras(context, config, &layers);
    let names = Names { store: stem, aisles: &config.aisles, cameras: &config.cameras };
    let rules = rule::validate(context, &names, &layers);
    let subscribers =
        nearest(&layers, |layer| layer.subscribers.as_ref()).cloned().unwrap_or_default();
    warn_unheard(context, config, &rules, &subscribers);
    let subscribers =
        subscribers.iter().filter_map(|it| subscriber::validate(context, it)).collect();
    timezone?;
    Some(Store {
        id: id?,
        name: config.name.as_ref()?.value.clone(),
        cell: cell?,
        format: config.format.as_ref().and_then(|format| Id::new(&format.value)),
        labels,
        hours,
        aisles,
        cameras,
        rules,
        subscribers,
        evidence: evidence(&layers),
    })
}

/// The value of the nearest layer that has one.
fn nearest<'a, T>(
    layers: &[&'a Layer],
    pick: impl Fn(&'a Layer) -> Option<&'a T>,
) -> Option<&'a T> {
    layers.iter().find_map(|layer| pick(layer))
}

fn missing<T>(
    context: &mut Context<'_>,
    config: &StoreConfig,
    key: &str,
    example: &str,
) -> Option<T> {
    let place = config.store.as_ref().map_or(&config.place, |id| &id.place);
    let message = format!("neither the store nor its format nor the fleet's defaults give `{key}`");
    let help = format!("add `{key}: {example}`");
    context.report(Diagnostic::error("missing-key", place, message).help(help));
    None
}

fn store_id(context: &mut Context<'_>, stem: &str, id: &At<String>) -> Option<Id> {
    if id.value != stem {
        let message = format!("the file is named `{stem}.yaml` and holds the store `{}`", id.value);
        let help = format!("rename the file to `{}.yaml`, or the store to `{stem}`", id.value);
        context.report(Diagnostic::error("store-not-file-name", &id.place, message).help(help));
    }
    if id.value.split('-').any(|part| part == "gw") {
        let message = "a store's id cannot hold `gw` as a part: gateways are named by it";
        let help = "choose another word; else one store's gateway could write to another's streams";
        context.report(Diagnostic::error("bad-id", &id.place, message).help(help));
    }
    let length = id.value.len();
    if !(Store::ID_MIN..=Store::ID_MAX).contains(&length) {
        let message = format!("the store's id has {length} characters");
        let help = format!("use {} to {}", Store::ID_MIN, Store::ID_MAX);
        context.report(Diagnostic::error("bad-id", &id.place, message).help(help));
        return None;
    }
    context.id(id, "a store")
}

fn cell(context: &mut Context<'_>, config: &StoreConfig, layers: &[&Layer]) -> Option<Id> {
    let Some(cell) = nearest(layers, |layer| layer.cell.as_ref()) else {
        return missing(context, config, "cell", "us-west");
    };
    let known: Vec<_> = context.fleet.cells.iter().map(|cell| cell.id.value.as_str()).collect();
    if !known.contains(&cell.value.as_str()) {
        let message = format!("fleet.yaml has no cell `{}`", cell.value);
        context.unknown("unknown-cell", cell, message, known);
        return None;
    }
    Id::new(&cell.value)
}

fn aisles(context: &mut Context<'_>, configs: &[AisleConfig]) -> Vec<Aisle> {
    context.check_unique("duplicate-aisle", "aisle", configs.iter().map(|aisle| &aisle.id));
    let mut aisles = Vec::new();
    for config in configs {
        if let Some(name) = &config.name {
            context.display_text(name, "an aisle's name");
        }
        let id = context.id(&config.id, "an aisle");
        let kind = config.kind.as_ref().and_then(|kind| context.id(kind, "a kind of aisle"));
        let name =
            config.name.as_ref().map_or_else(|| title(&config.id.value), |name| name.value.clone());
        aisles.extend(id.map(|id| Aisle { id, name, kind }));
    }
    aisles
}

/// `aisle-5` as people say it: `Aisle 5`.
fn title(id: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    id.split('-').map(capital).collect::<Vec<_>>().join(" ")
}

fn cameras(context: &mut Context<'_>, store: &StoreConfig, layers: &[&Layer]) -> Vec<Camera> {
    let configs = &store.cameras;
    context.check_unique("duplicate-camera", "camera", configs.iter().map(|camera| &camera.id));
    if let Some(first_over) = configs.get(CAMERAS_MAX) {
        let message =
            format!("the store has {} cameras, and a stack holds {CAMERAS_MAX}", configs.len());
        let help = "split the store in two, such as one per floor";
        context.report(
            Diagnostic::error("too-many-cameras", &first_over.id.place, message).help(help),
        );
    }
    configs.iter().filter_map(|config| camera(context, store, config, layers)).collect()
}

fn camera(
    context: &mut Context<'_>,
    store: &StoreConfig,
    config: &CameraConfig,
    layers: &[&Layer],
) -> Option<Camera> {
    let id = context.id(&config.id, "a camera");
    let aisle = config.aisle.as_ref();
    let known: Vec<_> = store.aisles.iter().map(|aisle| aisle.id.value.as_str()).collect();
    if let Some(aisle) = aisle.filter(|aisle| !known.contains(&aisle.value.as_str())) {
        let message = format!(
            "the camera `{}` names the aisle `{}`, which this store lacks",
            config.id.value, aisle.value
        );
        context.unknown("unknown-aisle", aisle, message, known);
    }
    let all: Vec<_> =
        std::iter::once(&config.settings).chain(layers.iter().map(|layer| &layer.camera)).collect();
    let retention = all.iter().find_map(|it| it.retention_hours.as_ref());
    let bitrate = all.iter().find_map(|it| it.bitrate_kbps.as_ref());
    let window = all.iter().find_map(|it| it.window_s.as_ref());
    let zones = zones(context, config);
    let camera = Camera {
        id: id?,
        aisle: Id::new(&aisle?.value)?,
        retention_hours: retention.map_or(RETENTION_HOURS, |it| it.value),
        bitrate_kbps: bitrate.map_or(BITRATE_KBPS, |it| it.value),
        window_s: window.map_or(WINDOW_SECONDS, |it| it.value),
        when: all.iter().find_map(|it| it.when.as_ref()).map_or(WatchWhen::Always, |it| it.value),
        zones,
    };
    check_payload(context, &camera, window.or(bitrate).map_or(&config.id.place, |it| &it.place));
    Some(camera)
}

/// The model gets a window in one request of at most 6 MB; a quarter is left for a camera that
/// sends more than it should. Source: SageMaker runtime API, `InvokeEndpoint`, `Body`.
fn check_payload(context: &mut Context<'_>, camera: &Camera, place: &crate::diagnostic::Place) {
    const WINDOW_BYTES_MAX: u64 = 6_291_456 / 4 * 3;
    let bytes = u64::from(camera.bitrate_kbps) * 1_000 / 8 * u64::from(camera.window_s);
    if bytes > WINDOW_BYTES_MAX {
        let message = format!(
            "a window of {} s at {} kbit/s is {:.1} MB, over the {:.1} MB that the model takes",
            camera.window_s,
            camera.bitrate_kbps,
            megabytes(bytes),
            megabytes(WINDOW_BYTES_MAX),
        );
        let seconds = WINDOW_BYTES_MAX * 8 / 1_000 / u64::from(camera.bitrate_kbps);
        let help = format!("use a window of at most {seconds} s, or a lower bitrate");
        context.report(Diagnostic::error("window-too-large", place, message).help(help));
    }
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0
}

fn zones(context: &mut Context<'_>, config: &CameraConfig) -> Vec<Zone> {
    context.check_unique("duplicate-zone", "zone", config.zones.iter().map(|zone| &zone.id));
    let mut zones = Vec::new();
    for zone in &config.zones {
        let id = context.id(&zone.id, "a zone");
        let area: Result<[f64; 4], _> = zone.area.value.clone().try_into();
        // A rounding error of the last digit is no reason to refuse a zone that ends at the edge.
        let fits = |[x, y, w, h]: [f64; 4]| {
            w > 0.0 && h > 0.0 && x + w <= 1.0 + f64::EPSILON && y + h <= 1.0 + f64::EPSILON
        };
        let Some(area) = area.ok().filter(|area| fits(*area)) else {
            let message = format!("the zone `{}` is not inside the picture", zone.id.value);
            let help = "write `[left, top, width, height]` as fractions of the picture, such as [0.1, 0.2, 0.5, 0.4]";
            context.report(
                Diagnostic::error("zone-outside-picture", &zone.area.place, message).help(help),
            );
            continue;
        };
        zones.extend(id.map(|id| Zone { id: id.as_str().to_owned(), area }));
    }
    zones
}

fn evidence(layers: &[&Layer]) -> EvidenceSettings {
    let all = || layers.iter().map(|layer| &layer.evidence);
    EvidenceSettings {
        before_s: all().find_map(|it| it.before_s.as_ref()).map_or(EVIDENCE_SECONDS, |it| it.value),
        after_s: all().find_map(|it| it.after_s.as_ref()).map_or(EVIDENCE_SECONDS, |it| it.value),
        keep_days: all().find_map(|it| it.keep_days.as_ref()).map_or(EVIDENCE_DAYS, |it| it.value),
        lock: all().find_map(|it| it.lock).unwrap_or(LockMode::Governance),
    }
}

/// Warns of audiences that rules notify and in which nobody is.
fn warn_unheard(
    context: &mut Context<'_>,
    config: &StoreConfig,
    rules: &[Rule],
    subscribers: &[SubscriberConfig],
) {
    let heard: BTreeSet<_> = subscribers.iter().map(|it| it.audience.value.as_str()).collect();
    let told: BTreeSet<_> = rules.iter().flat_map(|rule| &rule.notify).map(Id::as_str).collect();
    let place = config.store.as_ref().map_or(&config.place, |id| &id.place);
    for audience in told.difference(&heard) {
        let names: Vec<_> = rules
            .iter()
            .filter(|rule| rule.notify.iter().any(|it| it.as_str() == *audience))
            .map(|rule| format!("`{}`", rule.name))
            .collect();
        let message = format!(
            "nobody in this store is in the audience `{audience}`, which {} would tell",
            names.join(", ")
        );
        let help = format!("add `- {{ audience: {audience}, email: ... }}` to `subscribers`");
        context
            .report(Diagnostic::warning("audience-without-subscriber", place, message).help(help));
    }
}
