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
    /// Nothing of it is: what it builds on is no longer on record.
    MovedOn,
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
    #[error("the case kept changing meanwhile")]
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

/// The same for the case that a case has become part of; `by` is who asks.
pub async fn amend_standing(
    table: &impl CaseTable,
    case_id: &str,
    by: &str,
    change: impl Fn(&CaseItem) -> Option<Change>,
) -> Result<CaseItem, StepError> {
    for attempt in 1..=ATTEMPTS_MAX {
        let case = fetch_standing(table, case_id).await?;
        let Some(change) = change(&case) else { return Ok(case) };
        if table.put_change(&change).await? == Written::Done {
            return Ok(change.case);
        }
        table.pause(spread(attempt, by)).await;
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
    let mut case = fetch(table, case_id).await?;
    for _ in 0..MERGES_MAX {
        let Some(into) = case.merged_into.clone() else { return Ok(case) };
        case = fetch(table, &into).await?;
    }
    Err(StepError::permanent("follow case", case_id, CaseError::Endless))
}

#[cfg(any(test, feature = "doubles"))]
pub mod doubles;
pub mod memory;
