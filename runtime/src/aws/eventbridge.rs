//! EventBridge: detections on a store's bus.
//!
//! A bus may refuse some events of a call and take the others; the refused are handed back, and the
//! step decides how often it tries.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use casework::step::StepError;
use contract::detection::{DETAIL_TYPE, Detection, SOURCE};

use super::failure;
use super::throttling::Throttled;

/// The buses of a cell's stores.
pub(super) struct Buses {
    client: Client,
}

impl Buses {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).retry_classifier(Throttled).build();
        Self { client: Client::from_conf(config) }
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
        Ok(refused(answer.entries(), detections))
    }
}

/// The detections that the bus did not take. The answer has one entry for each of ours, in the same
/// order, and only one with an id is on the bus.
fn refused(entries: &[PutEventsResultEntry], detections: &[Detection]) -> Vec<Detection> {
    let is_taken = |index: usize| {
        let entry = entries.get(index);
        entry.is_some_and(|entry| entry.error_code().is_none() && entry.event_id().is_some())
    };
    let refused = detections.iter().enumerate().filter(|(index, _)| !is_taken(*index));
    refused.map(|(_, detection)| detection.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_id_is_not_on_the_bus() {
        let detection = |id: &str| Detection { id: Some(id.to_owned()), ..Detection::default() };
        let detections = ["a", "b", "c", "d"].map(detection);
        let entry = |id: Option<&str>, error: Option<&str>| {
            PutEventsResultEntry::builder()
                .set_event_id(id.map(str::to_owned))
                .set_error_code(error.map(str::to_owned))
                .build()
        };
        let entries =
            [entry(Some("1"), None), entry(None, Some("ThrottlingException")), entry(None, None)];
        let ids: Vec<_> =
            refused(&entries, &detections).into_iter().filter_map(|it| it.id).collect();
        assert_eq!(ids, ["b", "c", "d"], "refused, without a word, and without an answer");
    }
}
