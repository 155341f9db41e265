//! EventBridge: detections on a store's bus.
//!
//! A bus may refuse some events of a call and take the others; the refused are handed back, and the
//! step decides how often it tries.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use casework::step::StepError;
use contract::detection::{DETAIL_TYPE, Detection, SOURCE};

use super::failure;

/// The buses of a cell's stores.
pub(super) struct Buses {
    client: Client,
}

impl Buses {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Puts up to ten detections and returns those that the bus refused.
    pub(super) async fn put(
        &self,
        bus: &str,
        detections: &[Detection],
    ) -> Result<Vec<Detection>, StepError> {
        let step = "put events on";
        let mut call = self.client.put_events();
        for detection in detections {
            let detail = serde_json::to_string(detection)
                .map_err(|error| StepError::permanent(step, bus, error))?;
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(bus)
                .source(SOURCE)
                .detail_type(DETAIL_TYPE)
                .set_time(detection.start_ms.map(DateTime::from_millis))
                .detail(detail);
            call = call.entries(entry.build());
        }
        let answer = call.send().await.map_err(|error| failure(step, bus, error))?;
        // The answer has one entry for each of ours, in the same order.
        let answers = answer.entries().iter().zip(detections);
        let refused = answers.filter(|(entry, _)| entry.error_code().is_some());
        Ok(refused.map(|(_, detection)| detection.clone()).collect())
    }
}
