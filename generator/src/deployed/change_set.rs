//! What CloudFormation would do to stacks that are there, by change sets that are never executed.
//!
//! Each is made for a stack that exists, looked at, and deleted whatever came of it: on an error, and
//! when the person stops the run. A stack is never made, and nothing is uploaded. To compare more of
//! what CloudFormation says, see `review/opinion.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{DeployedServices, Standing};
use crate::change;
use crate::deploy::CloudError;
use crate::digest::sha256;
use crate::release::StackPlan;
use crate::review::Omission;
use crate::review::opinion::{Opinion, Said};
use crate::template::INLINE_BYTES_MAX;

/// Time between two looks at a change set. Our choice: CloudFormation needs seconds, and one look every
/// two keeps far from its rate limits.
const LOOK: Duration = Duration::from_secs(2);
/// The first looks come sooner: a small stack's is worked out in less than [`LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// How many of them.
const FIRST_LOOKS: usize = 4;
/// Most looks at one change set: five minutes. Our choice: CloudFormation needs seconds.
const LOOKS_MAX: usize = 150;
/// Most attempts to delete one, after all of the SDK's own. Our choice: ten seconds.
const DELETIONS_MAX: usize = 5;
/// Digits of the digest in a change set's name. Our choice: what `arm deploy` takes.
const DIGITS: usize = 16;

/// What a change set is made from.
#[derive(Debug)]
pub struct ChangeSetRequest<'a> {
    pub name: &'a str,
    /// Its parameters have the values that the stack has.
    pub plan: &'a StackPlan,
    pub parameters: BTreeSet<&'a str>,
}

/// How a change set stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Worked {
    Pending,
    /// With what it would do; nothing where there is nothing to change.
    Ready(Vec<Said>),
    Failed(String),
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Answers {
    pub opinions: Vec<Opinion>,
    /// What was not asked; the templates were compared all the same.
    pub omissions: Vec<Omission>,
    /// The change set that is there now: stack and name. One that stays in here may be left.
    pub open: Option<(String, String)>,
    /// The person stopped it.
    pub is_stopped: bool,
}

/// Asks CloudFormation about each stack that differs; `tell` hears the name of each before.
///
/// After an error or a stop, `answers` holds what was said until then.
pub async fn ask(
    services: &impl DeployedServices,
    standing: &[Standing],
    answers: &mut Answers,
    tell: &mut dyn FnMut(&str),
) -> Result<(), CloudError> {
    for stack in standing {
        let ours = change::compare(&stack.before, &stack.after);
        if ours.is_empty() {
            continue;
        }
        if stack.plan.body.len() > INLINE_BYTES_MAX {
            answers.omissions.push(Omission::known(format!(
                "no change set is asked for `{}`: its template has {} bytes, of which a request \
                 takes {INLINE_BYTES_MAX}, and nothing is uploaded",
                stack.plan.name,
                stack.plan.body.len()
            )));
            continue;
        }
        if services.is_stopped() {
            answers.is_stopped = true;
            return Ok(());
        }
        tell(&stack.plan.name);
        let theirs = of_stack(services, stack, &mut answers.open).await?;
        let (id, before) = (stack.id.clone(), stack.before.clone());
        answers.opinions.push(Opinion { id, before, ours, theirs });
    }
    Ok(())
}

/// What CloudFormation says of one stack. The change set is gone afterwards, unless deleting it fails,
/// which is an error; then it stays in `open`. A person who stops the run waits for this: a change set
/// that is not worked out cannot be deleted.
async fn of_stack(
    services: &impl DeployedServices,
    standing: &Standing,
    open: &mut Option<(String, String)>,
) -> Result<Result<Vec<Said>, String>, CloudError> {
    let stack = &standing.plan.name;
    let digest = sha256(standing.plan.body.as_bytes());
    let name = format!("arm-diff-{}", digest.get(..DIGITS).unwrap_or(&digest));
    // One of the same name is left where an earlier run was killed.
    services.delete_change_set(stack, &name).await?;
    *open = Some((stack.clone(), name.clone()));
    let outcome = worked_out(services, standing, &name).await;
    if let Err(left) = delete(services, stack, &name).await {
        return Err(match outcome {
            Ok(_) => left,
            Err(first) => after(first, &left),
        });
    }
    *open = None;
    outcome
}

/// The first of two errors, which says what kind of trouble it is, with the second.
fn after(first: CloudError, then: &CloudError) -> CloudError {
    let what = format!("{}, nor {} afterwards ({})", first.what, then.what, then.source);
    CloudError { what, ..first }
}

/// Deletes a change set; more than once, where a call before failed while it was being worked out.
async fn delete(
    services: &impl DeployedServices,
    stack: &str,
    name: &str,
) -> Result<(), CloudError> {
    for _ in 1..DELETIONS_MAX {
        if services.delete_change_set(stack, name).await.is_ok() {
            return Ok(());
        }
        services.pause(LOOK).await;
    }
    services.delete_change_set(stack, name).await
}

async fn worked_out(
    services: &impl DeployedServices,
    standing: &Standing,
    name: &str,
) -> Result<Result<Vec<Said>, String>, CloudError> {
    let takes = standing.after.section("Parameters").and_then(|it| it.as_object());
    let takes = takes.into_iter().flatten().map(|(name, _)| name.as_str());
    let parameters = takes.filter(|it| standing.parameters.contains(*it)).collect();
    let request = ChangeSetRequest { name, plan: &standing.plan, parameters };
    if let Err(refusal) = services.create_change_set(&request).await? {
        return Ok(Err(refusal));
    }
    for look in 0..LOOKS_MAX {
        match services.change_set(&standing.plan.name, name).await? {
            Worked::Ready(said) => return Ok(Ok(said)),
            Worked::Failed(reason) => return Ok(Err(reason)),
            Worked::Pending => {}
        }
        services.pause(if look < FIRST_LOOKS { FIRST_LOOK } else { LOOK }).await;
    }
    Ok(Err("its change set was not worked out within five minutes".to_owned()))
}
