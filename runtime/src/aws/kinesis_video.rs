//! Kinesis Video Streams: fragments and clips.
//!
//! The service says for each stream and operation which endpoint serves it. That answer is kept for
//! as long as the endpoint works, because asking is allowed 300 times a second in an account: five
//! times for a stream. Many streams share an endpoint, and all of them its one client.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

use super::throttling::{Throttled, is_throttling};
use super::{AnswerError, CLIP_ATTEMPT_MAX, clip_timeouts, failure};
use crate::health::{Arrival, Clock};
use crate::preserve::CutClip;

/// Fragments of one page, the most that the service gives.
const PAGE_FRAGMENTS: i64 = 1_000;

/// Most fragments of one list. Our choice: the longest detection with a minute on either side is
/// seven minutes, and a stream takes five fragments a second: 2,100.
const FRAGMENTS_MAX: usize = 5_000;

/// Most endpoints that are remembered, by stream and operation. Our choice: twice the streams of an
/// account, so that `analyze` knows both of each; at some 200 bytes these are four megabytes.
const ENDPOINTS_MAX: usize = 20_000;

/// Most clients that are kept. Our choice: an endpoint serves many streams, so that a region has some
/// dozens.
const CLIENTS_MAX: usize = 100;

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
    known: Mutex<Known>,
}

/// What is remembered between calls.
#[derive(Default)]
struct Known {
    /// Endpoints by stream and operation.
    endpoints: HashMap<(String, String), String>,
    /// Clients by endpoint.
    clients: HashMap<String, Client>,
}

impl Streams {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let of_control = aws_sdk_kinesisvideo::config::Builder::from(config);
        let of_control = of_control.retry_classifier(Throttled).build();
        let control = aws_sdk_kinesisvideo::Client::from_conf(of_control);
        Self { config: config.clone(), control, known: Mutex::default() }
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
                    self.forget(stream, &ApiName::ListFragments, error.code());
                    return Ok(Vec::new());
                }
                Err(error) => {
                    self.forget(stream, &ApiName::ListFragments, error.code());
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
            self.forget(stream, &api, error.code());
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
                self.forget(stream, &ApiName::GetClip, error.code());
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
        if let Some(client) = self.known().client(&key, &self.config) {
            return Ok(Some(client));
        }
        let call = self.control.get_data_endpoint().stream_name(stream).api_name(api);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(failure(step, stream, error)),
        };
        let lacks = || StepError::retryable(step, stream, AnswerError::Lacks("endpoint"));
        let endpoint = answer.data_endpoint.ok_or_else(lacks)?;
        let mut known = self.known();
        make_room(&mut known.endpoints, ENDPOINTS_MAX);
        known.endpoints.insert(key.clone(), endpoint);
        Ok(known.client(&key, &self.config))
    }

    /// Drops an endpoint that failed: the service may have moved the stream. One that has too much to
    /// do has not failed, and asking for it would be one call more.
    fn forget(&self, stream: &str, api: &ApiName, code: Option<&str>) {
        if !code.is_some_and(is_throttling) {
            self.known().endpoints.remove(&(stream.to_owned(), api.as_str().to_owned()));
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The client of a stream's endpoint, where that is known.
    fn client(&mut self, key: &(String, String), config: &SdkConfig) -> Option<Client> {
        let endpoint = self.endpoints.get(key)?;
        if let Some(client) = self.clients.get(endpoint) {
            return Some(client.clone());
        }
        let config = Builder::from(config)
            .timeout_config(clip_timeouts())
            .retry_classifier(Throttled)
            .endpoint_url(endpoint)
            .build();
        let client = Client::from_conf(config);
        make_room(&mut self.clients, CLIENTS_MAX);
        self.clients.insert(endpoint.clone(), client.clone());
        Some(client)
    }
}

/// Drops any one entry of a map that is full; whatever it is, it can be had again.
fn make_room<K: Clone + Eq + Hash, V>(map: &mut HashMap<K, V>, most: usize) {
    let any = map.keys().next().filter(|_| map.len() >= most).cloned();
    if let Some(any) = any {
        map.remove(&any);
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
    use super::super::recorded::{Answer, Recorded};
    use super::*;

    #[test]
    fn an_error_inside_the_video_is_a_failed_call_and_no_video() {
        let check = |video: &[u8]| media("read fragments of", "stream", video.to_vec());
        assert_eq!(check(b"video").unwrap(), b"video");
        let error = check(&[b"video", ERROR_TAG, b"4006"].concat()).unwrap_err();
        assert!(error.retryable);
        assert_eq!(error.chain(), "cannot read fragments of stream: the answer breaks off");
    }

    const ENDPOINT: Answer = (200, "", r#"{"DataEndpoint":"https://b-1.example.com"}"#);
    const THROTTLED: Answer = (400, "ClientLimitExceededException", r#"{"Message":"slow down"}"#);
    const LISTED: Answer = (200, "", r#"{"Fragments":[]}"#);

    /// The hosts that were asked while a list was made.
    async fn listed(answers: &[Answer]) -> (Vec<String>, Result<usize, bool>) {
        let recorded = Recorded::new(answers.to_vec());
        let streams = Streams::new(&recorded.config());
        let result = streams.list_fragments("s", 0, 10_000).await;
        let asked = recorded.asked();
        let hosts = asked.iter().map(|it| it.split('/').next().unwrap().to_owned());
        (hosts.collect(), result.map(|it| it.len()).map_err(|it| it.retryable))
    }

    #[tokio::test]
    async fn a_throttled_call_is_made_again_and_the_endpoint_is_asked_for_once() {
        let (control, data) = ("kinesisvideo.us-west-2.amazonaws.com", "b-1.example.com");
        let (hosts, result) =
            listed(&[THROTTLED, THROTTLED, THROTTLED, ENDPOINT, THROTTLED, LISTED]).await;
        assert_eq!(hosts, [control, control, control, control, data, data]);
        assert_eq!(result, Ok(0));
        let (hosts, result) = listed(&[ENDPOINT, THROTTLED, THROTTLED, THROTTLED, THROTTLED]).await;
        assert_eq!((hosts.len(), result), (5, Err(true)), "four attempts, and then the queue's");
    }

    #[tokio::test]
    async fn a_throttled_clip_is_cut_at_the_next_attempt() {
        let recorded = Recorded::new([ENDPOINT, THROTTLED, (200, "", "mp4")]);
        let streams = Streams::new(&recorded.config());
        let range = Range { start_ms: 0, end_ms: 10_000 };
        let cut = streams.cut_clip("s", range, 100).await.unwrap();
        assert_eq!(cut, CutClip::Mp4(b"mp4".to_vec()));
        assert_eq!(recorded.asked().len(), 3);
    }

    #[tokio::test]
    async fn an_endpoint_that_has_too_much_to_do_is_kept_and_one_that_fails_is_not() {
        let busy = [ENDPOINT, THROTTLED, THROTTLED, THROTTLED, THROTTLED, LISTED];
        let refused = (400, "InvalidArgumentException", "{}");
        for (answers, asked) in [(busy.to_vec(), 6), (vec![ENDPOINT, refused, ENDPOINT, LISTED], 4)]
        {
            let recorded = Recorded::new(answers);
            let streams = Streams::new(&recorded.config());
            streams.list_fragments("s", 0, 10_000).await.unwrap_err();
            streams.list_fragments("s", 0, 10_000).await.unwrap();
            assert_eq!(recorded.asked().len(), asked);
        }
    }

    #[tokio::test]
    async fn streams_of_one_endpoint_share_its_client() {
        let recorded = Recorded::new([ENDPOINT, LISTED, ENDPOINT, LISTED, LISTED]);
        let streams = Streams::new(&recorded.config());
        for stream in ["s-1", "s-2", "s-1"] {
            streams.list_fragments(stream, 0, 10_000).await.unwrap();
        }
        let known = streams.known();
        assert_eq!((known.endpoints.len(), known.clients.len()), (2, 1));
        drop(known);
        assert_eq!(recorded.asked().len(), 5);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut map = HashMap::new();
        for number in 0..10 {
            make_room(&mut map, 3);
            map.insert(number, number);
        }
        assert!(map.len() == 3 && map.contains_key(&9));
    }

    #[test]
    fn a_float_s_moment_is_the_nearest_millisecond() {
        let check = |seconds| nearest_ms(&DateTime::from_secs_f64(seconds));
        assert_eq!(check(1_795_370_583.199_999_8), Some(1_795_370_583_200));
        assert_eq!(check(1_795_370_583.200_000_3), Some(1_795_370_583_200));
    }
}
