//! How a clip is cut out of a stream: when, from which fragments, in how many parts. Pure.
//!
//! Nothing that the stream holds is left out: what one object cannot hold goes into further parts,
//! and what `GetClip` would leave out is read as raw fragments. Nothing is cut short silently: what
//! the stream lacks is named as gaps. Start at [`plan`].

use contract::evidence::EvidenceProgress;

use crate::evidence::Range;
use crate::fragment::{self, Fragment, GAP_MS_MIN};
use crate::time::parse_ms;

/// Most bytes and fragments of one clip; `GetClip` leaves out the rest without saying so. Source:
/// API reference of the archived media API, `GetClip`,
/// <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetClip.html>.
pub const CLIP_BYTES_MAX: u64 = 100_000_000;
/// See [`CLIP_BYTES_MAX`].
pub const CLIP_FRAGMENTS_MAX: usize = 200;

/// How far beyond the first and last fragment's start a clip is asked for, in milliseconds: a time
/// travels as a float, and one that loses a hair on the way loses a fragment. Our choice; no two
/// fragments start so close.
const EDGE_MS: i64 = 1;

/// What to do about a request, given what the stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The end has not arrived; look again after so many seconds.
    Wait { delay_s: i32 },
    /// Cut this clip, or this part of it.
    Cut(Cut),
    /// There is nothing to cut, and nothing will come.
    Nothing,
}

/// A clip to cut, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What to ask for: from the first fragment's start, because a fragment that starts before the
    /// asked start is left out whole, to the last one's start, so that no further one is in.
    pub ask: Range,
    /// What it shows.
    pub shows: Range,
    pub fragments: Vec<Fragment>,
    /// Stretches of what was wanted, since the end of the part before, that it does not show.
    pub gaps: Vec<Range>,
    /// Why raw fragments are kept and no MP4 is asked for.
    pub raw_reason: Option<String>,
    /// Whether no part follows.
    pub is_last: bool,
    /// Start of the last fragment that it was to show.
    pub until_ms: i64,
    /// From where on gaps count, and to where; no end: to the end of what it shows.
    counts: (i64, Option<i64>),
}

/// How long a request may still wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub now_ms: i64,
    pub deadline_ms: i64,
    /// How often the request was put back.
    pub attempt: u32,
}

/// How far the parts that are kept already reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Start of the last fragment in them.
    pub until_ms: i64,
    /// End of what they show.
    pub end_ms: i64,
}

impl Reached {
    /// `None` where nothing is kept yet.
    pub fn of(progress: Option<&EvidenceProgress>) -> Option<Self> {
        let EvidenceProgress { parts, until_ms } = progress?;
        Some(Self { until_ms: *until_ms, end_ms: parse_ms(&parts.last()?.end)? })
    }
}

/// Decides about a request: `fragments` are those around `range`, in order.
pub fn plan(
    range: Range,
    fragments: Vec<Fragment>,
    reached: Option<Reached>,
    patience: Patience,
) -> Plan {
    let mut fragments = within(range, fragments);
    let covered_ms = fragments.iter().map(Fragment::end_ms).max().unwrap_or(i64::MIN);
    let is_late = covered_ms < range.end_ms.saturating_sub(GAP_MS_MIN - 1);
    if is_late && patience.now_ms < patience.deadline_ms {
        return Plan::Wait { delay_s: patience.delay_s() };
    }
    fragments.retain(|it| reached.is_none_or(|reached| it.start_ms > reached.until_ms));
    if fragments.is_empty() {
        return Plan::Nothing;
    }
    let from_ms = reached.map_or(range.start_ms, |reached| reached.end_ms);
    let fitting = fitting(&fragments);
    let end_ms = (fitting == fragments.len()).then_some(range.end_ms);
    fragments.truncate(fitting);
    Plan::Cut(Cut::new(from_ms, end_ms, fragments))
}

/// Milliseconds of a range that no fragment shows.
pub fn missing_ms(range: Range, fragments: &[Fragment]) -> i64 {
    let gaps = fragment::gaps(fragments, range.start_ms, range.end_ms);
    gaps.into_iter().map(|(start_ms, end_ms)| end_ms - start_ms).sum()
}

fn within(range: Range, mut fragments: Vec<Fragment>) -> Vec<Fragment> {
    fragments.retain(|it| it.start_ms < range.end_ms && it.end_ms() > range.start_ms);
    fragments
}

/// How many of the fragments, from the first, one object can hold; at least one.
fn fitting(fragments: &[Fragment]) -> usize {
    let mut clip_bytes: u64 = 0;
    let fits = |fragment: &&Fragment| {
        clip_bytes = clip_bytes.saturating_add(fragment.bytes);
        clip_bytes <= CLIP_BYTES_MAX
    };
    fragments.iter().take(CLIP_FRAGMENTS_MAX).take_while(fits).count().max(1)
}

impl Cut {
    /// The cut that keeps these fragments; `end_ms` is the end of what is wanted where no part
    /// follows.
    fn new(from_ms: i64, end_ms: Option<i64>, fragments: Vec<Fragment>) -> Self {
        let first_ms = fragments.first().map_or(from_ms, |it| it.start_ms);
        let last_ms = fragments.last().map_or(from_ms, |it| it.start_ms);
        let shows_end_ms = fragments.iter().map(Fragment::end_ms).max().unwrap_or(from_ms);
        let gaps = fragment::gaps(&fragments, from_ms, end_ms.unwrap_or(shows_end_ms));
        let range = |(start_ms, end_ms)| Range { start_ms, end_ms };
        Self {
            ask: Range { start_ms: first_ms - EDGE_MS, end_ms: last_ms + EDGE_MS },
            shows: Range { start_ms: first_ms, end_ms: shows_end_ms },
            gaps: gaps.into_iter().map(range).collect(),
            raw_reason: overlap(&fragments),
            is_last: end_ms.is_some(),
            until_ms: last_ms,
            counts: (from_ms, end_ms),
            fragments,
        }
    }

    /// Whether a clip that plays so long shows every fragment. Rounded frame times may cost less
    /// than half a fragment; a fragment that is left out costs more.
    pub fn is_whole(&self, played_ms: u64) -> bool {
        let gaps = fragment::gaps(&self.fragments, self.shows.start_ms, self.shows.end_ms);
        let gaps_ms: i64 = gaps.into_iter().map(|(start_ms, end_ms)| end_ms - start_ms).sum();
        let covered_ms = self.shows.end_ms - self.shows.start_ms - gaps_ms;
        let count = i64::try_from(self.fragments.len()).unwrap_or(i64::MAX).max(1);
        let tolerance_ms = (covered_ms / count / 2).max(GAP_MS_MIN);
        i64::try_from(played_ms).unwrap_or(i64::MAX) >= covered_ms - tolerance_ms
    }

    /// The first half of a cut that may be too much for `GetClip` after all; `None` for one that is
    /// far below its limits.
    pub fn first_half(&self) -> Option<Self> {
        let bytes = self.fragments.iter().map(|it| it.bytes).fold(0, u64::saturating_add);
        let count = self.fragments.len();
        let is_large = bytes > CLIP_BYTES_MAX / 2 || count > CLIP_FRAGMENTS_MAX / 2;
        let half: Vec<_> = self.fragments.iter().take(count / 2).cloned().collect();
        (is_large && !half.is_empty()).then(|| Self::new(self.counts.0, None, half))
    }

    /// The same cut with only these of its fragments: what the others show becomes a gap.
    #[must_use]
    pub fn with_only(&self, fragments: Vec<Fragment>) -> Self {
        let (from_ms, end_ms) = self.counts;
        Self { until_ms: self.until_ms, ..Self::new(from_ms, end_ms, fragments) }
    }
}

/// Why `GetClip` would leave out some of these: it shows no moment twice.
fn overlap(fragments: &[Fragment]) -> Option<String> {
    let mut covered_ms = i64::MIN;
    let overlaps = fragments.iter().any(|it| {
        let overlaps = it.start_ms < covered_ms.saturating_sub(GAP_MS_MIN);
        covered_ms = covered_ms.max(it.end_ms());
        overlaps
    });
    overlaps.then(|| "the stream holds two takes of one moment".to_owned())
}

impl Patience {
    /// Seconds until the next look: 5, 10, 20, 40, then every minute.
    pub fn delay_s(self) -> i32 {
        [5, 10, 20, 40].get(usize::try_from(self.attempt).unwrap_or(4)).copied().unwrap_or(60)
    }
}

/// Seconds until a call that failed is tried again: 15, 30, 60 and so on up to a quarter of an hour,
/// the longest that a queue delays a message.
pub fn retry_delay_s(attempt: u32) -> i32 {
    (15 << attempt.min(6)).min(900)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fragments of two seconds, by their start in seconds.
    fn fragments(starts_s: &[i64], bytes: u64) -> Vec<Fragment> {
        let fragment = |start_s: &i64| Fragment {
            number: start_s.to_string(),
            bytes,
            start_ms: start_s * 1_000,
            length_ms: 2_000,
        };
        starts_s.iter().map(fragment).collect()
    }

    const WANTED: Range = Range { start_ms: 11_000, end_ms: 19_000 };

    fn check(fragments: Vec<Fragment>, now_ms: i64) -> Plan {
        plan(WANTED, fragments, None, Patience { now_ms, deadline_ms: 100_000, attempt: 1 })
    }

    fn cut(fragments: Vec<Fragment>) -> Cut {
        let Plan::Cut(cut) = check(fragments, 100_000) else { panic!("something is there") };
        cut
    }

    /// The parts of a clip, one after the other.
    fn parts(range: Range, fragments: &[Fragment]) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        let patience = Patience { now_ms: 0, deadline_ms: 0, attempt: 0 };
        loop {
            let last = cuts.last();
            let reached =
                last.map(|cut| Reached { until_ms: cut.until_ms, end_ms: cut.shows.end_ms });
            match plan(range, fragments.to_vec(), reached, patience) {
                Plan::Cut(cut) => cuts.push(cut),
                _ => return cuts,
            }
        }
    }

    fn gap(start_ms: i64, end_ms: i64) -> Range {
        Range { start_ms, end_ms }
    }

    #[test]
    fn a_covered_range_is_cut_from_the_fragment_before_it() {
        let Plan::Cut(cut) = check(fragments(&[8, 10, 12, 14, 16, 18, 20], 1), 0) else {
            panic!("all is there")
        };
        assert_eq!(cut.shows, gap(10_000, 20_000));
        assert_eq!(cut.ask, gap(9_999, 18_001));
        assert_eq!((cut.fragments.len(), cut.gaps, cut.raw_reason), (5, Vec::new(), None));
        assert!(cut.is_last);
    }

    #[test]
    fn a_fragment_that_begins_before_the_last_one_ends_is_not_taken_in() {
        let mut late = fragments(&[10, 12, 14, 16, 18, 20], 1);
        late[4].length_ms = 2_100;
        let Plan::Cut(late) = check(late, 0) else { panic!("all is there") };
        assert_eq!((late.shows.end_ms, late.ask.end_ms), (20_100, 18_001));
        assert_eq!(late.raw_reason, None);
        assert_eq!(cut(fragments(&[18], 1)).ask, gap(17_999, 18_001));
    }

    #[test]
    fn a_missing_end_is_waited_for_until_the_deadline() {
        let some = || fragments(&[10, 12, 14], 1);
        assert_eq!(check(some(), 99_999), Plan::Wait { delay_s: 10 });
        assert_eq!(cut(some()).gaps, [gap(16_000, 19_000)]);
        assert_eq!(check(Vec::new(), 0), Plan::Wait { delay_s: 10 });
        assert_eq!(check(Vec::new(), 100_000), Plan::Nothing);
    }

    #[test]
    fn a_hole_before_the_end_is_a_gap_and_not_waited_for() {
        let Plan::Cut(cut) = check(fragments(&[12, 16, 18], 1), 0) else {
            panic!("the end is there")
        };
        assert_eq!(cut.gaps, [gap(11_000, 12_000), gap(14_000, 16_000)]);
        assert_eq!(missing_ms(WANTED, &cut.fragments), 3_000);
    }

    #[test]
    fn what_one_object_cannot_hold_goes_into_further_parts() {
        let large = fragments(&[10, 12, 14, 16, 18], CLIP_BYTES_MAX / 3);
        let cuts = parts(WANTED, &large);
        let shown: Vec<_> = cuts.iter().map(|it| (it.shows, it.is_last)).collect();
        assert_eq!(shown, [(gap(10_000, 16_000), false), (gap(16_000, 20_000), true)]);
        assert_eq!((cuts[0].ask, cuts[1].ask), (gap(9_999, 14_001), gap(15_999, 18_001)));
        assert!(cuts.iter().all(|it| it.gaps.is_empty()));
        let huge = parts(WANTED, &fragments(&[10, 14, 18], CLIP_BYTES_MAX + 1));
        let gaps: Vec<_> = huge.iter().map(|it| it.gaps.clone()).collect();
        assert_eq!(gaps, [vec![], vec![gap(12_000, 14_000)], vec![gap(16_000, 18_000)]]);
    }

    #[test]
    fn every_fragment_is_in_exactly_one_part() {
        let starts: Vec<_> = (0..450).map(|it| it * 2).collect();
        let all = fragments(&starts, 600_000);
        let cuts = parts(gap(0, 900_000), &all);
        let counts: Vec<_> = cuts.iter().map(|it| it.fragments.len()).collect();
        assert_eq!(counts, [166, 166, 118]);
        assert_eq!(cuts.into_iter().flat_map(|it| it.fragments).collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_clip_that_lacks_a_fragment_is_not_whole_and_rounding_is_no_loss() {
        let five = cut(fragments(&[10, 12, 14, 16, 18], 1));
        assert!(five.is_whole(10_000) && five.is_whole(9_100) && five.is_whole(10_400));
        assert!(!five.is_whole(8_000) && !five.is_whole(0));
        let gap = cut(fragments(&[10, 18], 1));
        assert!(gap.is_whole(4_000) && !gap.is_whole(2_000));
    }

    #[test]
    fn only_what_is_large_is_halved() {
        assert_eq!(cut(fragments(&[10, 12, 14, 16, 18], 1)).first_half(), None);
        let half = cut(fragments(&[10, 12, 14, 16, 18], CLIP_BYTES_MAX / 6)).first_half().unwrap();
        assert_eq!((half.shows, half.is_last), (gap(10_000, 14_000), false));
        assert_eq!(half.gaps, []);
    }

    #[test]
    fn what_cannot_be_read_of_a_cut_becomes_a_gap_and_is_passed_over() {
        let whole = cut(fragments(&[10, 12, 14, 16, 18], 1));
        let less = whole.with_only(fragments(&[10, 14, 16], 1));
        assert_eq!(less.gaps, [gap(12_000, 14_000), gap(18_000, 19_000)]);
        assert_eq!((less.until_ms, less.is_last), (18_000, true));
        assert_eq!(less.shows, gap(10_000, 18_000));
    }

    #[test]
    fn two_takes_of_one_moment_are_kept_raw_because_a_clip_shows_one() {
        let mut takes = fragments(&[10, 12, 12, 14, 16, 18], 1);
        takes[1].length_ms = 700;
        let cut = cut(takes);
        assert_eq!(cut.raw_reason.as_deref(), Some("the stream holds two takes of one moment"));
        assert_eq!((cut.fragments.len(), cut.gaps), (6, Vec::new()));
    }
}
