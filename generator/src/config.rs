//! YAML as people write it, with the place of every value; nothing here is checked against
//! anything else yet (`validate` does that), and nothing is inherited yet.
//!
//! To add a field: its key in the `*_KEYS` list, its line in the reader below, its field here, and
//! its line in `stores/README.md`.

mod fleet;
mod rule;

pub use fleet::fleet;

use contract::evidence::LockMode;
use contract::priority::Priority;
use contract::watch::WatchWhen;

use crate::decode::{Decoder, Fields, Unit};
use crate::diagnostic::{At, Place, suggest};
use crate::model::Channel;
use crate::yaml::Node;

/// `stores/fleet.yaml`: what stores share.
#[derive(Clone, Debug, Default)]
pub struct FleetConfig {
    pub cells: Vec<CellConfig>,
    pub model: Option<At<ModelConfig>>,
    pub audiences: Vec<At<String>>,
    pub defaults: Layer,
    pub formats: Vec<(At<String>, Layer)>,
}

/// One AWS account and region.
#[derive(Clone, Debug)]
pub struct CellConfig {
    pub id: At<String>,
    pub account: Option<At<String>>,
    pub region: Option<At<String>>,
    pub architecture: Option<At<String>>,
    pub model: Option<At<ModelConfig>>,
    pub ops_email: Vec<At<String>>,
    pub log_days: Option<At<u32>>,
}

/// What watches the video: an existing endpoint, or an image to host.
#[derive(Clone, Debug, Default)]
pub struct ModelConfig {
    pub endpoint: Option<At<String>>,
    pub image: Option<At<String>>,
    pub data: Option<At<String>>,
    pub instance: Option<At<String>>,
    pub instances: Option<At<(u32, u32)>>,
    pub concurrency: Option<u32>,
}

/// `stores/<store-id>.yaml`: one store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The whole file.
    pub place: Place,
    pub store: Option<At<String>>,
    pub name: Option<At<String>>,
    pub format: Option<At<String>>,
    pub aisles: Vec<AisleConfig>,
    pub cameras: Vec<CameraConfig>,
    pub layer: Layer,
}

/// What may stand in a store, in its format and in the fleet's defaults; the nearest wins, rules
/// add up.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    pub cell: Option<At<String>>,
    pub timezone: Option<At<String>>,
    pub labels: Option<Vec<At<String>>>,
    pub hours: Option<At<HoursConfig>>,
    pub camera: CameraSettings,
    pub evidence: EvidenceConfig,
    pub cooldown: Option<At<u32>>,
    pub rules: Vec<RuleConfig>,
    pub subscribers: Option<Vec<SubscriberConfig>>,
}

/// Opening hours: a key such as `mon-sat`, `sun` or `2026-12-25`, and its spans.
#[derive(Clone, Debug, Default)]
pub struct HoursConfig {
    pub days: Vec<(At<String>, Vec<At<String>>)>,
}

/// What cameras share unless they say otherwise.
#[derive(Clone, Debug, Default)]
pub struct CameraSettings {
    pub retention_hours: Option<At<u32>>,
    pub bitrate_kbps: Option<At<u32>>,
    pub window_s: Option<At<u32>>,
    pub when: Option<At<WatchWhen>>,
}

#[derive(Clone, Debug)]
pub struct AisleConfig {
    pub id: At<String>,
    pub name: Option<At<String>>,
    pub kind: Option<At<String>>,
}

#[derive(Clone, Debug)]
pub struct CameraConfig {
    pub id: At<String>,
    pub aisle: Option<At<String>>,
    pub settings: CameraSettings,
    pub zones: Vec<ZoneConfig>,
}

#[derive(Clone, Debug)]
pub struct ZoneConfig {
    pub id: At<String>,
    /// Left, top, width, height.
    pub area: At<Vec<f64>>,
}

#[derive(Clone, Debug)]
pub struct RuleConfig {
    pub place: Place,
    pub name: Option<At<String>>,
    pub when: ConditionConfig,
    pub priority: Option<Priority>,
    pub notify: Vec<At<String>>,
    pub cooldown: Option<At<u32>>,
    pub shadow: bool,
}

#[derive(Clone, Debug, Default)]
pub struct ConditionConfig {
    pub event_type: Option<Vec<At<String>>>,
    pub aisle: Option<Vec<At<String>>>,
    pub aisle_kind: Option<Vec<At<String>>>,
    pub camera: Option<Vec<At<String>>>,
    pub zone: Option<Vec<At<String>>>,
    pub min_confidence: Option<At<f64>>,
    pub period: Option<At<String>>,
}

#[derive(Clone, Debug)]
pub struct SubscriberConfig {
    pub audience: At<String>,
    pub channel: Channel,
    pub endpoint: At<String>,
}

#[derive(Clone, Debug, Default)]
pub struct EvidenceConfig {
    pub before_s: Option<At<u32>>,
    pub after_s: Option<At<u32>>,
    pub keep_days: Option<At<u32>>,
    pub lock: Option<LockMode>,
}

const LAYER_KEYS: &[&str] = &[
    "cell",
    "timezone",
    "labels",
    "hours",
    "camera",
    "evidence",
    "cooldown",
    "rules",
    "subscribers",
];
const STORE_KEYS: &[&str] = &[
    "store",
    "name",
    "cell",
    "format",
    "timezone",
    "labels",
    "hours",
    "aisles",
    "camera",
    "cameras",
    "rules",
    "subscribers",
    "evidence",
    "cooldown",
];
const SETTINGS_KEYS: &[&str] = &["retention", "bitrate", "watch"];
const CAMERA_KEYS: &[&str] = &["id", "aisle", "retention", "bitrate", "watch", "zones"];

/// Reads one store's file.
pub fn store(decoder: &mut Decoder, node: &Node) -> Option<StoreConfig> {
    let fields = decoder.fields(node, "the store", STORE_KEYS)?;
    let id = decoder.require(&fields, "store", "seattle-001");
    let name = decoder.require(&fields, "name", "Pike Place");
    let format = fields.find("format").and_then(|node| decoder.text(node, "`format`"));
    let aisles = decoder.require(&fields, "aisles", "[{ id: aisle-5, name: Aisle 5 }]");
    let cameras = decoder.require(&fields, "cameras", "[{ id: aisle-5-a, aisle: aisle-5 }]");
    Some(StoreConfig {
        place: node.place.clone(),
        store: id.and_then(|node| decoder.text(node, "`store`")),
        name: name.and_then(|node| decoder.text(node, "`name`")),
        format,
        aisles: items(decoder, aisles, "`aisles`", aisle),
        cameras: items(decoder, cameras, "`cameras`", camera),
        layer: layer(decoder, &fields),
    })
}

/// Reads each item of a list that may be absent.
fn items<T>(
    decoder: &mut Decoder,
    node: Option<&Node>,
    what: &'static str,
    read: fn(&mut Decoder, &Node) -> Option<T>,
) -> Vec<T> {
    let nodes = node.map_or(&[][..], |node| decoder.list(node, what));
    nodes.iter().filter_map(|node| read(decoder, node)).collect()
}

fn texts(
    decoder: &mut Decoder,
    node: Option<&Node>,
    what: &'static str,
) -> Option<Vec<At<String>>> {
    let nodes = decoder.list(node?, what);
    Some(nodes.iter().filter_map(|node| decoder.text(node, what)).collect())
}

fn inherited(decoder: &mut Decoder, node: &Node, what: &'static str) -> Layer {
    let fields = decoder.fields(node, what, LAYER_KEYS);
    fields.map(|fields| layer(decoder, &fields)).unwrap_or_default()
}

fn layer(decoder: &mut Decoder, fields: &Fields<'_>) -> Layer {
    let camera =
        fields.find("camera").and_then(|node| decoder.fields(node, "`camera`", SETTINGS_KEYS));
    Layer {
        cell: fields.find("cell").and_then(|node| decoder.text(node, "`cell`")),
        timezone: fields.find("timezone").and_then(|node| decoder.text(node, "`timezone`")),
        labels: texts(decoder, fields.find("labels"), "`labels`"),
        hours: fields.find("hours").and_then(|node| hours(decoder, node)),
        camera: camera.map(|fields| settings(decoder, &fields)).unwrap_or_default(),
        evidence: fields
            .find("evidence")
            .and_then(|node| evidence(decoder, node))
            .unwrap_or_default(),
        cooldown: fields.find("cooldown").and_then(|node| cooldown(decoder, node)),
        rules: items(decoder, fields.find("rules"), "`rules`", rule::rule),
        subscribers: fields
            .find("subscribers")
            .map(|node| items(decoder, Some(node), "`subscribers`", rule::subscriber)),
    }
}

/// Longest cooldown, in seconds: a day. Our choice: a case that stays open longer is no incident.
const COOLDOWN_SECONDS_MAX: u32 = 86_400;

fn cooldown(decoder: &mut Decoder, node: &Node) -> Option<At<u32>> {
    decoder.duration(node, "`cooldown`", Unit::Seconds, 1..=COOLDOWN_SECONDS_MAX)
}

fn hours(decoder: &mut Decoder, node: &Node) -> Option<At<HoursConfig>> {
    let fields = decoder.open_fields(node, "`hours`")?;
    let mut days = Vec::new();
    for (key, spans) in fields.entries() {
        let spans = decoder.one_or_many(spans, "opening hours");
        days.extend(decoder.text(key, "a day").map(|key| (key, spans)));
    }
    Some(At { place: node.place.clone(), value: HoursConfig { days } })
}

fn settings(decoder: &mut Decoder, fields: &Fields<'_>) -> CameraSettings {
    let watch =
        fields.find("watch").and_then(|node| decoder.fields(node, "`watch`", &["window", "when"]));
    let window = watch.as_ref().and_then(|watch| watch.find("window"));
    let when = watch.as_ref().and_then(|watch| watch.find("when"));
    CameraSettings {
        retention_hours: fields
            .find("retention")
            .and_then(|node| decoder.duration(node, "`retention`", Unit::Hours, 1..=87_600)),
        bitrate_kbps: fields
            .find("bitrate")
            .and_then(|node| decoder.bitrate(node, "`bitrate`", 64..=20_000)),
        window_s: window.and_then(|node| decoder.duration(node, "`window`", Unit::Seconds, 2..=60)),
        when: when.and_then(|node| watch_when(decoder, node)),
    }
}

fn watch_when(decoder: &mut Decoder, node: &Node) -> Option<At<WatchWhen>> {
    let all = [WatchWhen::Always, WatchWhen::Open, WatchWhen::Closed, WatchWhen::Never];
    let found = all.into_iter().find(|when| node.text() == Some(when.as_str()));
    if found.is_none() {
        let known = all.map(WatchWhen::as_str);
        decoder.wrong_value(node, "`when`", suggest(node.text().unwrap_or_default(), known));
    }
    found.map(|value| At { place: node.place.clone(), value })
}

fn aisle(decoder: &mut Decoder, node: &Node) -> Option<AisleConfig> {
    let fields = decoder.fields(node, "an aisle", &["id", "name", "kind"])?;
    let id = decoder.require(&fields, "id", "aisle-5")?;
    Some(AisleConfig {
        id: decoder.text(id, "`id`")?,
        name: fields.find("name").and_then(|node| decoder.text(node, "`name`")),
        kind: fields.find("kind").and_then(|node| decoder.text(node, "`kind`")),
    })
}

fn camera(decoder: &mut Decoder, node: &Node) -> Option<CameraConfig> {
    let fields = decoder.fields(node, "a camera", CAMERA_KEYS)?;
    let aisle = decoder.require(&fields, "aisle", "aisle-5");
    let id = decoder.require(&fields, "id", "aisle-5-a")?;
    Some(CameraConfig {
        id: decoder.text(id, "`id`")?,
        aisle: aisle.and_then(|node| decoder.text(node, "`aisle`")),
        settings: settings(decoder, &fields),
        zones: items(decoder, fields.find("zones"), "`zones`", zone),
    })
}

fn zone(decoder: &mut Decoder, node: &Node) -> Option<ZoneConfig> {
    let fields = decoder.fields(node, "a zone", &["id", "area"])?;
    let id = decoder.require(&fields, "id", "top-shelf");
    let area = decoder.require(&fields, "area", "[0.1, 0.2, 0.5, 0.4]")?;
    let numbers = decoder
        .list(area, "`area`")
        .iter()
        .filter_map(|node| decoder.number(node, "`area`"))
        .collect();
    let area = At { place: area.place.clone(), value: numbers };
    Some(ZoneConfig { id: decoder.text(id?, "`id`")?, area })
}

fn evidence(decoder: &mut Decoder, node: &Node) -> Option<EvidenceConfig> {
    let fields = decoder.fields(node, "`evidence`", &["before", "after", "keep", "lock"])?;
    let mut seconds = |key, what| {
        fields.find(key).and_then(|node| decoder.duration(node, what, Unit::Seconds, 0..=120))
    };
    let (before_s, after_s) = (seconds("before", "`before`"), seconds("after", "`after`"));
    Some(EvidenceConfig {
        before_s,
        after_s,
        keep_days: fields
            .find("keep")
            .and_then(|node| decoder.duration(node, "`keep`", Unit::Days, 1..=3_650)),
        lock: fields.find("lock").and_then(|node| lock(decoder, node)),
    })
}

fn lock(decoder: &mut Decoder, node: &Node) -> Option<LockMode> {
    match node.text() {
        Some("governance") => Some(LockMode::Governance),
        Some("compliance") => Some(LockMode::Compliance),
        other => {
            let help = suggest(other.unwrap_or_default(), ["governance", "compliance"]);
            decoder.wrong_value(node, "`lock`", help);
            None
        }
    }
}
