//! S3: the artifacts bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use crate::deploy::CloudError;
use crate::release::Artifact;

use super::failed;

/// Whether an object is there. Needs `s3:ListBucket` as well as `s3:GetObject`: without it S3
/// answers 403 for what is missing.
pub(super) async fn has(client: &Client, bucket: &str, key: &str) -> Result<bool, CloudError> {
    match client.head_object().bucket(bucket).key(key).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
            Ok(false)
        }
        Err(error) => Err(failed(format!("look for s3://{bucket}/{key}"))(error)),
    }
}

/// Puts an object; S3 verifies its SHA-256.
pub(super) async fn put(
    client: &Client,
    bucket: &str,
    artifact: &Artifact,
) -> Result<(), CloudError> {
    let call = client
        .put_object()
        .bucket(bucket)
        .key(&artifact.key)
        .content_type(artifact.media_type)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from(artifact.bytes.clone()));
    let what = format!("put s3://{bucket}/{}", artifact.key);
    call.send().await.map(drop).map_err(failed(what))
}
