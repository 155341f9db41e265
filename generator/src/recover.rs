//! Gets a stack out of the state it is in: looks, says what would be done, does it, follows it to the end.
//!
//! What is done about each of CloudFormation's states stands in `stack_status`; here is how. Nothing is
//! deleted that the stack's template retains, and nothing is skipped or left behind that did not fail.
//! Whoever adds a remedy adds it to [`carry_out`], with a row in the tests' table.

use std::collections::HashSet;
use std::time::Duration;

use crate::cause::{self, Cause, StackEvent};
use crate::deploy::CloudError;
use crate::stack_status::{Remedy, StackStatus};
use crate::template::Template;

/// Time between two looks at a stack. Our choice: CloudFormation's own steps take seconds, and one look
/// every two keeps far from its rate limits.
const LOOK: Duration = Duration::from_secs(2);
/// Most looks at one operation: three hours. Our choice: the slowest thing that we deploy, a GPU endpoint,
/// takes some ten minutes.
const LOOKS_MAX: usize = 5_400;
/// How often a rollback is continued. Our choice: each time skips what failed, and brings what depends on
/// it into the open; a stack whose rollback fails more often needs a person.
const ROUNDS_MAX: usize = 5;

/// What recovering needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait RecoverServices {
    /// A stack by its name or id; by its name, one that was deleted is `None`.
    async fn stack(&self, stack: &str) -> Result<Option<Found>, CloudError>;
    /// The events of a stack that are newer than one of `seen`, oldest first.
    async fn events(
        &self,
        stack: &str,
        seen: &HashSet<String>,
    ) -> Result<Vec<StackEvent>, CloudError>;
    /// What the checks before the first resource found wrong.
    async fn failed_checks(&self, stack: &str) -> Result<Vec<StackEvent>, CloudError>;
    /// The resources that the stack has, or had.
    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, CloudError>;
    /// The template as it was given; `None` when the stack is gone, or has none.
    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError>;
    /// Deletes a stack; what `leave` names, by logical ids, stays outside it.
    async fn delete(&self, stack: &str, leave: &[String]) -> Result<(), CloudError>;
    async fn roll_back(&self, stack: &str) -> Result<(), CloudError>;
    /// Goes on with a rollback, without what `skip` names by logical ids.
    async fn continue_rollback(&self, stack: &str, skip: &[String]) -> Result<(), CloudError>;
    /// Lets a stack be deleted, or keeps it from that.
    async fn protect(&self, stack: &str, protection: Protection) -> Result<(), CloudError>;
    /// Waits between two looks.
    async fn pause(&self, time: Duration);
}

/// Whether CloudFormation refuses to delete a stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    On,
    #[default]
    Off,
}

/// A stack as CloudFormation describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// By which it is found also when it was deleted.
    pub id: String,
    /// CloudFormation's word.
    pub status: String,
    pub protection: Protection,
    /// Whether `arm` made it.
    pub is_ours: bool,
}

/// A resource of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    pub logical_id: String,
    pub resource_type: String,
    /// Its name; empty when it was never made.
    pub physical_id: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    pub reason: String,
}

/// What was found of a stack, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub stack: String,
    pub id: String,
    pub status: StackStatus,
    pub protection: Protection,
    /// Since when it is so, in milliseconds since the epoch.
    pub since_ms: Option<i64>,
    /// Why the latest operation failed.
    pub cause: Option<Cause>,
    /// What failed in the rollback or deletion, and may have to be skipped or left.
    pub culprits: Vec<Cause>,
    /// What would stay in the account when the stack is deleted, because its template retains it.
    pub retained: Vec<Resource>,
}

/// Why a stack cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(
        "the stack {stack} is in {status}, which this `arm` does not know; nothing was touched\n  \
         help: look at it in CloudFormation, and ask for an `arm` that knows it"
    )]
    Unknown { stack: String, status: String },
    #[error(
        "the stack {0} was not made by `arm`: neither its tags nor its parameters say so; nothing was \
         touched\n  help: ask whoever made it"
    )]
    Foreign(String),
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// How a recovery ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The state of the stack at the end; `None` when it is gone.
    pub status: Option<StackStatus>,
    /// Why what was under way, or was done, failed.
    pub cause: Option<Cause>,
    /// What was skipped in a rollback, by logical ids.
    pub skipped: Vec<String>,
    /// What was left in the account because it could not be deleted.
    pub left: Vec<Resource>,
}

impl Outcome {
    /// Whether the next `arm deploy` can make or update the stack.
    pub fn is_good(&self) -> bool {
        self.status.is_none_or(|it| it.can_create() || it.can_update())
    }
}

/// The person, as far as a recovery needs them.
pub trait Guide {
    /// What happens to the stack.
    fn tell(&mut self, event: &StackEvent);
    /// What is done next.
    fn say(&mut self, text: &str);
    /// Whether a rollback may go on without these, which failed.
    fn may_skip(&mut self, culprits: &[Cause]) -> bool;
}

/// Looks at a stack; `None` when there is none.
pub async fn look(
    services: &impl RecoverServices,
    stack: &str,
) -> Result<Option<Finding>, RecoverError> {
    let Some(found) = services.stack(stack).await? else { return Ok(None) };
    let Some(status) = StackStatus::parse(&found.status) else {
        return Err(RecoverError::Unknown { stack: stack.to_owned(), status: found.status });
    };
    if !found.is_ours && status != StackStatus::ReviewInProgress {
        return Err(RecoverError::Foreign(stack.to_owned()));
    }
    let events = services.events(&found.id, &HashSet::new()).await?;
    let mut finding = Finding {
        stack: stack.to_owned(),
        id: found.id,
        status,
        protection: found.protection,
        since_ms: cause::since_ms(stack, &events),
        cause: None,
        culprits: Vec::new(),
        retained: Vec::new(),
    };
    if status.remedy() == Remedy::Nothing || status.remedy() == Remedy::DeleteShell {
        return Ok(Some(finding));
    }
    finding.cause = why(services, (stack, &finding.id), &events).await?;
    if matches!(status.remedy(), Remedy::ContinueRollback | Remedy::DeleteAgain | Remedy::ByHand) {
        finding.culprits = cause::culprits(stack, &events);
    }
    if matches!(status.remedy(), Remedy::Delete | Remedy::DeleteAgain) {
        finding.retained = retained(services, &finding.id).await?;
    }
    Ok(Some(finding))
}

/// What of a stack stays in the account when it is deleted.
pub async fn retained(
    services: &impl RecoverServices,
    stack: &str,
) -> Result<Vec<Resource>, CloudError> {
    let text = services.template(stack).await?;
    let template = text.and_then(|it| Template::parse(&it).ok());
    let stays = |logical_id: &str| {
        // Nobody knows what becomes of it: nothing may be promised.
        let Some(template) = &template else { return false };
        let resource = template.resources().find(|(it, _)| *it == logical_id);
        let policy = resource.and_then(|(_, it)| it.get("DeletionPolicy")?.as_str());
        policy.is_some_and(|it| it.starts_with("Retain"))
    };
    let resources = services.resources(stack).await?.into_iter();
    let is_there = |it: &Resource| it.status != "DELETE_COMPLETE" && !it.physical_id.is_empty();
    Ok(resources.filter(|it| is_there(it) && stays(&it.logical_id)).collect())
}

/// Does what the stack's state asks for, and follows it to the end.
pub async fn carry_out(
    services: &impl RecoverServices,
    finding: &Finding,
    guide: &mut impl Guide,
) -> Result<Outcome, CloudError> {
    let (stack, id) = (finding.stack.as_str(), finding.id.as_str());
    let mut work = Work { services, stack, id, seen: HashSet::new() };
    match finding.status.remedy() {
        Remedy::Nothing | Remedy::ByHand => Ok(Outcome {
            status: Some(finding.status),
            cause: finding.cause.clone(),
            ..Outcome::default()
        }),
        Remedy::Follow => work.attach(guide).await,
        Remedy::DeleteShell | Remedy::Delete => {
            work.unprotect(finding.protection).await?;
            work.delete(&[], guide).await
        }
        Remedy::DeleteAgain => {
            work.unprotect(finding.protection).await?;
            let outcome = work.delete(&[], guide).await?;
            work.leave_failed(outcome, guide).await
        }
        Remedy::RollBack => {
            work.note_seen().await?;
            services.roll_back(id).await?;
            work.follow(guide).await
        }
        Remedy::ContinueRollback => work.continue_rollback(guide).await,
    }
}

/// Deletes a stack that settled; for `destroy`.
pub async fn delete(
    services: &impl RecoverServices,
    (stack, id): (&str, &str),
    guide: &mut impl Guide,
) -> Result<Outcome, CloudError> {
    Work { services, stack, id, seen: HashSet::new() }.delete(&[], guide).await
}

/// Why the latest operation on a stack failed, with what its checks found.
async fn why(
    services: &impl RecoverServices,
    (stack, id): (&str, &str),
    events: &[StackEvent],
) -> Result<Option<Cause>, CloudError> {
    let Some(mut found) = cause::first_cause(stack, events) else { return Ok(None) };
    if cause::lacks_detail(&found.reason) {
        let reason = cause::refusal(&found.reason, &services.failed_checks(id).await?);
        // What the checks say names the resources itself.
        (found.logical_id, found.resource_type, found.reason) =
            (String::new(), String::new(), reason);
    }
    Ok(Some(found))
}

/// What is being done to one stack.
struct Work<'a, S> {
    services: &'a S,
    stack: &'a str,
    id: &'a str,
    /// Ids of the events that happened before.
    seen: HashSet<String>,
}

impl<S: RecoverServices> Work<'_, S> {
    async fn unprotect(&self, protection: Protection) -> Result<(), CloudError> {
        match protection {
            Protection::On => self.services.protect(self.id, Protection::Off).await,
            Protection::Off => Ok(()),
        }
    }

    async fn note_seen(&mut self) -> Result<(), CloudError> {
        let events = self.services.events(self.id, &self.seen).await?;
        self.seen.extend(events.into_iter().map(|it| it.id));
        Ok(())
    }

    async fn delete(
        &mut self,
        leave: &[String],
        guide: &mut impl Guide,
    ) -> Result<Outcome, CloudError> {
        self.note_seen().await?;
        self.services.delete(self.id, leave).await?;
        self.follow(guide).await
    }

    /// Deletes once more without what could not be deleted.
    async fn leave_failed(
        &mut self,
        outcome: Outcome,
        guide: &mut impl Guide,
    ) -> Result<Outcome, CloudError> {
        if outcome.status != Some(StackStatus::DeleteFailed) {
            return Ok(outcome);
        }
        let mut left = self.services.resources(self.id).await?;
        left.retain(|it| it.status == "DELETE_FAILED");
        if left.is_empty() {
            return Ok(outcome);
        }
        let names: Vec<_> = left.iter().map(|it| it.logical_id.clone()).collect();
        guide.say(&format!("deleting again, and leaving {} in the account", names.join(", ")));
        let outcome = self.delete(&names, guide).await?;
        let is_gone = outcome.status.is_none();
        Ok(Outcome { left: if is_gone { left } else { Vec::new() }, ..outcome })
    }

    async fn continue_rollback(&mut self, guide: &mut impl Guide) -> Result<Outcome, CloudError> {
        let mut skipped: Vec<String> = Vec::new();
        let mut skip = Vec::new();
        for _ in 0..ROUNDS_MAX {
            self.note_seen().await?;
            self.services.continue_rollback(self.id, &skip).await?;
            skipped.append(&mut skip);
            let outcome = self.follow(guide).await?;
            let events = self.services.events(self.id, &HashSet::new()).await?;
            let culprits = cause::culprits(self.stack, &events);
            let is_stuck = outcome.status == Some(StackStatus::UpdateRollbackFailed);
            if !is_stuck || culprits.is_empty() || !guide.may_skip(&culprits) {
                return Ok(Outcome { skipped, ..outcome });
            }
            skip = culprits.into_iter().map(|it| it.logical_id).collect();
            guide.say(&format!("going on with the rollback without {}", skip.join(", ")));
        }
        let mut outcome = self.attach(guide).await?;
        outcome.skipped = skipped;
        Ok(outcome)
    }

    /// Follows what is under way, whoever began it, until the stack stays in a state.
    async fn attach(&mut self, guide: &mut impl Guide) -> Result<Outcome, CloudError> {
        self.note_seen().await?;
        self.watch(guide, true).await
    }

    /// Follows what was begun just now: a state that the stack was in before does not count.
    async fn follow(&mut self, guide: &mut impl Guide) -> Result<Outcome, CloudError> {
        self.watch(guide, false).await
    }

    async fn watch(
        &mut self,
        guide: &mut impl Guide,
        mut has_ended: bool,
    ) -> Result<Outcome, CloudError> {
        for _ in 0..LOOKS_MAX {
            // The status first: when it is final, the events that follow hold the whole story.
            let Some(found) = self.services.stack(self.id).await? else {
                return Ok(Outcome::default());
            };
            let status = StackStatus::parse(&found.status);
            for event in self.services.events(self.id, &self.seen).await? {
                if !self.seen.insert(event.id.clone()) {
                    continue;
                }
                let is_final = StackStatus::parse(&event.status).is_some_and(StackStatus::is_final);
                has_ended |= event.logical_id == self.stack && is_final;
                guide.tell(&event);
            }
            match status {
                Some(StackStatus::DeleteComplete) => return Ok(Outcome::default()),
                Some(status) if has_ended && status.is_final() => {
                    let events = self.services.events(self.id, &HashSet::new()).await?;
                    let cause = why(self.services, (self.stack, self.id), &events).await?;
                    let cause = cause.filter(|_| !status.is_success());
                    return Ok(Outcome { status: Some(status), cause, ..Outcome::default() });
                }
                _ => self.services.pause(LOOK).await,
            }
        }
        Err(CloudError::other(
            format!("follow the stack {} to the end", self.stack),
            "it was not done after three hours; CloudFormation goes on, run this again to follow it",
        ))
    }
}

#[cfg(test)]
mod tests;
