//! One stack, from how it stands to how it shall be, by one change set.

use std::collections::HashSet;
use std::time::Duration;

use crate::release::{RELEASE_DIGEST, StackPlan};

use super::{
    ChangeSetKind, ChangeSetRequest, ChangeSetState, Cloud, DeployError, Progress, StackEvent,
    StackState,
};

/// Time between two looks at a change set or a stack. Our choice: CloudFormation's own steps take
/// seconds, and one look every two keeps far from its rate limits.
const LOOK: Duration = Duration::from_secs(2);
/// The first looks come sooner: a small stack is done in less than [`LOOK`].
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// Longest wait for a change set to be worked out. Our choice: CloudFormation needs seconds.
const CHANGE_SET_LOOKS_MAX: usize = 300;

/// Most looks at one stack: three hours. Our choice: the slowest thing that we deploy, a GPU
/// endpoint, takes some ten minutes.
const LOOKS_MAX: usize = 5_400;

/// How a stack went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    Unchanged,
}

/// Brings one stack to its plan.
pub(super) async fn deploy(
    cloud: &impl Cloud,
    plan: &StackPlan,
    bucket: &str,
    watch: &mut dyn FnMut(Progress),
) -> Result<Outcome, DeployError> {
    let fail = |cause: String| DeployError::StackFailed { stack: plan.name.clone(), cause };
    let digest = plan.digest();
    let state = cloud.stack(&plan.name).await?;
    let kind = match kind(&plan.name, state.as_ref()) {
        Ok(kind) => kind,
        Err(cause) => {
            watch(Progress::Failed { stack: plan.name.clone(), cause: cause.clone() });
            return Err(fail(cause));
        }
    };
    let deployed = state.as_ref().and_then(|state| state.digest.as_deref());
    if kind == ChangeSetKind::Update && deployed == Some(digest.as_str()) {
        watch(Progress::Unchanged { stack: plan.name.clone() });
        return Ok(Outcome::Unchanged);
    }
    let name = format!("arm-{}", digest.get(..16).unwrap_or(&digest));
    let none = HashSet::new();
    let seen = match &state {
        Some(_) => cloud.events(&plan.name, &none).await?.into_iter().map(|it| it.id).collect(),
        None => none,
    };
    let changes = match prepare(cloud, plan, kind, (&name, &digest, bucket)).await? {
        Ok(changes) => changes,
        Err(Refused::Empty) => {
            cloud.delete_change_set(&plan.name, &name).await?;
            watch(Progress::Unchanged { stack: plan.name.clone() });
            return Ok(Outcome::Unchanged);
        }
        Err(Refused::Because(reason)) => {
            cloud.delete_change_set(&plan.name, &name).await?;
            // Only the shell that our own change set made: somebody else's stack is left alone.
            let now = cloud.stack(&plan.name).await?;
            if state.is_none() && now.is_some_and(|it| it.status == "REVIEW_IN_PROGRESS") {
                cloud.delete_empty_stack(&plan.name).await?;
            }
            let cause = format!("CloudFormation refused the change set: {reason}");
            watch(Progress::Failed { stack: plan.name.clone(), cause: cause.clone() });
            return Err(fail(cause));
        }
    };
    let creates = kind == ChangeSetKind::Create;
    watch(Progress::Started { stack: plan.name.clone(), creates, changes });
    cloud.execute_change_set(&plan.name, &name).await?;
    match follow(cloud, &plan.name, seen, watch).await? {
        Ok(()) => {
            watch(Progress::Done { stack: plan.name.clone() });
            Ok(Outcome::Changed)
        }
        Err(cause) => {
            watch(Progress::Failed { stack: plan.name.clone(), cause: cause.clone() });
            Err(fail(cause))
        }
    }
}

/// Whether a stack is to be created or updated, or why it cannot be either.
fn kind(name: &str, state: Option<&StackState>) -> Result<ChangeSetKind, String> {
    let Some(StackState { status, reason, .. }) = state else { return Ok(ChangeSetKind::Create) };
    let remedy = match status.as_str() {
        // What a change set that was never executed leaves behind.
        "REVIEW_IN_PROGRESS" => return Ok(ChangeSetKind::Create),
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => return Ok(ChangeSetKind::Update),
        status if status.ends_with("_IN_PROGRESS") => {
            return Err(format!(
                "it is in {status}: something else is changing it; wait until that has ended, then run `arm deploy` again"
            ));
        }
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => {
            format!(
                "look at its events, then delete it (`aws cloudformation delete-stack --stack-name {name}`) and deploy again"
            )
        }
        "UPDATE_FAILED" => {
            format!("bring it back first (`aws cloudformation rollback-stack --stack-name {name}`)")
        }
        _ => format!(
            "bring it back first (`aws cloudformation continue-update-rollback --stack-name {name}`)"
        ),
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    Err(format!("it is in {status}{reason}, from which it cannot be updated; {remedy}"))
}

/// Why a change set cannot be executed.
enum Refused {
    Empty,
    Because(String),
}

/// Creates a change set and waits until it is worked out.
async fn prepare(
    cloud: &impl Cloud,
    plan: &StackPlan,
    kind: ChangeSetKind,
    (name, digest, bucket): (&str, &str, &str),
) -> Result<Result<usize, Refused>, DeployError> {
    let mut parameters = plan.parameters.clone();
    parameters.insert(RELEASE_DIGEST.to_owned(), digest.to_owned());
    let template_object = plan.template_key().map(|key| (bucket.to_owned(), key));
    let request =
        ChangeSetRequest { name: name.to_owned(), plan, parameters, kind, template_object };
    // One of the same name is left where an earlier run stopped before it executed it.
    cloud.delete_change_set(&plan.name, name).await?;
    cloud.create_change_set(&request).await?;
    for look in 0..CHANGE_SET_LOOKS_MAX {
        match cloud.change_set(&plan.name, name).await? {
            ChangeSetState::Pending => {}
            ChangeSetState::Ready(changes) => return Ok(Ok(changes)),
            ChangeSetState::Empty => return Ok(Err(Refused::Empty)),
            ChangeSetState::Failed(reason) => return Ok(Err(Refused::Because(reason))),
        }
        cloud.pause(if look < 4 { FIRST_LOOK } else { LOOK }).await;
    }
    Ok(Err(Refused::Because("it was not worked out within ten minutes".to_owned())))
}

/// Follows a stack's events to the end of the operation; the inner error is the first real cause.
async fn follow(
    cloud: &impl Cloud,
    stack: &str,
    mut seen: HashSet<String>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Result<(), String>, DeployError> {
    let mut cause: Option<String> = None;
    let mut ended = false;
    for look in 0..LOOKS_MAX {
        // The status first: when it is final, the events that follow hold the whole story.
        let Some(state) = cloud.stack(stack).await? else {
            return Ok(Err("it was deleted while it was being deployed".to_owned()));
        };
        for event in cloud.events(stack, &seen).await? {
            if !seen.insert(event.id.clone()) {
                continue;
            }
            if is_cause(&event, stack) && cause.is_none() {
                cause = Some(describe(&event));
            }
            ended |= event.logical_id == stack && is_final(&event.status);
            watch(Progress::Resource { stack: stack.to_owned(), event });
        }
        // A final status alone may still be that of the operation before.
        if ended && is_final(&state.status) {
            return Ok(match state.status.as_str() {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => Ok(()),
                _ => Err(cause.unwrap_or_else(|| {
                    let reason =
                        if state.reason.is_empty() { "no reason given" } else { &state.reason };
                    format!("it ended in {}: {reason}", state.status)
                })),
            });
        }
        cloud.pause(if look < 8 { FIRST_LOOK } else { LOOK }).await;
    }
    Ok(Err(
        "it was not done after three hours; CloudFormation goes on, look at its events".to_owned()
    ))
}

/// True for a status that a stack stays in.
fn is_final(status: &str) -> bool {
    !status.ends_with("_IN_PROGRESS")
}

/// True for a failure of a resource that is not only the consequence of another's.
fn is_cause(event: &StackEvent, stack: &str) -> bool {
    let consequence = event.reason.contains("cancelled") || event.reason.contains("canceled");
    event.status.ends_with("_FAILED") && !consequence && event.logical_id != stack
}

fn describe(event: &StackEvent) -> String {
    let StackEvent { logical_id, resource_type, status, reason, .. } = event;
    format!("{logical_id} ({resource_type}) is in {status}: {reason}")
}
