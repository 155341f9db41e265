//! What is kept of an incident's video, and the request to keep it: `respond` -> `preserve`.
//!
//! A request names where the video is and until when it is worth waiting; what the case wants by the
//! time that it is read counts more than what it says.

use serde::{Deserialize, Serialize};

/// What is kept of an incident's video, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidencePolicy {
    /// Seconds of video before the behaviour began.
    pub before_s: u32,
    /// Seconds after it ended.
    pub after_s: u32,
    /// Days that the clip is locked against deletion.
    pub keep_days: u32,
    /// How the lock may be lifted.
    pub lock: LockMode,
    /// Hours that the store's streams keep their video, of several the longest: after that nothing is
    /// left to cut.
    pub retention_hours: u32,
}

/// S3 Object Lock's mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockMode {
    /// A role with `s3:BypassGovernanceRetention` may delete early.
    #[default]
    Governance,
    /// Nobody can delete early, not even the account's root user.
    Compliance,
}

impl LockMode {
    /// The word as YAML has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }
}

/// One message in the queue `evidence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceMessage {
    /// [`crate::VERSION`].
    pub version: u32,
    /// The case's id.
    pub case_id: String,
    /// The store's id.
    pub store: String,
    /// The camera's id.
    pub camera: String,
    /// Name of the camera's Kinesis video stream.
    pub stream: String,
    /// First millisecond wanted, since the epoch by the camera's clock.
    pub start_ms: i64,
    /// First millisecond after what is wanted.
    pub end_ms: i64,
    /// Key of the clip in the evidence bucket; the case has named it since it was opened.
    pub key: String,
    /// Days that the clip is locked.
    pub keep_days: u32,
    /// How the lock may be lifted.
    pub lock: LockMode,
    /// Until then missing video is waited for; afterwards what exists is kept as incomplete.
    pub deadline_ms: i64,
    /// Until then the stream may still hold the video, and a failure may be retried.
    pub retained_until_ms: i64,
    /// How often this request was put back, from 0.
    #[serde(default)]
    pub attempt: u32,
    /// How often because a call failed, since the last part was kept; the others only waited.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// What is kept already of a clip in several parts; absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<EvidenceProgress>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One object of a clip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidencePart {
    /// Its key in the evidence bucket.
    pub key: String,
    /// `video/mp4`, or `video/x-matroska` where only the raw fragments could be kept.
    pub media_type: String,
    /// SHA-256 in lower-case hex, as S3 verified it.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The object's version in the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// First moment that it shows, RFC 3339.
    pub start: String,
    /// Last moment that it shows, RFC 3339.
    pub end: String,
    /// Stretches without video from the end of the part before to its own end, as `start/end` in
    /// RFC 3339; of the last part to the end of what is wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Until when the object is locked, RFC 3339.
    pub retain_until: String,
    /// Why it holds raw fragments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The parts of a clip that are kept, while others are to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceProgress {
    /// In order.
    pub parts: Vec<EvidencePart>,
    /// Start of the last fragment in them, in milliseconds since the epoch by the camera's clock.
    pub until_ms: i64,
}
