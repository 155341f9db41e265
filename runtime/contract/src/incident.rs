//! A detection with what its rule says about it: EventBridge rule -> queue `incidents` -> `respond`.
//!
//! The rule's `InputTransformer` writes this: what is the same for every event of a rule stands in
//! the template, what the event brings is put in by EventBridge.

use serde::{Deserialize, Serialize};

use crate::evidence::EvidencePolicy;
use crate::priority::Priority;
use crate::store::StoreRef;
use crate::wording::Wording;

/// One message in the queue `incidents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentMessage {
    /// [`crate::VERSION`].
    pub version: u32,
    /// The store that the bus belongs to.
    pub store: StoreRef,
    /// Name of the rule that matched; [`UNROUTED`] for the implicit last one.
    pub rule: String,
    /// The rule's priority.
    pub priority: Priority,
    /// Audiences to tell; empty: nobody, the case is only logged.
    pub notify: Vec<String>,
    /// ARN of the store's alerts topic.
    pub topic: String,
    /// Detections of one camera and event type that begin within so many seconds of the last one
    /// belong to the same incident.
    pub cooldown_s: u32,
    /// True: log the case, never alert.
    pub shadow: bool,
    /// What is kept of the video, and how long.
    pub evidence: EvidencePolicy,
    /// The words of the store's alerts; absent where all of them are built in.
    #[serde(default, skip_serializing_if = "Wording::is_built_in")]
    pub wording: Wording,
    /// A camera's stream is this prefix followed by the camera's id.
    pub stream_prefix: String,
    /// EventBridge's id of the event.
    pub event_id: String,
    /// The event's `time`, RFC 3339.
    pub time: String,
    /// The event's `resources`: a Kinesis video stream's ARN names the camera of an event whose
    /// detail does not.
    #[serde(default)]
    pub resources: Vec<String>,
    /// The event's `detail` as it came; usually a [`crate::detection::Detection`].
    pub detail: serde_json::Value,
}

/// Name of the implicit last rule: logged with priority low, nobody is told.
pub const UNROUTED: &str = "unrouted";
