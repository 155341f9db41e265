//! A detection for tests.

use contract::evidence::{EvidencePolicy, LockMode};
use contract::priority::Priority;
use contract::store::StoreRef;
use contract::wording::Wording;

use super::{Camera, RoutedDetection, Routing};
use crate::id::DetectionKey;

/// A detection that begins so many seconds after the epoch and lasts two, under a rule with a
/// cooldown of a minute.
pub fn detection(start_s: i64, priority: Priority) -> RoutedDetection {
    let key = DetectionKey {
        store: "seattle-001",
        camera: "a5-a",
        event_type: "shelf_sweep",
        start_ms: start_s * 1_000,
    };
    RoutedDetection {
        id: key.detection_id(),
        store: StoreRef {
            id: "seattle-001".to_owned(),
            name: "Pike Place".to_owned(),
            cell: "us-west".to_owned(),
            timezone: "America/Los_Angeles".to_owned(),
        },
        camera: Some(Camera {
            id: "a5-a".to_owned(),
            stream: "arm-us-west-seattle-001-a5-a".to_owned(),
        }),
        aisle: Some("aisle-5".to_owned()),
        aisle_name: Some("Aisle 5".to_owned()),
        aisle_kind: None,
        zone: None,
        period: Some("open".to_owned()),
        event_type: "shelf_sweep".to_owned(),
        confidence: Some(0.5),
        start_ms: start_s * 1_000,
        end_ms: start_s * 1_000 + 2_000,
        model: None,
        routing: Routing {
            rule: format!("{priority}-rule"),
            priority,
            notify: vec!["floor".to_owned()],
            topic: "topic".to_owned(),
            cooldown_ms: 60_000,
            shadow: false,
            evidence: EvidencePolicy {
                before_s: 15,
                after_s: 15,
                keep_days: 90,
                lock: LockMode::Governance,
                retention_hours: 24,
            },
            wording: Wording::default(),
        },
        event_id: "event".to_owned(),
        matches_several: false,
    }
}
