//! What deploying needs of AWS, in its own words: the trait that `aws` implements and tests script, and
//! its values.
//!
//! Each method is one call: a list comes page by page, so that whoever paces calls sees every one.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use crate::cause::StackEvent;
use crate::release::{Artifact, StackPlan};

#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait Cloud {
    /// The account that the credentials belong to.
    async fn account(&self) -> Result<String, CloudError>;
    /// The stacks of the account and region that are not deleted.
    async fn stacks(&self, page: Option<String>) -> Result<Page<StackState>, CloudError>;
    /// A stack as it stands, or `None`.
    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError>;
    /// Starts a change set, or finds one of this name.
    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Creation, CloudError>;
    /// How a change set stands, with a page of what it changes. Goes by its name or its id: one that was
    /// executed is found by its id alone.
    async fn change_set(
        &self,
        stack: &str,
        name: &str,
        page: Option<String>,
    ) -> Result<ChangeSetState, CloudError>;
    /// Executes a change set; `token` marks the events of the operation.
    async fn execute_change_set(
        &self,
        stack: &str,
        name: &str,
        token: &str,
    ) -> Result<Execution, CloudError>;
    /// Deletes a change set; that there is none is fine.
    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError>;
    /// Deletes a stack that has no resources.
    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError>;
    /// Protects a stack from being deleted.
    async fn protect(&self, stack: &str) -> Result<(), CloudError>;
    /// The events of a stack, newest first.
    async fn events(
        &self,
        stack: &str,
        page: Option<String>,
    ) -> Result<Page<StackEvent>, CloudError>;
    /// What the checks before the first resource found wrong in the latest operation on a stack, or in one
    /// of its change sets.
    async fn failed_checks(
        &self,
        stack: &str,
        change_set: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError>;
    /// The alarms whose names begin so.
    async fn alarms(&self, prefix: &str, page: Option<String>) -> Result<Page<Alarm>, CloudError>;
    async fn has_object(&self, bucket: &str, key: &str) -> Result<bool, CloudError>;
    async fn put_object(&self, bucket: &str, artifact: &Artifact) -> Result<(), CloudError>;
    /// A small object, or `None`.
    async fn fetch(&self, bucket: &str, key: &str) -> Result<Option<Stored>, CloudError>;
    /// Puts a small object on a condition; its entity tag, or `None` where the condition does not hold.
    async fn put_if(
        &self,
        object: (&str, &str),
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<Option<String>, CloudError>;
    async fn delete_object(&self, bucket: &str, key: &str) -> Result<(), CloudError>;
}

/// A part of a list, and how to ask for the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
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

    /// The error with all that caused it, on one line.
    pub fn line(&self) -> String {
        let mut text = self.to_string();
        let mut cause: Option<&dyn Error> = Some(self.source.as_ref());
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        text
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
    /// What it is in or about is not there.
    Absent,
    Other,
}

/// A stack as CloudFormation describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackState {
    pub name: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    pub reason: String,
    /// Digest of what it was deployed from, if `arm` deployed it.
    pub digest: Option<String>,
    /// When its last operation began, or it was made: RFC 3339.
    pub updated: String,
    /// Whether it is protected from being deleted.
    pub is_protected: bool,
    /// Whether `arm` made it: its tags or its parameters say so.
    pub is_ours: bool,
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
    /// ARNs of alarms that roll the operation back when they ring during it.
    pub rollback_alarms: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetKind {
    Create,
    Update,
}

/// Whether a change set was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    New,
    Found,
}

/// How a change set stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeSetState {
    Pending,
    /// It can be executed.
    Ready {
        /// By which it is found even when it was executed.
        id: String,
        page: Page<ResourceKind>,
    },
    /// There is nothing to change.
    Empty,
    Failed(String),
    /// It is being executed, or was.
    Executed,
    /// The stack has changed since: it cannot be executed any more.
    Obsolete,
    /// There is none.
    Missing,
}

/// A resource that a change set changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceKind {
    /// Such as `AWS::KinesisVideo::Stream`.
    pub resource_type: String,
    pub is_new: bool,
}

/// What became of the wish to execute a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    Begun,
    /// It cannot be executed now, and why: it may be under way already.
    Refused(String),
}

/// An alarm as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub name: String,
    pub arn: String,
    pub state: AlarmState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    Ok,
    Ringing,
    /// It has too few data to tell.
    Unknown,
}

/// A small object as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub entity_tag: String,
    /// How long ago it was written, by this machine's clock.
    pub age: Duration,
}

/// On what a small object is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is none.
    Absent,
    /// It is still the one with this entity tag.
    Same(String),
    /// Whatever there is.
    Any,
}
