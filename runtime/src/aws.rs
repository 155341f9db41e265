//! AWS: the only place that knows its SDK, one file per service, and `functions` for what each step
//! needs of them.
//!
//! Endpoints, region and credentials come from the environment, so nothing here knows an emulator.
//! A function makes only the clients that it needs.

use std::error::Error;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use casework::step::StepError;

use self::throttling::is_throttling;
use crate::settings::SettingsError;

mod environment;
mod throttling;
#[cfg(test)]
mod recorded;
mod dynamodb;
mod eventbridge;
mod kinesis_video;
mod s3;
mod sagemaker;
mod sns;
mod sqs;
mod watch_table;
pub mod functions;

/// Attempts of one call, with the SDK's standard backoff between. Our choice: together they stay
/// within a function's timeout, and the queue retries after.
const ATTEMPTS_MAX: u32 = 4;

/// How long a connection may take. Our choice: an endpoint in the region answers in milliseconds.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// How long one attempt may take until its answer begins. Our choice; the model has its own.
const ATTEMPT_MAX: Duration = Duration::from_secs(15);

/// How long one call may take with all its attempts. Our choice: two calls fit the minute that the
/// shortest functions have, but for `respond`.
const OPERATION_MAX: Duration = Duration::from_secs(25);

/// The same for `respond`. Our choice: it may run 30 seconds, and one call that hangs must leave time
/// for the others.
const RESPOND_ATTEMPT_MAX: Duration = Duration::from_secs(3);
/// See [`RESPOND_ATTEMPT_MAX`].
const RESPOND_OPERATION_MAX: Duration = Duration::from_secs(8);

/// How long one attempt may take that carries a clip. Our choice: 100 MB at 2.5 MB a second, which is
/// a fraction of what a function of 512 MB gets.
const CLIP_ATTEMPT_MAX: Duration = Duration::from_secs(40);

/// How long a call may take that carries a clip. Our choice: listing, cutting, reading the answer
/// and putting, 50 + 50 + 40 + 50 seconds, fit the four minutes of `preserve`, and an attempt that fails
/// early has a second one.
const CLIP_OPERATION_MAX: Duration = Duration::from_secs(50);

/// Reads region, credentials and endpoints from the environment.
pub async fn config() -> Result<SdkConfig, SettingsError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .operation_attempt_timeout(ATTEMPT_MAX)
        .operation_timeout(OPERATION_MAX)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
    environment::config(timeouts, retries).await
}

/// A failed call as a failed step, retryable when the call was throttled, lost or answered by 5xx,
/// and when access was denied: a role that is wrong is put right, and the message is still good.
fn failure<E>(step: &'static str, subject: &str, error: SdkError<E, HttpResponse>) -> StepError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let retryable = match &error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            status >= 500 || status == 429 || answer.err().code().is_some_and(is_curable)
        }
        _ => true,
    };
    StepError { step, subject: subject.to_owned(), retryable, source: Box::new(error) }
}

/// Codes with a status of 400 or 403 that time, or an operator, may cure.
fn is_curable(code: &str) -> bool {
    code.contains("AccessDenied")
        || code.contains("NotAuthorized")
        || is_throttling(code)
        // What was sent did not arrive as it was sent.
        || matches!(code, "BadDigest" | "RequestTimeout" | "XAmzContentSHA256Mismatch")
        // The key, or the bucket, is not there for us now.
        || code.starts_with("KMS.")
        || code == "NoSuchBucket"
}

/// Timeouts for a call that carries a clip, one way or the other.
fn clip_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .operation_attempt_timeout(CLIP_ATTEMPT_MAX)
        .operation_timeout(CLIP_OPERATION_MAX)
        .build()
}

/// The configuration with the timeouts of `respond`.
fn of_respond(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .operation_attempt_timeout(RESPOND_ATTEMPT_MAX)
        .operation_timeout(RESPOND_OPERATION_MAX)
        .build();
    config.to_builder().timeout_config(timeouts).build()
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
    #[error("the answer breaks off")]
    BrokenOff,
    #[error("the answer takes more than {0:?}")]
    TooSlow(Duration),
    #[error("the list has more than {0} entries")]
    TooMany(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_leaves_respond_time_for_the_others() {
        let config = of_respond(&SdkConfig::builder().build());
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(3)));
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(8)));
    }

    #[test]
    fn all_clients_may_share_a_connector_as_its_timeouts_are_theirs() {
        let respond = of_respond(&SdkConfig::builder().build());
        for timeouts in [respond.timeout_config().unwrap(), &clip_timeouts()] {
            assert_eq!(timeouts.connect_timeout(), Some(CONNECT_MAX));
            assert_eq!(timeouts.read_timeout(), None);
        }
    }

    #[test]
    fn a_wrong_role_loses_no_message() {
        for code in ["AccessDenied", "AccessDeniedException", "NotAuthorizedException"] {
            assert!(is_curable(code), "{code}");
        }
        assert!(is_curable("ThrottlingException") && is_curable("KMS.DisabledException"));
        assert!(is_curable("BadDigest") && is_curable("NoSuchBucket"));
        assert!(!is_curable("InvalidArgumentException"));
    }
}
