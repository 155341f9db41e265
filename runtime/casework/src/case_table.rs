//! The case table, as steps see it: read a case, and write a change unless the case has moved on.
//!
//! Owns the repetition: whoever loses a race reads the case again and asks for the change again, after
//! a pause. A change is never half written.

use contract::case::CaseItem;

use crate::case::Change;
use crate::step::{Pause, StepError, backoff};

/// How often a change is asked for again because the case had moved on. Our choice: each attempt
/// loses only to one that won, so this many writers of one case can meet.
pub const ATTEMPTS_MAX: u32 = 12;

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
        table.pause(backoff(attempt)).await;
    }
    Err(StepError::retryable("change case", case_id, CaseError::Busy))
}

/// Reads a case that must be on record.
pub async fn fetch(table: &impl CaseTable, case_id: &str) -> Result<CaseItem, StepError> {
    let case = table.fetch_case(case_id).await?;
    case.ok_or_else(|| StepError::permanent("read case", case_id, CaseError::Missing))
}

#[cfg(any(test, feature = "doubles"))]
pub mod doubles;
pub mod memory;
