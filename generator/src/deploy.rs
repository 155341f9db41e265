//! Carries out a rollout: what stores share, then their stacks wave by wave, each by a change set.
//!
//! `plan.rs` says beforehand what will be done; `run.rs` goes through the waves, `cell.rs` is one cell of
//! it, `stack.rs` one stack. Every call waits for its turn in `pace.rs`, and one poller per cell
//! (`poller.rs`) knows how all stacks under way stand. What was begun stands in the journal first
//! (`journal.rs`), so that a run may stop anywhere and go on; `lock.rs` keeps a second one out.

mod cell;
mod change_set;
pub mod cloud;
mod gate;
pub mod journal;
pub mod lock;
mod pace;
pub mod plan;
mod poller;
pub mod progress;
mod run;
mod stack;

pub use crate::cause::StackEvent;
use crate::release::Release;

pub use cell::journal_key;
pub use cloud::{
    Alarm, AlarmState, ChangeSetKind, ChangeSetRequest, ChangeSetState, Cloud, CloudError,
    Condition, Creation, Execution, Page, ResourceKind, StackState, Stored, Trouble,
};
pub use pace::{Paced, list_paced};
pub use progress::{Failure, Pace, Progress, Summary, WaveSize};
pub use run::{Rollout, Surroundings, run};

/// Why a rollout could not be carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(
        "the credentials belong to account {found}, the cell `{cell}` is account {wanted}\n  \
         help: use credentials of the cell's account, or correct `account` in fleet.yaml; nothing \
         was touched"
    )]
    WrongAccount { cell: String, wanted: String, found: String },
    #[error(
        "another run is at work on the cell `{cell}`: {by}, since {since}\n  help: wait until it has \
         ended; one that died is taken over five minutes after its last sign of life"
    )]
    Held { cell: String, by: String, since: String },
    #[error(
        "another run has taken over the cell `{cell}`: this one gave no sign of life for minutes\n  \
         help: look at what the other one does; then `arm deploy --resume`"
    )]
    Lost { cell: String },
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Refuses credentials of another account than the release's; to be asked for every release of a
/// run before the first is carried out.
pub async fn check_account(cloud: &impl Cloud, release: &Release) -> Result<(), DeployError> {
    check_caller(cloud, &release.cell, &release.account).await
}

/// Refuses credentials of another account than the cell's.
pub async fn check_caller(
    cloud: &impl Cloud,
    cell: &str,
    account: &str,
) -> Result<(), DeployError> {
    let found = cloud.account().await?;
    if found == account {
        return Ok(());
    }
    let (cell, wanted) = (cell.to_owned(), account.to_owned());
    Err(DeployError::WrongAccount { cell, wanted, found })
}

#[cfg(test)]
mod tests;
