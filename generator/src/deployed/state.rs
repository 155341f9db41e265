//! In what state a stack is, as far as a comparison needs it: is it there, is it what its template
//! says, can it be updated. Pure.
//!
//! Source of the words: CloudFormation API reference, `Stack`, `StackStatus`. A word that is not known
//! is taken for trouble, and said.

use crate::review::Omission;

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is no stack, or only the shell of one.
    Absent,
    /// The stack is there, and holds nothing: its creation was rolled back.
    Void,
    /// It is what its template says, and can be updated.
    Settled,
    /// Something is changing it.
    Moving,
    /// Something failed.
    Broken,
}

impl State {
    pub(super) fn of(status: &str) -> Self {
        match status {
            "REVIEW_IN_PROGRESS" | "DELETE_COMPLETE" => Self::Absent,
            "ROLLBACK_COMPLETE" => Self::Void,
            "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "UPDATE_ROLLBACK_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE" => Self::Settled,
            status if status.ends_with("_IN_PROGRESS") => Self::Moving,
            _ => Self::Broken,
        }
    }

    /// What a reader must know of a stack in this state; `{}` stands for its name. Where what is there
    /// may be other than its template, so may be what a change does to it.
    pub(super) fn omission(self, status: &str) -> Option<Omission> {
        let text = match self {
            Self::Absent | Self::Settled => return None,
            Self::Void => {
                "with nothing in it; counts as new, and must be deleted before `arm deploy` can make it"
            }
            Self::Moving => {
                "something is at work there, and what is there may not be what its template says"
            }
            Self::Broken => {
                "only its template is compared, and what is there may be other; see its events"
            }
        };
        let text = format!("{{}}: in {status}; {text}");
        Some(if self == Self::Void { Omission::known(text) } else { Omission::gap(text) })
    }
}
