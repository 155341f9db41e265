//! AWS: the only place that knows its SDK, one file per service, and `functions` for what each step
//! needs of them.
//!
//! Endpoints, region and credentials come from the environment, so nothing here knows an emulator.
//! A function makes only the clients that it needs.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::step::StepError;

mod dynamodb;
mod eventbridge;
mod kinesis_video;
mod s3;
mod sagemaker;
mod sns;
mod sqs;
pub mod functions;

/// Attempts of one call, with the SDK's standard backoff between. Our choice: together they stay
/// within a function's timeout, and the queue retries after.
const ATTEMPTS_MAX: u32 = 4;

/// How long a connection may take. Our choice: an endpoint in the region answers in milliseconds.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// How long one attempt may take until its answer begins. Our choice; the model has its own.
const ATTEMPT_MAX: Duration = Duration::from_secs(15);

/// How long one attempt may take that carries a clip. Our choice: 100 MB at 2 MB a second, which is
/// a fraction of what a function of 512 MB gets.
const CLIP_ATTEMPT_MAX: Duration = Duration::from_secs(50);

/// Reads region, credentials and endpoints from the environment.
pub async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .operation_attempt_timeout(ATTEMPT_MAX)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
        .load()
        .await
}

/// A failed call as a failed step, retryable when the call was throttled, lost or answered by 5xx.
fn failure<E>(step: &'static str, subject: &str, error: SdkError<E, HttpResponse>) -> StepError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let retryable = match &error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            status >= 500 || status == 429 || answer.err().code().is_some_and(is_throttling)
        }
        _ => true,
    };
    StepError { step, subject: subject.to_owned(), retryable, source: Box::new(error) }
}

/// Codes by which services say "later" with a status of 400.
fn is_throttling(code: &str) -> bool {
    code.contains("Throttl")
        || code.contains("LimitExceeded")
        || code.contains("TooManyRequests")
        || code.contains("ThroughputExceeded")
        || code.contains("TransactionInProgress")
}

/// Timeouts for a call that carries a clip, one way or the other.
fn clip_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(CLIP_ATTEMPT_MAX).build()
}

/// An answer that lacks what it must have.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error("the answer has no {0}")]
    Lacks(&'static str),
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    #[error("the answer is empty")]
    Empty,
}
