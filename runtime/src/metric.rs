//! Metrics: counts that `CloudWatch` reads out of the log, as lines in its embedded metric format.
//!
//! A metric has the cell as its dimension. Each store that were one too would cost as much again, so
//! only what a store's own alarm watches has it; of the others store and camera are fields, for
//! queries of the log. Pure; the entry point prints.

use serde_json::{Value, json};

/// Namespace of every metric.
pub const NAMESPACE: &str = "ARM";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Windows that were read, or sent, too late and dropped.
    WindowsSkipped,
    /// Minutes that were missed whole: no tick came in time to send any of their windows.
    MinutesLost,
    /// Times that the note of the last minute could not be read or written.
    WatchNoteErrors,
    /// Times that something about the health of cameras could not be read, written or told.
    HealthErrors,
    /// Cameras on watch with a trouble that has lasted; counted at every tick, also when none.
    CamerasAiling,
    /// The same, of cameras that send no video.
    CamerasOffline,
    /// The same, of cameras whose clock is wrong or whose video comes late.
    CamerasSkewed,
    /// The same, of cameras whose picture stands still.
    CamerasFrozen,
    /// Windows for which the stream held no video.
    WindowsWithoutVideo,
    /// Windows of which some part was missing.
    WindowsIncomplete,
    /// Answers that broke the model contract, and fragments too large for a call.
    ModelContractErrors,
    /// Detections put on a bus.
    Detections,
    /// Clips that could not be kept.
    EvidenceFailed,
    /// Clips kept with gaps.
    EvidenceIncomplete,
}

impl Metric {
    /// The metric's name in `CloudWatch`.
    pub fn name(self) -> &'static str {
        match self {
            Self::WindowsSkipped => "WindowsSkipped",
            Self::MinutesLost => "MinutesLost",
            Self::WatchNoteErrors => "WatchNoteErrors",
            Self::HealthErrors => "HealthErrors",
            Self::CamerasAiling => "CamerasAiling",
            Self::CamerasOffline => "CamerasOffline",
            Self::CamerasSkewed => "CamerasSkewed",
            Self::CamerasFrozen => "CamerasFrozen",
            Self::WindowsWithoutVideo => "WindowsWithoutVideo",
            Self::WindowsIncomplete => "WindowsIncomplete",
            Self::ModelContractErrors => "ModelContractErrors",
            Self::Detections => "Detections",
            Self::EvidenceFailed => "EvidenceFailed",
            Self::EvidenceIncomplete => "EvidenceIncomplete",
        }
    }

    /// By what it is counted. A store has an alarm on cameras that ail: blueprints/store.yaml.j2.
    fn dimensions(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::CamerasAiling => &[&["Cell"], &["Cell", "Store"]],
            _ => &[&["Cell"]],
        }
    }
}

/// Something counted: in which store and at which camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub metric: Metric,
    pub value: usize,
    pub store: String,
    /// Empty when it is about the whole store.
    pub camera: String,
}

/// The line that `CloudWatch` reads. Source: `CloudWatch` user guide, "Embedded metric format",
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
pub fn line(count: &Count, cell: &str, now_ms: i64) -> Value {
    let name = count.metric.name();
    let mut line = json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": count.metric.dimensions(),
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        "Cell": cell,
        "Store": count.store,
    });
    if let Value::Object(fields) = &mut line {
        if !count.camera.is_empty() {
            fields.insert("camera".to_owned(), json!(count.camera));
        }
        fields.insert(name.to_owned(), json!(count.value));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_one_line_that_cloudwatch_reads() {
        let count = Count {
            metric: Metric::WindowsSkipped,
            value: 1,
            store: "seattle-001".to_owned(),
            camera: "a5-a".to_owned(),
        };
        let expected = json!({
            "_aws": {
                "Timestamp": 5,
                "CloudWatchMetrics": [{
                    "Namespace": "ARM",
                    "Dimensions": [["Cell"]],
                    "Metrics": [{ "Name": "WindowsSkipped", "Unit": "Count" }],
                }],
            },
            "Cell": "us-west",
            "Store": "seattle-001",
            "camera": "a5-a",
            "WindowsSkipped": 1,
        });
        assert_eq!(line(&count, "us-west", 5), expected);
    }

    #[test]
    fn only_what_a_store_s_alarm_watches_is_counted_by_store() {
        let by_store = [Metric::CamerasAiling, Metric::CamerasOffline, Metric::Detections]
            .map(|metric| metric.dimensions().contains(&["Cell", "Store"].as_slice()));
        assert_eq!(by_store, [true, false, false]);
    }
}
