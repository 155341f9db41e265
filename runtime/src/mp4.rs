//! What an MP4 says of itself: how long its pictures play. Pure.
//!
//! `GetClip` leaves out what is too much without saying so, and an answer may break off: a clip is
//! believed only once its own tables hold what was asked for. Reads the boxes, no picture, of files
//! with one index (`moov`) and of fragmented ones (`moof`). Source: ISO/IEC 14496-12. Start at
//! [`played_ms`].

use casework::fragment::GAP_MS_MIN;

/// Why a file is no whole MP4 with pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mp4Error {
    #[error("the MP4 breaks off")]
    BreaksOff,
    #[error("the MP4 has no {0}")]
    Lacks(&'static str),
}

/// A box: its name and what is in it.
type Named<'a> = ([u8; 4], &'a [u8]);

/// So many frames in a row that last so many ticks each.
type Run = (u64, u64);

/// Bits of `tfhd` and `trun` that say which fields follow.
const BASE_OFFSET: u32 = 0x1;
const DESCRIPTION: u32 = 0x2;
const DEFAULT_DURATION: u32 = 0x8;
const DATA_OFFSET: u32 = 0x1;
const FIRST_FLAGS: u32 = 0x4;
const DURATION: u32 = 0x100;
/// Size, flags and composition offset of one frame, after its duration.
const OTHER_FIELDS: [u32; 3] = [0x200, 0x400, 0x800];

/// How long the pictures of a file play, in milliseconds.
///
/// A frame that stands much longer than most fills a gap and counts as twice a usual one: else a gap
/// would make up for frames that are missing.
pub fn played_ms(file: &[u8]) -> Result<u64, Mp4Error> {
    let boxes = boxes(file)?;
    let movie = find(&boxes, *b"moov").ok_or(Mp4Error::Lacks("index"))?;
    find(&boxes, *b"mdat").ok_or(Mp4Error::Lacks("media"))?;
    let movie = self::boxes(movie)?;
    let mut longest_ms = None;
    for track in all(&movie, *b"trak") {
        let Some(track) = video_track(track)? else { continue };
        let mut runs = track.runs;
        for fragment in all(&boxes, *b"moof") {
            runs.extend(fragment_runs(fragment, &movie, track.id)?);
        }
        longest_ms = longest_ms.max(Some(length_ms(&runs, track.ticks_per_second)));
    }
    longest_ms.ok_or(Mp4Error::Lacks("video track"))
}

/// The boxes of some content, which they fill exactly.
fn boxes(mut content: &[u8]) -> Result<Vec<Named<'_>>, Mp4Error> {
    let mut boxes = Vec::new();
    while !content.is_empty() {
        let (named, rest) = first_box(content).ok_or(Mp4Error::BreaksOff)?;
        boxes.push(named);
        content = rest;
    }
    Ok(boxes)
}

fn first_box(content: &[u8]) -> Option<(Named<'_>, &[u8])> {
    let (size, rest) = content.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = match u32::from_be_bytes(*size) {
        0 => (rest.len(), rest),
        1 => {
            let (size, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*size)).ok()?.checked_sub(16)?, rest)
        }
        size => (usize::try_from(size).ok()?.checked_sub(8)?, rest),
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some(((*name, inside), rest))
}

fn all<'a>(boxes: &[Named<'a>], name: [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    boxes.iter().filter(move |it| it.0 == name).map(|it| it.1)
}

fn find<'a>(boxes: &[Named<'a>], name: [u8; 4]) -> Option<&'a [u8]> {
    all(boxes, name).next()
}

/// Walks down to a box.
fn descend<'a>(mut content: &'a [u8], path: &[[u8; 4]]) -> Result<&'a [u8], Mp4Error> {
    for name in path {
        content = find(&boxes(content)?, *name).ok_or(Mp4Error::Lacks("table of its frames"))?;
    }
    Ok(content)
}

/// The number at a byte of a box.
fn word(content: &[u8], at: usize) -> Result<u32, Mp4Error> {
    let bytes = content.get(at..).and_then(|it| it.first_chunk::<4>());
    bytes.map(|it| u32::from_be_bytes(*it)).ok_or(Mp4Error::BreaksOff)
}

struct Track {
    id: u32,
    ticks_per_second: u64,
    runs: Vec<Run>,
}

/// `None` where the track is no video.
fn video_track(track: &[u8]) -> Result<Option<Track>, Mp4Error> {
    let media = descend(track, &[*b"mdia"])?;
    if descend(media, &[*b"hdlr"])?.get(8..12) != Some(b"vide") {
        return Ok(None);
    }
    let (head, media_head) = (descend(track, &[*b"tkhd"])?, descend(media, &[*b"mdhd"])?);
    let ticks_per_second = u64::from(word(media_head, after_times(media_head))?);
    let times = descend(media, &[*b"minf", *b"stbl", *b"stts"])?;
    let mut runs = Vec::new();
    for index in 0..usize::try_from(word(times, 4)?).unwrap_or(usize::MAX) {
        let at = index.saturating_mul(8).saturating_add(8);
        runs.push((u64::from(word(times, at)?), u64::from(word(times, at + 4)?)));
    }
    Ok(Some(Track { id: word(head, after_times(head))?, ticks_per_second, runs }))
}

/// Where the field after the two moments of a head stands; version 1 has moments of 64 bits.
fn after_times(head: &[u8]) -> usize {
    if head.first() == Some(&1) { 20 } else { 12 }
}

/// The frames of one track in a movie fragment.
fn fragment_runs(
    fragment: &[u8],
    movie: &[Named<'_>],
    track_id: u32,
) -> Result<Vec<Run>, Mp4Error> {
    let mut runs = Vec::new();
    for track in all(&boxes(fragment)?, *b"traf") {
        let track = boxes(track)?;
        let head = find(&track, *b"tfhd").ok_or(Mp4Error::Lacks("table of its frames"))?;
        if word(head, 4)? != track_id {
            continue;
        }
        let default = default_duration(head, movie, track_id)?;
        for frames in all(&track, *b"trun") {
            let flags = word(frames, 0)?;
            let count = word(frames, 4)?;
            if flags & DURATION == 0 {
                runs.push((u64::from(count), u64::from(default)));
                continue;
            }
            let others = OTHER_FIELDS.iter().filter(|it| flags & **it != 0).count();
            let heads = [DATA_OFFSET, FIRST_FLAGS].iter().filter(|it| flags & **it != 0).count();
            for index in 0..usize::try_from(count).unwrap_or(usize::MAX) {
                let at = index.saturating_mul(4 + 4 * others).saturating_add(8 + 4 * heads);
                runs.push((1, u64::from(word(frames, at)?)));
            }
        }
    }
    Ok(runs)
}

/// How long a frame lasts where its fragment does not say.
fn default_duration(head: &[u8], movie: &[Named<'_>], track_id: u32) -> Result<u32, Mp4Error> {
    let flags = word(head, 0)?;
    if flags & DEFAULT_DURATION != 0 {
        let base = if flags & BASE_OFFSET == 0 { 0 } else { 8 };
        let description = if flags & DESCRIPTION == 0 { 0 } else { 4 };
        return word(head, 8 + base + description);
    }
    for extends in all(movie, *b"mvex") {
        for defaults in all(&boxes(extends)?, *b"trex") {
            if word(defaults, 4)? == track_id {
                return word(defaults, 12);
            }
        }
    }
    Ok(0)
}

fn length_ms(runs: &[Run], ticks_per_second: u64) -> u64 {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable_by_key(|(_, ticks)| *ticks);
    let count: u64 = runs.iter().map(|(frames, _)| frames).sum();
    let mut before = 0;
    let middle = sorted.iter().find(|(frames, _)| {
        before += frames;
        before * 2 >= count
    });
    let usual = middle.map_or(0, |(_, ticks)| *ticks);
    let short = ticks_per_second.saturating_mul(GAP_MS_MIN.unsigned_abs()) / 1_000;
    let longest = usual.saturating_mul(2).max(short);
    let ticks = runs.iter().map(|(frames, ticks)| frames.saturating_mul(*ticks.min(&longest)));
    let ticks = ticks.fold(0, u64::saturating_add);
    ticks.saturating_mul(1_000).checked_div(ticks_per_second).unwrap_or(0)
}

/// An MP4 for tests.
#[cfg(test)]
pub(crate) mod example {
    pub(crate) fn named(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], &name, &content].concat()
    }

    pub(crate) fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|it| it.to_be_bytes()).collect()
    }

    /// A track with ticks of a millisecond and these runs of frames.
    pub(crate) fn track(kind: [u8; 4], runs: &[u32]) -> Vec<u8> {
        let times = words(&[&[0, u32::try_from(runs.len() / 2).unwrap()], runs].concat());
        let table = named(*b"minf", &[&named(*b"stbl", &[&named(*b"stts", &[&times])])]);
        let handler = named(*b"hdlr", &[&words(&[0, 0]), &kind, &[0; 13]]);
        let head = named(*b"mdhd", &[&words(&[0, 0, 0, 1_000, 0, 0])]);
        let media = named(*b"mdia", &[&head, &handler, &table]);
        named(*b"trak", &[&named(*b"tkhd", &[&words(&[7, 0, 0, 1, 0, 0])]), &media])
    }

    pub(crate) fn file(parts: &[&[u8]]) -> Vec<u8> {
        [&named(*b"ftyp", &[b"isom"])[..], &named(*b"moov", parts), &named(*b"mdat", &[&[1; 100]])]
            .concat()
    }

    /// A clip that plays so long, in seconds, at ten frames a second.
    pub(crate) fn clip(length_s: u32) -> Vec<u8> {
        file(&[&track(*b"vide", &[length_s * 10, 100])])
    }
}

#[cfg(test)]
mod tests {
    use super::example::{file, named, track, words};
    use super::*;

    #[test]
    fn the_pictures_play_as_long_as_their_frames_last() {
        let (video, sound) = (track(*b"vide", &[10, 100, 5, 80]), track(*b"soun", &[1, 9_000]));
        assert_eq!(played_ms(&file(&[&sound, &video])), Ok(1_400));
        assert_eq!(played_ms(&file(&[&track(*b"vide", &[30, 1_000])])), Ok(30_000), "1 a second");
        assert_eq!(played_ms(&file(&[&sound])), Err(Mp4Error::Lacks("video track")));
    }

    #[test]
    fn a_frame_that_fills_a_gap_does_not_stand_for_missing_ones() {
        assert_eq!(played_ms(&file(&[&track(*b"vide", &[10, 100, 1, 40_000])])), Ok(1_250));
    }

    #[test]
    fn a_fragmented_file_is_counted_by_its_fragments() {
        let defaults = named(*b"mvex", &[&named(*b"trex", &[&words(&[0, 1, 1, 50, 0, 0])])]);
        let start = file(&[&track(*b"vide", &[]), &defaults]);
        let fragment = |head: &[u32], frames: &[u32]| {
            let head = named(*b"tfhd", &[&words(head)]);
            named(*b"moof", &[&named(*b"traf", &[&head, &named(*b"trun", &[&words(frames)])])])
        };
        let usual = fragment(&[0, 1], &[0, 4]);
        let own = fragment(&[BASE_OFFSET | DEFAULT_DURATION, 1, 0, 0, 60], &[DATA_OFFSET, 2, 0]);
        let each = fragment(&[0, 1], &[DURATION | 0x200, 2, 40, 999, 45, 999]);
        let other = fragment(&[0, 2], &[0, 100]);
        let whole = [start, usual, own, each, other].concat();
        assert_eq!(played_ms(&whole), Ok(4 * 50 + 2 * 60 + 40 + 45));
    }

    #[test]
    fn a_file_that_breaks_off_anywhere_is_no_clip() {
        let whole = file(&[&track(*b"vide", &[10, 100])]);
        assert_eq!(played_ms(&whole), Ok(1_000));
        for length in 0..whole.len() {
            assert!(played_ms(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
        assert_eq!(played_ms(&named(*b"mdat", &[&[1; 9]])), Err(Mp4Error::Lacks("index")));
        let lies = track(*b"vide", &[10, 100]);
        let lies = lies.iter().map(|it| if *it == b's' { 0xFF } else { *it }).collect::<Vec<_>>();
        assert!(played_ms(&file(&[&lies])).is_err());
    }

    #[test]
    fn sizes_of_64_bits_and_to_the_end_are_read() {
        let moov = named(*b"moov", &[&track(*b"vide", &[10, 100])]);
        let large = [&words(&[1])[..], b"mdat", &30_u64.to_be_bytes(), &[1; 14]].concat();
        assert_eq!(played_ms(&[&moov[..], &large].concat()), Ok(1_000));
        assert_eq!(played_ms(&[&moov[..], &words(&[0]), b"mdat", &[1; 9]].concat()), Ok(1_000));
    }
}
