//! Carries out a release: artifacts stack, upload of what is missing, platform stack, stores.
//!
//! Each stack goes by a change set, and its events are followed to the end. A stack whose digest
//! tag says that nothing changed is not touched. Everything here may be run again after it
//! stopped anywhere: names derive from digests, objects from their content.

pub mod progress;
mod stack;

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::time::Duration;

pub use crate::cause::StackEvent;
use crate::release::{Artifact, Release, StackPlan};

/// What deploying needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait Cloud {
    /// The account that the credentials belong to.
    async fn account(&self) -> Result<String, CloudError>;
    /// A stack as it stands, or `None`.
    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError>;
    /// Starts a change set.
    async fn create_change_set(&self, request: &ChangeSetRequest<'_>) -> Result<(), CloudError>;
    /// How a change set stands.
    async fn change_set(&self, stack: &str, name: &str) -> Result<ChangeSetState, CloudError>;
    async fn execute_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError>;
    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError>;
    /// Deletes a stack that has no resources.
    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError>;
    /// The events of a stack that are newer than one of `seen`, oldest first.
    async fn events(
        &self,
        stack: &str,
        seen: &HashSet<String>,
    ) -> Result<Vec<StackEvent>, CloudError>;
    async fn has_object(&self, bucket: &str, key: &str) -> Result<bool, CloudError>;
    async fn put_object(&self, bucket: &str, artifact: &Artifact) -> Result<(), CloudError>;
    /// Waits between two looks.
    async fn pause(&self, time: Duration);
}

/// A call that failed after all its attempts.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub struct CloudError {
    /// Completes "cannot ...".
    pub what: String,
    pub trouble: Trouble,
    pub source: Box<dyn Error + Send + Sync>,
}

impl CloudError {
    /// Trouble of no kind that is treated otherwise.
    pub fn other(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), trouble: Trouble::Other, source: source.into() }
    }
}

/// What kind of failure a call had: what may pass, and who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// AWS asks for fewer calls; passes.
    Throttled,
    /// The network, or an error inside AWS; may pass, and the call may have taken effect.
    Transient,
    /// The credentials are missing or expired; everything waits for the person.
    Credentials,
    /// The credentials may not do this.
    Denied,
    Other,
}

/// A stack as CloudFormation describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackState {
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    pub reason: String,
    /// Digest of what it was deployed from, if `arm` deployed it.
    pub digest: Option<String>,
}

/// What a change set is made from.
#[derive(Debug)]
pub struct ChangeSetRequest<'a> {
    pub name: String,
    pub plan: &'a StackPlan,
    /// With the digest.
    pub parameters: BTreeMap<String, String>,
    pub kind: ChangeSetKind,
    /// Bucket and key, when the template does not fit the request.
    pub template_object: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetKind {
    Create,
    Update,
}

/// How a change set stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeSetState {
    Pending,
    /// With the number of resources that it changes.
    Ready(usize),
    /// There is nothing to change.
    Empty,
    Failed(String),
}

/// What happens while a release is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing changed; no call but the look was made.
    Unchanged { stack: String },
    /// A change set is being executed.
    Started { stack: String, creates: bool, changes: usize },
    /// A resource of a stack reached a status.
    Resource { stack: String, event: StackEvent },
    /// A stack is as it shall be.
    Done { stack: String },
    /// A stack is not, and why.
    Failed { stack: String, cause: String },
    /// An object was put, or was there already.
    Uploaded { key: String, bytes: usize, was_there: bool },
}

/// What a finished run adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub changed: Vec<String>,
    pub unchanged: Vec<String>,
    /// Stack and cause.
    pub failed: Vec<(String, String)>,
}

/// Why a release could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(
        "the credentials belong to account {found}, the cell `{cell}` is account {wanted}\n  \
         help: use credentials of the cell's account, or correct `account` in fleet.yaml; nothing \
         was touched"
    )]
    WrongAccount { cell: String, wanted: String, found: String },
    #[error("the stack {stack} failed: {cause}")]
    StackFailed { stack: String, cause: String },
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

/// Carries out a release, telling `watch` what happens.
///
/// A failure of the artifacts or platform stack ends the run; of a store's stack, that store: the
/// others go on, and the summary names it.
pub async fn deploy(
    cloud: &impl Cloud,
    release: &Release,
    watch: &mut dyn FnMut(Progress),
) -> Result<Summary, DeployError> {
    let mut summary = Summary::default();
    let bucket = &release.artifacts_bucket;
    shared(cloud, &release.artifacts_stack, bucket, watch, &mut summary).await?;
    for artifact in &release.artifacts {
        let was_there = cloud.has_object(bucket, &artifact.key).await?;
        if !was_there {
            cloud.put_object(bucket, artifact).await?;
        }
        let (key, bytes) = (artifact.key.clone(), artifact.bytes.len());
        watch(Progress::Uploaded { key, bytes, was_there });
    }
    shared(cloud, &release.platform_stack, bucket, watch, &mut summary).await?;
    for plan in &release.store_stacks {
        match stack::deploy(cloud, plan, bucket, watch).await {
            Ok(stack::Outcome::Changed) => summary.changed.push(plan.name.clone()),
            Ok(stack::Outcome::Unchanged) => summary.unchanged.push(plan.name.clone()),
            Err(DeployError::StackFailed { stack, cause }) => summary.failed.push((stack, cause)),
            Err(error) => {
                let cause = with_causes(&error);
                watch(Progress::Failed { stack: plan.name.clone(), cause: cause.clone() });
                summary.failed.push((plan.name.clone(), cause));
            }
        }
    }
    Ok(summary)
}

/// An error with all that caused it, on one line.
fn with_causes(error: &DeployError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Deploys a stack without which no store can work.
async fn shared(
    cloud: &impl Cloud,
    plan: &StackPlan,
    bucket: &str,
    watch: &mut dyn FnMut(Progress),
    summary: &mut Summary,
) -> Result<(), DeployError> {
    let list = match stack::deploy(cloud, plan, bucket, watch).await? {
        stack::Outcome::Changed => &mut summary.changed,
        stack::Outcome::Unchanged => &mut summary.unchanged,
    };
    list.push(plan.name.clone());
    Ok(())
}

#[cfg(test)]
mod tests;
