//! What a camera does to its footage before it sends it: leave out, pad, split, describe wrongly.
//! Pure.
//!
//! ```text
//! skip_s         [[from, to], ...] stretches that never come, in seconds since the play's start
//! pad_bytes      so many more in every fragment of the footage: filler that decoders skip
//! pieces         each fragment of the footage is sent as so many fragments
//! codec_private  missing: the track has none; invalid: none that is `avcC`;
//!                changing: from `changes_at_s` on another one, with which the pictures decode as well
//! changes_at_s   for `changing`; in seconds since the play's start
//! ```

use std::sync::Arc;

use serde::Deserialize;

use crate::aws_error::AwsError;
use crate::matroska::{Cluster, Frame, Track};

/// Most bytes that a fragment is padded with. Source: Kinesis Video quotas: 50 MB a fragment.
const PAD_BYTES_MAX: usize = 40_000_000;
/// Most fragments of a fragment. Source: Kinesis Video quotas: five fragments a second.
const PIECES_MAX: usize = 10;
/// The kind of a unit of H.264 that holds nothing. Source: ITU-T H.264, table 7-1.
const FILLER: u8 = 12;

/// What to do to the footage; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    pub skip_s: Vec<(f64, f64)>,
    pub pad_bytes: usize,
    pub pieces: Option<usize>,
    pub codec_private: CodecPrivate,
    pub changes_at_s: f64,
}

/// How the camera describes its codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecPrivate {
    #[default]
    Right,
    Missing,
    Invalid,
    Changing,
}

impl Camera {
    /// What the camera sends of these fragments; times count from `start_ms`.
    pub fn send(&self, clusters: Vec<Cluster>, start_ms: i64) -> Result<Vec<Cluster>, AwsError> {
        let pieces = self.pieces.unwrap_or(1);
        if self.pad_bytes > PAD_BYTES_MAX || !(1..=PIECES_MAX).contains(&pieces) {
            let message =
                format!("pad_bytes must be at most {PAD_BYTES_MAX}, pieces 1 to {PIECES_MAX}");
            return Err(AwsError::invalid_argument(message));
        }
        let at_s = |cluster: &Cluster| seconds(cluster.timestamp_ms - start_ms);
        let comes = |cluster: &Cluster| {
            !self.skip_s.iter().any(|(from, to)| (*from..*to).contains(&at_s(cluster)))
        };
        let mut sent = Vec::new();
        for mut cluster in clusters {
            pad(&mut cluster, self.pad_bytes);
            let at_s = at_s(&cluster);
            cluster.track = self.describe(cluster.track, at_s);
            sent.extend(split(cluster, pieces).into_iter().filter(comes));
        }
        Ok(sent)
    }

    fn describe(&self, track: Arc<Track>, at_s: f64) -> Arc<Track> {
        let codec_private = match self.codec_private {
            CodecPrivate::Right => return track,
            CodecPrivate::Changing if at_s < self.changes_at_s => return track,
            CodecPrivate::Missing => None,
            // A unit as it stands in a stream of bytes, which is not the record of an MP4.
            CodecPrivate::Invalid => Some(vec![0, 0, 0, 1, 0x67]),
            // The record may end with bytes that readers of its version ignore.
            CodecPrivate::Changing => {
                track.codec_private.as_ref().map(|record| [&record[..], &[0; 4]].concat())
            }
        };
        Arc::new(Track { codec_private, ..Track::clone(&track) })
    }
}

fn seconds(ms: i64) -> f64 {
    i32::try_from(ms).map_or(f64::INFINITY, f64::from) / 1_000.0
}

/// Puts filler behind the first picture.
fn pad(cluster: &mut Cluster, bytes: usize) {
    let Some(frame) = cluster.frames.first_mut() else { return };
    if bytes < 2 {
        return;
    }
    let length = u32::try_from(bytes).unwrap_or(u32::MAX);
    frame.data.extend_from_slice(&length.to_be_bytes());
    frame.data.push(FILLER);
    frame.data.resize(frame.data.len() + bytes - 2, 0xFF);
    frame.data.push(0x80);
}

/// The same pictures in several fragments; only the first begins with a whole picture.
fn split(cluster: Cluster, pieces: usize) -> Vec<Cluster> {
    if pieces < 2 {
        return vec![cluster];
    }
    let size = cluster.frames.len().div_ceil(pieces).max(1);
    let piece = |frames: &[Frame]| {
        let first_ms = frames.first().map_or(0, |it| it.offset_ms);
        let timestamp_ms = cluster.timestamp_ms + i64::from(first_ms);
        let rebased = |it: &Frame| Frame { offset_ms: it.offset_ms - first_ms, ..it.clone() };
        let frames = frames.iter().map(rebased).collect();
        let track = Arc::clone(&cluster.track);
        Cluster { track, timestamp_ms, frames, tags: Vec::new() }
    };
    cluster.frames.chunks(size).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footage::Footage;

    /// The scene of 20 s, from second 100 on, as a camera sends it.
    fn check(camera: &str) -> Result<Vec<Cluster>, AwsError> {
        let camera: Camera = serde_json::from_str(camera).unwrap();
        let mut clusters = Footage::shelf_sweep().clusters;
        for it in &mut clusters {
            it.timestamp_ms += 100_000;
        }
        camera.send(clusters, 100_000)
    }

    fn starts(clusters: &[Cluster]) -> Vec<i64> {
        clusters.iter().map(|it| it.timestamp_ms - 100_000).collect()
    }

    #[test]
    fn what_is_skipped_never_comes() {
        let sent = check(r#"{ "skip_s": [[4, 8], [16, 1000]] }"#).unwrap();
        assert_eq!(starts(&sent), [0, 2_000, 8_000, 10_000, 12_000, 14_000]);
    }

    #[test]
    fn padding_is_a_unit_of_its_own_behind_the_picture() {
        let (plain, padded) = (check("{}").unwrap(), check(r#"{ "pad_bytes": 1000 }"#).unwrap());
        let (plain, padded) = (&plain[0].frames[0].data, &padded[0].frames[0].data);
        assert_eq!(padded.len(), plain.len() + 4 + 1_000);
        assert_eq!(&padded[plain.len()..plain.len() + 6], [0, 0, 3, 232, FILLER, 0xFF]);
        assert_eq!(padded.last(), Some(&0x80));
        assert!(check(r#"{ "pad_bytes": 40000001 }"#).is_err());
    }

    #[test]
    fn pieces_hold_the_same_pictures_at_the_same_times() {
        let times = |clusters: &[Cluster]| -> Vec<i64> {
            let of = |it: &Cluster| {
                let at_ms = it.timestamp_ms;
                it.frames.iter().map(move |it| at_ms + i64::from(it.offset_ms)).collect::<Vec<_>>()
            };
            clusters.iter().flat_map(of).collect()
        };
        let (whole, pieces) = (check("{}").unwrap(), check(r#"{ "pieces": 2 }"#).unwrap());
        assert_eq!((whole.len(), pieces.len()), (10, 20));
        assert_eq!(times(&whole), times(&pieces));
        assert!(check(r#"{ "pieces": 0 }"#).is_err());
    }

    #[test]
    fn the_codec_is_described_as_asked_for() {
        let records = |camera: &str| -> Vec<usize> {
            let length = |it: &Cluster| it.track.codec_private.as_ref().map_or(0, Vec::len);
            check(camera).unwrap().iter().map(length).collect()
        };
        let right = records("{}")[0];
        assert_eq!(records(r#"{ "codec_private": "missing" }"#), [0; 10]);
        assert_eq!(records(r#"{ "codec_private": "invalid" }"#), [5; 10]);
        let changing = records(r#"{ "codec_private": "changing", "changes_at_s": 4 }"#);
        assert_eq!(changing, [vec![right; 2], vec![right + 4; 8]].concat());
    }
}
