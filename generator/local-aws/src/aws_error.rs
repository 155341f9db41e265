//! An error as AWS shapes it: a code, an HTTP status, a message. Pure.
//!
//! The codes and statuses are those of the services' API models; a code that is not listed here
//! cannot be answered, also not by a fault that a test asks for.

use serde_json::{Map, Value, json};

/// Every code that the services may answer with, and its status. Source: the API models
/// `kinesisvideo`, `kinesis-video-archived-media` and `sagemaker-runtime`.
const KNOWN: [(&str, u16); 22] = [
    ("AccessDeniedException", 401),
    ("AccountStreamLimitExceededException", 400),
    ("ClientLimitExceededException", 400),
    ("InternalDependencyException", 530),
    ("InternalFailure", 500),
    ("InvalidArgumentException", 400),
    ("InvalidCodecPrivateDataException", 400),
    ("InvalidMediaFrameException", 400),
    ("MissingCodecPrivateDataException", 400),
    ("ModelError", 424),
    ("ModelNotReadyException", 429),
    ("NoDataRetentionException", 400),
    ("NotAuthorizedException", 401),
    ("ResourceInUseException", 400),
    ("ResourceNotFoundException", 404),
    ("ServiceUnavailable", 503),
    ("TagsPerResourceExceededLimitException", 400),
    ("ThrottlingException", 429),
    ("UnknownOperationException", 404),
    ("UnsupportedStreamMediaTypeException", 400),
    ("ValidationError", 400),
    ("VersionMismatchException", 400),
];

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    pub code: &'static str,
    pub status: u16,
    pub message: String,
    /// Fields of the body beside `Message`.
    pub details: Map<String, Value>,
}

impl AwsError {
    /// Returns `None` for a code that none of the services has.
    pub fn named(code: &str, message: impl Into<String>) -> Option<Self> {
        let (code, status) = KNOWN.into_iter().find(|(known, _)| *known == code)?;
        Some(Self { code, status, message: message.into(), details: Map::new() })
    }

    fn known(code: &'static str, message: impl Into<String>) -> Self {
        Self::named(code, message).expect("every constructor below names a known code")
    }

    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::known("InvalidArgumentException", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::known("ResourceNotFoundException", message)
    }

    pub fn in_use(message: impl Into<String>) -> Self {
        Self::known("ResourceInUseException", message)
    }

    pub fn version_mismatch() -> Self {
        Self::known(
            "VersionMismatchException",
            "The stream version that you specified is not the latest.",
        )
    }

    pub fn no_data_retention() -> Self {
        Self::known(
            "NoDataRetentionException",
            "GetClip requires that data retention is greater than 0.",
        )
    }

    pub fn missing_codec_private_data() -> Self {
        Self::known(
            "MissingCodecPrivateDataException",
            "No codec private data was found in the video track of a fragment.",
        )
    }

    pub fn invalid_codec_private_data() -> Self {
        Self::known(
            "InvalidCodecPrivateDataException",
            "The codec private data of a fragment is not in the AVC format.",
        )
    }

    pub fn invalid_media_frame() -> Self {
        Self::known(
            "InvalidMediaFrameException",
            "One or more frames in the requested clip could not be parsed based on the specified codec.",
        )
    }

    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::known("UnsupportedStreamMediaTypeException", message)
    }

    pub fn too_many_tags(message: impl Into<String>) -> Self {
        Self::known("TagsPerResourceExceededLimitException", message)
    }

    pub fn validation(message: impl Into<String>) -> Self {
        Self::known("ValidationError", message)
    }

    pub fn unknown_operation() -> Self {
        Self::known("UnknownOperationException", "No such operation in this stand-in.")
    }

    /// What the model's container answered, as the endpoint passes it on.
    pub fn model(status: u16, message: &str) -> Self {
        let side = if status < 500 { "client" } else { "server" };
        let text =
            format!("Received {side} error ({status}) from primary with message \"{message}\"");
        let mut error = Self::known("ModelError", text);
        error.details.insert("OriginalStatusCode".to_owned(), json!(status));
        error.details.insert("OriginalMessage".to_owned(), json!(message));
        error.details.insert("LogStreamArn".to_owned(), json!(""));
        error
    }

    /// The same error with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        let mut body = self.details.clone();
        body.insert("Message".to_owned(), json!(self.message));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constructor_names_a_known_code() {
        let errors = [
            AwsError::invalid_argument(""),
            AwsError::not_found(""),
            AwsError::in_use(""),
            AwsError::version_mismatch(),
            AwsError::no_data_retention(),
            AwsError::missing_codec_private_data(),
            AwsError::invalid_codec_private_data(),
            AwsError::invalid_media_frame(),
            AwsError::unsupported_media_type(""),
            AwsError::too_many_tags(""),
            AwsError::validation(""),
            AwsError::unknown_operation(),
        ];
        assert!(errors.iter().all(|it| it.status >= 400));
    }

    #[test]
    fn a_model_error_carries_what_the_container_said() {
        let error = AwsError::model(415, "video/x-matroska only");
        assert_eq!(error.status, 424);
        assert_eq!(
            error.body(),
            json!({
                "OriginalStatusCode": 415,
                "OriginalMessage": "video/x-matroska only",
                "LogStreamArn": "",
                "Message": "Received client error (415) from primary with message \"video/x-matroska only\"",
            })
        );
    }
}
