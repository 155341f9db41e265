//! SQS: windows and evidence requests, each with its delay.
//!
//! A queue may refuse some entries of a call and take the others; the refused are handed back, and
//! the step decides how often it tries.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use casework::step::StepError;
use contract::evidence::EvidenceMessage;

use super::failure;
use super::throttling::Throttled;
use crate::dispatch::Delayed;

/// One queue.
pub(super) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub(super) fn new(config: &SdkConfig, url: String) -> Self {
        let config = Builder::from(config).retry_classifier(Throttled).build();
        Self { client: Client::from_conf(config), url }
    }

    /// Sends up to ten windows and returns those that the queue refused.
    pub(super) async fn send_windows(
        &self,
        windows: &[Delayed],
    ) -> Result<Vec<Delayed>, StepError> {
        let step = "send windows to";
        let mut call = self.client.send_message_batch().queue_url(&self.url);
        for (index, delayed) in windows.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body(step, &self.url, &delayed.window)?)
                .delay_seconds(delayed.delay_s)
                .build()
                .map_err(|error| StepError::permanent(step, &self.url, error))?;
            call = call.entries(entry);
        }
        let answer = call.send().await.map_err(|error| failure(step, &self.url, error))?;
        let refused = answer.failed().iter().filter_map(|entry| entry.id().parse::<usize>().ok());
        Ok(refused.filter_map(|index| windows.get(index).cloned()).collect())
    }

    pub(super) async fn send_evidence(
        &self,
        message: &EvidenceMessage,
        delay_s: i32,
    ) -> Result<(), StepError> {
        let step = "send an evidence request to";
        let call = self.client.send_message().queue_url(&self.url).delay_seconds(delay_s);
        let call = call.message_body(body(step, &self.url, message)?);
        call.send().await.map(drop).map_err(|error| failure(step, &self.url, error))
    }
}

fn body(
    step: &'static str,
    url: &str,
    message: &impl serde::Serialize,
) -> Result<String, StepError> {
    serde_json::to_string(message).map_err(|error| StepError::permanent(step, url, error))
}
