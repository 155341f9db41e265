//! For tests: answers of AWS as they were recorded, in the order in which they are given.
//!
//! The SDK's own code runs whole; only what goes over the wire is ours. A call beyond the last answer
//! fails the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::ATTEMPTS_MAX;

/// An answer: status, code of the error or nothing, body.
pub(super) type Answer = (u16, &'static str, &'static str);

/// What AWS will answer, and what it was asked.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = answers.into_iter().collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    /// The configuration of a client that gets these answers.
    pub(super) fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(Duration::from_millis(1));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-2"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "key", "secret", None, None, "test",
            )))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(retries)
            .sleep_impl(aws_sdk_dynamodb::config::SharedAsyncSleep::new(NoSleep))
            .build()
    }

    /// The addresses that were asked, without their scheme.
    pub(super) fn asked(&self) -> Vec<String> {
        assert!(self.answers.lock().unwrap().is_empty(), "every answer was asked for");
        self.asked.lock().unwrap().clone()
    }
}

impl HttpConnector for Recorded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = request.uri().trim_start_matches("https://").to_owned();
        self.asked.lock().unwrap().push(asked);
        let (status, code, body) = self.answers.lock().unwrap().pop_front().unwrap();
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        if !code.is_empty() {
            answer.headers_mut().insert("x-amzn-errortype", code);
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// Time that passes at once, so that no test waits for the pauses between attempts.
#[derive(Debug)]
struct NoSleep;

impl aws_sdk_dynamodb::config::AsyncSleep for NoSleep {
    fn sleep(&self, _: Duration) -> aws_sdk_dynamodb::config::Sleep {
        aws_sdk_dynamodb::config::Sleep::new(std::future::ready(()))
    }
}
