//! One store: its id, its aisles and cameras, and everything that it inherits.

use std::collections::HashSet;

use contract::store::Zone;
use contract::wording::Wording;

use crate::config::{AisleConfig, CameraConfig, StoreConfig};
use crate::diagnostic::{At, Diagnostic};
use crate::inherit::{self, Inherited, InheritedCamera};
use crate::model::{Aisle, Camera, EvidenceSettings, Id, Store};

use super::{Context, hours, rtsp, rule, subscriber, unwise, wording};

/// Most cameras of a store. A stack holds 500 resources (CloudFormation quota), one per camera;
/// 80 are left for the bus, rules, topic and subscriptions.
const CAMERAS_MAX: usize = 400;
/// Most aisles. Our choice: more than one for every camera says nothing, and every tick of the
/// watch carries them.
const AISLES_MAX: usize = 400;

pub(super) fn validate(
    context: &mut Context<'_>,
    stem: &str,
    config: &StoreConfig,
) -> Option<Store> {
    let fleet = context.fleet;
    let id = config.store.as_ref().and_then(|id| store_id(context, stem, id));
    if let Some(name) = &config.name {
        context.display_text(name, "the store's name");
    }
    if let Some(name) = &config.format
        && inherit::format_of(fleet, &name.value).is_none()
    {
        let message = format!("fleet.yaml has no format `{}`", name.value);
        let known = fleet.formats.iter().map(|(id, _)| id.value.as_str());
        context.unknown("unknown-format", name, message, known);
    }
    let inherited = inherit::resolve(fleet, config);
    let cell = cell(context, &inherited);
    let timezone = match inherited.timezone {
        Some(timezone) => hours::timezone(context, timezone),
        None => missing(context, config, "timezone", "America/Los_Angeles"),
    };
    let hours = hours::validate(context, timezone.clone().unwrap_or_default(), inherited.hours);
    let labels = inherited.labels.iter().filter_map(|label| context.id(label, "a label")).collect();
    let aisles = aisles(context, &config.aisles);
    let cameras = cameras(context, &inherited);
    let rules = rule::validate(context, stem, &inherited);
    let home =
        cell.as_ref().and_then(|id| fleet.cells.iter().find(|cell| cell.id.value == id.as_str()));
    let subscribers = inherited.subscribers.iter();
    let subscribers =
        subscribers.filter_map(|it| subscriber::validate(context, home, it)).collect();
    let mut wording = Wording::default();
    for (key, text) in &inherited.wording {
        let text = text.and_then(|text| wording::validate(context, *key, text));
        wording = text.map_or(wording.clone(), |text| wording.with(*key, text));
    }
    let store = Store {
        id: id?,
        name: config.name.as_ref()?.value.clone(),
        cell: cell?,
        format: config.format.as_ref().and_then(|format| Id::new(&format.value)),
        labels,
        hours: timezone.map(|_| hours)?,
        aisles,
        cameras,
        rules,
        subscribers,
        wording,
        evidence: EvidenceSettings {
            before_s: inherited.before_s.value,
            after_s: inherited.after_s.value,
            keep_days: inherited.keep_days.value,
            lock: inherited.lock.value,
        },
    };
    if !context.has_error(config.place.file) {
        unwise::warn(context, &inherited, &store);
    }
    Some(store)
}

fn missing<T>(
    context: &mut Context<'_>,
    config: &StoreConfig,
    key: &str,
    example: &str,
) -> Option<T> {
    let place = config.store.as_ref().map_or(&config.place, |id| &id.place);
    let message = format!("neither the store nor its format nor the fleet's defaults give `{key}`");
    let help =
        format!("add `{key}: {example}` here, to the format, or to `defaults` in fleet.yaml");
    context.report(Diagnostic::error("missing-key", place, message).help(help));
    None
}

fn store_id(context: &mut Context<'_>, stem: &str, id: &At<String>) -> Option<Id> {
    if id.value != stem {
        let message = format!("the file is named `{stem}.yaml` and holds the store `{}`", id.value);
        let file_fits = Id::new(stem).is_some();
        let help = if context.stems.contains(id.value.as_str()) {
            format!(
                "`{}.yaml` holds that store: give this one an id of its own, and name its file so",
                id.value
            )
        } else if Id::new(&id.value).is_none() {
            "give the store an id, and name its file so".to_owned()
        } else if file_fits {
            format!("rename the file to `{}.yaml`, or the store to `{stem}`", id.value)
        } else {
            format!("rename the file to `{}.yaml`", id.value)
        };
        context.report(Diagnostic::error("store-not-file-name", &id.place, message).help(help));
    }
    if id.value.split('-').any(|part| part == "gw") {
        let message = "a store's id cannot hold `gw` as a part: gateways are named by it";
        let help = "choose another word; else one store's gateway could write to another's streams";
        context.report(Diagnostic::error("bad-id", &id.place, message).help(help));
    }
    context.id_within(id, "a store", Store::ID_MIN, Store::ID_MAX)
}

fn cell(context: &mut Context<'_>, inherited: &Inherited<'_>) -> Option<Id> {
    let Some(cell) = inherited.cell else {
        return missing(context, inherited.config, "cell", "us-west");
    };
    context.check_cell(cell)
}

fn aisles(context: &mut Context<'_>, configs: &[AisleConfig]) -> Vec<Aisle> {
    context.check_unique("duplicate-aisle", "aisle", configs.iter().map(|aisle| &aisle.id));
    if let Some(first_over) = configs.get(AISLES_MAX) {
        let message =
            format!("the store has {} aisles, and {AISLES_MAX} are the most", configs.len());
        let help = "join aisles that staff would call by one name";
        let problem = Diagnostic::error("too-many-aisles", &first_over.id.place, message);
        context.report(problem.help(help));
    }
    let mut aisles = Vec::new();
    for config in configs {
        if let Some(name) = &config.name {
            context.display_text(name, "an aisle's name");
        }
        let id = context.id(&config.id, "an aisle");
        let kind = config.kind.as_ref().and_then(|kind| context.id(kind, "a kind of aisle"));
        let name = config
            .name
            .as_ref()
            .map_or_else(|| Aisle::name_from(&config.id.value), |name| name.value.clone());
        aisles.extend(id.map(|id| Aisle { id, name, kind }));
    }
    aisles
}

fn cameras(context: &mut Context<'_>, inherited: &Inherited<'_>) -> Vec<Camera> {
    let configs = &inherited.config.cameras;
    context.check_unique("duplicate-camera", "camera", configs.iter().map(|camera| &camera.id));
    if let Some(first_over) = configs.get(CAMERAS_MAX) {
        let message =
            format!("the store has {} cameras, and a stack holds {CAMERAS_MAX}", configs.len());
        let help = "split the store in two, such as one per floor";
        context.report(
            Diagnostic::error("too-many-cameras", &first_over.id.place, message).help(help),
        );
    }
    let aisles = &inherited.config.aisles;
    let ids: HashSet<_> = aisles.iter().map(|aisle| aisle.id.value.as_str()).collect();
    let cameras = inherited.cameras.iter();
    cameras.filter_map(|camera| self::camera(context, (aisles, &ids), camera)).collect()
}

fn camera(
    context: &mut Context<'_>,
    (aisles, ids): (&[AisleConfig], &HashSet<&str>),
    inherited: &InheritedCamera<'_>,
) -> Option<Camera> {
    let config = inherited.config;
    let id = context.id(&config.id, "a camera");
    let aisle = config.aisle.as_ref();
    // Aisles that could not be read were reported, and may hold this one.
    let unread = aisles.is_empty() && context.has_error(config.id.place.file);
    let lacking = |aisle: &&At<String>| !ids.contains(aisle.value.as_str());
    if let Some(aisle) = aisle.filter(lacking).filter(|_| !unread) {
        let message = format!(
            "the camera `{}` names the aisle `{}`, which this store lacks",
            config.id.value, aisle.value
        );
        let known = aisles.iter().map(|aisle| aisle.id.value.as_str());
        context.unknown("unknown-aisle", aisle, message, known);
    }
    let source =
        config.rtsp.as_ref().and_then(|rtsp| rtsp::validate(context, &config.id.value, rtsp));
    let zones = zones(context, config);
    check_payload(context, inherited);
    Some(Camera {
        id: id?,
        aisle: Id::new(&aisle?.value)?,
        source,
        retention_hours: inherited.retention_hours.value,
        bitrate_kbps: inherited.bitrate_kbps.value,
        window_s: inherited.window_s.value,
        when: inherited.when.value,
        zones,
    })
}

/// The model gets a window in one request of at most 6 MB; a quarter is left for a camera that
/// sends more than it should. Source: SageMaker runtime API, `InvokeEndpoint`, `Body`.
fn check_payload(context: &mut Context<'_>, camera: &InheritedCamera<'_>) {
    const WINDOW_BYTES_MAX: u64 = 6_291_456 / 4 * 3;
    const WINDOW_SECONDS_MIN: u64 = 2;
    let (window_s, bitrate_kbps) = (camera.window_s.value, camera.bitrate_kbps.value);
    let bytes = u64::from(bitrate_kbps) * 1_000 / 8 * u64::from(window_s);
    if bytes <= WINDOW_BYTES_MAX {
        return;
    }
    let message = format!(
        "a window of {window_s} s at {bitrate_kbps} kbit/s is {:.1} MB, over the {:.1} MB that the model takes",
        megabytes(bytes),
        megabytes(WINDOW_BYTES_MAX),
    );
    let seconds = WINDOW_BYTES_MAX * 8 / 1_000 / u64::from(bitrate_kbps);
    let kbps = WINDOW_BYTES_MAX * 8 / 1_000 / u64::from(window_s);
    let help = if seconds < WINDOW_SECONDS_MIN {
        format!("send at most {kbps} kbit/s: no window is short enough for this rate")
    } else {
        format!("use a window of at most {seconds} s, or send at most {kbps} kbit/s")
    };
    let place = camera.window_s.place.or(camera.bitrate_kbps.place);
    let mut problem =
        Diagnostic::error("window-too-large", place.unwrap_or(&camera.config.id.place), message);
    if let (Some(window), Some(bitrate)) = (camera.window_s.place, camera.bitrate_kbps.place)
        && window.file == bitrate.file
    {
        problem = problem.related(bitrate, "at this rate");
    }
    context.report(problem.help(help));
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
            let message = match zone.area.value.len() {
                4 => format!("the zone `{}` is not inside the picture", zone.id.value),
                other => {
                    format!("the area of the zone `{}` has {other} numbers, not 4", zone.id.value)
                }
            };
            let help = meant_area(&zone.area.value).map_or_else(
                || "write `[left, top, width, height]` as fractions of the picture, such as [0.1, 0.2, 0.5, 0.4]: left + width and top + height are at most 1".to_owned(),
                |meant| format!("write width and height, not the right and bottom edge: {meant:?}"),
            );
            context.report(
                Diagnostic::error("zone-outside-picture", &zone.area.place, message).help(help),
            );
            continue;
        };
        zones.extend(id.map(|id| Zone { id: id.as_str().to_owned(), area }));
    }
    zones
}

/// The area, if it was written as left, top, right and bottom edge.
fn meant_area(numbers: &[f64]) -> Option<[f64; 4]> {
    let [left, top, right, bottom] = *numbers else { return None };
    let edges = left < right && top < bottom && right <= 1.0 && bottom <= 1.0;
    let round = |number: f64| (number * 10_000.0).round() / 10_000.0;
    edges.then(|| [left, top, round(right - left), round(bottom - top)])
}
