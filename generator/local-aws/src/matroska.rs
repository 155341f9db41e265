//! Matroska as cameras send it and Kinesis Video gives it back: one cluster is one fragment. Pure.
//!
//! [`Reader`] takes a body in pieces of any size and answers with each cluster once it is whole;
//! segments and clusters of unknown size are fine, because a live camera knows no sizes. It keeps
//! the first video track and drops all else (sound, chapters). [`write_fragment`] writes one
//! fragment as a file of its own, the way `GetMediaForFragmentList` concatenates them.

use std::sync::Arc;

use crate::ebml::{self, EbmlError, Header};

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x002A_D7B1;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_NUMBER: u32 = 0xD7;
const TRACK_UID: u32 = 0x73C5;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63A2;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
const CLUSTER: u32 = 0x1F43_B675;
const TIMESTAMP: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;
const REFERENCE_BLOCK: u32 = 0xFB;

const TRACK_TYPE_VIDEO: u64 = 1;
const KEY_FRAME_FLAG: u8 = 0x80;
const LACING_FLAGS: u8 = 0x06;
/// Nanoseconds of one tick: we write milliseconds, and so does nearly everyone.
const SCALE_NS: u64 = 1_000_000;

/// What H.264 video is called in Matroska.
pub const CODEC_H264: &str = "V_MPEG4/ISO/AVC";

/// Why a body is not the Matroska that we can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatroskaError {
    #[error("not Matroska")]
    Ebml(#[from] EbmlError),
    #[error("a cluster comes before the tracks")]
    NoTrack,
    #[error("a frame stands outside a cluster")]
    NoCluster,
    #[error("a block has no head")]
    Block,
    #[error("a block holds several laced frames")]
    Lacing,
}

/// A video track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub codec_id: String,
    /// For H.264 the `avcC` record.
    pub codec_private: Option<Vec<u8>>,
    pub width: u64,
    pub height: u64,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Milliseconds after the cluster's timestamp.
    pub offset_ms: i16,
    pub key: bool,
    pub data: Vec<u8>,
}

/// One cluster: a fragment of Kinesis Video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub track: Arc<Track>,
    /// The cluster's timestamp in milliseconds; since the epoch when the producer sends absolute
    /// times, and in all that Kinesis Video gives back.
    pub timestamp_ms: i64,
    pub frames: Vec<Frame>,
    /// Tags that stood before the cluster.
    pub tags: Vec<(String, String)>,
}

impl Cluster {
    /// How long the cluster plays: up to its last frame, and that frame as long as the average.
    pub fn length_ms(&self) -> i64 {
        let first = self.frames.first().map_or(0, |it| i64::from(it.offset_ms));
        let last = self.frames.last().map_or(0, |it| i64::from(it.offset_ms));
        let gaps = i64::try_from(self.frames.len()).unwrap_or(i64::MAX) - 1;
        if gaps < 1 {
            return 0;
        }
        let span = last - first;
        span + (span + gaps / 2) / gaps
    }

    /// The value of a tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// Reads clusters out of a body that comes in pieces.
#[derive(Debug)]
pub struct Reader {
    buffer: Vec<u8>,
    scale_ns: u64,
    track: Option<(u64, Arc<Track>)>,
    tags: Vec<(String, String)>,
    open: Option<Cluster>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { buffer: Vec::new(), scale_ns: SCALE_NS, track: None, tags: Vec::new(), open: None }
    }
}

impl Reader {
    /// Takes the next piece of the body; returns the clusters that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Cluster>, MatroskaError> {
        self.buffer.extend_from_slice(piece);
        let mut complete = Vec::new();
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while let Some(header) = Header::read(rest)? {
            // Containers are entered; everything else is read whole.
            if matches!(header.id, SEGMENT | CLUSTER) {
                complete.extend(self.enter(header.id)?);
                rest = rest.get(header.length..).unwrap_or_default();
                continue;
            }
            let whole = header.whole()?;
            let Some(content) = rest.get(header.length..whole) else { break };
            complete.extend(self.element(header.id, content)?);
            rest = rest.get(whole..).unwrap_or_default();
        }
        self.buffer = rest.to_vec();
        Ok(complete)
    }

    /// The last cluster, once the body has ended.
    pub fn finish(self) -> Result<Option<Cluster>, MatroskaError> {
        if !self.buffer.is_empty() {
            return Err(EbmlError::Truncated.into());
        }
        Ok(self.open)
    }

    fn enter(&mut self, id: u32) -> Result<Option<Cluster>, MatroskaError> {
        let done = self.open.take();
        if id == CLUSTER {
            let (_, track) = self.track.as_ref().ok_or(MatroskaError::NoTrack)?;
            self.open = Some(Cluster {
                track: Arc::clone(track),
                timestamp_ms: 0,
                frames: Vec::new(),
                tags: std::mem::take(&mut self.tags),
            });
        }
        Ok(done)
    }

    fn element(&mut self, id: u32, content: &[u8]) -> Result<Option<Cluster>, MatroskaError> {
        match id {
            EBML => return Ok(self.open.take()),
            INFO => {
                self.scale_ns = ebml::children(content)?
                    .into_iter()
                    .find(|(id, _)| *id == TIMESTAMP_SCALE)
                    .map_or(SCALE_NS, |(_, value)| ebml::big_endian(value).max(1));
            }
            TRACKS => self.track = video_track(content)?,
            TAGS => {
                // Tags describe the cluster that follows.
                let done = self.open.take();
                self.tags.extend(simple_tags(content)?);
                return Ok(done);
            }
            TIMESTAMP => {
                let ticks = ebml::big_endian(content);
                let timestamp_ms = self.milliseconds(ticks);
                self.open.as_mut().ok_or(MatroskaError::NoCluster)?.timestamp_ms = timestamp_ms;
            }
            SIMPLE_BLOCK => self.block(content, None)?,
            BLOCK_GROUP => {
                let parts = ebml::children(content)?;
                let key = parts.iter().all(|(id, _)| *id != REFERENCE_BLOCK);
                for (_, block) in parts.into_iter().filter(|(id, _)| *id == BLOCK) {
                    self.block(block, Some(key))?;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// Keeps the frame of a block; `key` where the block itself does not say.
    fn block(&mut self, content: &[u8], key: Option<bool>) -> Result<(), MatroskaError> {
        let Some((&first, [high, low, flags, data @ ..])) = content.split_first() else {
            return Err(MatroskaError::Block);
        };
        let number = u64::from(first & 0x7F);
        if self.track.as_ref().is_none_or(|(wanted, _)| *wanted != number) {
            return Ok(());
        }
        if flags & LACING_FLAGS != 0 {
            return Err(MatroskaError::Lacing);
        }
        let ticks = i64::from(i16::from_be_bytes([*high, *low]));
        let scale_ns = i64::try_from(self.scale_ns).unwrap_or(i64::MAX);
        let offset_ms =
            i16::try_from(ticks.saturating_mul(scale_ns) / 1_000_000).unwrap_or(i16::MAX);
        let key = key.unwrap_or(flags & KEY_FRAME_FLAG != 0);
        let cluster = self.open.as_mut().ok_or(MatroskaError::NoCluster)?;
        cluster.frames.push(Frame { offset_ms, key, data: data.to_vec() });
        Ok(())
    }

    fn milliseconds(&self, ticks: u64) -> i64 {
        let nanoseconds = u128::from(ticks) * u128::from(self.scale_ns);
        i64::try_from(nanoseconds / u128::from(SCALE_NS)).unwrap_or(i64::MAX)
    }
}

/// Reads a whole body at once.
pub fn read(body: &[u8]) -> Result<Vec<Cluster>, MatroskaError> {
    let mut reader = Reader::default();
    let mut clusters = reader.push(body)?;
    clusters.extend(reader.finish()?);
    Ok(clusters)
}

/// The first video track and its number.
fn video_track(content: &[u8]) -> Result<Option<(u64, Arc<Track>)>, EbmlError> {
    for (_, entry) in ebml::children(content)?.into_iter().filter(|(id, _)| *id == TRACK_ENTRY) {
        let fields = ebml::children(entry)?;
        let field = |id| fields.iter().find(|(it, _)| *it == id).map(|(_, content)| *content);
        if field(TRACK_TYPE).map(ebml::big_endian) != Some(TRACK_TYPE_VIDEO) {
            continue;
        }
        let picture = field(VIDEO).map(ebml::children).transpose()?.unwrap_or_default();
        let pixels = |id| {
            picture.iter().find(|(it, _)| *it == id).map_or(0, |(_, value)| ebml::big_endian(value))
        };
        let track = Track {
            codec_id: text(field(CODEC_ID).unwrap_or_default()),
            codec_private: field(CODEC_PRIVATE).map(<[u8]>::to_vec),
            width: pixels(PIXEL_WIDTH),
            height: pixels(PIXEL_HEIGHT),
        };
        return Ok(Some((field(TRACK_NUMBER).map_or(1, ebml::big_endian), Arc::new(track))));
    }
    Ok(None)
}

fn simple_tags(content: &[u8]) -> Result<Vec<(String, String)>, EbmlError> {
    let mut tags = Vec::new();
    for (_, tag) in ebml::children(content)?.into_iter().filter(|(id, _)| *id == TAG) {
        for (_, simple) in ebml::children(tag)?.into_iter().filter(|(id, _)| *id == SIMPLE_TAG) {
            let parts = ebml::children(simple)?;
            let part = |id| {
                parts.iter().find(|(it, _)| *it == id).map_or_else(String::new, |(_, it)| text(it))
            };
            tags.push((part(TAG_NAME), part(TAG_STRING)));
        }
    }
    Ok(tags)
}

/// Text of an element; writers may pad it with zeros.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

/// Appends one fragment as a Matroska file of its own: head, tracks, tags, cluster.
pub fn write_fragment(out: &mut Vec<u8>, cluster: &Cluster) {
    let mut head = Vec::new();
    for (id, value) in [(0x4286, 1), (0x42F7, 1), (0x42F2, 4), (0x42F3, 8)] {
        ebml::write_uint(&mut head, id, value);
    }
    ebml::write(&mut head, 0x4282, b"matroska");
    ebml::write_uint(&mut head, 0x4287, 4);
    ebml::write_uint(&mut head, 0x4285, 2);
    ebml::write(out, EBML, &head);

    let mut segment = Vec::new();
    let mut info = Vec::new();
    ebml::write_uint(&mut info, TIMESTAMP_SCALE, SCALE_NS);
    ebml::write(&mut info, 0x4D80, b"arm-local-aws");
    ebml::write(&mut info, 0x5741, b"arm-local-aws");
    ebml::write(&mut segment, INFO, &info);
    ebml::write(&mut segment, TRACKS, &track_entry(&cluster.track));
    if !cluster.tags.is_empty() {
        ebml::write(&mut segment, TAGS, &tag_entry(&cluster.tags));
    }
    ebml::write(&mut segment, CLUSTER, &cluster_content(cluster));
    // A segment of unknown size ends where the next head begins. Decoders that read several
    // fragments in a row stop after a segment whose size they know.
    ebml::write_unknown_size(out, SEGMENT);
    out.extend_from_slice(&segment);
}

fn track_entry(track: &Track) -> Vec<u8> {
    let mut picture = Vec::new();
    ebml::write_uint(&mut picture, PIXEL_WIDTH, track.width);
    ebml::write_uint(&mut picture, PIXEL_HEIGHT, track.height);
    let mut entry = Vec::new();
    ebml::write_uint(&mut entry, TRACK_NUMBER, 1);
    ebml::write_uint(&mut entry, TRACK_UID, 1);
    ebml::write_uint(&mut entry, TRACK_TYPE, TRACK_TYPE_VIDEO);
    ebml::write(&mut entry, CODEC_ID, track.codec_id.as_bytes());
    if let Some(private) = &track.codec_private {
        ebml::write(&mut entry, CODEC_PRIVATE, private);
    }
    ebml::write(&mut entry, VIDEO, &picture);
    let mut tracks = Vec::new();
    ebml::write(&mut tracks, TRACK_ENTRY, &entry);
    tracks
}

fn tag_entry(tags: &[(String, String)]) -> Vec<u8> {
    let mut entry = Vec::new();
    for (name, value) in tags {
        let mut simple = Vec::new();
        ebml::write(&mut simple, TAG_NAME, name.as_bytes());
        ebml::write(&mut simple, TAG_STRING, value.as_bytes());
        ebml::write(&mut entry, SIMPLE_TAG, &simple);
    }
    let mut tags = Vec::new();
    ebml::write(&mut tags, TAG, &entry);
    tags
}

fn cluster_content(cluster: &Cluster) -> Vec<u8> {
    let mut content = Vec::new();
    let timestamp = u64::try_from(cluster.timestamp_ms).unwrap_or_default();
    ebml::write_uint(&mut content, TIMESTAMP, timestamp);
    for frame in &cluster.frames {
        let [high, low] = frame.offset_ms.to_be_bytes();
        let flags = if frame.key { KEY_FRAME_FLAG } else { 0 };
        ebml::write_header(&mut content, SIMPLE_BLOCK, frame.data.len() + 4);
        content.extend_from_slice(&[0x81, high, low, flags]);
        content.extend_from_slice(&frame.data);
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(timestamp_ms: i64) -> Cluster {
        let track = Track {
            codec_id: CODEC_H264.to_owned(),
            codec_private: Some(vec![1, 100, 0, 22]),
            width: 640,
            height: 360,
        };
        let frame = |offset_ms, key| Frame { offset_ms, key, data: vec![0, 0, 0, 1, 9] };
        Cluster {
            track: Arc::new(track),
            timestamp_ms,
            frames: vec![frame(0, true), frame(67, false), frame(133, false)],
            tags: vec![("AWS_KINESISVIDEO_FRAGMENT_NUMBER".to_owned(), "91".to_owned())],
        }
    }

    fn body(timestamps_ms: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        for timestamp_ms in timestamps_ms {
            write_fragment(&mut out, &cluster(*timestamp_ms));
        }
        out
    }

    #[test]
    fn fragments_read_back_as_they_were_written() {
        let expected = [cluster(1_763_791_200_000), cluster(1_763_791_202_000)];
        assert_eq!(read(&body(&[1_763_791_200_000, 1_763_791_202_000])).unwrap(), expected);
    }

    #[test]
    fn a_body_may_come_byte_by_byte() {
        let mut reader = Reader::default();
        let mut clusters = Vec::new();
        for byte in body(&[0, 2_000, 4_000]) {
            clusters.extend(reader.push(&[byte]).unwrap());
        }
        assert_eq!(clusters, [cluster(0), cluster(2_000)]);
        assert_eq!(reader.finish().unwrap(), Some(cluster(4_000)));
    }

    #[test]
    fn a_fragment_lasts_until_its_last_frame_is_over() {
        assert_eq!(cluster(0).length_ms(), 200);
    }

    #[test]
    fn what_is_not_matroska_is_refused() {
        assert!(matches!(read(b"\x00\x00\x00\x18ftypmp42"), Err(MatroskaError::Ebml(_))));
        assert!(matches!(read(b"{}"), Err(MatroskaError::Ebml(_))));
        let cut = body(&[0]);
        let cut = &cut[..cut.len() - 1];
        assert_eq!(read(cut), Err(EbmlError::Truncated.into()));
    }
}
