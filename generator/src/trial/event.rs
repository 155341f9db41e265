//! Events to try: what a camera sees as people say it, or JSON as it stands on a bus.
//!
//! A sighting becomes the event that `analyze` would put, with aisle and opening hours from the
//! store. JSON stays as it is: what is missing in it is missing on the bus, too.

use contract::detection::{DETAIL_TYPE, Detection, SOURCE};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde_json::{Map, Value, json};

use casework::id::DetectionKey;
use casework::time::{parse_ms, rfc3339};

use crate::digest;
use crate::model::Store;
use crate::name::StoreNames;

/// What the model sees in a camera's video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sighting {
    /// Such as `shelf_sweep`.
    pub event_type: String,
    /// The camera's id; without one, the event is one that somebody else put on the bus.
    pub camera: Option<String>,
    /// An area of the camera's picture.
    pub zone: Option<String>,
    /// 0 to 1; `None`: the model does not say.
    pub confidence: Option<f64>,
    /// When it begins, milliseconds since the epoch.
    pub at_ms: i64,
}

/// One event on a store's bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its `time`, milliseconds since the epoch.
    pub at_ms: i64,
    /// As EventBridge has it: `id`, `source`, `detail-type`, `time`, `resources`, `detail`.
    pub json: Value,
}

/// First millisecond of the year 9999: a case's clip and its lock end later than the event.
pub(super) const YEAR_9999_MS: i64 = 253_370_764_800_000;

/// Why JSON is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("an event is a JSON object: a whole event, or only its `detail`")]
    NotAnObject,
    #[error("it says not when: a whole event has `time`, a bare detail `start_ms` (milliseconds)")]
    NoTime,
    #[error("its moment is not within the years 1970 to 9998")]
    Year,
    #[error("it is a request of `PutEvents` with {0} entries: give one of its `Entries`")]
    Entries(usize),
    #[error("its `Detail` is a text that is no JSON: {0}")]
    Detail(String),
    #[error("`time` is no moment such as `2026-11-22T14:03:03Z`: {0}")]
    Time(String),
}

impl Event {
    /// The event that `analyze` puts on the store's bus for a sighting.
    pub fn of_sighting(store: &Store, sighting: &Sighting) -> Self {
        let names = StoreNames::new(&store.cell, &store.id);
        let camera =
            store.cameras.iter().find(|it| Some(it.id.as_str()) == sighting.camera.as_deref());
        let aisle = camera.map(|camera| store.aisle(&camera.aisle));
        let key = DetectionKey {
            store: store.id.as_str(),
            camera: sighting.camera.as_deref().unwrap_or_default(),
            event_type: &sighting.event_type,
            start_ms: sighting.at_ms,
        };
        let detection = Detection {
            version: contract::VERSION,
            id: Some(key.detection_id()),
            event_type: sighting.event_type.clone(),
            confidence: sighting.confidence,
            store: Some(store.id.to_string()),
            camera: sighting.camera.clone(),
            stream: camera.map(|camera| names.stream(&camera.id)),
            aisle: aisle.map(|aisle| aisle.id.to_string()),
            aisle_name: aisle.map(|aisle| aisle.name.clone()),
            aisle_kind: aisle.and_then(|aisle| aisle.kind.as_ref()).map(ToString::to_string),
            zone: sighting.zone.clone(),
            period: camera.map(|_| store.hours.period_at(sighting.at_ms).as_str().to_owned()),
            start_ms: Some(sighting.at_ms),
            end_ms: Some(sighting.at_ms),
            ..Detection::default()
        };
        let detail = serde_json::to_value(detection).expect("a detection is JSON");
        Self::of_detail(&detail, sighting.at_ms)
    }

    /// Reads a whole event, which has a `detail`, an entry for `PutEvents`, or a bare detail.
    ///
    /// `otherwise_ms` is the moment of what names none.
    pub fn read(value: &Value, otherwise_ms: Option<i64>) -> Result<Self, EventError> {
        let event = Self::read_any(value, otherwise_ms)?;
        let is_possible = (0..YEAR_9999_MS).contains(&event.at_ms);
        is_possible.then_some(event).ok_or(EventError::Year)
    }

    /// The same for any moment.
    fn read_any(value: &Value, otherwise_ms: Option<i64>) -> Result<Self, EventError> {
        let Value::Object(fields) = value else { return Err(EventError::NotAnObject) };
        if let Some(Value::Array(entries)) = fields.get("Entries") {
            return match entries.as_slice() {
                [entry] => Self::read_any(entry, otherwise_ms),
                entries => Err(EventError::Entries(entries.len())),
            };
        }
        if let Some(entry) = entry(fields) {
            return Self::read_any(&entry?, otherwise_ms);
        }
        if !fields.contains_key("detail") {
            let moment = |field: &str| fields.get(field).and_then(Value::as_i64);
            let at_ms = moment("end_ms").or_else(|| moment("start_ms")).or(otherwise_ms);
            return Ok(Self::of_detail(value, at_ms.ok_or(EventError::NoTime)?));
        }
        let at_ms = match fields.get("time") {
            None => otherwise_ms.ok_or(EventError::NoTime)?,
            Some(time) => time
                .as_str()
                .and_then(parse_ms)
                .ok_or_else(|| EventError::Time(time.to_string()))?,
        };
        let mut json = Self::of_detail(&Value::Null, at_ms).json;
        let standing = json.as_object_mut().expect("an event is an object");
        standing.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(Self { at_ms, json })
    }

    /// An event of ours, with this detail.
    fn of_detail(detail: &Value, at_ms: i64) -> Self {
        let id: String = digest::sha256(detail.to_string().as_bytes()).chars().take(32).collect();
        let json = json!({
            "version": "0",
            "id": id,
            "source": SOURCE,
            "detail-type": DETAIL_TYPE,
            "time": rfc3339(at_ms),
            "resources": [],
            "detail": detail,
        });
        Self { at_ms, json }
    }

    /// The event's `detail`.
    pub fn detail(&self) -> &Value {
        self.json.get("detail").unwrap_or(&Value::Null)
    }
}

/// The event of an entry for `PutEvents`, whose detail is JSON in a text; `None` for anything else.
fn entry(fields: &Map<String, Value>) -> Option<Result<Value, EventError>> {
    let detail = fields.get("Detail")?.as_str()?;
    let detail: Value = match serde_json::from_str(detail) {
        Ok(detail) => detail,
        Err(error) => return Some(Err(EventError::Detail(error.to_string()))),
    };
    let names = [
        ("Source", "source"),
        ("DetailType", "detail-type"),
        ("Time", "time"),
        ("Resources", "resources"),
    ];
    let mut event = Map::from_iter([("detail".to_owned(), detail)]);
    for (theirs, ours) in names {
        event.extend(fields.get(theirs).map(|value| (ours.to_owned(), value.clone())));
    }
    Some(Ok(Value::Object(event)))
}

/// A text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a moment such as `2026-11-22 14:03` (the store's time) or `2026-11-22T14:03:00-08:00`"
)]
pub struct NotATime;

/// Reads a moment: RFC 3339 with its offset, or a date and time of the store's own clock. Returns
/// milliseconds since the epoch. A time that the clock skips moves forward, of one that it repeats
/// the first counts.
pub fn parse_at(text: &str, timezone: &str) -> Result<i64, NotATime> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let local = local(text).ok_or(NotATime)?;
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let zoned = local.to_zoned(zone).map_err(|_| NotATime)?;
    Ok(zoned.timestamp().as_millisecond())
}

/// A date and a time without an offset.
fn local(text: &str) -> Option<DateTime> {
    // To the parser a date alone is midnight, and a sixtieth second the one before: slips of people.
    text.parse::<DateTime>().ok().filter(|_| text.contains(':') && !text.ends_with(":60"))
}

/// What a reader should know of a moment without offset where clocks were changed; often `None`.
pub fn clock_change(text: &str, timezone: &str) -> Option<String> {
    let zone = TimeZone::get(timezone).ok()?;
    let local = local(text).filter(|_| text.parse::<Timestamp>().is_err())?;
    let taken = local.to_zoned(zone.clone()).ok()?;
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => Some(format!(
            "the store's clock skips {}: taken as {}",
            local.strftime("%H:%M"),
            taken.strftime("%H:%M %Z")
        )),
        AmbiguousOffset::Fold { .. } => Some(format!(
            "the store's clock shows {} twice: taken as the first, {}; write an offset for the other",
            local.strftime("%H:%M"),
            taken.strftime("%H:%M %Z")
        )),
    }
}
