//! A stack's change set, from the wish to what CloudFormation will execute.
//!
//! Its name holds the digest of what is wanted: one that an earlier run left is the same, and is used, or
//! made anew where it is spent.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use super::cloud::{
    ChangeSetKind, ChangeSetRequest, ChangeSetState, Cloud, CloudError, Creation, ResourceKind,
    StackState,
};
use super::stack::Way;
use crate::release::RELEASE_DIGEST;

/// First wait for a change set to be worked out, which doubles up to the other. Our choice: CloudFormation
/// needs seconds.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LOOK_MAX: Duration = Duration::from_secs(8);
/// Longest wait for one. Our choice.
const CHANGE_SET_TIME: Duration = Duration::from_mins(15);
/// For how long after its creation one may not be found yet. Our choice: seen for seconds (awscfncli, issue
/// 109).
const APPEARANCE_TIME: Duration = Duration::from_secs(30);
/// Most pages of a change set's resources. Our choice: a template has 500 at most, a page 100 or more.
const PAGES_MAX: usize = 20;
const STREAM: &str = "AWS::KinesisVideo::Stream";

/// Whether CloudFormation will execute a change set.
pub(super) enum Prepared {
    Ready(Ready),
    Empty,
    Refused(String),
    /// One of that name was executed, or the stack has changed since.
    Spent,
}

/// A change set that can be executed.
pub(super) struct Ready {
    pub(super) id: String,
    /// How many resources of each type it changes.
    pub(super) resources: BTreeMap<String, usize>,
    /// How many new video streams it makes.
    pub(super) streams: usize,
}

impl<C: Cloud> Way<'_, '_, '_, C> {
    /// Creates the change set and waits until it is worked out.
    pub(super) async fn prepared(
        &self,
        kind: ChangeSetKind,
        state: Option<&StackState>,
    ) -> Result<Prepared, CloudError> {
        let mut parameters = self.plan.parameters.clone();
        parameters.insert(RELEASE_DIGEST.to_owned(), self.digest.clone());
        let bucket = self.cell.release.artifacts_bucket.clone();
        let request = ChangeSetRequest {
            name: self.change_set.clone(),
            plan: self.plan,
            parameters,
            kind,
            template_object: self.plan.template_key().map(|key| (bucket, key)),
            rollback_alarms: self.cell.rollback_alarms(self.plan, state),
        };
        let creation = self.cell.cloud.create_change_set(&request).await?;
        let prepared = self.worked_out().await?;
        let is_stale = creation == Creation::Found && !matches!(prepared, Prepared::Ready(_));
        if !is_stale && !matches!(prepared, Prepared::Spent) {
            return Ok(prepared);
        }
        self.cell.cloud.delete_change_set(&self.plan.name, &self.change_set).await?;
        self.cell.cloud.create_change_set(&request).await?;
        self.worked_out().await
    }

    async fn worked_out(&self) -> Result<Prepared, CloudError> {
        Ok(match self.looked_at(&self.change_set).await? {
            found @ ChangeSetState::Ready { .. } => Prepared::Ready(self.counted(found).await?),
            ChangeSetState::Empty => Prepared::Empty,
            ChangeSetState::Failed(reason) => Prepared::Refused(reason),
            ChangeSetState::Pending => {
                Prepared::Refused("it was not worked out within 15 minutes".to_owned())
            }
            ChangeSetState::Executed | ChangeSetState::Obsolete | ChangeSetState::Missing => {
                Prepared::Spent
            }
        })
    }

    /// How a change set stands once it is worked out; still pending when that takes too long.
    pub(super) async fn looked_at(&self, change_set: &str) -> Result<ChangeSetState, CloudError> {
        let (mut look, mut waited) = (FIRST_LOOK, Duration::ZERO);
        loop {
            sleep(look).await;
            waited += look;
            look = (look * 2).min(LOOK_MAX);
            let found = self.cell.cloud.change_set(&self.plan.name, change_set, None).await?;
            let may_come = match found {
                ChangeSetState::Pending => waited < CHANGE_SET_TIME,
                ChangeSetState::Missing => waited < APPEARANCE_TIME,
                _ => false,
            };
            if !may_come {
                return Ok(found);
            }
        }
    }

    /// What a change set changes, page by page.
    async fn counted(&self, first: ChangeSetState) -> Result<Ready, CloudError> {
        let mut ready = Ready { id: String::new(), resources: BTreeMap::new(), streams: 0 };
        let mut found = first;
        for _ in 0..PAGES_MAX {
            let ChangeSetState::Ready { id, page } = found else { break };
            for ResourceKind { resource_type, is_new } in page.items {
                ready.streams += usize::from(is_new && resource_type == STREAM);
                *ready.resources.entry(resource_type).or_default() += 1;
            }
            ready.id = id;
            let Some(next) = page.next else { break };
            let cloud = &self.cell.cloud;
            found = cloud.change_set(&self.plan.name, &self.change_set, Some(next)).await?;
        }
        Ok(ready)
    }
}
