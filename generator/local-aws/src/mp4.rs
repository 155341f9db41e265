//! Writes an MP4 that plays from its first byte: `ftyp`, `moov`, `mdat`, one H.264 track. Pure.
//!
//! Takes clusters of one track in order and keeps the pictures as they are (no decoding). A gap
//! between clusters closes up, as it does in a clip of Kinesis Video. Source: ISO/IEC 14496-12
//! (boxes) and 14496-15 (`avc1`, `avcC`).

use crate::matroska::{Cluster, Track};

/// Ticks of a second in every box that has a time scale: milliseconds, as in Matroska.
const TIME_SCALE: u32 = 1_000;

/// Why no MP4 can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mp4Error {
    #[error("the clip is larger than an MP4 with 32-bit sizes can be")]
    TooLarge,
    #[error("the picture is larger than an MP4 can say")]
    Picture,
}

/// One frame's entry in the sample tables.
struct Sample {
    bytes: u32,
    duration_ms: u32,
    key: bool,
}

/// Writes the clusters as one MP4.
pub fn write(track: &Track, clusters: &[&Cluster]) -> Result<Vec<u8>, Mp4Error> {
    let samples = samples(clusters)?;
    let ftyp = container(*b"ftyp", &[b"isom\0\0\x02\0isomiso2avc1mp41"])?;
    // The offset of the media depends on the length of `moov`, which no offset changes.
    let head = ftyp.len() + movie(track, &samples, 0)?.len() + 8;
    let moov = movie(track, &samples, narrow(head)?)?;
    let mut media = Vec::new();
    for frame in clusters.iter().flat_map(|it| &it.frames) {
        media.extend_from_slice(&frame.data);
    }
    Ok([ftyp, moov, container(*b"mdat", &[&media])?].concat())
}

fn samples(clusters: &[&Cluster]) -> Result<Vec<Sample>, Mp4Error> {
    let mut samples = Vec::new();
    for cluster in clusters {
        let first_ms = cluster.frames.first().map_or(0, |it| i64::from(it.offset_ms));
        let end_ms = first_ms + cluster.length_ms();
        let next_ms = cluster.frames.iter().skip(1).map(|it| i64::from(it.offset_ms));
        for (frame, next_ms) in cluster.frames.iter().zip(next_ms.chain([end_ms])) {
            let duration_ms = u32::try_from(next_ms - i64::from(frame.offset_ms)).unwrap_or(0);
            samples.push(Sample { bytes: narrow(frame.data.len())?, duration_ms, key: frame.key });
        }
    }
    Ok(samples)
}

fn movie(track: &Track, samples: &[Sample], media_offset: u32) -> Result<Vec<u8>, Mp4Error> {
    let duration = samples.iter().map(|it| it.duration_ms).sum::<u32>();
    let mut header = vec![0; 12];
    put(&mut header, &[TIME_SCALE, duration, 0x0001_0000, 0x0100_0000, 0, 0]);
    put(&mut header, &MATRIX);
    put(&mut header, &[0, 0, 0, 0, 0, 0, 2]);
    let mut track_header = vec![0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];
    put(&mut track_header, &[1, 0, duration, 0, 0, 0, 0]);
    put(&mut track_header, &MATRIX);
    put(&mut track_header, &[pixels(track.width)? << 16, pixels(track.height)? << 16]);

    let mut media_header = vec![0; 12];
    put(&mut media_header, &[TIME_SCALE, duration, 0x55C4_0000]); // the language "und"
    let handler = b"\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0video\0";
    let reference = container(*b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1], &full(*b"url ", 1, &[])?])?;
    let information = container(
        *b"minf",
        &[
            &full(*b"vmhd", 1, &[0; 8])?,
            &container(*b"dinf", &[&reference])?,
            &sample_table(track, samples, media_offset)?,
        ],
    )?;
    let media = container(
        *b"mdia",
        &[&container(*b"mdhd", &[&media_header])?, &container(*b"hdlr", &[handler])?, &information],
    )?;
    let track = container(*b"trak", &[&container(*b"tkhd", &[&track_header])?, &media])?;
    container(*b"moov", &[&container(*b"mvhd", &[&header])?, &track])
}

/// No rotation, no scaling.
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

fn sample_table(track: &Track, samples: &[Sample], offset: u32) -> Result<Vec<u8>, Mp4Error> {
    let count = narrow(samples.len())?;
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for sample in samples {
        match runs.last_mut() {
            Some((length, duration)) if *duration == sample.duration_ms => *length += 1,
            _ => runs.push((1, sample.duration_ms)),
        }
    }
    let mut times = vec![narrow(runs.len())?];
    times.extend(runs.iter().flat_map(|(length, duration)| [*length, *duration]));
    let mut keys: Vec<u32> =
        (1..).zip(samples).filter(|(_, it)| it.key).map(|(number, _)| number).collect();
    keys.insert(0, narrow(keys.len())?);
    let mut sizes = vec![0, count];
    sizes.extend(samples.iter().map(|it| it.bytes));
    container(
        *b"stbl",
        &[
            &container(*b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &visual_entry(track)?])?,
            &full(*b"stts", 0, &words(&times))?,
            &full(*b"stss", 0, &words(&keys))?,
            &full(*b"stsc", 0, &words(&[1, 1, count, 1]))?, // one chunk holds everything
            &full(*b"stsz", 0, &words(&sizes))?,
            &full(*b"stco", 0, &words(&[1, offset]))?,
        ],
    )
}

fn visual_entry(track: &Track) -> Result<Vec<u8>, Mp4Error> {
    let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1];
    entry.extend_from_slice(&[0; 16]);
    put(&mut entry, &[(pixels(track.width)? << 16) | pixels(track.height)?]);
    put(&mut entry, &[0x0048_0000, 0x0048_0000, 0, 0x0001_0000]); // 72 dpi, one frame a sample
    entry.extend_from_slice(&[0; 30]); // rest of the frame count, no compressor name
    entry.extend_from_slice(&[0, 0x18, 0xFF, 0xFF]);
    let record = container(*b"avcC", &[track.codec_private.as_deref().unwrap_or_default()])?;
    container(*b"avc1", &[&entry, &record])
}

/// A box: size, name, parts.
fn container(name: [u8; 4], parts: &[&[u8]]) -> Result<Vec<u8>, Mp4Error> {
    let size = 8 + parts.iter().map(|it| it.len()).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    put(&mut out, &[narrow(size)?]);
    out.extend_from_slice(&name);
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(out)
}

/// A box with version 0 and flags.
fn full(name: [u8; 4], flags: u8, content: &[u8]) -> Result<Vec<u8>, Mp4Error> {
    container(name, &[&[0, 0, 0, flags], content])
}

fn words(values: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, values);
    out
}

fn put(out: &mut Vec<u8>, values: &[u32]) {
    for value in values {
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn narrow(value: usize) -> Result<u32, Mp4Error> {
    u32::try_from(value).map_err(|_| Mp4Error::TooLarge)
}

fn pixels(value: u64) -> Result<u32, Mp4Error> {
    u16::try_from(value).map(u32::from).map_err(|_| Mp4Error::Picture)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::matroska::{CODEC_H264, Frame};

    fn cluster() -> Cluster {
        let track = Track {
            codec_id: CODEC_H264.to_owned(),
            codec_private: Some(vec![1, 100, 0, 22, 0xFF]),
            width: 640,
            height: 360,
        };
        let frame = |offset_ms, key, byte| Frame { offset_ms, key, data: vec![byte; 5] };
        Cluster {
            track: Arc::new(track),
            timestamp_ms: 5_000,
            frames: vec![frame(0, true, 1), frame(67, false, 2), frame(133, false, 3)],
            tags: Vec::new(),
        }
    }

    fn word(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    /// Walks the boxes down `path` and returns the content of the last one.
    fn find<'a>(mut bytes: &'a [u8], path: &[&str]) -> &'a [u8] {
        for name in path {
            let mut rest = bytes;
            bytes = loop {
                let size = usize::try_from(word(rest, 0)).unwrap();
                if &rest[4..8] == name.as_bytes() {
                    break &rest[8..size];
                }
                rest = &rest[size..];
            };
        }
        bytes
    }

    #[test]
    fn the_tables_point_at_every_frame() {
        let (one, two) = (cluster(), cluster());
        let clip = write(&one.track, &[&one, &two]).unwrap();
        let table = ["moov", "trak", "mdia", "minf", "stbl"];
        let entry = |name| find(&clip, &[table.as_slice(), &[name]].concat());

        assert_eq!(find(&clip, &["mdat"]), [[1; 5], [2; 5], [3; 5]].concat().repeat(2));
        let offset = usize::try_from(word(entry("stco"), 8)).unwrap();
        assert_eq!(clip[offset..], *find(&clip, &["mdat"]));
        assert_eq!(word(entry("stsz"), 8), 6);
        assert_eq!(entry("stss")[4..], words(&[2, 1, 4]));
        // The last frame of a cluster lasts as long as the average.
        let runs = [5, 1, 67, 1, 66, 2, 67, 1, 66, 1, 67];
        assert_eq!(entry("stts")[4..], words(&runs));
        assert_eq!(word(find(&clip, &["moov", "mvhd"]), 16), 400);
        let visual = entry("stsd");
        assert!(visual.ends_with(&[b'a', b'v', b'c', b'C', 1, 100, 0, 22, 0xFF]));
    }

    #[test]
    fn a_picture_that_no_mp4_can_describe_is_refused() {
        let mut cluster = cluster();
        let track = Track { width: 70_000, ..Track::clone(&cluster.track) };
        cluster.track = Arc::new(track);
        assert_eq!(write(&cluster.track, &[&cluster]), Err(Mp4Error::Picture));
    }
}
