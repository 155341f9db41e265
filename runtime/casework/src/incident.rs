//! A routed detection: what was seen, completed, with what its rule says about it. Pure.
//!
//! Anything may put `{"event_type": "shelf_sweep"}` on a store's bus, so each missing field has a
//! stand-in: the bus gives the store, the event's `resources` the camera, its `time` the start. A
//! field that holds a list counts as its first entry, whichever rule matched, so that all rules
//! that match one event speak of the same detection.

use contract::detection::{EVENT_TYPE_CHARACTERS_MAX, ModelRef, rounded};
use contract::evidence::EvidencePolicy;
use contract::incident::IncidentMessage;
use contract::priority::Priority;
use contract::store::StoreRef;
use contract::wording::Wording;
use serde_json::Value;

use crate::id::DetectionKey;
use crate::time::parse_ms;

/// Longest detection, in milliseconds; a longer one is cut. Our choice, five windows of the longest
/// kind: a wrong end must not let one case swallow the day.
pub const DETECTION_MS_MAX: i64 = 300_000;

/// Longest cooldown, in milliseconds; a longer one counts as this. Source: `arm check` takes no longer
/// one, a day; whatever else a message says must not make a detection look through years of guards.
pub const COOLDOWN_MS_MAX: i64 = 86_400_000;

/// How far ahead a detection may be of its event's time, and that of the message's, in milliseconds; what is further ahead is wrong. Our
/// choice: a camera's clock that is not set by the network may be minutes off.
const AHEAD_MS_MAX: i64 = 300_000;

/// Longest text of an event that a case takes over, in characters. Our choice: it stands in alerts.
const TEXT_CHARACTERS_MAX: usize = 128;

/// Longest name of a stream, in characters. Source: Kinesis Video Streams API reference,
/// `CreateStream`, <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_CreateStream.html>.
const STREAM_CHARACTERS_MAX: usize = 256;

/// Fields that patterns look at, and by which an event with a list may match several rules.
const ROUTED_FIELDS: [&str; 7] =
    ["event_type", "aisle", "aisle_kind", "camera", "zone", "confidence", "period"];

/// A detection, complete, with what its rule says.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutedDetection {
    /// The detection's id.
    pub id: String,
    pub store: StoreRef,
    pub camera: Option<Camera>,
    pub aisle: Option<String>,
    pub aisle_name: Option<String>,
    pub aisle_kind: Option<String>,
    pub zone: Option<String>,
    pub period: Option<String>,
    pub event_type: String,
    pub confidence: Option<f64>,
    pub start_ms: i64,
    pub end_ms: i64,
    pub model: Option<ModelRef>,
    pub routing: Routing,
    /// EventBridge's id of the event.
    pub event_id: String,
    /// True when other rules may have matched the same event.
    pub matches_several: bool,
}

/// A camera and the stream that holds its video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Camera {
    pub id: String,
    pub stream: String,
}

/// What the rule that matched says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    pub rule: String,
    pub priority: Priority,
    pub notify: Vec<String>,
    pub topic: String,
    pub cooldown_ms: i64,
    pub shadow: bool,
    pub evidence: EvidencePolicy,
    /// The words in which people are told.
    pub wording: Wording,
}

impl Routing {
    /// Whether the rule wants people to be told.
    pub fn tells_people(&self) -> bool {
        !self.shadow && !self.notify.is_empty()
    }
}

impl RoutedDetection {
    /// The camera's id, empty when none is known.
    pub fn camera_id(&self) -> &str {
        self.camera.as_ref().map_or("", |camera| &camera.id)
    }

    /// The id of the case that this detection opens, if it opens one.
    pub fn case_id(&self) -> String {
        self.key().case_id()
    }

    fn key(&self) -> DetectionKey<'_> {
        DetectionKey {
            store: &self.store.id,
            camera: self.camera_id(),
            event_type: &self.event_type,
            start_ms: self.start_ms,
        }
    }
}

/// Why a message is no detection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    #[error("the event's detail has no `event_type` with a letter or a digit")]
    EventType,
}

/// Reads a message of the queue `incidents`.
///
/// `sent_ms` is when it was put into the queue: what a detection is identified by must not depend on
/// when its message is delivered.
pub fn read(message: IncidentMessage, sent_ms: i64) -> Result<RoutedDetection, IncidentError> {
    let detail = &message.detail;
    let event_type = text(detail, "event_type")
        .map(|it| clean(&it, EVENT_TYPE_CHARACTERS_MAX))
        .filter(|it| it.chars().any(char::is_alphanumeric));
    let is_near = |at_ms: i64, of_ms: i64| at_ms <= of_ms.saturating_add(AHEAD_MS_MAX);
    let time_ms = parse_ms(&message.time).filter(|it| is_near(*it, sent_ms)).unwrap_or(sent_ms);
    let start_ms = moment(detail, "start_ms").filter(|it| is_near(*it, time_ms));
    let start_ms = start_ms.unwrap_or(time_ms);
    let end_ms = moment(detail, "end_ms").unwrap_or(start_ms);
    let confidence = first(detail, "confidence").and_then(Value::as_f64);
    let model = detail.get("model").cloned().and_then(|it| serde_json::from_value(it).ok());
    let model = model.map(clean_model);
    let mut detection = RoutedDetection {
        id: String::new(),
        camera: camera(&message),
        aisle: text(detail, "aisle"),
        aisle_name: text(detail, "aisle_name").or_else(|| text(detail, "aisle")),
        aisle_kind: text(detail, "aisle_kind"),
        zone: text(detail, "zone"),
        period: text(detail, "period"),
        event_type: event_type.ok_or(IncidentError::EventType)?,
        confidence: confidence.filter(|it| (0.0..=1.0).contains(it)).map(rounded),
        start_ms,
        end_ms: end_ms.clamp(start_ms, start_ms.saturating_add(DETECTION_MS_MAX)),
        model,
        matches_several: ROUTED_FIELDS.iter().any(|it| is_list(detail, it)),
        store: message.store,
        routing: Routing {
            rule: message.rule,
            priority: message.priority,
            notify: message.notify,
            topic: message.topic,
            cooldown_ms: (i64::from(message.cooldown_s) * 1_000).min(COOLDOWN_MS_MAX),
            shadow: message.shadow,
            evidence: message.evidence,
            wording: message.wording,
        },
        event_id: message.event_id,
    };
    detection.id = detection.key().detection_id();
    Ok(detection)
}

/// The camera that the detail names, or else the stream among the event's resources.
///
/// The stream always has the store's prefix: an event cannot ask for another store's video.
fn camera(message: &IncidentMessage) -> Option<Camera> {
    let prefix = message.stream_prefix.as_str();
    let of_stream = |stream: &str| stream.strip_prefix(prefix).map(str::to_owned);
    let of_resource = |arn: &String| {
        let (_, resource) = arn.split_once(":stream/")?;
        of_stream(resource.split('/').next().unwrap_or_default())
    };
    let named = |field| Some(first(&message.detail, field)?.as_str()?.trim().to_owned());
    let id = named("camera")
        .filter(|camera| !camera.is_empty())
        .or_else(|| of_stream(&named("stream")?))
        .or_else(|| message.resources.iter().find_map(of_resource))?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let stream = format!("{prefix}{id}");
    let is_stream = stream.len() <= STREAM_CHARACTERS_MAX && stream.chars().all(is_name);
    (!id.is_empty() && is_stream).then_some(Camera { id, stream })
}

/// A field's value, or the first entry of a list.
fn first<'a>(detail: &'a Value, field: &str) -> Option<&'a Value> {
    match detail.get(field)? {
        Value::Array(list) => list.first(),
        value => Some(value),
    }
}

fn text(detail: &Value, field: &str) -> Option<String> {
    let text = clean(first(detail, field)?.as_str()?, TEXT_CHARACTERS_MAX);
    (!text.is_empty()).then_some(text)
}

/// A text without control characters, cut to so many characters.
fn clean(text: &str, characters_max: usize) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.trim().chars().map(printable).take(characters_max).collect();
    text.trim().to_owned()
}

fn clean_model(model: ModelRef) -> ModelRef {
    let clean = |text: String| clean(&text, TEXT_CHARACTERS_MAX);
    ModelRef {
        endpoint: clean(model.endpoint),
        name: model.name.map(clean),
        version: model.version.map(clean),
    }
}

/// A moment after the epoch and before the year 10000.
fn moment(detail: &Value, field: &str) -> Option<i64> {
    const YEAR_10000_MS: i64 = 253_402_300_800_000;
    let moment = first(detail, field)?.as_i64();
    moment.filter(|it| (1..YEAR_10000_MS - DETECTION_MS_MAX).contains(it))
}

fn is_list(detail: &Value, field: &str) -> bool {
    matches!(detail.get(field), Some(Value::Array(list)) if list.len() > 1)
}

#[cfg(any(test, feature = "doubles"))]
pub mod example;

#[cfg(test)]
mod tests {
    use contract::evidence::LockMode;
    use serde_json::json;

    use super::*;

    /// Ten seconds after the event's `time`.
    const NOW_MS: i64 = 1_795_370_593_000;

    fn check(detail: Value, resources: &[&str]) -> Result<RoutedDetection, IncidentError> {
        read(message(detail, resources), NOW_MS)
    }

    fn message(detail: Value, resources: &[&str]) -> IncidentMessage {
        IncidentMessage {
            version: contract::VERSION,
            store: StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() },
            rule: "shelf-sweep".to_owned(),
            priority: Priority::High,
            notify: vec!["floor".to_owned()],
            topic: "topic".to_owned(),
            cooldown_s: 60,
            shadow: false,
            evidence: EvidencePolicy {
                before_s: 15,
                after_s: 15,
                keep_days: 90,
                lock: LockMode::Governance,
                retention_hours: 24,
            },
            wording: Wording::default(),
            stream_prefix: "arm-west-seattle-001-".to_owned(),
            event_id: "event-1".to_owned(),
            time: "2026-11-22T18:03:03Z".to_owned(),
            resources: resources.iter().map(|it| (*it).to_owned()).collect(),
            detail,
        }
    }

    const STREAM: &str = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/arm-west-seattle-001-a5-a/1795370583000";

    #[test]
    fn a_minimal_event_is_completed_from_the_bus_the_resources_and_the_time() {
        let detection =
            check(json!({ "event_type": "shelf_sweep" }), &["arn:other", STREAM]).unwrap();
        let camera =
            Camera { id: "a5-a".to_owned(), stream: "arm-west-seattle-001-a5-a".to_owned() };
        assert_eq!(detection.camera, Some(camera));
        assert_eq!(detection.store.id, "seattle-001");
        assert_eq!(detection.start_ms, 1_795_370_583_000);
        assert_eq!(detection.end_ms, detection.start_ms);
        assert_eq!(detection.confidence, None);
        assert!(!detection.matches_several);
    }

    #[test]
    fn an_event_without_camera_is_a_detection_all_the_same() {
        let detection = check(json!({ "event_type": "shelf_sweep" }), &[]).unwrap();
        assert_eq!((detection.camera_id(), &detection.aisle_name), ("", &None));
    }

    #[test]
    fn an_event_cannot_name_another_store_s_stream() {
        let detail = json!({ "event_type": "x", "stream": "arm-west-portland-002-door" });
        assert_eq!(
            check(detail, &["arn:x:stream/arm-west-portland-002-door/1"]).unwrap().camera,
            None
        );
        let detail = json!({ "event_type": "x", "camera": "../door", "store": "portland-002" });
        let detection = check(detail, &[]).unwrap();
        assert_eq!((detection.camera, detection.store.id), (None, "seattle-001".to_owned()));
    }

    #[test]
    fn a_list_counts_as_its_first_entry_and_is_known_to_match_several_rules() {
        let lists =
            json!({ "event_type": ["sweep", "conceal"], "camera": ["a", "b"], "start_ms": 5 });
        let detection = check(lists, &[]).unwrap();
        assert_eq!((detection.event_type.as_str(), detection.camera_id()), ("sweep", "a"));
        assert!(detection.matches_several);
        let scalar = json!({ "event_type": "sweep", "camera": "a", "start_ms": 5 });
        assert_eq!(check(scalar, &[]).unwrap().id, detection.id);
    }

    #[test]
    fn wrong_values_have_the_stand_in_of_missing_ones() {
        let detail = json!({
            "event_type": "x", "confidence": 93, "start_ms": -1, "end_ms": i64::MAX, "aisle": 5,
        });
        let detection = check(detail, &[]).unwrap();
        assert_eq!((detection.confidence, detection.aisle), (None, None));
        assert_eq!(detection.start_ms, 1_795_370_583_000);
        assert_eq!(detection.end_ms, detection.start_ms);
    }

    #[test]
    fn a_start_in_the_future_does_not_keep_its_evidence_waiting_forever() {
        let start_ms = |start_ms: i64, time: &str| {
            let detail = json!({ "event_type": "x", "start_ms": start_ms });
            let message = IncidentMessage { time: time.to_owned(), ..message(detail, &[]) };
            read(message, NOW_MS).unwrap().start_ms
        };
        let time = "2026-11-22T18:03:03Z";
        let time_ms = 1_795_370_583_000;
        assert_eq!(start_ms(time_ms + AHEAD_MS_MAX, time), time_ms + AHEAD_MS_MAX);
        assert_eq!(start_ms(time_ms + AHEAD_MS_MAX + 1, time), time_ms);
        assert_eq!(start_ms(i64::MAX, "9999-01-01T00:00:00Z"), NOW_MS);
        assert_eq!(start_ms(-1, ""), NOW_MS);
    }

    #[test]
    fn a_detection_ahead_of_its_event_is_the_same_however_late_a_rule_s_message_comes() {
        let detail = json!({ "event_type": "x", "start_ms": NOW_MS + 360_000 });
        let id = |sent_ms: i64| read(message(detail.clone(), &[]), sent_ms).unwrap().id;
        assert_eq!(id(NOW_MS), id(NOW_MS + 70_000));
        assert_eq!(id(NOW_MS), id(NOW_MS + 86_400_000));
    }

    #[test]
    fn an_absurd_length_or_cooldown_is_cut_to_what_guards_can_look_through() {
        let detail = json!({ "event_type": "x", "start_ms": 5, "end_ms": 9_000_000_000_i64 });
        let message = IncidentMessage { cooldown_s: u32::MAX, ..message(detail, &[]) };
        let detection = read(message, NOW_MS).unwrap();
        assert_eq!((detection.start_ms, detection.end_ms), (5, 5 + DETECTION_MS_MAX));
        assert_eq!(detection.routing.cooldown_ms, COOLDOWN_MS_MAX);
    }

    #[test]
    fn texts_from_anyone_are_cut_and_hold_no_control_characters() {
        let detail = json!({
            "event_type": format!("shelf\u{7}{}", "x".repeat(100)),
            "aisle": " Aisle\r\n5 ",
            "aisle_name": "y".repeat(1_000),
            "zone": "\n",
            "confidence": 1e-131,
            "model": { "endpoint": "e\u{0}", "name": "z".repeat(1_000) },
        });
        let detection = check(detail, &[]).unwrap();
        assert_eq!(detection.event_type, format!("shelf {}", "x".repeat(58)));
        assert_eq!((detection.aisle.as_deref(), detection.zone), (Some("Aisle  5"), None));
        assert_eq!(detection.aisle_name.unwrap().len(), 128);
        assert_eq!(detection.confidence, Some(0.0));
        let model = detection.model.unwrap();
        assert_eq!((model.endpoint.as_str(), model.name.unwrap().len()), ("e", 128));
    }

    #[test]
    fn a_camera_whose_stream_cannot_exist_is_none() {
        let camera = |camera: &str| {
            let detail = json!({ "event_type": "x", "camera": camera });
            check(detail, &[]).unwrap().camera
        };
        let longest = "c".repeat(256 - "arm-west-seattle-001-".len());
        assert!(camera(&longest).is_some());
        assert_eq!(camera(&format!("{longest}c")), None);
        assert_eq!(camera("tür"), None);
    }

    #[test]
    fn an_event_that_says_nothing_is_refused() {
        for detail in
            [json!(null), json!({}), json!({ "event_type": "--" }), json!({ "event_type": [] })]
        {
            assert_eq!(check(detail, &[]), Err(IncidentError::EventType));
        }
    }
}
