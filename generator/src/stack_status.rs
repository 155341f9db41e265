//! In which state CloudFormation says that a stack is: all its words, what each means for us, and what
//! `arm recover` does about it. One table; pure.
//!
//! A word that is not in it is no state that we know: [`Standing::of`] takes it for trouble, so that
//! nothing is done to such a stack. To add a word, add a variant, its row in `TABLE`, and
//! what `recover` does about it.

/// A stack's status. Source: CloudFormation API reference, `Stack`, `StackStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StackStatus {
    CreateInProgress,
    CreateFailed,
    CreateComplete,
    RollbackInProgress,
    RollbackFailed,
    RollbackComplete,
    DeleteInProgress,
    DeleteFailed,
    DeleteComplete,
    UpdateInProgress,
    UpdateCompleteCleanupInProgress,
    UpdateComplete,
    UpdateFailed,
    UpdateRollbackInProgress,
    UpdateRollbackFailed,
    UpdateRollbackCompleteCleanupInProgress,
    UpdateRollbackComplete,
    ReviewInProgress,
    ImportInProgress,
    ImportComplete,
    ImportRollbackInProgress,
    ImportRollbackFailed,
    ImportRollbackComplete,
}

/// What a status means for whoever wants to do something with the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no stack.
    Absent,
    /// A change set was made for a stack that is not there, and never executed: a name without
    /// anything in it.
    Shell,
    /// It is what its last good template says, and can be updated.
    Settled,
    /// The stack is there, and holds nothing: its creation was rolled back.
    Void,
    /// Something is changing it.
    Moving,
    /// Something failed, and no update is possible until somebody does something.
    Stuck,
}

/// What `arm recover` does about a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// There is nothing to do.
    Nothing,
    /// Deletes the shell, which holds nothing.
    DeleteShell,
    /// Deletes the stack, so that the next deploy can make it; what its template retains stays.
    Delete,
    /// Deletes it again; what cannot be deleted is left outside the stack.
    DeleteAgain,
    /// Takes the failed update back.
    RollBack,
    /// Goes on with the rollback; what cannot be rolled back is skipped.
    ContinueRollback,
    /// Follows what is under way to its end.
    Follow,
    /// Names what failed; CloudFormation has no call that mends it.
    ByHand,
}

impl Remedy {
    /// What `arm recover` will do, as a sentence without a subject.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Nothing => "does nothing: there is nothing to recover",
            Self::DeleteShell => "deletes the shell, which holds nothing",
            Self::Delete => {
                "deletes the stack, so that `arm deploy` can make it again; what its template retains \
                 stays in the account"
            }
            Self::DeleteAgain => {
                "deletes it again, first as it is; what still cannot be deleted is left in the account, \
                 outside the stack"
            }
            Self::RollBack => "takes the failed update back, to the last template that was good",
            Self::ContinueRollback => {
                "goes on with the rollback, first without skipping anything, then skipping only what \
                 failed"
            }
            Self::Follow => "follows what is under way to its end, and changes nothing",
            Self::ByHand => {
                "names what failed, and changes nothing: CloudFormation has no call that ends this \
                 state"
            }
        }
    }
}

impl StackStatus {
    /// Every status.
    pub const ALL: [Self; 23] = [
        Self::CreateInProgress,
        Self::CreateFailed,
        Self::CreateComplete,
        Self::RollbackInProgress,
        Self::RollbackFailed,
        Self::RollbackComplete,
        Self::DeleteInProgress,
        Self::DeleteFailed,
        Self::DeleteComplete,
        Self::UpdateInProgress,
        Self::UpdateCompleteCleanupInProgress,
        Self::UpdateComplete,
        Self::UpdateFailed,
        Self::UpdateRollbackInProgress,
        Self::UpdateRollbackFailed,
        Self::UpdateRollbackCompleteCleanupInProgress,
        Self::UpdateRollbackComplete,
        Self::ReviewInProgress,
        Self::ImportInProgress,
        Self::ImportComplete,
        Self::ImportRollbackInProgress,
        Self::ImportRollbackFailed,
        Self::ImportRollbackComplete,
    ];

    /// The status that CloudFormation calls so.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// CloudFormation's word, such as `CREATE_COMPLETE`.
    pub fn as_str(self) -> &'static str {
        self.row().word
    }

    pub fn standing(self) -> Standing {
        self.row().standing
    }

    /// What `arm recover` does about it.
    pub fn remedy(self) -> Remedy {
        self.row().remedy
    }

    /// What it means, as a sentence about the stack without its subject.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// Whether a stack can be made under this name.
    pub fn can_create(self) -> bool {
        matches!(self.standing(), Standing::Absent | Standing::Shell)
    }

    /// Whether a change set can be made for the stack as it is.
    pub fn can_update(self) -> bool {
        self.standing() == Standing::Settled
    }

    /// Whether an operation has ended in it; false for a shell, on which none has begun.
    pub fn is_final(self) -> bool {
        !matches!(self.standing(), Standing::Moving | Standing::Shell)
    }

    /// Whether the last operation made the stack what it was asked to be; false for one that is gone.
    pub fn is_success(self) -> bool {
        matches!(self, Self::CreateComplete | Self::UpdateComplete | Self::ImportComplete)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.status == self).expect("the table has a row for every status")
    }
}

/// What is known of one status.
struct Row {
    status: StackStatus,
    word: &'static str,
    standing: Standing,
    remedy: Remedy,
    meaning: &'static str,
}

const fn row(
    status: StackStatus,
    word: &'static str,
    standing: Standing,
    remedy: Remedy,
    meaning: &'static str,
) -> Row {
    Row { status, word, standing, remedy, meaning }
}

/// The table.
#[rustfmt::skip]
const TABLE: [Row; 23] = {
    use Remedy::{
        ByHand, ContinueRollback, Delete, DeleteAgain, DeleteShell, Follow, Nothing, RollBack,
    };
    use StackStatus as Is;
    use Standing::{Absent, Moving, Settled, Shell, Stuck, Void};
    [
        row(Is::CreateInProgress, "CREATE_IN_PROGRESS", Moving, Follow,
            "is being made"),
        row(Is::CreateFailed, "CREATE_FAILED", Stuck, Delete,
            "was not made, and what was begun was left as it is"),
        row(Is::CreateComplete, "CREATE_COMPLETE", Settled, Nothing,
            "was made, and stands"),
        row(Is::RollbackInProgress, "ROLLBACK_IN_PROGRESS", Moving, Follow,
            "could not be made, and is being taken back"),
        row(Is::RollbackFailed, "ROLLBACK_FAILED", Stuck, Delete,
            "could not be made, and not all of it could be taken back"),
        row(Is::RollbackComplete, "ROLLBACK_COMPLETE", Void, Delete,
            "could not be made, was taken back, and can only be deleted"),
        row(Is::DeleteInProgress, "DELETE_IN_PROGRESS", Moving, Follow,
            "is being deleted"),
        row(Is::DeleteFailed, "DELETE_FAILED", Stuck, DeleteAgain,
            "was to be deleted, and some of it could not be"),
        row(Is::DeleteComplete, "DELETE_COMPLETE", Absent, Nothing,
            "was deleted"),
        row(Is::UpdateInProgress, "UPDATE_IN_PROGRESS", Moving, Follow,
            "is being updated"),
        row(Is::UpdateCompleteCleanupInProgress, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Moving, Follow,
            "was updated, and what it replaced is being deleted"),
        row(Is::UpdateComplete, "UPDATE_COMPLETE", Settled, Nothing,
            "was updated, and stands"),
        row(Is::UpdateFailed, "UPDATE_FAILED", Stuck, RollBack,
            "could not be updated, and what was begun was left as it is"),
        row(Is::UpdateRollbackInProgress, "UPDATE_ROLLBACK_IN_PROGRESS", Moving, Follow,
            "could not be updated, and is being taken back to what it was"),
        row(Is::UpdateRollbackFailed, "UPDATE_ROLLBACK_FAILED", Stuck, ContinueRollback,
            "could not be updated, and could not be taken back to what it was"),
        row(Is::UpdateRollbackCompleteCleanupInProgress, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", Moving, Follow,
            "was taken back to what it was, and what the update had made is being deleted"),
        row(Is::UpdateRollbackComplete, "UPDATE_ROLLBACK_COMPLETE", Settled, Nothing,
            "could not be updated, was taken back to what it was, and stands"),
        row(Is::ReviewInProgress, "REVIEW_IN_PROGRESS", Shell, DeleteShell,
            "is only a name: a change set was made to create it, and never executed"),
        row(Is::ImportInProgress, "IMPORT_IN_PROGRESS", Moving, Follow,
            "is taking in resources that were there"),
        row(Is::ImportComplete, "IMPORT_COMPLETE", Settled, Nothing,
            "took in resources that were there, and stands"),
        row(Is::ImportRollbackInProgress, "IMPORT_ROLLBACK_IN_PROGRESS", Moving, Follow,
            "could not take in resources that were there, and is being taken back"),
        row(Is::ImportRollbackFailed, "IMPORT_ROLLBACK_FAILED", Stuck, ByHand,
            "could not take in resources that were there, and could not be taken back"),
        row(Is::ImportRollbackComplete, "IMPORT_ROLLBACK_COMPLETE", Settled, Nothing,
            "could not take in resources that were there, was taken back, and stands"),
    ]
};

impl Standing {
    /// The standing of a stack in the status of this word; a word that we do not know is trouble.
    pub fn of(word: &str) -> Self {
        StackStatus::parse(word).map_or(Self::Stuck, StackStatus::standing)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn every_status_has_one_word_and_is_found_by_it() {
        for status in StackStatus::ALL {
            assert_eq!(StackStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(StackStatus::parse("create_complete"), None);
        assert_eq!(Standing::of("BROKEN_IN_PROGRESS"), Standing::Stuck);
    }

    #[test]
    fn every_status_says_what_can_be_done_with_the_stack() {
        let mut table = String::new();
        for it in StackStatus::ALL {
            let can = [
                (it.can_create(), "create"),
                (it.can_update(), "update"),
                (it.is_final(), "final"),
                (it.is_success(), "success"),
            ];
            let can: Vec<_> = can.iter().filter(|it| it.0).map(|it| it.1).collect();
            let standing = format!("{:?}", it.standing());
            let remedy = format!("{:?}", it.remedy());
            let row = format!("{:<44} {standing:<8} {remedy:<16} {}", it.as_str(), can.join(" "));
            writeln!(table, "{}", row.trim_end()).unwrap();
        }
        insta::assert_snapshot!(table, @r"
        CREATE_IN_PROGRESS                           Moving   Follow
        CREATE_FAILED                                Stuck    Delete           final
        CREATE_COMPLETE                              Settled  Nothing          update final success
        ROLLBACK_IN_PROGRESS                         Moving   Follow
        ROLLBACK_FAILED                              Stuck    Delete           final
        ROLLBACK_COMPLETE                            Void     Delete           final
        DELETE_IN_PROGRESS                           Moving   Follow
        DELETE_FAILED                                Stuck    DeleteAgain      final
        DELETE_COMPLETE                              Absent   Nothing          create final
        UPDATE_IN_PROGRESS                           Moving   Follow
        UPDATE_COMPLETE_CLEANUP_IN_PROGRESS          Moving   Follow
        UPDATE_COMPLETE                              Settled  Nothing          update final success
        UPDATE_FAILED                                Stuck    RollBack         final
        UPDATE_ROLLBACK_IN_PROGRESS                  Moving   Follow
        UPDATE_ROLLBACK_FAILED                       Stuck    ContinueRollback final
        UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS Moving   Follow
        UPDATE_ROLLBACK_COMPLETE                     Settled  Nothing          update final
        REVIEW_IN_PROGRESS                           Shell    DeleteShell      create
        IMPORT_IN_PROGRESS                           Moving   Follow
        IMPORT_COMPLETE                              Settled  Nothing          update final success
        IMPORT_ROLLBACK_IN_PROGRESS                  Moving   Follow
        IMPORT_ROLLBACK_FAILED                       Stuck    ByHand           final
        IMPORT_ROLLBACK_COMPLETE                     Settled  Nothing          update final
        ");
    }
}
