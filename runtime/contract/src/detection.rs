//! One behaviour that the model saw: the `detail` of a `BehaviourDetected` event.
//!
//! The field names here are the names that rules' patterns use; see `generator::rules`.

use serde::{Deserialize, Serialize};

/// `source` of our own detection events.
pub const SOURCE: &str = "arm.detector";

/// `detail-type` of detection events.
pub const DETAIL_TYPE: &str = "BehaviourDetected";

/// Longest event type, in characters. Our choice: it stands in keys, rules and alerts.
pub const EVENT_TYPE_CHARACTERS_MAX: usize = 64;

/// Rounds a confidence to six digits: more says nothing, and the table takes no number below 1e-130.
pub fn rounded(confidence: f64) -> f64 {
    (confidence * 1e6).round() / 1e6
}

/// The `detail` of a detection event.
///
/// Only `event_type` is needed: anything may put `{"event_type": "shelf_sweep"}` on a store's bus.
/// What is missing is filled from the bus, the event's `resources` and its `time`. A detection
/// without `confidence` passes no rule that asks for one, and every rule that does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// [`crate::VERSION`]; 0 when somebody else made the event.
    #[serde(default)]
    pub version: u32,
    /// Deterministic from store, camera, event type and start, so that redelivery is harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What was seen, such as `shelf_sweep`.
    pub event_type: String,
    /// How sure the model is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The store's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The camera's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Name of the camera's Kinesis video stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The aisle's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle: Option<String>,
    /// The aisle's name in alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle_name: Option<String>,
    /// What rules group aisles by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle_kind: Option<String>,
    /// The area of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether the store was `open` or `closed` when the behaviour began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// When the behaviour began, milliseconds since the epoch by the camera's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
    /// Left, top, width and height as fractions of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f64; 4]>,
    /// The window in which it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowRef>,
    /// The model that saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
}

/// Where in the video a detection was made; part of the chain of custody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRef {
    /// The window's id.
    pub id: String,
    /// First millisecond of the window.
    pub start_ms: i64,
    /// First millisecond after it.
    pub end_ms: i64,
    /// Number of the first fragment that the model was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_fragment: Option<String>,
    /// Number of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fragment: Option<String>,
}

/// Which model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Name of the SageMaker endpoint.
    pub endpoint: String,
    /// The model's name, when it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model's version, when it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
