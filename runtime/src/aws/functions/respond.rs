//! What `respond` needs of AWS: the case table, the stores' topics, the queue of clip requests.
//!
//! All of them have the short times of `respond`, so that one call that hangs leaves time for the
//! others. To let `respond` do more, begin at `RespondServices` in casework.

use std::time::Duration;

use aws_config::SdkConfig;
use casework::case::Change;
use casework::case_table::{CaseTable, Written};
use casework::respond::{Alert, RespondServices};
use casework::step::{Pause, StepError};
use contract::case::{CaseItem, GuardItem};
use contract::evidence::EvidenceMessage;
use contract::settings::{CASE_TABLE, EVIDENCE_BUCKET, EVIDENCE_QUEUE_URL};

use crate::aws::dynamodb::Table;
use crate::aws::of_respond;
use crate::aws::sns::Topics;
use crate::aws::sqs::Queue;
use crate::settings::{SettingsError, required};

/// How long to wait for other messages about one event. Our choice: EventBridge hands an event to
/// all its targets at once, and an alert that comes a second later is still in time.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(1);

/// The services of `respond`.
pub struct Respond {
    table: Table,
    topics: Topics,
    queue: Queue,
    evidence_bucket: String,
}

impl Respond {
    pub fn new(config: &SdkConfig) -> Result<Self, SettingsError> {
        let config = of_respond(config);
        Ok(Self {
            table: Table::new(&config, required(CASE_TABLE)?),
            topics: Topics::new(&config),
            queue: Queue::new(&config, required(EVIDENCE_QUEUE_URL)?),
            evidence_bucket: required(EVIDENCE_BUCKET)?,
        })
    }
}

impl Pause for Respond {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

impl CaseTable for Respond {
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.table.fetch_case(case_id).await
    }

    async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        self.table.put_change(change).await
    }
}

impl RespondServices for Respond {
    fn evidence_bucket(&self) -> &str {
        &self.evidence_bucket
    }

    async fn fetch_seen(&self, detection_id: &str) -> Result<Option<String>, StepError> {
        self.table.fetch_seen(detection_id).await
    }

    async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError> {
        self.table.fetch_guard(pk).await
    }

    async fn publish(&self, alert: &Alert) -> Result<String, StepError> {
        self.topics.publish(alert).await
    }

    async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        self.queue.send_evidence(message, delay_s).await
    }

    async fn wait_for_others(&self) {
        tokio::time::sleep(WAIT_FOR_OTHERS).await;
    }
}
