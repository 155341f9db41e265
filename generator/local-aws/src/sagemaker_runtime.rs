//! The SageMaker runtime: `InvokeEndpoint`, in front of the stand-in of the model. Pure.
//!
//! Checks what the service checks (the endpoint exists, the body is not too large) and wraps what
//! the container refuses as `ModelError`. It does not show cold starts, scaling or time-outs.

use serde_json::Value;

use crate::aws_error::AwsError;
use crate::model;
use crate::state::Request;

/// Largest body of a call, in bytes. Source: the API model `sagemaker-runtime`, `BodyBlob`.
pub const BODY_BYTES_MAX: usize = 6_291_456;

/// Answers a call of an endpoint.
pub fn invoke_endpoint(
    request: &mut Request<'_>,
    endpoint: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Value, AwsError> {
    request.call.bytes = Some(body.len());
    if !request.state.endpoints.contains(endpoint) {
        let account = &request.state.settings.account;
        let message = format!("Endpoint {endpoint} of account {account} not found.");
        return Err(AwsError::validation(message));
    }
    if body.len() > BODY_BYTES_MAX {
        let message = format!("Request size exceeds the limit of {BODY_BYTES_MAX} bytes.");
        return Err(AwsError::validation(message).with_status(413));
    }
    let answer = model::answer(&request.state.scenes, content_type, body)
        .map_err(|it| AwsError::model(it.status, &it.message))?;
    request.call.start_ms = Some(answer.start_ms);
    request.call.end_ms = Some(answer.end_ms);
    request.call.detections = Some(answer.detections);
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Call, Settings, State};

    fn refusal(endpoint: &str, content_type: &str, body: &[u8]) -> (u16, &'static str) {
        let endpoints = vec!["detector".to_owned()];
        let settings = Settings { endpoints, ..Settings::default() };
        let (mut state, mut call) = (State::new(settings, String::new()), Call::default());
        let mut request =
            Request { state: &mut state, input: Value::Null, now_ms: 0, call: &mut call };
        let error = invoke_endpoint(&mut request, endpoint, content_type, body).unwrap_err();
        (error.status, error.code)
    }

    #[test]
    fn each_refusal_has_the_shape_of_the_service() {
        let video = "video/x-matroska";
        assert_eq!(refusal("other", video, b""), (400, "ValidationError"));
        let large = vec![0; BODY_BYTES_MAX + 1];
        assert_eq!(refusal("detector", video, &large), (413, "ValidationError"));
        assert_eq!(refusal("detector", video, b"{}"), (424, "ModelError"));
        assert_eq!(refusal("detector", "application/json", b"{}"), (424, "ModelError"));
    }
}
