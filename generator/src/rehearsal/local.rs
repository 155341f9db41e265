//! The rehearsal's own calls to the local Kinesis Video: play, what was asked, what people got.

use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::model::Endpoint;

use super::RehearsalError;

/// A client of the local Kinesis Video's `/_local/` calls.
#[derive(Debug)]
pub struct Local {
    /// Such as `http://127.0.0.1:41233`.
    base: String,
    client: Client<HttpConnector, Full<axum::body::Bytes>>,
}

/// What one call was asked and answered, as far as the story needs it.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Call {
    pub n: u64,
    pub operation: String,
    #[serde(default)]
    pub start_ms: Option<i64>,
    #[serde(default)]
    pub end_ms: Option<i64>,
    #[serde(default)]
    pub stream: Option<String>,
    #[serde(default)]
    pub detections: Option<usize>,
    #[serde(default)]
    pub bytes: Option<usize>,
    pub result: String,
}

/// What one subscriber of a topic got from the emulator's own fan-out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Told {
    pub n: u64,
    pub protocol: String,
    pub endpoint: String,
    #[serde(default)]
    pub subject: Option<String>,
    pub text: String,
}

impl Local {
    pub fn new(base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { base: base.to_owned(), client }
    }

    /// Makes a camera of a stream: quiet until the scene begins, quiet after it.
    pub async fn play(
        &self,
        stream: &str,
        start_ms: i64,
        quiet_s: u32,
    ) -> Result<(), RehearsalError> {
        let body = json!({ "stream": stream, "start_ms": start_ms, "quiet_s": quiet_s });
        self.call("POST", "/_local/play", Some(("", &body))).await.map(drop)
    }

    /// The calls after number `after`.
    pub async fn calls(&self, after: u64) -> Result<Vec<Call>, RehearsalError> {
        let answer = self.call("GET", &format!("/_local/calls?after={after}"), None).await?;
        serde_json::from_value(answer).map_err(|error| failed("read its calls", error))
    }

    /// What subscribers got after number `after`.
    pub async fn messages(&self, after: u64) -> Result<Vec<Told>, RehearsalError> {
        let answer = self.call("GET", &format!("/_local/messages?after={after}"), None).await?;
        serde_json::from_value(answer).map_err(|error| failed("read what subscribers got", error))
    }

    /// One call; the body comes with the value of its `X-Amz-Target`.
    async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &Value)>,
    ) -> Result<Value, RehearsalError> {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", body.map_or("", |(target, _)| target))
            .body(Full::from(body.map(|(_, body)| body.to_string()).unwrap_or_default()))
            .map_err(|error| failed(path, error))?;
        let response = self.client.request(request).await.map_err(|error| failed(path, error))?;
        let status = response.status();
        let bytes =
            response.into_body().collect().await.map_err(|error| failed(path, error))?.to_bytes();
        if !status.is_success() {
            let said = String::from_utf8_lossy(&bytes).into_owned();
            return Err(failed(path, std::io::Error::other(format!("{status}: {said}"))));
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(path, error))
    }
}

/// Keeps an address in the emulator's SSM or Secrets Manager, where the template will look for it.
///
/// Two calls of services that nothing else here speaks to: not worth an SDK each.
pub async fn keep(gateway: &str, reference: &Endpoint, value: &str) -> Result<(), RehearsalError> {
    let (target, body) = match reference {
        Endpoint::Literal(_) => return Ok(()),
        Endpoint::Ssm(path) => (
            "AmazonSSM.PutParameter",
            json!({ "Name": path, "Value": value, "Type": "String", "Overwrite": true }),
        ),
        Endpoint::Secret(name) => {
            ("secretsmanager.CreateSecret", json!({ "Name": name, "SecretString": value }))
        }
    };
    Local::new(gateway).call("POST", "/", Some((target, &body))).await.map(drop)
}

fn failed(what: &str, source: impl Error + Send + Sync + 'static) -> RehearsalError {
    RehearsalError::Local { what: what.to_owned(), source: Box::new(source) }
}
