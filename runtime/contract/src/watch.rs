//! The input of a store's watch schedule: what `dispatch` needs to cut the store's next minute; and
//! the note of the last minute that it has sent.
//!
//! The note is one item of the case table: `pk` = `WATCH#<store>`, `sk` = [`SK_WATCH`]. By it a tick
//! knows which minutes before its own were missed, and that a minute was sent already. Where it
//! cannot be read, a tick sends its own minute.

use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::store::{AisleRef, StoreRef, Zone};

/// What EventBridge Scheduler replaces with the planned time of the tick, in RFC 3339 and UTC.
///
/// Source: EventBridge Scheduler user guide, "Adding context attributes",
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>.
pub const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// How often the schedule ticks, in seconds: the shortest rate that EventBridge Scheduler has.
pub const TICK_SECONDS: u32 = 60;

/// The input of a store's watch schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchInput {
    /// [`crate::VERSION`].
    pub version: u32,
    /// The tick's planned time in RFC 3339. A scheduler that does not know the attribute leaves
    /// [`SCHEDULED_TIME`] as it stands; `dispatch` then takes the minute in which it runs.
    pub scheduled_time: String,
    /// The store.
    pub store: StoreRef,
    /// Name of the store's event bus.
    pub bus: String,
    /// A camera's stream is this prefix followed by the camera's id.
    pub stream_prefix: String,
    /// When the store is open.
    pub hours: Hours,
    /// The aisles that [`WatchCamera::aisle`] names.
    pub aisles: Vec<AisleRef>,
    /// Every camera of the store.
    pub cameras: Vec<WatchCamera>,
    /// ARN of the store's alerts topic, on which the audience `ops` is told of cameras that ail;
    /// empty in schedules of older releases: nobody is told.
    #[serde(default)]
    pub topic: String,
}

/// Sort key of a [`WatchedItem`].
pub const SK_WATCH: &str = "WATCH";

/// The last minute of a store of which every window was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedItem {
    /// `WATCH#<store>`; see [`watched_pk`].
    pub pk: String,
    /// [`SK_WATCH`].
    pub sk: String,
    /// The minute's first millisecond since the epoch. It never goes back.
    pub minute_ms: i64,
    /// [`crate::case::TTL_ATTRIBUTE`].
    pub expires_at: i64,
}

/// Partition key of a store's [`WatchedItem`].
pub fn watched_pk(store: &str) -> String {
    format!("WATCH#{store}")
}

/// One camera, and when the model watches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchCamera {
    /// The camera's id, such as `aisle-5-a`.
    pub id: String,
    /// Id of the aisle that the camera looks at.
    pub aisle: String,
    /// Length of a window in seconds, 2 to 60. Windows start at whole multiples of it since the
    /// epoch, so that neighbouring ticks never share or miss one.
    pub window_s: u32,
    /// When the model watches.
    pub when: WatchWhen,
    /// Areas of the picture that rules may name; often empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
}

/// When a camera is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchWhen {
    /// At all times.
    #[default]
    Always,
    /// While the store is open.
    Open,
    /// While the store is closed.
    Closed,
    /// Never: the camera records, the model does not look.
    Never,
}

impl WatchWhen {
    /// The word as YAML has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Never => "never",
        }
    }
}
