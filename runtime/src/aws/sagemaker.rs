//! SageMaker: the model's endpoint.
//!
//! Sends a question and hands back the answer as it came; what it means is read in `detection`. The
//! model has its own time limit, which is longer than that of other calls.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::config::Builder;
use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::timeout::TimeoutConfig;
use aws_sdk_sagemakerruntime::error::ProvideErrorMetadata;
use aws_sdk_sagemakerruntime::primitives::Blob;
use casework::step::StepError;

use super::{AnswerError, failure};
use crate::analyze::Question;

/// How long the model may take. Source: SageMaker Runtime API reference, `InvokeEndpoint`: "a customer's
/// model container must respond to requests within 60 seconds"; and the way there and back.
const ANSWER_MAX: Duration = Duration::from_secs(65);

/// Attempts of one call: with the model's time these fit the function's, and the queue retries after.
const ATTEMPTS_MAX: u32 = 2;

/// The endpoint of the model.
pub(super) struct Model {
    client: Client,
    pub(super) endpoint: String,
}

impl Model {
    pub(super) fn new(config: &SdkConfig, endpoint: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ANSWER_MAX)
            .operation_timeout(ANSWER_MAX * ATTEMPTS_MAX);
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
        let config =
            Builder::from(config).timeout_config(timeouts.build()).retry_config(retries).build();
        Self { client: Client::from_conf(config), endpoint }
    }

    pub(super) async fn ask(&self, question: Question) -> Result<Vec<u8>, StepError> {
        let step = "ask the model at";
        let call = self
            .client
            .invoke_endpoint()
            .endpoint_name(&self.endpoint)
            .content_type("video/x-matroska")
            .accept("application/json")
            .custom_attributes(question.attributes)
            .inference_id(question.inference_id)
            .body(Blob::new(question.video));
        let answer = call.send().await.map_err(|error| {
            // The model's own failure has status 424 and may pass.
            let is_model_s = error.code() == Some("ModelError");
            let failure = failure(step, &self.endpoint, error);
            StepError { retryable: failure.retryable || is_model_s, ..failure }
        })?;
        let body = answer.body.map(Blob::into_inner);
        body.ok_or_else(|| StepError::permanent(step, &self.endpoint, AnswerError::Empty))
    }
}
