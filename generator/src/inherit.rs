//! Inheritance: where each value of a store comes from.
//!
//! A store's own file comes first, then its format, then the fleet's defaults, then what is built
//! in; the nearest wins, key by key inside `camera`, `alerts` and `evidence`. Lists of subscribers, labels and
//! hours count whole. Rules add up in that order, and a nearer rule replaces an inherited one of
//! the same name. Everything here borrows from `config`; nothing is checked.

use std::collections::HashSet;

use contract::evidence::LockMode;
use contract::watch::WatchWhen;
use contract::wording::WordingKey;

use crate::config::{
    CameraConfig, CameraSettings, EvidenceConfig, FleetConfig, HoursConfig, Layer, RuleConfig,
    StoreConfig, SubscriberConfig,
};
use crate::diagnostic::{At, Place};

/// What a camera has unless something says otherwise: a day of video, 1 Mbit/s (720p), windows of
/// ten seconds, watched at all times. Source of the first: a failed evidence queue is found and
/// put back the next morning, and the video must still be there.
const RETENTION_HOURS: u32 = 24;
const BITRATE_KBPS: u32 = 1_000;
const WINDOW_SECONDS: u32 = 10;
/// Seconds of evidence on each side, and days it is kept, unless something says otherwise.
const EVIDENCE_SECONDS: u32 = 15;
const EVIDENCE_DAYS: u32 = 90;
/// Seconds within which detections belong together unless something says otherwise. Our choice:
/// a person sweeping a shelf is done within a minute.
const COOLDOWN_SECONDS: u32 = 60;

/// A value, and where it was written; `None`: it is built in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting<'a, T> {
    pub value: T,
    pub place: Option<&'a Place>,
}

/// Whether a rule stands in the store's own file, where a name that the store lacks is a mistake,
/// or is inherited, where it may be meant for other stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Own,
    Inherited,
}

/// A store with all that it inherits.
#[derive(Clone, Debug)]
pub struct Inherited<'a> {
    pub config: &'a StoreConfig,
    pub cell: Option<&'a At<String>>,
    pub timezone: Option<&'a At<String>>,
    pub labels: &'a [At<String>],
    /// Where they stand; `None`: nothing names any.
    pub labels_place: Option<&'a Place>,
    /// `None`: always open.
    pub hours: Option<&'a At<HoursConfig>>,
    pub uplink_kbps: Option<&'a At<u32>>,
    /// One for each of the store's cameras, in their order.
    pub cameras: Vec<InheritedCamera<'a>>,
    /// In the order in which they are tried.
    pub rules: Vec<(Level, &'a RuleConfig)>,
    pub cooldown_s: Setting<'a, u32>,
    pub subscribers: &'a [SubscriberConfig],
    /// The words of alerts, by key; `None`: they are built in.
    pub wording: [(WordingKey, Option<&'a At<String>>); 4],
    pub before_s: Setting<'a, u32>,
    pub after_s: Setting<'a, u32>,
    pub keep_days: Setting<'a, u32>,
    pub lock: Setting<'a, LockMode>,
}

/// A camera with all that it inherits.
#[derive(Clone, Debug)]
pub struct InheritedCamera<'a> {
    pub config: &'a CameraConfig,
    pub retention_hours: Setting<'a, u32>,
    pub bitrate_kbps: Setting<'a, u32>,
    pub window_s: Setting<'a, u32>,
    pub when: Setting<'a, WatchWhen>,
}

/// Resolves what one store inherits. A format that does not exist gives nothing.
pub fn resolve<'a>(fleet: &'a FleetConfig, store: &'a StoreConfig) -> Inherited<'a> {
    let format = store.format.as_ref().and_then(|name| format_of(fleet, &name.value));
    let layers: Vec<&Layer> =
        [Some(&store.layer), format, Some(&fleet.defaults)].into_iter().flatten().collect();
    let evidence: Vec<&EvidenceConfig> = layers.iter().map(|layer| &layer.evidence).collect();
    let shared: Vec<&CameraSettings> = layers.iter().map(|layer| &layer.camera).collect();
    let cameras = store.cameras.iter().map(|config| camera(config, &shared));
    Inherited {
        config: store,
        cell: nearest(&layers, |it| it.cell.as_ref()),
        timezone: nearest(&layers, |it| it.timezone.as_ref()),
        labels: nearest(&layers, |it| it.labels.as_deref()).unwrap_or_default(),
        labels_place: nearest(&layers, |it| it.labels_place.as_ref()),
        hours: nearest(&layers, |it| it.hours.as_ref()),
        uplink_kbps: nearest(&layers, |it| it.uplink_kbps.as_ref()),
        cameras: cameras.collect(),
        rules: rules(&layers),
        cooldown_s: setting(&layers, |it| it.cooldown.as_ref(), COOLDOWN_SECONDS),
        subscribers: nearest(&layers, |it| it.subscribers.as_deref()).unwrap_or_default(),
        wording: WordingKey::ALL.map(|key| (key, nearest(&layers, |it| text(it, key)))),
        before_s: setting(&evidence, |it| it.before_s.as_ref(), EVIDENCE_SECONDS),
        after_s: setting(&evidence, |it| it.after_s.as_ref(), EVIDENCE_SECONDS),
        keep_days: setting(&evidence, |it| it.keep_days.as_ref(), EVIDENCE_DAYS),
        lock: setting(&evidence, |it| it.lock.as_ref(), LockMode::Governance),
    }
}

/// A format of the fleet, by its name.
pub fn format_of<'a>(fleet: &'a FleetConfig, name: &str) -> Option<&'a Layer> {
    fleet.formats.iter().find(|(id, _)| id.value == name).map(|(_, layer)| layer)
}

fn camera<'a>(config: &'a CameraConfig, shared: &[&'a CameraSettings]) -> InheritedCamera<'a> {
    let layers: Vec<&CameraSettings> =
        std::iter::once(&config.settings).chain(shared.iter().copied()).collect();
    InheritedCamera {
        config,
        retention_hours: setting(&layers, |it| it.retention_hours.as_ref(), RETENTION_HOURS),
        bitrate_kbps: setting(&layers, |it| it.bitrate_kbps.as_ref(), BITRATE_KBPS),
        window_s: setting(&layers, |it| it.window_s.as_ref(), WINDOW_SECONDS),
        when: setting(&layers, |it| it.when.as_ref(), WatchWhen::Always),
    }
}

/// A layer's own text of this key.
fn text(layer: &Layer, key: WordingKey) -> Option<&At<String>> {
    layer.wording.iter().find(|(it, _)| *it == key).map(|(_, text)| text)
}

fn rules<'a>(layers: &[&'a Layer]) -> Vec<(Level, &'a RuleConfig)> {
    let name = |rule: &'a RuleConfig| rule.name.as_ref().map(|name| name.value.as_str());
    let mut taken: HashSet<&str> = HashSet::new();
    let mut rules = Vec::new();
    for (depth, layer) in layers.iter().enumerate() {
        let level = if depth == 0 { Level::Own } else { Level::Inherited };
        let kept = |rule: &&RuleConfig| {
            rule.name.as_ref().is_none_or(|name| !taken.contains(name.value.as_str()))
        };
        rules.extend(layer.rules.iter().filter(kept).map(|rule| (level, rule)));
        taken.extend(layer.rules.iter().filter_map(name));
    }
    rules
}

/// The value of the nearest layer that has one.
fn nearest<'a, L, T: ?Sized>(
    layers: &[&'a L],
    pick: impl Fn(&'a L) -> Option<&'a T>,
) -> Option<&'a T> {
    layers.iter().find_map(|layer| pick(layer))
}

fn setting<'a, L, T: Copy + 'a>(
    layers: &[&'a L],
    pick: impl Fn(&'a L) -> Option<&'a At<T>>,
    built_in: T,
) -> Setting<'a, T> {
    match nearest(layers, pick) {
        Some(at) => Setting { value: at.value, place: Some(&at.place) },
        None => Setting { value: built_in, place: None },
    }
}
