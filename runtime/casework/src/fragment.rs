//! Fragments: the pieces in which a stream keeps its video, about two seconds each.
//!
//! Times are the producer's, that is the camera's clock. A fragment belongs to the range in which
//! it starts, so that neighbouring ranges never share one. Pure.

/// One fragment, as the stream lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub number: String,
    pub bytes: u64,
    pub start_ms: i64,
    pub length_ms: i64,
}

/// Longest fragment that a stream accepts, in milliseconds. Source: Kinesis Video Streams quotas,
/// "`PutMedia`", <https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/limits.html>.
pub const LENGTH_MS_MAX: i64 = 20_000;

/// Shortest stretch without video that counts as missing, in milliseconds. Our choice: cameras
/// round frame times, and at four frames a second the next frame is that far away.
pub const GAP_MS_MIN: i64 = 250;

impl Fragment {
    /// First millisecond after the fragment.
    pub fn end_ms(&self) -> i64 {
        self.start_ms.saturating_add(self.length_ms.max(0))
    }
}

/// Sorts fragments by start. Of those with the same start only the oldest stays, which is the one
/// that `GetClip` takes.
pub fn in_order(fragments: Vec<Fragment>) -> Vec<Fragment> {
    let mut fragments = sorted(fragments);
    fragments.dedup_by_key(|fragment| fragment.start_ms);
    fragments
}

/// Sorts fragments by start and drops those that were sent again. Two with the same start that
/// differ both stay: a connection that broke left a part of one, or the camera's clock was set back.
pub fn without_repeats(fragments: Vec<Fragment>) -> Vec<Fragment> {
    let mut fragments = sorted(fragments);
    fragments.dedup_by_key(|it| (it.start_ms, it.length_ms, it.bytes));
    fragments
}

/// By start, and those with the same start by age.
fn sorted(mut fragments: Vec<Fragment>) -> Vec<Fragment> {
    fragments.sort_by(|a, b| {
        let age = |it: &Fragment| (it.start_ms, it.number.len());
        age(a).cmp(&age(b)).then_with(|| a.number.cmp(&b.number))
    });
    fragments
}

/// Cuts fragments into groups of at most `bytes_max` together, in order.
///
/// The error is the first fragment that is too large by itself.
pub fn groups(fragments: Vec<Fragment>, bytes_max: u64) -> Result<Vec<Vec<Fragment>>, Fragment> {
    let mut groups: Vec<Vec<Fragment>> = Vec::new();
    let mut group_bytes = 0;
    for fragment in fragments {
        if fragment.bytes > bytes_max {
            return Err(fragment);
        }
        let fits = group_bytes + fragment.bytes <= bytes_max;
        group_bytes = if fits { group_bytes + fragment.bytes } else { fragment.bytes };
        match groups.last_mut() {
            Some(group) if fits => group.push(fragment),
            _ => groups.push(vec![fragment]),
        }
    }
    Ok(groups)
}

/// The stretches of `start_ms..end_ms` of at least [`GAP_MS_MIN`] that no fragment shows.
///
/// Takes the fragments in order.
pub fn gaps(fragments: &[Fragment], start_ms: i64, end_ms: i64) -> Vec<(i64, i64)> {
    let mut gaps = Vec::new();
    let mut covered_ms = start_ms;
    for fragment in fragments {
        gaps.push((covered_ms, fragment.start_ms.min(end_ms)));
        covered_ms = covered_ms.max(fragment.end_ms());
    }
    gaps.push((covered_ms, end_ms));
    gaps.retain(|(from, to)| to - from >= GAP_MS_MIN);
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fragments of two seconds and 100 bytes, by their start in seconds.
    fn fragments(starts_s: &[i64]) -> Vec<Fragment> {
        let fragment = |(index, start_s): (usize, &i64)| Fragment {
            number: (index + 1).to_string(),
            bytes: 100,
            start_ms: start_s * 1_000,
            length_ms: 2_000,
        };
        starts_s.iter().enumerate().map(fragment).collect()
    }

    #[test]
    fn fragments_are_sorted_and_of_twins_the_older_stays() {
        let numbers: Vec<_> =
            in_order(fragments(&[4, 0, 2, 0])).into_iter().map(|it| it.number).collect();
        assert_eq!(numbers, ["2", "3", "1"]);
    }

    #[test]
    fn a_fragment_that_was_sent_again_counts_once_and_one_that_broke_off_beside_its_whole() {
        let mut sent = fragments(&[0, 2, 2, 2]);
        sent[1].bytes = 40;
        sent[1].length_ms = 700;
        let numbers: Vec<_> = without_repeats(sent).into_iter().map(|it| it.number).collect();
        assert_eq!(numbers, ["1", "2", "3"]);
    }

    #[test]
    fn groups_stay_within_the_limit_and_lose_nothing() {
        let sizes = |bytes_max| {
            groups(fragments(&[0, 2, 4, 6, 8]), bytes_max)
                .map(|groups| groups.iter().map(Vec::len).collect::<Vec<_>>())
        };
        assert_eq!(sizes(1_000), Ok(vec![5]));
        assert_eq!(sizes(200), Ok(vec![2, 2, 1]));
        assert_eq!(sizes(100), Ok(vec![1; 5]));
        assert_eq!(sizes(99).unwrap_err().number, "1");
        assert_eq!(groups(Vec::new(), 1), Ok(Vec::new()));
    }

    #[test]
    fn gaps_are_named_at_both_ends_and_inside() {
        let check = |starts: &[i64]| gaps(&fragments(starts), 1_000, 9_000);
        assert_eq!(check(&[0, 2, 4, 6, 8]), []);
        assert_eq!(check(&[2, 6]), [(1_000, 2_000), (4_000, 6_000), (8_000, 9_000)]);
        assert_eq!(check(&[]), [(1_000, 9_000)]);
        assert_eq!(check(&[0, 20]), [(2_000, 9_000)]);
    }

    #[test]
    fn a_frame_s_rounding_is_no_gap() {
        let mut fragments = fragments(&[0, 2, 4]);
        fragments[1].length_ms = 2_000 - GAP_MS_MIN + 1;
        assert_eq!(gaps(&fragments, 0, 6_000), []);
    }
}
