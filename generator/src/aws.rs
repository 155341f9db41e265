//! The only SDK calls of the generator; one file per service under `aws/`.
//!
//! Retries and timeouts are set here once, for every client.

mod cloudformation;
mod cloudwatch;
pub mod deployed;
pub mod drift;
pub mod destroy;
mod dynamodb;
pub mod logs;
pub mod operator;
pub mod preflight;
pub mod recover;
pub mod rehearsal;
mod role;
mod s3;
mod sqs;
pub mod status;
mod stop;

pub use stop::Stop;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};

use crate::deploy::{
    Alarm, ChangeSetRequest, ChangeSetState, Cloud, CloudError, Condition, Creation, Execution,
    Page, StackEvent, StackState, Stored, Trouble,
};
use crate::model::Cell;
use crate::release::Artifact;

pub use role::Role;

/// Attempts of one call before it counts as failed. Our choice: with the SDK's back-off of up to
/// 20 s each this rides out throttling for about a minute.
const ATTEMPTS: u32 = 8;
/// Longest time for one attempt.
const ATTEMPT_TIME: Duration = Duration::from_mins(1);

/// Where AWS is: a region, and for an emulator its address and made-up credentials.
#[derive(Clone, Debug)]
pub struct Target {
    pub region: String,
    /// `None`: AWS itself, with the SDK's own chain of credentials.
    pub emulator: Option<Emulator>,
    /// What is assumed with these credentials; `None`: nothing.
    pub role: Option<Role>,
}

/// An emulator of AWS on this machine.
#[derive(Clone, Debug)]
pub struct Emulator {
    /// Such as `http://127.0.0.1:4566`.
    pub endpoint: String,
}

impl Target {
    /// AWS itself, where a cell is, as whom the cell says.
    pub fn of_cell(cell: &Cell) -> Self {
        Self { region: cell.region.clone(), emulator: None, role: Role::of_cell(cell) }
    }

    /// The SDK's configuration for this target.
    pub async fn config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(10))
            .operation_attempt_timeout(ATTEMPT_TIME)
            .build();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        let config = match &self.emulator {
            None => loader.load().await,
            Some(emulator) => {
                let credentials = aws_sdk_sts::config::Credentials::new(
                    "local",
                    "local",
                    None,
                    None,
                    "the local AWS",
                );
                let loader = loader.endpoint_url(&emulator.endpoint);
                loader.credentials_provider(credentials).load().await
            }
        };
        match &self.role {
            None => config,
            Some(role) => role.assume(config).await,
        }
    }
}

/// AWS, as `deploy` needs it.
#[derive(Debug)]
pub struct Aws {
    cloudformation: aws_sdk_cloudformation::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    s3: aws_sdk_s3::Client,
    sts: aws_sdk_sts::Client,
    region: String,
    role: Option<Role>,
    /// An emulator's address, for URLs that CloudFormation fetches.
    endpoint: Option<String>,
}

impl Aws {
    /// Connects to a target; the first call shows whether it can be reached.
    pub async fn connect(target: &Target) -> Self {
        // Calls that failed are made again by whoever paces them: attempts that nobody counts would break
        // the budget.
        let config = target.config().await;
        let config = config.into_builder().retry_config(RetryConfig::disabled()).build();
        let endpoint = config.endpoint_url().map(str::to_owned);
        // An emulator has no host name per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(endpoint.is_some());
        Self {
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sts: aws_sdk_sts::Client::from_conf(first_call(&config)),
            region: target.region.clone(),
            role: target.role.clone(),
            endpoint,
        }
    }
}

/// The first call shows whether AWS can be reached at all: it gives up soon, instead of riding out
/// what will not pass.
fn first_call(config: &SdkConfig) -> aws_sdk_sts::Config {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(20))
        .build();
    aws_sdk_sts::config::Builder::from(config)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .build()
}

/// For `map_err`: names what was tried.
fn failed<E>(what: impl Into<String>) -> impl FnOnce(SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let what = what.into();
    move |source| CloudError { what, trouble: trouble(&source), source: Box::new(source) }
}

/// What kind of failure the SDK tells. Source of the codes: the SDK's own lists of throttling and
/// transient errors (`aws-runtime`, `retries::classifiers`), API references, "Common errors".
fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Trouble {
    match error {
        // The connection was not even tried: nobody has any credentials. That they could not be renewed
        // just now may pass.
        SdkError::DispatchFailure(failure) if lacks_credentials(&format!("{failure:?}")) => {
            Trouble::Credentials
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) | SdkError::DispatchFailure(_) => {
            Trouble::Transient
        }
        _ => match error.code().unwrap_or_default() {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "RequestThrottled"
            | "SlowDown"
            | "PriorRequestNotComplete" => Trouble::Throttled,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException" => Trouble::Credentials,
            "NoSuchBucket" => Trouble::Absent,
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Trouble::Denied,
            "InternalError"
            | "InternalFailure"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException" => Trouble::Transient,
            _ => by_status(error.raw_response().map_or(0, |it| it.status().as_u16())),
        },
    }
}

/// Whether the chain of credentials found none, or whoever gives them says no. The SDK names these kinds,
/// and passes on the codes of STS and SSO, in what it prints for programmers alone.
fn lacks_credentials(said: &str) -> bool {
    const NO: [&str; 7] = [
        "CredentialsNotLoaded",
        "InvalidConfiguration",
        "AccessDenied",
        "ExpiredToken",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "UnauthorizedException",
    ];
    NO.iter().any(|it| said.contains(it))
}

/// The same where there is no code that we know: an answer to HEAD has no body, and so no code.
fn by_status(status: u16) -> Trouble {
    match status {
        429 | 503 => Trouble::Throttled,
        500..=599 => Trouble::Transient,
        401 | 403 => Trouble::Denied,
        _ => Trouble::Other,
    }
}

impl Cloud for Aws {
    async fn account(&self) -> Result<String, CloudError> {
        let identity = self.sts.get_caller_identity().send().await;
        let at = self
            .endpoint
            .as_deref()
            .map_or(String::new(), |it| format!(" at {it} (AWS_ENDPOINT_URL)"));
        let what = format!(
            "ask AWS{at} in {} whose credentials these are\n  help: give credentials by \
             AWS_PROFILE, `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and \
             look whether AWS can be reached from here",
            self.region
        );
        let identity = identity.map_err(failed(what)).map_err(|error| match &self.role {
            Some(role) if error.trouble == Trouble::Credentials => {
                CloudError { what: role.refused(), ..error }
            }
            _ => error,
        })?;
        Ok(identity.account.unwrap_or_default())
    }

    async fn stacks(&self, page: Option<String>) -> Result<Page<StackState>, CloudError> {
        cloudformation::stacks(&self.cloudformation, page).await
    }

    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError> {
        cloudformation::stack(&self.cloudformation, name).await
    }

    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Creation, CloudError> {
        let url = request.template_object.as_ref().map(|(bucket, key)| match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{}.amazonaws.com/{key}", self.region),
        });
        cloudformation::create_change_set(&self.cloudformation, request, url).await
    }

    async fn change_set(
        &self,
        stack: &str,
        name: &str,
        page: Option<String>,
    ) -> Result<ChangeSetState, CloudError> {
        cloudformation::change_set(&self.cloudformation, stack, name, page).await
    }

    async fn execute_change_set(
        &self,
        stack: &str,
        name: &str,
        token: &str,
    ) -> Result<Execution, CloudError> {
        cloudformation::execute(&self.cloudformation, stack, name, token).await
    }

    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError> {
        cloudformation::delete_change_set(&self.cloudformation, stack, name).await
    }

    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError> {
        cloudformation::delete_stack(&self.cloudformation, name).await
    }

    async fn protect(&self, stack: &str) -> Result<(), CloudError> {
        cloudformation::protect(&self.cloudformation, stack).await
    }

    async fn events(
        &self,
        stack: &str,
        page: Option<String>,
    ) -> Result<Page<StackEvent>, CloudError> {
        cloudformation::events(&self.cloudformation, stack, page).await
    }

    async fn failed_checks(
        &self,
        stack: &str,
        change_set: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        cloudformation::failed_checks(&self.cloudformation, stack, change_set).await
    }

    async fn alarms(&self, prefix: &str, page: Option<String>) -> Result<Page<Alarm>, CloudError> {
        cloudwatch::alarms(&self.cloudwatch, prefix, page).await
    }

    async fn has_object(&self, bucket: &str, key: &str) -> Result<bool, CloudError> {
        s3::has(&self.s3, bucket, key).await
    }

    async fn put_object(&self, bucket: &str, artifact: &Artifact) -> Result<(), CloudError> {
        s3::put(&self.s3, bucket, artifact).await
    }

    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Stored>, CloudError> {
        s3::fetch(&self.s3, bucket, key).await
    }

    async fn put_if(
        &self,
        object: (&str, &str),
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<Option<String>, CloudError> {
        s3::put_if(&self.s3, object, bytes, condition).await
    }

    async fn delete_object(&self, bucket: &str, key: &str) -> Result<(), CloudError> {
        s3::delete(&self.s3, bucket, key).await
    }
}
