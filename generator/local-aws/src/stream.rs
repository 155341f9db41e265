//! One video stream: its settings and the fragments that it retains. Pure.
//!
//! Says which fragments a time range holds (`ListFragments` and `GetClip` differ at the edges) and
//! what is over its retention. Fragment numbers come in as arguments and grow with ingestion.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::aws_error::AwsError;
use crate::matroska::{self, CODEC_H264, Cluster};
use crate::mp4;

/// Most fragments of one clip; the rest is left out without a word. Source: Kinesis Video quotas,
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/limits.html>.
pub const CLIP_FRAGMENTS_MAX: usize = 200;

/// Most bytes of one clip; the rest is left out without a word. Same source.
pub const CLIP_BYTES_MAX: usize = 100 * 1024 * 1024;

/// Most fragments that a stream holds. Our choice: more than two hours of 2 s fragments, and no
/// rehearsal is longer.
pub const FRAGMENTS_MAX: usize = 4_000;

const HOUR_MS: i64 = 3_600_000;

/// By which clock a range is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelectorType {
    /// The camera's.
    ProducerTimestamp,
    /// That of Kinesis Video, when the fragment arrived.
    ServerTimestamp,
}

/// A stretch of time; both ends belong to it, and a fragment is where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selector {
    pub by: SelectorType,
    pub start_ms: i64,
    pub end_ms: i64,
}

/// A fragment that was ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Decimal digits that grow with each ingested fragment.
    pub number: String,
    pub server_ms: i64,
    /// Absolute: its timestamp is the producer's.
    pub cluster: Cluster,
    /// Of the fragment as `GetMediaForFragmentList` gives it.
    pub bytes: usize,
}

impl Fragment {
    /// Makes a fragment of a cluster whose timestamp is absolute.
    pub fn new(number: String, server_ms: i64, mut cluster: Cluster) -> Self {
        let tag = |name: &str, value: String| (format!("AWS_KINESISVIDEO_{name}"), value);
        cluster.tags.push(tag("FRAGMENT_NUMBER", number.clone()));
        cluster.tags.push(tag("SERVER_TIMESTAMP", seconds(server_ms)));
        cluster.tags.push(tag("PRODUCER_TIMESTAMP", seconds(cluster.timestamp_ms)));
        let mut written = Vec::new();
        matroska::write_fragment(&mut written, &cluster);
        Self { number, server_ms, cluster, bytes: written.len() }
    }

    pub fn producer_ms(&self) -> i64 {
        self.cluster.timestamp_ms
    }

    fn time_ms(&self, by: SelectorType) -> i64 {
        match by {
            SelectorType::ProducerTimestamp => self.producer_ms(),
            SelectorType::ServerTimestamp => self.server_ms,
        }
    }
}

/// Milliseconds as seconds with three decimals, as Kinesis Video writes them in tags.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000))
}

/// A Kinesis video stream.
#[derive(Clone, Debug)]
pub struct Stream {
    pub name: String,
    pub arn: String,
    pub created_ms: i64,
    /// Changes with every change of the stream.
    pub version: u32,
    pub retention_hours: u32,
    pub media_type: Option<String>,
    pub device_name: Option<String>,
    pub kms_key_id: Option<String>,
    pub tags: BTreeMap<String, String>,
    fragments: Vec<Arc<Fragment>>,
}

impl Stream {
    pub fn new(name: String, arn: String, created_ms: i64, retention_hours: u32) -> Self {
        Self {
            name,
            arn,
            created_ms,
            version: 1,
            retention_hours,
            media_type: None,
            device_name: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            fragments: Vec::new(),
        }
    }

    /// Keeps a fragment, and forgets what is over the retention or the bound.
    pub fn ingest(&mut self, fragment: Fragment, now_ms: i64) {
        let oldest_ms = self.oldest_ms(now_ms);
        self.fragments.retain(|it| it.server_ms > oldest_ms);
        if self.fragments.len() >= FRAGMENTS_MAX {
            self.fragments.remove(0);
        }
        self.fragments.push(Arc::new(fragment));
    }

    /// Every fragment that is retained, in the order of ingestion.
    pub fn retained(&self, now_ms: i64) -> impl Iterator<Item = &Arc<Fragment>> {
        let oldest_ms = self.oldest_ms(now_ms);
        self.fragments.iter().filter(move |it| it.server_ms > oldest_ms)
    }

    fn oldest_ms(&self, now_ms: i64) -> i64 {
        now_ms - i64::from(self.retention_hours) * HOUR_MS
    }

    /// The fragments that start in the range, by time. Where two have the same producer time, the
    /// one that was ingested first counts.
    pub fn select(&self, selector: Selector, now_ms: i64) -> Vec<Arc<Fragment>> {
        let mut found: Vec<_> = self
            .retained(now_ms)
            .filter(|it| (selector.start_ms..=selector.end_ms).contains(&it.time_ms(selector.by)))
            .cloned()
            .collect();
        found.sort_by_key(|it| it.time_ms(selector.by));
        if selector.by == SelectorType::ProducerTimestamp {
            found.dedup_by_key(|it| it.producer_ms());
        }
        found
    }

    /// The clip of a range as an MP4 of at most so many fragments, or the error that Kinesis Video
    /// answers. AWS says that the codec must not change within a clip, and not which error it gives:
    /// the one about the codec's record is our guess.
    pub fn clip(
        &self,
        selector: Selector,
        now_ms: i64,
        fragments_max: usize,
    ) -> Result<Vec<u8>, AwsError> {
        if self.retention_hours == 0 {
            return Err(AwsError::no_data_retention());
        }
        let mut fragments = self.select(selector, now_ms);
        fragments.truncate(fragments_max.min(CLIP_FRAGMENTS_MAX));
        let mut bytes = 0;
        fragments.retain(|it| {
            bytes += it.bytes;
            bytes <= CLIP_BYTES_MAX
        });
        let Some(first) = fragments.first() else {
            return Err(AwsError::not_found(
                "No fragments found in the stream for the clip request.",
            ));
        };
        for fragment in &fragments {
            check_media(&fragment.cluster)?;
            if fragment.cluster.track != first.cluster.track {
                return Err(AwsError::invalid_codec_private_data());
            }
        }
        let clusters: Vec<_> = fragments.iter().map(|it| &it.cluster).collect();
        mp4::write(&first.cluster.track, &clusters).map_err(|_| AwsError::invalid_media_frame())
    }
}

/// Refuses what no clip can be made of.
fn check_media(cluster: &Cluster) -> Result<(), AwsError> {
    if cluster.track.codec_id != CODEC_H264 {
        let codec = &cluster.track.codec_id;
        return Err(AwsError::unsupported_media_type(format!(
            "The codec ID of track 1 is {codec}; this stand-in makes clips of {CODEC_H264} only."
        )));
    }
    let record = cluster.track.codec_private.as_deref().unwrap_or_default();
    let length_size = match record {
        [] => return Err(AwsError::missing_codec_private_data()),
        [1, _, _, _, sizes, ..] => usize::from(sizes & 3) + 1,
        _ => return Err(AwsError::invalid_codec_private_data()),
    };
    let intact = cluster.frames.iter().all(|it| is_length_prefixed(&it.data, length_size));
    if intact && !cluster.frames.is_empty() { Ok(()) } else { Err(AwsError::invalid_media_frame()) }
}

/// Whether the bytes are units of H.264, each after its length.
fn is_length_prefixed(mut data: &[u8], length_size: usize) -> bool {
    if data.is_empty() {
        return false;
    }
    while !data.is_empty() {
        let Some((length, rest)) = data.split_at_checked(length_size) else { return false };
        let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        let Some(rest) = rest.get(length..) else { return false };
        if length == 0 {
            return false;
        }
        data = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matroska::{Frame, Track};

    const START_MS: i64 = 1_763_791_200_000;

    fn cluster(timestamp_ms: i64) -> Cluster {
        let track = Track {
            codec_id: CODEC_H264.to_owned(),
            codec_private: Some(vec![1, 100, 0, 22, 0xFF, 0xE1]),
            width: 640,
            height: 360,
        };
        let frame = |offset_ms, key| Frame { offset_ms, key, data: vec![0, 0, 0, 2, 9, 16] };
        let frames = vec![frame(0, true), frame(1_000, false)];
        Cluster { track: Arc::new(track), timestamp_ms, frames, tags: Vec::new() }
    }

    /// A stream with `count` fragments of 2 s, each ingested 500 ms after its end.
    fn stream(count: i64) -> Stream {
        let mut stream = Stream::new("cam".to_owned(), "arn".to_owned(), 0, 24);
        for index in 0..count {
            let producer_ms = START_MS + index * 2_000;
            let server_ms = producer_ms + 2_500;
            let fragment = Fragment::new(format!("9{index:020}"), server_ms, cluster(producer_ms));
            stream.ingest(fragment, server_ms);
        }
        stream
    }

    fn starts(stream: &Stream, by: SelectorType, from_ms: i64, to_ms: i64) -> Vec<i64> {
        let selector = Selector { by, start_ms: START_MS + from_ms, end_ms: START_MS + to_ms };
        let found = stream.select(selector, START_MS + 60_000);
        found.iter().map(|it| it.producer_ms() - START_MS).collect()
    }

    #[test]
    fn a_fragment_belongs_to_the_range_in_which_it_starts() {
        use SelectorType::{ProducerTimestamp, ServerTimestamp};
        let stream = stream(5);
        assert_eq!(starts(&stream, ProducerTimestamp, 1, 5_000), [2_000, 4_000]);
        assert_eq!(starts(&stream, ProducerTimestamp, 2_000, 4_000), [2_000, 4_000]);
        assert!(starts(&stream, ProducerTimestamp, 4_001, 5_999).is_empty());
        assert_eq!(starts(&stream, ServerTimestamp, 2_500, 4_500), [0, 2_000]);
    }

    #[test]
    fn of_two_fragments_with_one_producer_time_the_older_counts() {
        let mut stream = stream(2);
        let again = Fragment::new("99".to_owned(), START_MS + 9_000, cluster(START_MS));
        stream.ingest(again, START_MS + 9_000);
        let by = SelectorType::ProducerTimestamp;
        let selector = Selector { by, start_ms: START_MS, end_ms: START_MS };
        let found = stream.select(selector, START_MS + 9_000);
        assert_eq!(
            found.iter().map(|it| it.number.as_str()).collect::<Vec<_>>(),
            [format!("9{:020}", 0)]
        );
    }

    #[test]
    fn what_is_over_the_retention_is_gone() {
        let stream = stream(3);
        let end_ms = START_MS + 2_500 + 24 * HOUR_MS;
        assert_eq!(stream.retained(end_ms - 1).count(), 3);
        assert_eq!(stream.retained(end_ms).count(), 2);
        assert_eq!(stream.retained(end_ms + HOUR_MS).count(), 0);
    }

    #[test]
    fn a_long_clip_is_cut_without_a_word() {
        let stream = stream(230);
        let selector = Selector {
            by: SelectorType::ProducerTimestamp,
            start_ms: START_MS,
            end_ms: START_MS + HOUR_MS,
        };
        let clip = stream.clip(selector, START_MS + 500_000, 1_000).unwrap();
        // Two frames of 6 bytes in each of the first 200 fragments.
        let name = clip.windows(4).position(|it| it == b"mdat").unwrap();
        assert_eq!(clip.len() - name - 4, 200 * 12);
    }

    fn clip_error(change: fn(&mut Cluster, &mut Track)) -> &'static str {
        let mut cluster = cluster(START_MS);
        let mut track = Track::clone(&cluster.track);
        change(&mut cluster, &mut track);
        cluster.track = Arc::new(track);
        let mut stream = Stream::new("cam".to_owned(), "arn".to_owned(), 0, 24);
        stream.ingest(Fragment::new("9".to_owned(), START_MS, cluster), START_MS);
        let by = SelectorType::ProducerTimestamp;
        let selector = Selector { by, start_ms: START_MS, end_ms: START_MS + 1 };
        stream.clip(selector, START_MS, 200).err().map_or("", |it| it.code)
    }

    #[test]
    fn a_clip_needs_sound_media() {
        assert_eq!(clip_error(|_, _| {}), "");
        assert_eq!(
            clip_error(|_, track| track.codec_private = None),
            "MissingCodecPrivateDataException"
        );
        assert_eq!(
            clip_error(|_, track| track.codec_private = Some(vec![0, 0, 0, 1, 0x67])),
            "InvalidCodecPrivateDataException"
        );
        assert_eq!(
            clip_error(|cluster, _| cluster.frames[1].data = vec![0, 0, 0, 9, 1]),
            "InvalidMediaFrameException"
        );
        assert_eq!(
            clip_error(|_, track| track.codec_id = "V_MJPEG".to_owned()),
            "UnsupportedStreamMediaTypeException"
        );
    }

    #[test]
    fn a_codec_that_changes_within_a_clip_makes_none() {
        let mut stream = stream(2);
        let mut changed = cluster(START_MS + 4_000);
        let track = Track { width: 1_280, ..Track::clone(&changed.track) };
        changed.track = Arc::new(track);
        stream.ingest(Fragment::new("99".to_owned(), START_MS + 6_500, changed), START_MS + 6_500);
        let by = SelectorType::ProducerTimestamp;
        let clip = |end_ms| {
            let selector = Selector { by, start_ms: START_MS, end_ms: START_MS + end_ms };
            stream.clip(selector, START_MS + 7_000, 200).map_err(|it| it.code)
        };
        assert!(clip(2_000).is_ok());
        assert_eq!(clip(4_000), Err("InvalidCodecPrivateDataException"));
    }

    #[test]
    fn a_clip_needs_fragments_and_retention() {
        let mut stream = stream(1);
        let by = SelectorType::ProducerTimestamp;
        let selector = Selector { by, start_ms: START_MS + 1, end_ms: START_MS + 2 };
        let code = |stream: &Stream| stream.clip(selector, START_MS, 200).unwrap_err().code;
        assert_eq!(code(&stream), "ResourceNotFoundException");
        stream.retention_hours = 0;
        assert_eq!(code(&stream), "NoDataRetentionException");
    }
}
