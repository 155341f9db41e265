//! YAML as people write it, with the place of every value; nothing here is checked against
//! anything else yet (`validate` does that), and nothing is inherited yet.
//!
//! To add a field: its key in `schema`, its line in a reader below, its field here, and in
//! `inherit` where it comes from when a store leaves it out.

mod fleet;
mod price;
mod quota;
mod rule;
mod scenario;
mod wave;

pub use fleet::fleet;
pub use price::PricesConfig;
pub use quota::QuotasConfig;
pub use scenario::{ExpectConfig, GivenConfig, ScenarioConfig, ScenariosConfig, scenarios};
pub use wave::WaveConfig;

use contract::evidence::LockMode;
use contract::hours::Period;
use contract::priority::Priority;
use contract::watch::WatchWhen;
use contract::wording::WordingKey;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::{At, Place};
use crate::model::{Architecture, Channel};
use crate::schema;
use crate::yaml::Node;

/// `stores/fleet.yaml`: what stores share.
#[derive(Clone, Debug, Default)]
pub struct FleetConfig {
    pub cells: Vec<CellConfig>,
    pub model: Option<At<ModelConfig>>,
    pub audiences: Vec<At<String>>,
    pub defaults: Layer,
    pub formats: Vec<(At<String>, Layer)>,
    pub allow: Vec<AllowConfig>,
    pub quotas: QuotasConfig,
    pub prices: PricesConfig,
    pub waves: Vec<WaveConfig>,
}

/// One AWS account and region.
#[derive(Clone, Debug)]
pub struct CellConfig {
    pub id: At<String>,
    pub account: Option<At<String>>,
    pub region: Option<At<String>>,
    pub role: Option<At<String>>,
    pub external_id: Option<At<String>>,
    pub architecture: Option<At<Architecture>>,
    pub model: Option<At<ModelConfig>>,
    pub ops_email: Vec<At<String>>,
    pub log_days: Option<At<u32>>,
    pub quotas: QuotasConfig,
    pub prices: PricesConfig,
}

/// What watches the video: an existing endpoint, or an image to host.
#[derive(Clone, Debug, Default)]
pub struct ModelConfig {
    pub endpoint: Option<At<String>>,
    pub image: Option<At<String>>,
    pub data: Option<At<String>>,
    pub instance: Option<At<String>>,
    pub instances: Option<At<(u32, u32)>>,
    pub concurrency: Option<At<u32>>,
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
    pub allow: Vec<AllowConfig>,
}

/// What may stand in a store, in its format and in the fleet's defaults; see `inherit`.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    pub cell: Option<At<String>>,
    pub timezone: Option<At<String>>,
    pub labels: Option<Vec<At<String>>>,
    /// Where `labels` stands: an empty list has no entry that would say.
    pub labels_place: Option<Place>,
    pub hours: Option<At<HoursConfig>>,
    pub uplink_kbps: Option<At<u32>>,
    pub camera: CameraSettings,
    pub evidence: EvidenceConfig,
    pub cooldown: Option<At<u32>>,
    pub rules: Vec<RuleConfig>,
    pub subscribers: Option<Vec<SubscriberConfig>>,
    /// The words of alerts, by key.
    pub wording: Vec<(WordingKey, At<String>)>,
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
    pub rtsp: Option<At<String>>,
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
    pub priority: Option<At<Priority>>,
    pub notify: Option<Vec<At<String>>>,
    /// Where `notify` stands: an empty list has no entry that would say.
    pub notify_place: Option<Place>,
    pub cooldown: Option<At<u32>>,
    pub shadow: Option<At<bool>>,
}

#[derive(Clone, Debug, Default)]
pub struct ConditionConfig {
    pub event_type: Option<Vec<At<String>>>,
    pub aisle: Option<Vec<At<String>>>,
    pub aisle_kind: Option<Vec<At<String>>>,
    pub camera: Option<Vec<At<String>>>,
    pub zone: Option<Vec<At<String>>>,
    pub min_confidence: Option<At<f64>>,
    pub period: Option<At<Period>>,
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
    pub lock: Option<At<LockMode>>,
}

/// A warning that is accepted for a time.
#[derive(Clone, Debug)]
pub struct AllowConfig {
    pub place: Place,
    pub code: At<String>,
    pub of: Option<At<String>>,
    pub until: Option<At<jiff::civil::Date>>,
    pub reason: Option<At<String>>,
}

/// Reads one store's file.
pub fn store(decoder: &mut Decoder, node: &Node) -> Option<StoreConfig> {
    let fields = decoder.fields(node, &schema::STORE)?;
    Some(StoreConfig {
        place: node.place.clone(),
        store: decoder.text(&fields, "store"),
        name: decoder.text(&fields, "name"),
        format: decoder.text(&fields, "format"),
        aisles: decoder.each(&fields, "aisles", aisle),
        cameras: decoder.each(&fields, "cameras", camera),
        layer: layer(decoder, &fields),
        allow: decoder.each(&fields, "allow", rule::allow),
    })
}

fn layer(decoder: &mut Decoder, fields: &Fields<'_>) -> Layer {
    let camera = decoder.mapping(fields, "camera");
    let alerts = decoder.mapping(fields, "alerts");
    let evidence = decoder.mapping(fields, "evidence");
    Layer {
        cell: decoder.text(fields, "cell"),
        timezone: decoder.text(fields, "timezone"),
        labels: decoder.texts(fields, "labels"),
        labels_place: fields.key_place("labels").cloned(),
        hours: hours(decoder, fields),
        uplink_kbps: decoder.rate(fields, "uplink"),
        camera: camera.map(|fields| settings(decoder, &fields)).unwrap_or_default(),
        evidence: evidence.map(|fields| evidence_of(decoder, &fields)).unwrap_or_default(),
        cooldown: decoder.duration(fields, "cooldown"),
        rules: decoder.each(fields, "rules", rule::rule),
        subscribers: fields
            .find("subscribers")
            .map(|_| decoder.each(fields, "subscribers", rule::subscriber)),
        wording: alerts.map(|fields| wording(decoder, &fields)).unwrap_or_default(),
    }
}

fn hours(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<At<HoursConfig>> {
    let node = fields.find("hours")?;
    let mut days = Vec::new();
    let entries = decoder.entries(fields, "hours");
    for (index, (key, spans)) in entries.iter().enumerate() {
        if decoder.is_span(entries, index) {
            continue;
        }
        let spans = decoder.one_or_many_texts(spans, "hours");
        days.extend(decoder.plain_text(key, "hours").map(|key| (key, spans)));
    }
    Some(At { place: node.place.clone(), value: HoursConfig { days } })
}

fn settings(decoder: &mut Decoder, fields: &Fields<'_>) -> CameraSettings {
    let watch = decoder.mapping(fields, "watch");
    let window_s = watch.as_ref().and_then(|watch| decoder.duration(watch, "window"));
    let when = |word: &str| {
        let all = [WatchWhen::Always, WatchWhen::Open, WatchWhen::Closed, WatchWhen::Never];
        all.into_iter().find(|when| when.as_str() == word)
    };
    CameraSettings {
        retention_hours: decoder.duration(fields, "retention"),
        bitrate_kbps: decoder.rate(fields, "bitrate"),
        window_s,
        when: watch.as_ref().and_then(|watch| decoder.choice(watch, "when", when)),
    }
}

fn aisle(decoder: &mut Decoder, fields: &Fields<'_>, _: &Place) -> Option<AisleConfig> {
    Some(AisleConfig {
        name: decoder.text(fields, "name"),
        kind: decoder.text(fields, "kind"),
        id: decoder.text(fields, "id")?,
    })
}

fn camera(decoder: &mut Decoder, fields: &Fields<'_>, _: &Place) -> Option<CameraConfig> {
    Some(CameraConfig {
        aisle: decoder.text(fields, "aisle"),
        rtsp: decoder.text(fields, "rtsp"),
        settings: settings(decoder, fields),
        zones: decoder.each(fields, "zones", zone),
        id: decoder.text(fields, "id")?,
    })
}

fn zone(decoder: &mut Decoder, fields: &Fields<'_>, _: &Place) -> Option<ZoneConfig> {
    let place = fields.find("area").map(|node| node.place.clone());
    let area = decoder.numbers(fields, "area");
    Some(ZoneConfig { id: decoder.text(fields, "id")?, area: At { place: place?, value: area } })
}

fn wording(decoder: &mut Decoder, fields: &Fields<'_>) -> Vec<(WordingKey, At<String>)> {
    let text = |key: WordingKey| Some((key, decoder.text(fields, key.as_str())?));
    WordingKey::ALL.into_iter().filter_map(text).collect()
}

fn evidence_of(decoder: &mut Decoder, fields: &Fields<'_>) -> EvidenceConfig {
    let lock = |word: &str| match word {
        "governance" => Some(LockMode::Governance),
        "compliance" => Some(LockMode::Compliance),
        _ => None,
    };
    EvidenceConfig {
        before_s: decoder.duration(fields, "before"),
        after_s: decoder.duration(fields, "after"),
        keep_days: decoder.duration(fields, "keep"),
        lock: decoder.choice(fields, "lock", lock),
    }
}
