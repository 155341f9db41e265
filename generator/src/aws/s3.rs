//! S3: the artifacts bucket, and the clips of the evidence bucket.
//!
//! A clip is read in pieces and never held whole. Whether it is gone, GET says and not HEAD: only its
//! errors have a code, and S3 answers 400 for a key that is disabled too. The SDK is kept from comparing it with S3's checksum
//! itself, because it would end the call where a finding is wanted.

use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ObjectLockMode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use casework::id::hex;
use contract::evidence::LockMode;
use sha2::{Digest, Sha256};

use crate::deploy::{CloudError, Condition, Stored};
use crate::release::Artifact;
use crate::verification::{Clip, Object};

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

/// Reads a small object to its end.
pub(super) async fn fetch(
    client: &Client,
    bucket: &str,
    key: &str,
) -> Result<Option<Stored>, CloudError> {
    let what = || format!("read s3://{bucket}/{key}");
    let answer = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(answer) => answer,
        Err(error) if is_gone(error.code(), error.message()) => return Ok(None),
        Err(error) => return Err(failed(what())(error)),
    };
    let entity_tag = answer.e_tag().unwrap_or_default().to_owned();
    let written = answer.last_modified().and_then(|it| SystemTime::try_from(*it).ok());
    let age = written.and_then(|it| it.elapsed().ok()).unwrap_or_default();
    let bytes = answer.body.collect().await.map_err(|error| CloudError::other(what(), error))?;
    Ok(Some(Stored { bytes: bytes.to_vec(), entity_tag, age }))
}

/// Puts a small object on a condition, which S3 looks at: `None` where it does not hold.
pub(super) async fn put_if(
    client: &Client,
    (bucket, key): (&str, &str),
    bytes: Vec<u8>,
    condition: &Condition,
) -> Result<Option<String>, CloudError> {
    let call = client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
    let call = match condition {
        Condition::Absent => call.if_none_match("*"),
        Condition::Same(entity_tag) => call.if_match(entity_tag),
        Condition::Any => call,
    };
    match call.send().await {
        Ok(answer) => Ok(Some(answer.e_tag().unwrap_or_default().to_owned())),
        // 412; 409 while another puts it; 404 for one that is gone.
        Err(error)
            if matches!(
                error.code(),
                Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(failed(format!("put s3://{bucket}/{key}"))(error)),
    }
}

pub(super) async fn delete(client: &Client, bucket: &str, key: &str) -> Result<(), CloudError> {
    let call = client.delete_object().bucket(bucket).key(key).send().await;
    call.map(drop).map_err(failed(format!("delete s3://{bucket}/{key}")))
}

/// Reads a clip's version to its end through SHA-256, one piece at a time; `None` when it is gone.
pub(super) async fn read_clip(
    client: &Client,
    bucket: &str,
    clip: &Clip,
) -> Result<Option<Object>, CloudError> {
    let what = || format!("read the clip s3://{bucket}/{}", clip.key);
    let call = client.get_object().bucket(bucket).key(&clip.key);
    let mut answer = match call.set_version_id(clip.version_id.clone()).send().await {
        Ok(answer) => answer,
        Err(error) if is_gone(error.code(), error.message()) => return Ok(None),
        Err(error) => return Err(failed(what())(error)),
    };
    let call = client.head_object().bucket(bucket).key(&clip.key);
    let call = call.set_version_id(clip.version_id.clone()).checksum_mode(ChecksumMode::Enabled);
    let said = call.send().await.map_err(failed(what()))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(piece) = answer.body.next().await {
        let piece = piece.map_err(|error| CloudError::other(what(), error))?;
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        hash.update(&piece);
    }
    let lock = said.object_lock_mode().and_then(|mode| match mode {
        ObjectLockMode::Governance => Some(LockMode::Governance),
        ObjectLockMode::Compliance => Some(LockMode::Compliance),
        _ => None,
    });
    let until = said.object_lock_retain_until_date().map(|it| it.secs().saturating_mul(1_000));
    Ok(Some(Object {
        bytes,
        sha256: hex(&hash.finalize()),
        own_sha256: said.checksum_sha256().and_then(hex_of_base64),
        lock,
        locked_until_ms: until,
        case_id: said.metadata().and_then(|it| it.get("case-id")).cloned(),
    }))
}

/// Whether an error says that the object, or its version, is not there: a delete marker cannot be read,
/// and a version that cannot be is an argument that is wrong. Source: S3 API reference, "Error
/// responses", <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn is_gone(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        Some("NoSuchKey" | "NoSuchVersion" | "MethodNotAllowed") => true,
        Some("InvalidArgument") => {
            message.is_some_and(|it| it.to_ascii_lowercase().contains("version id"))
        }
        _ => false,
    }
}

fn hex_of_base64(text: &str) -> Option<String> {
    Some(hex(&STANDARD.decode(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_gone() {
        for code in ["NoSuchKey", "NoSuchVersion", "MethodNotAllowed"] {
            assert!(is_gone(Some(code), None), "{code}");
        }
        assert!(is_gone(Some("InvalidArgument"), Some("Invalid version id specified")));
        assert!(!is_gone(Some("InvalidArgument"), Some("Invalid range")));
        for code in ["KMS.DisabledException", "AccessDenied", "NoSuchBucket", "InvalidRequest"] {
            assert!(!is_gone(Some(code), Some("what is wrong with the key")), "{code}");
        }
        assert!(!is_gone(None, None), "an answer without words tells nothing");
    }
}
