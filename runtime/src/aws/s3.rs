//! S3: evidence clips under Object Lock, and rows for the analytics.
//!
//! A clip goes up in one call with its SHA-256, so that what S3 locks is what was cut. Nothing here
//! reads or deletes an object.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectLockMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::step::StepError;
use contract::evidence::LockMode;

use super::throttling::Throttled;
use super::{clip_timeouts, failure};
use crate::preserve::Clip;
use crate::row::Rows;
use crate::settings;

/// One bucket.
pub(super) struct Bucket {
    client: Client,
    pub(super) name: String,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, name: String) -> Self {
        let config = Builder::from(config)
            .timeout_config(clip_timeouts())
            .retry_classifier(Throttled)
            .force_path_style(settings::is_s3_redirected());
        Self { client: Client::from_conf(config.build()), name }
    }

    /// Puts a clip and returns the object's version.
    ///
    /// One call, not parts: S3 then verifies the hash of the whole file, and without a checksum it
    /// refuses an object with a lock.
    pub(super) async fn put_clip(&self, clip: Clip) -> Result<Option<String>, StepError> {
        let mode = match clip.lock {
            LockMode::Governance => ObjectLockMode::Governance,
            LockMode::Compliance => ObjectLockMode::Compliance,
        };
        let mut call = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&clip.key)
            .content_type(clip.media_type)
            .checksum_sha256(STANDARD.encode(clip.sha256))
            .object_lock_mode(mode)
            .object_lock_retain_until_date(DateTime::from_secs(clip.retain_until_ms / 1_000))
            .body(ByteStream::from(clip.video));
        for (name, value) in clip.metadata {
            call = call.metadata(name, value);
        }
        // The signature covers the hash above, which S3 verifies: no second hash of all the bytes.
        let answer = call.customize().disable_payload_signing().send().await;
        let answer = answer.map_err(|error| failure("put clip", &clip.key, error))?;
        Ok(answer.version_id)
    }

    pub(super) async fn put_rows(&self, rows: &Rows) -> Result<(), StepError> {
        let call = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&rows.key)
            .content_type("application/x-ndjson")
            .body(ByteStream::from(rows.lines.clone().into_bytes()));
        call.send().await.map(drop).map_err(|error| failure("put rows", &rows.key, error))
    }
}
