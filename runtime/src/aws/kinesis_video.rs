//! Kinesis Video Streams: fragments and clips.
//!
//! The service says for each stream and operation which endpoint serves it. That answer is kept for
//! as long as the endpoint works, because asking is allowed five times a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_kinesisvideo::types::ApiName;
use aws_sdk_kinesisvideoarchivedmedia::Client;
use aws_sdk_kinesisvideoarchivedmedia::config::Builder;
use aws_sdk_kinesisvideoarchivedmedia::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_kinesisvideoarchivedmedia::primitives::{ByteStream, DateTime};
use aws_sdk_kinesisvideoarchivedmedia::types::{
    ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Fragment as Listed,
    FragmentSelector, FragmentSelectorType, TimestampRange,
};
use casework::evidence::Range;
use casework::fragment::Fragment;
use casework::step::StepError;
use memchr::memmem;

use super::{AnswerError, CLIP_ATTEMPT_MAX, clip_timeouts, failure};
use crate::health::{Arrival, Clock};
use crate::preserve::CutClip;

/// Fragments of one page, the most that the service gives.
const PAGE_FRAGMENTS: i64 = 1_000;

/// Most fragments of one list. Our choice: the longest detection with a minute on either side is
/// seven minutes, and a stream takes five fragments a second: 2,100.
const FRAGMENTS_MAX: usize = 5_000;

/// Why `GetClip` can never make an MP4 of some fragments.
const NOT_MP4: [&str; 4] = [
    "InvalidCodecPrivateDataException",
    "InvalidMediaFrameException",
    "MissingCodecPrivateDataException",
    "UnsupportedStreamMediaTypeException",
];

/// Name of the tag by which the service says, inside the video, that reading broke off. Source: API
/// reference of the archived media API, `GetMediaForFragmentList`,
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetMediaForFragmentList.html>.
const ERROR_TAG: &[u8] = b"AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE";

/// Why there is nothing to cut.
const GONE: [&str; 2] = ["NoDataRetentionException", "ResourceNotFoundException"];

/// The video of a cell's cameras.
pub(super) struct Streams {
    config: SdkConfig,
    control: aws_sdk_kinesisvideo::Client,
    /// Clients by stream and operation.
    clients: Mutex<HashMap<(String, String), Client>>,
}

impl Streams {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let control = aws_sdk_kinesisvideo::Client::new(config);
        Self { config: config.clone(), control, clients: Mutex::default() }
    }

    /// Lists fragments by the camera's clock; none when there is no such stream.
    pub(super) async fn list_fragments(
        &self,
        stream: &str,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Fragment>, StepError> {
        let arrivals = self.list_arrivals(stream, Clock::Camera, start_ms, end_ms).await?;
        Ok(arrivals.into_iter().map(|arrival| arrival.fragment).collect())
    }

    /// Lists fragments by a clock, with the times of their arrival; none when there is no such stream.
    pub(super) async fn list_arrivals(
        &self,
        stream: &str,
        clock: Clock,
        start_ms: i64,
        end_ms: i64,
    ) -> Result<Vec<Arrival>, StepError> {
        let step = "list fragments of";
        let Some(client) = self.client(stream, ApiName::ListFragments).await? else {
            return Ok(Vec::new());
        };
        let selector = selector(clock, start_ms, end_ms)
            .map_err(|error| StepError::permanent(step, stream, error))?;
        let mut pages = client
            .list_fragments()
            .stream_name(stream)
            .max_results(PAGE_FRAGMENTS)
            .fragment_selector(selector)
            .into_paginator()
            .items()
            .send();
        let mut fragments = Vec::new();
        while let Some(listed) = pages.next().await {
            match listed {
                Ok(listed) => fragments.extend(arrival(listed)),
                Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => {
                    self.forget(stream, &ApiName::ListFragments);
                    return Ok(Vec::new());
                }
                Err(error) => {
                    self.forget(stream, &ApiName::ListFragments);
                    return Err(failure(step, stream, error));
                }
            }
            if fragments.len() > FRAGMENTS_MAX {
                // Pages have no order: what is on the others may be any of the fragments.
                return Err(StepError::permanent(
                    step,
                    stream,
                    AnswerError::TooMany(FRAGMENTS_MAX),
                ));
            }
        }
        Ok(fragments)
    }

    /// Reads the video of some fragments, at most `bytes_max`.
    pub(super) async fn fetch_fragments(
        &self,
        stream: &str,
        fragments: &[Fragment],
        bytes_max: u64,
    ) -> Result<Vec<u8>, StepError> {
        let step = "read fragments of";
        let api = ApiName::GetMediaForFragmentList;
        let gone = || StepError::permanent(step, stream, AnswerError::Lacks("stream"));
        let client = self.client(stream, api.clone()).await?.ok_or_else(gone)?;
        let numbers = fragments.iter().map(|fragment| fragment.number.clone()).collect();
        let call = client.get_media_for_fragment_list().stream_name(stream);
        let answer = call.set_fragments(Some(numbers)).send().await.map_err(|error| {
            self.forget(stream, &api);
            failure(step, stream, error)
        })?;
        media(step, stream, collect(step, stream, answer.payload, bytes_max).await?)
    }

    /// Cuts a clip of at most `bytes_max`.
    pub(super) async fn cut_clip(
        &self,
        stream: &str,
        range: Range,
        bytes_max: u64,
    ) -> Result<CutClip, StepError> {
        let step = "cut a clip of";
        let Some(client) = self.client(stream, ApiName::GetClip).await? else {
            return Ok(CutClip::Gone("there is no such stream".to_owned()));
        };
        let selector =
            clip_selector(range).map_err(|error| StepError::permanent(step, stream, error))?;
        let call = client.get_clip().stream_name(stream).clip_fragment_selector(selector);
        match call.send().await {
            Ok(answer) => Ok(CutClip::Mp4(collect(step, stream, answer.payload, bytes_max).await?)),
            Err(error) => {
                self.forget(stream, &ApiName::GetClip);
                match error.code() {
                    Some(code) if NOT_MP4.contains(&code) => Ok(CutClip::NotMp4(code.to_owned())),
                    Some(code) if GONE.contains(&code) => Ok(CutClip::Gone(code.to_owned())),
                    _ => Err(failure(step, stream, error)),
                }
            }
        }
    }

    /// The client of the endpoint that serves an operation on a stream; `None`: no such stream.
    async fn client(&self, stream: &str, api: ApiName) -> Result<Option<Client>, StepError> {
        let step = "find the endpoint of";
        let key = (stream.to_owned(), api.as_str().to_owned());
        if let Some(client) = self.clients().get(&key) {
            return Ok(Some(client.clone()));
        }
        let call = self.control.get_data_endpoint().stream_name(stream).api_name(api);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(failure(step, stream, error)),
        };
        let lacks = || StepError::retryable(step, stream, AnswerError::Lacks("endpoint"));
        let endpoint = answer.data_endpoint.ok_or_else(lacks)?;
        let config = Builder::from(&self.config).timeout_config(clip_timeouts());
        let config = config.endpoint_url(endpoint).build();
        let client = Client::from_conf(config);
        self.clients().insert(key, client.clone());
        Ok(Some(client))
    }

    /// Drops an endpoint that failed: the service may have moved the stream.
    fn forget(&self, stream: &str, api: &ApiName) {
        self.clients().remove(&(stream.to_owned(), api.as_str().to_owned()));
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn selector(clock: Clock, start_ms: i64, end_ms: i64) -> Result<FragmentSelector, BuildError> {
    let clock = match clock {
        Clock::Camera => FragmentSelectorType::ProducerTimestamp,
        Clock::Server => FragmentSelectorType::ServerTimestamp,
    };
    let range = TimestampRange::builder()
        .start_timestamp(DateTime::from_millis(start_ms))
        .end_timestamp(DateTime::from_millis(end_ms))
        .build()?;
    FragmentSelector::builder().fragment_selector_type(clock).timestamp_range(range).build()
}

fn clip_selector(range: Range) -> Result<ClipFragmentSelector, BuildError> {
    let timestamps = ClipTimestampRange::builder()
        .start_timestamp(DateTime::from_millis(range.start_ms))
        .end_timestamp(DateTime::from_millis(range.end_ms))
        .build()?;
    ClipFragmentSelector::builder()
        .fragment_selector_type(ClipFragmentSelectorType::ProducerTimestamp)
        .timestamp_range(timestamps)
        .build()
}

/// A fragment as we speak of it; `None` when the list lacks its number or a time.
fn arrival(listed: Listed) -> Option<Arrival> {
    let fragment = Fragment {
        number: listed.fragment_number?,
        bytes: u64::try_from(listed.fragment_size_in_bytes).unwrap_or_default(),
        start_ms: nearest_ms(&listed.producer_timestamp?)?,
        length_ms: listed.fragment_length_in_milliseconds,
    };
    Some(Arrival { fragment, server_ms: nearest_ms(&listed.server_timestamp?)? })
}

/// The nearest millisecond: the service writes seconds as a float, which is a hair off.
fn nearest_ms(at: &DateTime) -> Option<i64> {
    i64::try_from((at.as_nanos() + 500_000).div_euclid(1_000_000)).ok()
}

/// Video as it came; an error that the service put in its place is a failed call.
fn media(step: &'static str, stream: &str, video: Vec<u8>) -> Result<Vec<u8>, StepError> {
    let is_error = memmem::find(&video, ERROR_TAG).is_some();
    let error = || StepError::retryable(step, stream, AnswerError::BrokenOff);
    if is_error { Err(error()) } else { Ok(video) }
}

/// Reads a body of at most `bytes_max`, and at least one byte; one that drips is given up, because
/// the SDK's timeouts end where the body begins.
async fn collect(
    step: &'static str,
    stream: &str,
    body: ByteStream,
    bytes_max: u64,
) -> Result<Vec<u8>, StepError> {
    let read = read(step, stream, body, bytes_max);
    let slow = |_| StepError::retryable(step, stream, AnswerError::TooSlow(CLIP_ATTEMPT_MAX));
    tokio::time::timeout(CLIP_ATTEMPT_MAX, read).await.map_err(slow)?
}

async fn read(
    step: &'static str,
    stream: &str,
    mut body: ByteStream,
    bytes_max: u64,
) -> Result<Vec<u8>, StepError> {
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    // The length that the answer names, where it names one: no growth by doubling.
    let expected = usize::try_from(body.size_hint().0).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(expected.min(limit));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| StepError::retryable(step, stream, error))?;
        if bytes.len() + chunk.len() > limit {
            return Err(StepError::permanent(step, stream, AnswerError::TooLarge(bytes_max)));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() {
        return Err(StepError::retryable(step, stream, AnswerError::Empty));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_inside_the_video_is_a_failed_call_and_no_video() {
        let check = |video: &[u8]| media("read fragments of", "stream", video.to_vec());
        assert_eq!(check(b"video").unwrap(), b"video");
        let error = check(&[b"video", ERROR_TAG, b"4006"].concat()).unwrap_err();
        assert!(error.retryable);
        assert_eq!(error.chain(), "cannot read fragments of stream: the answer breaks off");
    }

    #[test]
    fn a_float_s_moment_is_the_nearest_millisecond() {
        let check = |seconds| nearest_ms(&DateTime::from_secs_f64(seconds));
        assert_eq!(check(1_795_370_583.199_999_8), Some(1_795_370_583_200));
        assert_eq!(check(1_795_370_583.200_000_3), Some(1_795_370_583_200));
    }
}
