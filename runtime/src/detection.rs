//! Detections: from the model's answer about a window to events for the store's bus.
//!
//! Owns the reading of model contract v1. An answer that breaks the contract is an error that
//! says where; a detection is never dropped silently. Fields that we do not know are ignored.
//! Pure. To let a model say more, start in `contract::detection`.

use std::collections::BTreeMap;

use casework::fragment::Fragment;
use casework::id::DetectionKey;
use contract::detection::{Detection, EVENT_TYPE_CHARACTERS_MAX, ModelRef, WindowRef, rounded};
use contract::store::Zone;
use contract::window::WindowMessage;
use serde_json::{Map, Value};

/// Most detections in one answer. Our choice: ten behaviours a second in a window of ten seconds
/// are a broken model, not a busy aisle.
pub const DETECTIONS_MAX: usize = 100;

/// What the model said about one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The model's name and version, when it told them.
    pub model_name: Option<String>,
    pub model_version: Option<String>,
    pub detections: Vec<Seen>,
}

/// One behaviour, as the model said it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub event_type: String,
    /// From 0 to 1.
    pub confidence: Option<f64>,
    pub start_ms: Option<i64>,
    pub end_ms: Option<i64>,
    pub zone: Option<String>,
    /// Left, top, width and height, each from 0 to 1.
    pub bbox: Option<[f64; 4]>,
}

/// How an answer broke the contract.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer is not JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("the answer is neither an object with `detections` nor one with `event_type`")]
    Shape,
    #[error("the answer's `schema_version` is not 1")]
    SchemaVersion,
    #[error("the answer has {0} detections, more than {DETECTIONS_MAX}")]
    TooMany(usize),
    #[error("detection {index}: `{field}` is not {expected}")]
    Field { index: usize, field: &'static str, expected: &'static str },
}

/// Reads the body of the model's answer.
pub fn parse(body: &[u8]) -> Result<Answer, AnswerError> {
    let answer: Value = serde_json::from_slice(body)?;
    let Value::Object(answer) = answer else { return Err(AnswerError::Shape) };
    match answer.get("schema_version") {
        None => {}
        Some(version) if version.as_u64() == Some(1) || version.as_str() == Some("1") => {}
        Some(_) => return Err(AnswerError::SchemaVersion),
    }
    let bare;
    let detections = match answer.get("detections") {
        Some(Value::Array(detections)) => detections,
        None if answer.contains_key("event_type") => {
            bare = vec![Value::Object(answer.clone())];
            &bare
        }
        _ => return Err(AnswerError::Shape),
    };
    if detections.len() > DETECTIONS_MAX {
        return Err(AnswerError::TooMany(detections.len()));
    }
    let seen = detections.iter().enumerate().map(|(index, value)| seen(index, value));
    let model = |field| answer.get("model")?.get(field)?.as_str().map(str::to_owned);
    Ok(Answer {
        model_name: model("name"),
        model_version: model("version"),
        detections: seen.collect::<Result<_, _>>()?,
    })
}

/// Turns an answer about some fragments of a window into detections, oldest first.
///
/// Of two with the same event type, start and zone the surer one stays. Two in different zones share
/// an id and count once, but each has its event, so that the rules of both zones see it. Times may
/// overshoot the video by a window's length, and are moved to its edge.
pub fn detections(
    window: &WindowMessage,
    fragments: &[Fragment],
    answer: Answer,
    endpoint: &str,
) -> Result<Vec<Detection>, AnswerError> {
    let shown = Shown {
        start_ms: fragments.first().map_or(window.start_ms, |it| it.start_ms.max(window.start_ms)),
        end_ms: fragments.last().map_or(window.end_ms, Fragment::end_ms),
    };
    let reference = WindowRef {
        id: window.id.clone(),
        start_ms: window.start_ms,
        end_ms: window.end_ms,
        first_fragment: fragments.first().map(|it| it.number.clone()),
        last_fragment: fragments.last().map(|it| it.number.clone()),
    };
    let model = ModelRef {
        endpoint: endpoint.to_owned(),
        name: answer.model_name,
        version: answer.model_version,
    };
    let mut detections: BTreeMap<(i64, String, Option<String>), Detection> = BTreeMap::new();
    for (index, seen) in answer.detections.into_iter().enumerate() {
        shown.check(window.end_ms - window.start_ms, index, &seen)?;
        let mut detection = detection(window, &shown, seen);
        detection.window = Some(reference.clone());
        detection.model = Some(model.clone());
        let start_ms = detection.start_ms.unwrap_or_default();
        let key = (start_ms, detection.event_type.clone(), detection.zone.clone());
        match detections.get(&key) {
            Some(known) if known.confidence >= detection.confidence => {}
            _ => drop(detections.insert(key, detection)),
        }
    }
    Ok(detections.into_values().collect())
}

/// The stretch of video that the model was shown.
struct Shown {
    start_ms: i64,
    end_ms: i64,
}

impl Shown {
    /// Refuses times that are further outside, and so speak of other video.
    fn check(&self, overshoot_ms: i64, index: usize, seen: &Seen) -> Result<(), AnswerError> {
        let first_ms = self.start_ms.saturating_sub(overshoot_ms);
        let last_ms = self.end_ms.saturating_add(overshoot_ms);
        for (field, at_ms) in [("start_ms", seen.start_ms), ("end_ms", seen.end_ms)] {
            if at_ms.is_some_and(|at_ms| !(first_ms..=last_ms).contains(&at_ms)) {
                return Err(AnswerError::Field { index, field, expected: "within the video" });
            }
        }
        Ok(())
    }
}

fn detection(window: &WindowMessage, shown: &Shown, seen: Seen) -> Detection {
    let last_ms = shown.end_ms.max(shown.start_ms);
    let start_ms = seen.start_ms.unwrap_or(shown.start_ms).clamp(shown.start_ms, last_ms);
    let end_ms = seen.end_ms.unwrap_or(last_ms).clamp(start_ms, last_ms);
    let key = DetectionKey {
        store: &window.store.id,
        camera: &window.camera,
        event_type: &seen.event_type,
        start_ms,
    };
    let seen_in = || seen.bbox.and_then(|bbox| zone_at(&window.zones, bbox));
    Detection {
        version: contract::VERSION,
        id: Some(key.detection_id()),
        confidence: seen.confidence,
        store: Some(window.store.id.clone()),
        camera: Some(window.camera.clone()),
        stream: Some(window.stream.clone()),
        aisle: Some(window.aisle.id.clone()),
        aisle_name: Some(window.aisle.name.clone()),
        aisle_kind: window.aisle.kind.clone(),
        zone: seen.zone.clone().or_else(seen_in),
        period: Some(window.hours.period_at(start_ms).as_str().to_owned()),
        start_ms: Some(start_ms),
        end_ms: Some(end_ms),
        bbox: seen.bbox,
        window: None,
        model: None,
        event_type: seen.event_type,
    }
}

/// The first zone that holds the centre of a box.
fn zone_at(zones: &[Zone], [left, top, width, height]: [f64; 4]) -> Option<String> {
    let (x, y) = (left + width / 2.0, top + height / 2.0);
    let holds = |zone: &&Zone| {
        let [left, top, width, height] = zone.area;
        (left..=left + width).contains(&x) && (top..=top + height).contains(&y)
    };
    zones.iter().find(holds).map(|zone| zone.id.clone())
}

fn seen(index: usize, value: &Value) -> Result<Seen, AnswerError> {
    let field = |field, expected| AnswerError::Field { index, field, expected };
    let Value::Object(fields) = value else { return Err(field("detection", "an object")) };
    let event_type = present(fields, "event_type").and_then(Value::as_str).filter(|it| is_word(it));
    let event_type = event_type
        .ok_or_else(|| field("event_type", "1 to 64 letters, digits, `_`, `-` or `.`"))?;
    let confidence = optional(fields, "confidence", |value| fraction(value).map(rounded))
        .map_err(|()| field("confidence", "a number from 0 to 1"))?;
    let start_ms = optional(fields, "start_ms", Value::as_i64);
    let end_ms = optional(fields, "end_ms", Value::as_i64);
    let zone_key = if fields.contains_key("zone") { "zone" } else { "zone_id" };
    let zone = optional(fields, zone_key, |value| value.as_str().map(str::to_owned));
    Ok(Seen {
        event_type: event_type.to_owned(),
        confidence,
        start_ms: start_ms.map_err(|()| field("start_ms", "whole milliseconds"))?,
        end_ms: end_ms.map_err(|()| field("end_ms", "whole milliseconds"))?,
        zone: zone.map_err(|()| field("zone", "a string"))?.filter(|zone| !zone.is_empty()),
        bbox: optional(fields, "bbox", bbox)
            .map_err(|()| field("bbox", "four numbers from 0 to 1"))?,
    })
}

/// A field's value; `null` counts as absent.
fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// Reads a field that may be absent; the error is a value that `read` refuses.
fn optional<T>(
    fields: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, ()> {
    present(fields, name).map(|value| read(value).ok_or(())).transpose()
}

fn is_word(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.len() <= EVENT_TYPE_CHARACTERS_MAX
        && text.chars().all(is_letter)
        && text.chars().any(|c| c.is_ascii_alphanumeric())
}

fn fraction(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| (0.0..=1.0).contains(number))
}

fn bbox(value: &Value) -> Option<[f64; 4]> {
    let numbers: Vec<f64> = value.as_array()?.iter().map(fraction).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use contract::hours::Hours;
    use contract::store::{AisleRef, StoreRef};
    use serde_json::json;

    use super::*;

    fn window() -> WindowMessage {
        WindowMessage {
            version: contract::VERSION,
            id: "w-1".to_owned(),
            store: StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() },
            camera: "a5-a".to_owned(),
            aisle: AisleRef {
                id: "a5".to_owned(),
                name: "Aisle 5".to_owned(),
                kind: Some("high-value".to_owned()),
            },
            stream: "arm-west-seattle-001-a5-a".to_owned(),
            bus: "bus".to_owned(),
            start_ms: 10_000,
            end_ms: 20_000,
            expires_ms: 200_000,
            hours: Hours::default(),
            zones: vec![Zone { id: "shelf".to_owned(), area: [0.5, 0.0, 0.5, 1.0] }],
            ailing: Vec::new(),
        }
    }

    fn check(answer: &Value) -> Result<Vec<Detection>, String> {
        let fragment = |number: &str, start_ms| Fragment {
            number: number.to_owned(),
            bytes: 1,
            start_ms,
            length_ms: 2_000,
        };
        let fragments = [fragment("f1", 10_500), fragment("f2", 19_000)];
        let answer = parse(answer.to_string().as_bytes()).map_err(|error| error.to_string())?;
        detections(&window(), &fragments, answer, "endpoint").map_err(|error| error.to_string())
    }

    #[test]
    fn a_bare_event_type_is_a_detection_of_all_that_the_model_was_shown() {
        let [detection] =
            check(&json!({ "event_type": "shelf_sweep" })).unwrap().try_into().unwrap();
        let expected = json!({
            "version": 1,
            "id": detection.id,
            "event_type": "shelf_sweep",
            "store": "seattle-001",
            "camera": "a5-a",
            "stream": "arm-west-seattle-001-a5-a",
            "aisle": "a5",
            "aisle_name": "Aisle 5",
            "aisle_kind": "high-value",
            "period": "open",
            "start_ms": 10_500,
            "end_ms": 21_000,
            "window": {
                "id": "w-1",
                "start_ms": 10_000,
                "end_ms": 20_000,
                "first_fragment": "f1",
                "last_fragment": "f2",
            },
            "model": { "endpoint": "endpoint" },
        });
        assert_eq!(serde_json::to_value(&detection).unwrap(), expected);
    }

    #[test]
    fn a_full_answer_is_read_and_unknown_fields_are_ignored() {
        let found = check(&json!({
            "schema_version": "1",
            "model": { "name": "sweep", "version": "2026.11.1", "more": 1 },
            "detections": [{
                "event_type": "shelf_sweep", "confidence": 0.93, "start_ms": 12_000,
                "end_ms": 13_000, "bbox": [0.5, 0.1, 0.2, 0.2], "track_id": "t17",
            }],
        }));
        let [detection] = found.unwrap().try_into().unwrap();
        assert_eq!(detection.confidence, Some(0.93));
        assert_eq!((detection.start_ms, detection.end_ms), (Some(12_000), Some(13_000)));
        assert_eq!(detection.zone.as_deref(), Some("shelf"), "from the centre of the box");
        assert_eq!(detection.model.unwrap().version.as_deref(), Some("2026.11.1"));
    }

    #[test]
    fn nothing_seen_is_the_normal_answer() {
        assert_eq!(check(&json!({ "detections": [] })), Ok(Vec::new()));
    }

    #[test]
    fn times_a_little_outside_the_video_are_moved_to_its_edge() {
        let times = |start: i64, end: i64| {
            let seen = json!({ "event_type": "x", "start_ms": start, "end_ms": end });
            let [it] = check(&seen).unwrap().try_into().unwrap();
            (it.start_ms.unwrap(), it.end_ms.unwrap())
        };
        assert_eq!(times(500, 31_000), (10_500, 21_000));
        assert_eq!(times(15_000, 14_000), (15_000, 15_000));
        assert_eq!(times(31_000, 31_000), (21_000, 21_000));
    }

    #[test]
    fn times_of_other_video_are_refused_and_not_taken_for_its_edge() {
        let times = |start: i64, end: i64| {
            check(&json!({ "event_type": "x", "start_ms": start, "end_ms": end })).unwrap_err()
        };
        for (start, end, field) in [
            (499, 12_000, "start_ms"),
            (12_000, 499, "end_ms"),
            (12_000, 31_001, "end_ms"),
            (12_000, i64::MAX, "end_ms"),
            (i64::MIN, 12_000, "start_ms"),
        ] {
            assert_eq!(
                times(start, end),
                format!("detection 0: `{field}` is not within the video")
            );
        }
    }

    #[test]
    fn detections_of_two_zones_at_one_moment_are_both_kept() {
        let seen = |zone: &str| json!({ "event_type": "x", "start_ms": 12_000, "zone": zone });
        let found = check(&json!({ "detections": [seen("shelf"), seen("door"), seen("shelf")] }));
        let zones: Vec<_> = found.unwrap().into_iter().filter_map(|it| it.zone).collect();
        assert_eq!(zones, ["door", "shelf"]);
    }

    #[test]
    fn of_two_with_one_id_the_surer_stays() {
        let seen = |confidence: f64| json!({ "event_type": "x", "start_ms": 12_000, "confidence": confidence });
        let found = check(&json!({ "detections": [seen(0.5), seen(0.9), seen(0.7)] }));
        let [detection] = found.unwrap().try_into().unwrap();
        assert_eq!(detection.confidence, Some(0.9));
    }

    #[test]
    fn an_answer_outside_the_contract_is_refused_with_the_place() {
        let shape = "the answer is neither an object with `detections` nor one with `event_type`";
        let of = |seen: Value| json!({ "detections": [{ "event_type": "a" }, seen] });
        for (answer, expected) in [
            (json!([]), shape),
            (json!({}), shape),
            (json!({ "detections": {} }), shape),
            (
                json!({ "schema_version": 2, "detections": [] }),
                "the answer's `schema_version` is not 1",
            ),
            (of(json!(1)), "detection 1: `detection` is not an object"),
            (
                of(json!({ "event_type": "" })),
                "detection 1: `event_type` is not 1 to 64 letters, digits, `_`, `-` or `.`",
            ),
            (
                of(json!({ "event_type": "a", "confidence": 93 })),
                "detection 1: `confidence` is not a number from 0 to 1",
            ),
            (
                of(json!({ "event_type": "a", "start_ms": 1.5 })),
                "detection 1: `start_ms` is not whole milliseconds",
            ),
            (
                of(json!({ "event_type": "a", "bbox": [0, 0, 1] })),
                "detection 1: `bbox` is not four numbers from 0 to 1",
            ),
        ] {
            assert_eq!(check(&answer), Err(expected.to_owned()), "{answer}");
        }
        assert_eq!(parse(b"<html>").unwrap_err().to_string(), "the answer is not JSON");
        let many = json!({ "detections": vec![json!({ "event_type": "a" }); 101] });
        assert_eq!(check(&many), Err("the answer has 101 detections, more than 100".to_owned()));
    }
}
