//! The case table, as steps see it: read a case, and write a change unless the case has moved on.
//!
//! Owns the repetition: whoever loses a race reads the case again and asks for the change again, after
//! a pause. A change is never half written.

use contract::case::CaseItem;

use crate::case::Change;
use crate::step::{Pause, StepError, spread};

/// How often a change is asked for again because the case had moved on. Our choice, computed: of 100
/// writers of one case that meet (as many as `respond` may have), each reading for 30 to 100 ms and
/// writing for 20 to 30, the last is done at its 17th to 24th attempt; with the pauses of `step` that
/// is within 18 of the 30 seconds that `respond` has.
pub const ATTEMPTS_MAX: u32 = 24;

/// How often a case may have become part of another, which became part of another. Our choice: more
/// than one camera has incidents in an hour.
const MERGES_MAX: usize = 4_000;

/// What happened to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is on record, whole.
    Done,
    /// Nothing of it is: what it builds on is no longer on record, or the table had too much to do.
    Refused,
}

/// The case table.
#[expect(async_fn_in_trait, reason = "only our own binary and tests implement it")]
pub trait CaseTable: Pause {
    /// Reads a case as it is now.
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError>;
    /// Writes a change, all or nothing.
    async fn put_change(&self, change: &Change) -> Result<Written, StepError>;
}

/// Why a case could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("the case is not on record")]
    Missing,
    #[error("the case kept changing meanwhile, or the table had too much to do")]
    Busy,
    #[error("the case became part of another too often")]
    Endless,
}

/// Changes a case until the change holds, and returns the case as it is then.
///
/// `change` returns `None` when there is nothing to change.
pub async fn amend(
    table: &impl CaseTable,
    case_id: &str,
    change: impl Fn(&CaseItem) -> Option<Change>,
) -> Result<CaseItem, StepError> {
    for attempt in 1..=ATTEMPTS_MAX {
        let case = fetch(table, case_id).await?;
        let Some(change) = change(&case) else { return Ok(case) };
        if table.put_change(&change).await? == Written::Done {
            return Ok(change.case);
        }
        table.pause(spread(attempt, case_id)).await;
    }
    Err(StepError::retryable("change case", case_id, CaseError::Busy))
}

/// The same for a case as it was just seen, or for the one that it has become part of since; `by` is
/// who asks.
pub async fn amend_standing(
    table: &impl CaseTable,
    seen: &CaseItem,
    by: &str,
    change: impl Fn(&CaseItem) -> Option<Change>,
) -> Result<CaseItem, StepError> {
    let case_id = &seen.case_id;
    let mut case = seen.clone();
    for attempt in 1..=ATTEMPTS_MAX {
        let Some(change) = change(&case) else { return Ok(case) };
        if table.put_change(&change).await? == Written::Done {
            return Ok(change.case);
        }
        table.pause(spread(attempt, by)).await;
        case = fetch_standing(table, case_id).await?;
    }
    Err(StepError::retryable("change case", case_id, CaseError::Busy))
}

/// Reads a case that must be on record.
pub async fn fetch(table: &impl CaseTable, case_id: &str) -> Result<CaseItem, StepError> {
    let case = table.fetch_case(case_id).await?;
    case.ok_or_else(|| StepError::permanent("read case", case_id, CaseError::Missing))
}

/// Reads a case, or the one that it has become part of.
pub async fn fetch_standing(table: &impl CaseTable, case_id: &str) -> Result<CaseItem, StepError> {
    let case = find_standing(table, case_id).await?;
    case.ok_or_else(|| StepError::permanent("read case", case_id, CaseError::Missing))
}

/// The same; `None` when somebody deleted it, as the law may want.
pub async fn find_standing(
    table: &impl CaseTable,
    case_id: &str,
) -> Result<Option<CaseItem>, StepError> {
    let mut next = case_id.to_owned();
    for _ in 0..=MERGES_MAX {
        let Some(case) = table.fetch_case(&next).await? else { return Ok(None) };
        let Some(into) = case.merged_into.clone() else { return Ok(Some(case)) };
        next = into;
    }
    Err(StepError::permanent("follow case", case_id, CaseError::Endless))
}

#[cfg(any(test, feature = "doubles"))]
pub mod doubles;
pub mod memory;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Attempts and milliseconds until the last of so many writers of one case is done: each reads
    /// for so long, writes for so long, and fails when another has written or is writing meanwhile.
    fn check(writers: u64, read_ms: u64, write_ms: u64) -> (u32, u64) {
        // Time, writer, attempt, and the version that was read, once it is time to write.
        let arrival = |writer| (writer * 2, writer, 1, None);
        let mut events: BTreeSet<(u64, u64, u32, Option<u64>)> =
            (0..writers).map(arrival).collect();
        let (mut version, mut written_ms, mut attempts) = (0, 0, 0);
        while let Some((now_ms, writer, attempt, read)) = events.pop_first() {
            let Some(read) = read else {
                // No two calls take as long as each other.
                let length_ms = read_ms + (writer * 31 + u64::from(attempt) * 17) % (read_ms / 3);
                events.insert((now_ms + length_ms, writer, attempt, Some(version)));
                continue;
            };
            if read == version && now_ms >= written_ms {
                version += 1;
                written_ms = now_ms + write_ms;
                attempts = attempts.max(attempt);
                continue;
            }
            let pause = spread(attempt, &format!("d-{writer}"));
            let pause_ms = u64::try_from(pause.as_millis()).unwrap();
            events.insert((now_ms + write_ms + pause_ms, writer, attempt + 1, None));
        }
        (attempts, written_ms)
    }

    #[test]
    fn a_hundred_writers_of_one_case_are_all_done_before_any_gives_up() {
        for (read_ms, write_ms) in [(30, 20), (60, 25), (100, 30)] {
            let (attempts, done_ms) = check(100, read_ms, write_ms);
            assert!(attempts <= ATTEMPTS_MAX, "{attempts} attempts");
            assert!(done_ms < 25_000, "{done_ms} ms of the 30 s that `respond` has");
        }
    }
}
