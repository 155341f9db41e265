//! What can ail a camera, and the item that remembers it until it is over.
//!
//! A camera that is well has no item. Key scheme in the case table: `pk` = `HEALTH#<store>`,
//! `sk` = `CAMERA#<camera>#<ailment>`. `analyze` writes what it sees of a window, in whatever order
//! windows come: the latest moment of each kind of sign stays. `dispatch` reads all items of a store at
//! every tick, tells the audience `ops` what has lasted, notes that it told, and removes what is over.

use serde::{Deserialize, Serialize};

/// The audience that is told of cameras that ail. It needs no rule and no declaration.
pub const OPS_AUDIENCE: &str = "ops";

/// What ails a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ailment {
    /// It sends no video.
    Offline,
    /// The times of its video are not those at which it arrives: its clock is wrong, or the video
    /// comes late.
    Skewed,
    /// It sends the same picture again and again.
    Frozen,
}

impl Ailment {
    /// Everything that can ail a camera.
    pub const ALL: [Self; 3] = [Self::Offline, Self::Skewed, Self::Frozen];

    /// The word in keys and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Skewed => "skewed",
            Self::Frozen => "frozen",
        }
    }

    /// The `event_type` of a message about it, which subscriptions may filter by.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Offline => "camera_offline",
            Self::Skewed => "camera_skewed",
            Self::Frozen => "camera_frozen",
        }
    }
}

/// One thing that ails one camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AilmentItem {
    /// `HEALTH#<store>`; see [`health_pk`].
    pub pk: String,
    /// `CAMERA#<camera>#<ailment>`; see [`ailment_sk`].
    pub sk: String,
    /// The camera's id.
    pub camera: String,
    /// What it is.
    pub ailment: Ailment,
    /// Since when, milliseconds since the epoch; if it was well since then, see `well_ms`.
    pub since_ms: i64,
    /// End of the last window that showed it.
    pub seen_ms: i64,
    /// End of the last window that showed the camera without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_ms: Option<i64>,
    /// By how much the camera's clock was behind when it was noticed first, in milliseconds;
    /// negative: ahead. Of [`Ailment::Skewed`] alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// True: the delay is not the same all the time, as that of a wrong clock is, so it is the video
    /// that comes late.
    #[serde(default)]
    pub is_late: bool,
    /// Since when it lasts, as people were told; absent: they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_since_ms: Option<i64>,
    /// [`crate::case::TTL_ATTRIBUTE`].
    pub expires_at: i64,
}

/// Partition key of what ails the cameras of a store.
pub fn health_pk(store: &str) -> String {
    format!("HEALTH#{store}")
}

/// Sort key of an [`AilmentItem`].
pub fn ailment_sk(camera: &str, ailment: Ailment) -> String {
    format!("CAMERA#{camera}#{}", ailment.as_str())
}
