//! A stretch of one camera's video that is given to the model at once: `dispatch` -> `analyze`.

use serde::{Deserialize, Serialize};

use crate::health::Ailment;
use crate::hours::Hours;
use crate::store::{AisleRef, StoreRef, Zone};

/// One window, as it stands in the queue `windows`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowMessage {
    /// [`crate::VERSION`].
    pub version: u32,
    /// Deterministic from store, camera and start; at most 64 ASCII characters, because it is also
    /// the `InferenceId` of the model's call.
    pub id: String,
    /// The store.
    pub store: StoreRef,
    /// The camera's id.
    pub camera: String,
    /// The aisle that the camera looks at.
    pub aisle: AisleRef,
    /// Name of the camera's Kinesis video stream.
    pub stream: String,
    /// Name of the store's event bus.
    pub bus: String,
    /// First millisecond of the window since the epoch, by the camera's (producer's) clock.
    pub start_ms: i64,
    /// First millisecond after the window.
    pub end_ms: i64,
    /// A window that is read later than this is dropped and counted: nobody wants an alert about
    /// what happened long ago.
    pub expires_ms: i64,
    /// When the store is open; decides the `period` of each detection.
    pub hours: Hours,
    /// Areas of the camera's picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// What was known to ail the camera when the window was cut; empty for a camera that is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ailing: Vec<Ailing>,
}

/// What is known to ail a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ailing {
    /// What it is.
    pub ailment: Ailment,
    /// By how much the camera's clock was behind when it was noticed first, in milliseconds;
    /// negative: ahead. Of [`Ailment::Skewed`] alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
}
