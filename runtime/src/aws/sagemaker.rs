//! SageMaker: the model's endpoint.
//!
//! Sends a question and hands back the answer as it came; what it means is read in `detection`. The
//! model has its own time limit, which is longer than that of other calls. A failure that passes within
//! seconds, such as that of a container that starts, is waited for here, because the queue brings a
//! window back after minutes; the rest is left to the queue, and what stays to its dead-letter queue.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::config::Builder;
use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::timeout::TimeoutConfig;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_sdk_sagemakerruntime::primitives::Blob;
use casework::step::StepError;
use tokio::time::Instant;

use super::throttling::Throttled;
use super::{AnswerError, failure};
use crate::analyze::Question;

/// How long the model may take. Source: SageMaker Runtime API reference, `InvokeEndpoint`: "a customer's
/// model container must respond to requests within 60 seconds"; and the way there and back.
const ANSWER_MAX: Duration = Duration::from_secs(65);

/// Attempts of one call by the SDK: with the model's time these fit the function's, and the queue
/// retries after.
const ATTEMPTS_MAX: u32 = 2;

/// How long to wait before each further call when the model failed and may soon be well. Our choice: a
/// container that starts takes seconds, and a window is of use for three minutes.
const WAITS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A failure that took longer is not waited for. Our choice: there must be time for another answer.
const WAITED_FOR_MAX: Duration = Duration::from_secs(10);

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
        let config = Builder::from(config)
            .timeout_config(timeouts.build())
            .retry_config(retries)
            .retry_classifier(Throttled)
            .build();
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
        let began = Instant::now();
        let mut waits = WAITS.into_iter();
        let answer = loop {
            let error = match call.clone().send().await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            let passing = error.as_service_error().is_some_and(passes);
            let wait = waits.next().filter(|_| passing && began.elapsed() < WAITED_FOR_MAX);
            let Some(wait) = wait else {
                let failure = failure(step, &self.endpoint, error);
                return Err(StepError { retryable: failure.retryable || passing, ..failure });
            };
            tokio::time::sleep(wait).await;
        };
        let body = answer.body.map(Blob::into_inner);
        body.ok_or_else(|| StepError::permanent(step, &self.endpoint, AnswerError::Empty))
    }
}

/// Whether the same question may be answered in a while. Of the model's own failures, which all have
/// status 424, those pass that its container gives a 5xx for, or 429; a 4xx is its word about the
/// question. A model that does not answer in time has no status of its own.
fn passes(error: &InvokeEndpointError) -> bool {
    match error {
        InvokeEndpointError::ModelError(error) => error
            .original_status_code
            .is_none_or(|status| !(400..500).contains(&status) || status == 429),
        InvokeEndpointError::ModelNotReadyException(_)
        | InvokeEndpointError::InternalDependencyException(_) => true,
        // What else passes, the SDK has tried again by itself.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::SdkBody;
    use aws_sdk_sagemakerruntime::config::http::HttpResponse;
    use aws_sdk_sagemakerruntime::error::SdkError;
    use aws_sdk_sagemakerruntime::types::error::{
        InternalDependencyException, ModelError, ModelNotReadyException, ValidationError,
    };

    use super::*;

    fn model_error(status: Option<i32>) -> InvokeEndpointError {
        let error = ModelError::builder().set_original_status_code(status).build();
        InvokeEndpointError::ModelError(error)
    }

    #[test]
    fn what_the_model_says_of_a_question_is_final_and_its_own_trouble_is_not() {
        for status in [None, Some(0), Some(429), Some(500), Some(503), Some(504)] {
            assert!(passes(&model_error(status)), "{status:?}");
        }
        for status in [400, 404, 413, 415, 422] {
            assert!(!passes(&model_error(Some(status))), "{status}");
        }
        let not_ready = ModelNotReadyException::builder().build();
        assert!(passes(&InvokeEndpointError::ModelNotReadyException(not_ready)));
        let dependency = InternalDependencyException::builder().build();
        assert!(passes(&InvokeEndpointError::InternalDependencyException(dependency)));
        let invalid = ValidationError::builder().build();
        assert!(!passes(&InvokeEndpointError::ValidationError(invalid)));
    }

    #[test]
    fn a_model_that_refuses_the_video_is_a_failure_that_stays() {
        let response = HttpResponse::new(424.try_into().unwrap(), SdkBody::empty());
        let error = SdkError::service_error(model_error(Some(400)), response);
        assert!(!failure("ask the model at", "endpoint", error).retryable);
    }
}
