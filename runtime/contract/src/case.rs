//! The case: what people work on. One DynamoDB item per case, and one per entry of its audit trail.
//!
//! Key scheme of the case table:
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `CASE#<id>` | `META` | the case ([`CaseItem`]) |
//! | `CASE#<id>` | `EVENT#<sequence>` | one entry of its audit trail ([`AuditEntry`]) |
//! | `GUARD#<store>#<camera>#<event_type>#<hour>` | `GUARD` | which cases the detections of an hour join ([`GuardItem`]) |
//! | `SEEN#<detection id>` | `SEEN` | the case that holds a detection ([`SeenItem`]) |
//! | `WATCH#<store>` | `WATCH` | the last minute that was sent ([`crate::watch::WatchedItem`]) |
//! | `HEALTH#<store>` | `CAMERA#<camera>#<ailment>` | what ails a camera ([`crate::health::AilmentItem`]) |
//!
//! Index `by-store`: `store_pk` = `STORE#<store>`, `opened_at`. Index `by-status`: `status_pk` =
//! `<STATUS>#<store>`, `opened_at`. Index `by-pending`, which holds only cases whose clip is still to
//! come: `pending_pk` = `PENDING`, `evidence_due_at`. Times are RFC 3339 in UTC with milliseconds, so
//! that they sort.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::{EvidencePart, LockMode};
use crate::priority::Priority;

/// Name of the index over the cases of one store, newest last.
pub const INDEX_BY_STORE: &str = "by-store";
/// Name of the index over the cases of one store that have the same status.
pub const INDEX_BY_STATUS: &str = "by-status";
/// Name of the index over the cases of the cell whose clip is still to come, the one due first first.
pub const INDEX_PENDING: &str = "by-pending";
/// [`CaseItem::pending_pk`] of a case whose clip is still to come.
pub const PENDING_PK: &str = "PENDING";

/// Sort key of a [`CaseItem`].
pub const SK_CASE: &str = "META";
/// Sort key of a [`GuardItem`].
pub const SK_GUARD: &str = "GUARD";
/// Sort key of a [`SeenItem`].
pub const SK_SEEN: &str = "SEEN";
/// The attribute by which the table forgets guards and seen detections (seconds since the epoch);
/// cases and their audit trail have none.
pub const TTL_ATTRIBUTE: &str = "expires_at";

/// The attribute of a case by which an operator has its row written again; a note that only makes the
/// table's stream speak of the case, and means nothing else (RFC 3339).
pub const PROJECTED_AGAIN_ATTRIBUTE: &str = "projected_again_at";

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseItem {
    /// `CASE#<id>`.
    pub pk: String,
    /// `META`.
    pub sk: String,
    /// Deterministic from the opening detection.
    pub case_id: String,
    /// [`crate::VERSION`] of the item's shape.
    pub schema_version: u32,
    /// Grows with every change; the optimistic lock, and the order of rows in the analytics.
    pub version: u64,
    /// Where people are with it.
    pub status: CaseStatus,
    /// Highest priority of any of its detections.
    pub priority: Priority,
    /// [`Priority::rank`], for conditions and sorting.
    pub priority_rank: u8,
    /// The store's id.
    pub store: String,
    /// The store's name.
    pub store_name: String,
    /// The cell.
    pub cell: String,
    /// The store's time zone.
    pub timezone: String,
    /// The camera's id; absent when the event named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// The aisle's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle: Option<String>,
    /// The aisle's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle_name: Option<String>,
    /// The aisle's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aisle_kind: Option<String>,
    /// The area of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether the store was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// What was seen.
    pub event_type: String,
    /// Highest confidence of any of its detections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The rule that gave the case its priority.
    pub rule: String,
    /// Audiences that were or will be told.
    pub notify: Vec<String>,
    /// True: nobody is told.
    pub shadow: bool,
    /// When the behaviour began (earliest detection).
    pub opened_at: String,
    /// When the last detection ended.
    pub last_seen_at: String,
    /// When the case was written first, by the function's clock.
    pub created_at: String,
    /// When it was written last.
    pub updated_at: String,
    /// How many detections it holds; of one that became part of another, how many it held then.
    pub detections: u64,
    /// The clip.
    pub evidence: Evidence,
    /// The alert.
    pub alert: AlertState,
    /// The model that saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<crate::detection::ModelRef>,
    /// Hash of the newest audit entry.
    pub audit_hash: String,
    /// Number of audit entries.
    pub audit_count: u64,
    /// Partition key of [`INDEX_BY_STORE`].
    pub store_pk: String,
    /// Partition key of [`INDEX_BY_STATUS`].
    pub status_pk: String,
    /// Partition key of [`INDEX_PENDING`]: [`PENDING_PK`] while the clip is still to come and a
    /// camera is known; else absent, and the case is not in that index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_pk: Option<String>,
    /// Sort key of [`INDEX_PENDING`]: until then missing video is waited for, RFC 3339. Present with
    /// `pending_pk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_due_at: Option<String>,
    /// The case that this one became part of: there people work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

/// Where people are with a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaseStatus {
    /// Nobody has looked yet.
    #[default]
    Open,
    /// Somebody has seen it.
    Acknowledged,
    /// Somebody works on it.
    InReview,
    /// It was what the model said.
    Confirmed,
    /// It was not.
    Dismissed,
    /// It is part of an incident that has another case, `merged_into`: a later detection showed so.
    /// It counts no more; its audit trail and its clip stay.
    Merged,
    /// A word that this release does not know: somebody's decision. We never write it.
    #[serde(other)]
    Unknown,
}

/// The clip of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands.
    pub status: EvidenceStatus,
    /// The evidence bucket.
    pub bucket: String,
    /// Key of the clip, known from the start; of its first part where it has several.
    pub key: String,
    /// First moment wanted, RFC 3339.
    pub start: String,
    /// End of what is wanted, RFC 3339.
    pub end: String,
    /// SHA-256 of that object in lower-case hex, as S3 verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// All that the incident would have wanted, as `start/end` in RFC 3339, where that is more than
    /// one clip may show: what lies outside of `start` and `end` is a gap. Absent: nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<String>,
    /// Size of that object in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The object's version in the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// First moment that the clip really shows, with all its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_start: Option<String>,
    /// Last moment that the clip really shows, with all its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_end: Option<String>,
    /// Stretches of the incident's video that the clip lacks, as `start/end` in RFC 3339.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Every object of a clip that one object cannot hold, in order, the first one too; empty where
    /// one holds all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<EvidencePart>,
    /// `video/mp4`, or `video/x-matroska` where only the raw fragments could be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Until when the object is locked, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<String>,
    /// Why there is no clip, or no whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the clip was asked for, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<String>,
    /// Key of the clip that a request names which was sent for sure: requests for older ones end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_key: Option<String>,
    /// How often a longer clip was asked for because the incident went on, or kept because video
    /// came late; absent: never. While one is pending, the fields above name the clip that is kept
    /// already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<u32>,
    /// What a request for the clip needs beside the stretch and the key; absent when no camera is
    /// known, and of cases that an older release opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<EvidenceRequest>,
}

/// What a request for a clip needs beside the stretch and the key, so that the case alone is enough
/// to ask for it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRequest {
    /// Name of the camera's Kinesis video stream.
    pub stream: String,
    /// Days that the clip is locked.
    pub keep_days: u32,
    /// How the lock may be lifted.
    pub lock: LockMode,
    /// Hours that the stream keeps its video.
    pub retention_hours: u32,
}

/// Where a clip stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EvidenceStatus {
    /// Not cut yet, or to be cut again, longer.
    #[default]
    Pending,
    /// Kept, whole.
    Stored,
    /// Kept, with gaps.
    Incomplete,
    /// Could not be kept; `reason` says why.
    Failed,
}

/// The alert of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// Where it stands.
    pub status: AlertStatus,
    /// Rank of the priority that people were last told, to notice an escalation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_rank: Option<u8>,
    /// SNS's id of the last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When it was published, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// Until when another attempt leaves the publishing to the one that claimed it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<String>,
    /// Who claimed it: detection and rule of the message that publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// Rank that the claim publishes; a higher one need not wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_rank: Option<u8>,
    /// Highest rank that any rule wants people to be told; an alert is due while it is above
    /// `sent_rank`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_rank: Option<u8>,
    /// The rule that wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The audiences that were told, and the highest rank of the messages that each was sent; as many
    /// as the store has. Absent from cases that an older release opened.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, u8>,
    /// Audiences that a rule added when the others were being told, or had been: they are still to be
    /// told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<String>,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertStatus {
    /// Nobody is to be told.
    #[default]
    None,
    /// To be published.
    Pending,
    /// Published; people were told.
    Sent,
}

/// One entry of a case's audit trail: append-only, chained by hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// `CASE#<id>`.
    pub pk: String,
    /// `EVENT#<sequence>`, six digits.
    pub sk: String,
    /// The case's id.
    pub case_id: String,
    /// When, RFC 3339.
    pub at: String,
    /// Which function or person.
    pub actor: String,
    /// What happened: `opened`, `joined`, `escalated`, `absorbed` (another case became part of this
    /// one), `merged` (this one became part of another), `alerted`, `evidence-stored`,
    /// `evidence-extended`, `evidence-completed`, `evidence-failed`.
    pub action: String,
    /// The facts of the entry; of `alerted`, the texts that people were sent.
    pub facts: serde_json::Value,
    /// Hash of the entry before; 64 zeros for the first.
    pub previous_hash: String,
    /// SHA-256, in hex, over the entry without this field, as JSON with sorted keys.
    pub hash: String,
}

/// Which cases the detections of one camera and event type join, for one hour of event time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardItem {
    /// `GUARD#<store>#<camera>#<event_type>#<hour>`: the camera is empty when none is known, the hour
    /// is the number of whole hours since the epoch.
    pub pk: String,
    /// [`SK_GUARD`].
    pub sk: String,
    /// Grows with every change; the optimistic lock.
    pub version: u64,
    /// The incidents whose detections touch the hour, by start.
    pub incidents: Vec<GuardedIncident>,
    /// [`TTL_ATTRIBUTE`].
    pub expires_at: i64,
}

/// One incident of a [`GuardItem`], as far as its detections touch that hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardedIncident {
    /// Its case; one that has become part of another names that one.
    pub case_id: String,
    /// Start of its earliest detection, milliseconds since the epoch.
    pub first_ms: i64,
    /// End of its latest one.
    pub last_ms: i64,
    /// What ends at this moment or later belongs to it: the earliest start less cooldown of any of its
    /// detections.
    pub reach_ms: i64,
}

/// Marks a detection as counted, so that its redelivery is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenItem {
    /// `SEEN#<detection id>`.
    pub pk: String,
    /// [`SK_SEEN`].
    pub sk: String,
    /// The case that holds it.
    pub case_id: String,
    /// [`TTL_ATTRIBUTE`].
    pub expires_at: i64,
}
