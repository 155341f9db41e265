//! What a resource holds that a template cannot bring back, and what its end means for that.
//!
//! The rule: honest about what stays. A resource that is retained is out of reach, not lost; a key
//! that is deleted takes everything under it along. Pure. To add a type, start in `holding`.

use serde_json::Value;

use super::super::noun::kind;
use crate::change::Fate;
use crate::change::resource_type::words;

/// Seconds that a queue keeps messages when its template does not say. Source: SQS API reference,
/// `SetQueueAttributes`, `MessageRetentionPeriod`.
pub(super) const MESSAGE_SECONDS_DEFAULT: u64 = 345_600;
/// Hours that a stream keeps video when its template does not say: none. Source: Kinesis Video
/// Streams API reference, `CreateStream`, `DataRetentionInHours`.
pub(super) const VIDEO_HOURS_DEFAULT: u64 = 0;
/// Days until a deleted key is gone when its template does not say. Source: KMS API reference,
/// `ScheduleKeyDeletion`, `PendingWindowInDays`.
pub(super) const PENDING_DAYS_DEFAULT: u64 = 30;

/// What is lost with a resource, in words that follow "with"; `None` where a template has it all.
pub(super) fn holding(id: &str, resource: &Value) -> Option<String> {
    let text = match kind(resource) {
        "AWS::KinesisVideo::Stream" => match number(resource, "DataRetentionInHours") {
            None | Some(0) => return None,
            Some(hours) => format!("up to {hours} h of video"),
        },
        "AWS::DynamoDB::Table" if id == "CaseTable" => {
            "the case log (every case and its audit trail)".to_owned()
        }
        "AWS::DynamoDB::Table" => "all its items".to_owned(),
        "AWS::S3::Bucket" => match id {
            "EvidenceBucket" => "every evidence clip",
            "AnalyticsBucket" => "all rows about cases",
            "ArtifactsBucket" => "the templates and function zips of every release",
            "LogsBucket" => "the record of who touched which clip",
            _ => "all its objects",
        }
        .to_owned(),
        "AWS::KMS::Key" => match id {
            "VideoKey" => "all video under it",
            "EvidenceKey" => "every evidence clip under it",
            "CasesKey" => "the case log, rows and messages under it",
            "LogsKey" => "all logs under it",
            _ => "everything under it",
        }
        .to_owned(),
        "AWS::Logs::LogGroup" => match number(resource, "RetentionInDays") {
            Some(days) => format!("up to {days} days of logs"),
            None => "all its logs".to_owned(),
        },
        "AWS::SQS::Queue" => {
            let seconds = number(resource, "MessageRetentionPeriod");
            let shown = duration(seconds.unwrap_or(MESSAGE_SECONDS_DEFAULT));
            format!("the messages in it, of up to {shown}")
        }
        // Queries can be asked again.
        "AWS::Athena::WorkGroup" => return None,
        other => words(other)?.holds?.to_owned(),
    };
    Some(text)
}

/// What becomes of a resource that leaves its stack, and of what it holds.
pub(super) fn ending(resource: &Value, held: &str, fate: Fate) -> String {
    let is = kind(resource);
    match fate {
        Fate::Snapshot => format!("is deleted; a snapshot with {held} stays"),
        Fate::Retained => {
            format!("stays outside every stack, with {held}; nobody looks after it or deletes it")
        }
        Fate::Deleted if is == "AWS::S3::Bucket" => format!(
            "is to be deleted with {held}; CloudFormation deletes an empty bucket only, and fails otherwise"
        ),
        Fate::Deleted if is == "AWS::KMS::Key" => {
            let days = number(resource, "PendingWindowInDays").unwrap_or(PENDING_DAYS_DEFAULT);
            format!(
                "is deleted after {days} days, in which it can be used no more; then {held} can never be read again"
            )
        }
        Fate::Deleted if is_protected(resource) => format!(
            "is to be deleted with {held}; CloudFormation fails, as its deletion protection is on"
        ),
        Fate::Deleted => format!("is deleted with {held}"),
    }
}

fn is_protected(resource: &Value) -> bool {
    let protected = resource.pointer("/Properties/DeletionProtectionEnabled");
    protected.and_then(Value::as_bool) == Some(true)
}

/// A number, also where it is written as a text.
pub(super) fn number(resource: &Value, property: &str) -> Option<u64> {
    let value = resource.pointer(&format!("/Properties/{}", property.trim_start_matches('/')))?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Seconds in the largest unit that divides them.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "days"), (3_600, "h"), (60, "min")];
    let unit = UNITS.iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    match unit {
        Some((size, "days")) if seconds == *size => "1 day".to_owned(),
        Some((size, unit)) => format!("{} {unit}", seconds / size),
        None => format!("{seconds} s"),
    }
}
