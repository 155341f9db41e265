//! CloudFormation: change sets, stacks and their events.

use std::collections::HashSet;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, EventFilter, HookFailureMode, HookStatus,
    OperationEvent, Parameter, Tag, ValidationStatus,
};

use crate::cause::VALIDATION_FAILED;
use crate::deploy::{
    ChangeSetKind, ChangeSetRequest, ChangeSetState, CloudError, StackEvent, StackState,
};

use crate::release::RELEASE_DIGEST;

use super::failed;

/// CloudFormation has no error of its own for a stack that is not there: it is a validation error
/// with this text.
pub(super) const NO_SUCH_STACK: &str = "does not exist";

pub(super) async fn stack(client: &Client, name: &str) -> Result<Option<StackState>, CloudError> {
    match client.describe_stacks().stack_name(name).send().await {
        Ok(answer) => Ok(answer.stacks().first().map(|stack| StackState {
            status: stack.stack_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            reason: stack.stack_status_reason().unwrap_or_default().to_owned(),
            digest: stack
                .outputs()
                .iter()
                .find(|output| output.output_key() == Some(RELEASE_DIGEST))
                .and_then(|output| Some(output.output_value()?.to_owned())),
        })),
        Err(error) if error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) => Ok(None),
        Err(error) => Err(failed(format!("describe the stack {name}"))(error)),
    }
}

pub(super) async fn create_change_set(
    client: &Client,
    request: &ChangeSetRequest<'_>,
    template_url: Option<String>,
) -> Result<(), CloudError> {
    let kind = match request.kind {
        ChangeSetKind::Create => ChangeSetType::Create,
        ChangeSetKind::Update => ChangeSetType::Update,
    };
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let parameter = |(key, value): (&String, &String)| {
        Parameter::builder().parameter_key(key).parameter_value(value).build()
    };
    let body = template_url.is_none().then(|| request.plan.body.clone());
    let call = client
        .create_change_set()
        .stack_name(&request.plan.name)
        .change_set_name(&request.name)
        .change_set_type(kind)
        .capabilities(Capability::CapabilityNamedIam)
        .set_tags(Some(request.plan.tags.iter().map(tag).collect()))
        .set_parameters(Some(request.parameters.iter().map(parameter).collect()))
        .set_template_body(body)
        .set_template_url(template_url);
    let what = format!("create the change set {} of the stack {}", request.name, request.plan.name);
    call.send().await.map(drop).map_err(failed(what))
}

pub(super) async fn change_set(
    client: &Client,
    stack: &str,
    name: &str,
) -> Result<ChangeSetState, CloudError> {
    let answer = client.describe_change_set().stack_name(stack).change_set_name(name).send().await;
    let what = format!("describe the change set {name} of the stack {stack}");
    let answer = answer.map_err(failed(what))?;
    let reason = answer.status_reason().unwrap_or_default();
    Ok(match answer.status() {
        Some(ChangeSetStatus::CreateComplete) => ChangeSetState::Ready(answer.changes().len()),
        Some(ChangeSetStatus::Failed) if is_empty(reason) => ChangeSetState::Empty,
        Some(ChangeSetStatus::Failed) => ChangeSetState::Failed(reason.to_owned()),
        _ => ChangeSetState::Pending,
    })
}

/// Whether a change set failed only because there is nothing to do: CloudFormation has two texts for that.
pub(super) fn is_empty(reason: &str) -> bool {
    ["didn't contain changes", "No updates are to be performed"]
        .iter()
        .any(|it| reason.contains(it))
}

pub(super) async fn execute(client: &Client, stack: &str, name: &str) -> Result<(), CloudError> {
    let call = client.execute_change_set().stack_name(stack).change_set_name(name);
    let what = format!("execute the change set {name} of the stack {stack}");
    call.send().await.map(drop).map_err(failed(what))
}

/// Deletes a change set; that there is none, or no such stack, is fine.
pub(super) async fn delete_change_set(
    client: &Client,
    stack: &str,
    name: &str,
) -> Result<(), CloudError> {
    match client.delete_change_set().stack_name(stack).change_set_name(name).send().await {
        Ok(_) => Ok(()),
        Err(error)
            if error.code() == Some("ChangeSetNotFound")
                || error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) =>
        {
            Ok(())
        }
        Err(error) => {
            Err(failed(format!("delete the change set {name} of the stack {stack}"))(error))
        }
    }
}

pub(super) async fn delete_stack(client: &Client, name: &str) -> Result<(), CloudError> {
    let call = client.delete_stack().stack_name(name).send().await;
    call.map(drop).map_err(failed(format!("delete the empty stack {name}")))
}

/// Keeps a stack from being deleted: every stack that `arm` makes is to have this, once it is there. A
/// change set cannot ask for it.
pub(super) async fn protect(client: &Client, stack: &str) -> Result<(), CloudError> {
    set_protection(client, stack, true, "protect the stack {} from deletion").await
}

/// Lets a stack be deleted.
pub(super) async fn unprotect(client: &Client, stack: &str) -> Result<(), CloudError> {
    set_protection(client, stack, false, "let the stack {} be deleted").await
}

async fn set_protection(
    client: &Client,
    stack: &str,
    is_on: bool,
    what: &str,
) -> Result<(), CloudError> {
    let call = client.update_termination_protection().stack_name(stack);
    let answer = call.enable_termination_protection(is_on).send().await;
    answer.map(drop).map_err(failed(what.replace("{}", stack)))
}

/// What the checks before the first resource found wrong in the latest operation on a stack, or in one of
/// its change sets: CloudFormation's own reason only points here. Warnings are not among them.
pub(super) async fn failed_checks(
    client: &Client,
    stack: &str,
    change_set: Option<&str>,
) -> Result<Vec<StackEvent>, CloudError> {
    let failed_only = EventFilter::builder().failed_events(true).build();
    let call = client.describe_events().stack_name(stack).filters(failed_only);
    let call = call.set_change_set_name(change_set.map(str::to_owned));
    let what = format!("read what the checks of the stack {stack} found");
    let mut events: Vec<_> = Vec::new();
    let mut pages = call.into_paginator().send();
    for _ in 0..EVENT_PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let page = page.map_err(failed(what.clone()))?;
        events.extend(page.operation_events().iter().filter_map(check));
    }
    events.reverse();
    Ok(events)
}

/// A check that failed.
fn check(event: &OperationEvent) -> Option<StackEvent> {
    let is_failed = event.validation_status() == Some(&ValidationStatus::Failed)
        && event.validation_failure_mode() != Some(&HookFailureMode::Warn);
    let path = event.validation_path().map(|it| format!("{it}: ")).unwrap_or_default();
    is_failed.then(|| StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: VALIDATION_FAILED.to_owned(),
        reason: format!("{path}{}", event.validation_status_reason().unwrap_or_default()),
        at_ms: event.timestamp().and_then(|it| it.to_millis().ok()).unwrap_or_default(),
    })
}

/// Most pages of events that are read at once, of a hundred each. Our choice: a stack of 500
/// resources has some 1,500 events from beginning to end.
const EVENT_PAGES_MAX: usize = 40;

pub(super) async fn events(
    client: &Client,
    stack: &str,
    seen: &HashSet<String>,
) -> Result<Vec<StackEvent>, CloudError> {
    let mut events = Vec::new();
    let mut pages = client.describe_stack_events().stack_name(stack).into_paginator().send();
    for _ in 0..EVENT_PAGES_MAX {
        let page = match pages.next().await {
            None => break,
            Some(Ok(page)) => page,
            Some(Err(error)) if error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) => {
                break;
            }
            Some(Err(error)) => {
                return Err(failed(format!("read the events of the stack {stack}"))(error));
            }
        };
        let newer = page.stack_events().iter().map(event);
        let before = events.len();
        events.extend(newer.take_while(|it| !seen.contains(&it.id)));
        if events.len() - before < page.stack_events().len() {
            break;
        }
    }
    events.reverse();
    Ok(events)
}

fn event(event: &aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    let mut told = StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: event.resource_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        reason: event.resource_status_reason().unwrap_or_default().to_owned(),
        at_ms: event.timestamp().and_then(|it| it.to_millis().ok()).unwrap_or_default(),
    };
    // A hook that refuses says why in words of its own, and the resource only that it did.
    if let (Some(HookStatus::HookCompleteFailed | HookStatus::HookFailed), Some(reason)) =
        (event.hook_status(), event.hook_status_reason())
        && event.hook_failure_mode() != Some(&HookFailureMode::Warn)
    {
        "HOOK_FAILED".clone_into(&mut told.status);
        told.reason = format!("hook {}: {reason}", event.hook_type().unwrap_or_default());
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::stack_status::StackStatus;

    #[test]
    fn the_table_of_statuses_has_every_word_of_cloudformation_and_no_other() {
        let theirs = aws_sdk_cloudformation::types::StackStatus::values();
        let mut ours: Vec<_> = StackStatus::ALL.iter().map(|it| it.as_str()).collect();
        ours.sort_unstable();
        let mut theirs: Vec<_> = theirs.to_vec();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}
