//! CloudFormation: change sets, stacks and their events.

use std::collections::HashSet;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::primitives::{DateTime, DateTimeFormat as Format};
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, EventFilter, ExecutionStatus,
    HookFailureMode, HookStatus, OperationEvent, Parameter, RollbackConfiguration, RollbackTrigger,
    Stack, Tag, ValidationStatus,
};

use crate::cause::{StackEvent, VALIDATION_FAILED};
use crate::deploy::{
    ChangeSetKind, ChangeSetRequest, ChangeSetState, CloudError, Creation, Execution, Page,
    ResourceKind, StackState,
};
use crate::release::{CELL_TAG, RELEASE_DIGEST};

use super::failed;

/// CloudFormation has no error of its own for a stack that is not there: it is a validation error
/// with this text.
pub(super) const NO_SUCH_STACK: &str = "does not exist";

pub(super) async fn stack(client: &Client, name: &str) -> Result<Option<StackState>, CloudError> {
    match client.describe_stacks().stack_name(name).send().await {
        Ok(answer) => Ok(answer.stacks().first().map(state)),
        Err(error) if error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) => Ok(None),
        Err(error) => Err(failed(format!("describe the stack {name}"))(error)),
    }
}

pub(super) async fn stacks(
    client: &Client,
    page: Option<String>,
) -> Result<Page<StackState>, CloudError> {
    let answer = client.describe_stacks().set_next_token(page).send().await;
    let answer = answer.map_err(failed("list the stacks"))?;
    let items = answer.stacks().iter().map(state).collect();
    Ok(Page { items, next: answer.next_token().map(str::to_owned) })
}

fn state(stack: &Stack) -> StackState {
    let digest = stack.outputs().iter().find(|it| it.output_key() == Some(RELEASE_DIGEST));
    let updated = stack.last_updated_time().or_else(|| stack.creation_time());
    StackState {
        name: stack.stack_name().unwrap_or_default().to_owned(),
        status: stack.stack_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        reason: stack.stack_status_reason().unwrap_or_default().to_owned(),
        digest: digest.and_then(|it| Some(it.output_value()?.to_owned())),
        updated: updated.map(time).unwrap_or_default(),
        is_protected: stack.enable_termination_protection().unwrap_or_default(),
        is_ours: is_ours(stack),
    }
}

/// Whether `arm` made a stack: every template of ours has this parameter, every stack this tag.
pub(super) fn is_ours(stack: &Stack) -> bool {
    stack.tags().iter().any(|it| it.key() == Some(CELL_TAG))
        || stack.parameters().iter().any(|it| it.parameter_key() == Some(RELEASE_DIGEST))
}

/// RFC 3339.
pub(super) fn time(time: &DateTime) -> String {
    time.fmt(Format::DateTime).unwrap_or_default()
}

pub(super) async fn create_change_set(
    client: &Client,
    request: &ChangeSetRequest<'_>,
    template_url: Option<String>,
) -> Result<Creation, CloudError> {
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
        .set_template_url(template_url)
        .rollback_configuration(rollback(&request.rollback_alarms));
    match call.send().await {
        // By an attempt whose answer was lost, or by an earlier run.
        Err(error) if error.code() == Some("AlreadyExistsException") => Ok(Creation::Found),
        Err(error) => {
            let (name, stack) = (&request.name, &request.plan.name);
            Err(failed(format!("create the change set {name} of the stack {stack}"))(error))
        }
        Ok(_) => Ok(Creation::New),
    }
}

fn rollback(alarms: &[String]) -> RollbackConfiguration {
    let trigger =
        |arn: &String| RollbackTrigger::builder().arn(arn).r#type("AWS::CloudWatch::Alarm").build();
    let triggers = alarms.iter().map(trigger).collect();
    let configuration = RollbackConfiguration::builder().set_rollback_triggers(Some(triggers));
    // Said where there are none, too: a stack keeps those of the operation before.
    configuration.build()
}

pub(super) async fn change_set(
    client: &Client,
    stack: &str,
    name: &str,
    page: Option<String>,
) -> Result<ChangeSetState, CloudError> {
    let call = client.describe_change_set().stack_name(stack).change_set_name(name);
    let answer = match call.set_next_token(page).send().await {
        Ok(answer) => answer,
        Err(error) if is_missing(&error) => return Ok(ChangeSetState::Missing),
        Err(error) => {
            let what = format!("describe the change set {name} of the stack {stack}");
            return Err(failed(what)(error));
        }
    };
    let reason = answer.status_reason().unwrap_or_default();
    Ok(match (answer.status(), answer.execution_status()) {
        (_, Some(ExecutionStatus::Obsolete)) => ChangeSetState::Obsolete,
        (
            _,
            Some(
                ExecutionStatus::ExecuteInProgress
                | ExecutionStatus::ExecuteComplete
                | ExecutionStatus::ExecuteFailed,
            ),
        ) => ChangeSetState::Executed,
        (Some(ChangeSetStatus::CreateComplete), Some(ExecutionStatus::Available)) => {
            let changes = answer.changes().iter().filter_map(|it| it.resource_change());
            let items = changes.map(|it| ResourceKind {
                resource_type: it.resource_type().unwrap_or_default().to_owned(),
                is_new: it.action() == Some(&ChangeAction::Add),
            });
            let next = answer.next_token().map(str::to_owned);
            let id = answer.change_set_id().unwrap_or(name).to_owned();
            ChangeSetState::Ready { id, page: Page { items: items.collect(), next } }
        }
        (Some(ChangeSetStatus::Failed), _) if is_empty(reason) => ChangeSetState::Empty,
        (Some(ChangeSetStatus::Failed), _) => ChangeSetState::Failed(reason.to_owned()),
        (
            Some(
                ChangeSetStatus::DeleteComplete
                | ChangeSetStatus::DeleteInProgress
                | ChangeSetStatus::DeletePending,
            ),
            _,
        ) => ChangeSetState::Missing,
        _ => ChangeSetState::Pending,
    })
}

/// True when there is no such change set, or not even its stack.
fn is_missing(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("ChangeSetNotFound" | "ChangeSetNotFoundException"))
        || error.message().is_some_and(|it| it.contains(NO_SUCH_STACK))
}

/// Whether a change set failed only because there is nothing to do: CloudFormation has two texts for that.
pub(super) fn is_empty(reason: &str) -> bool {
    ["didn't contain changes", "No updates are to be performed"]
        .iter()
        .any(|it| reason.contains(it))
}

pub(super) async fn execute(
    client: &Client,
    stack: &str,
    name: &str,
    token: &str,
) -> Result<Execution, CloudError> {
    let call = client.execute_change_set().stack_name(stack).change_set_name(name);
    match call.client_request_token(token).send().await {
        Ok(_) => Ok(Execution::Begun),
        Err(error)
            if is_missing(&error)
                || matches!(
                    error.code(),
                    Some(
                        "TokenAlreadyExistsException"
                            | "InvalidChangeSetStatus"
                            | "InvalidChangeSetStatusException"
                            | "ValidationError"
                    )
                ) =>
        {
            Ok(Execution::Refused(error.message().unwrap_or("it gives no reason").to_owned()))
        }
        Err(error) => {
            Err(failed(format!("execute the change set {name} of the stack {stack}"))(error))
        }
    }
}

/// Deletes a change set; that there is none, or no such stack, is fine.
pub(super) async fn delete_change_set(
    client: &Client,
    stack: &str,
    name: &str,
) -> Result<(), CloudError> {
    match client.delete_change_set().stack_name(stack).change_set_name(name).send().await {
        Ok(_) => Ok(()),
        Err(error) if is_missing(&error) => Ok(()),
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
        token: event.client_request_token().unwrap_or_default().to_owned(),
    })
}

/// Most pages of events that are read at once, of a hundred each. Our choice: a stack of 500
/// resources has some 1,500 events from beginning to end.
const EVENT_PAGES_MAX: usize = 40;

/// The events of a stack that are newer than those seen, oldest first.
pub(super) async fn newer_events(
    client: &Client,
    stack: &str,
    seen: &HashSet<String>,
) -> Result<Vec<StackEvent>, CloudError> {
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..EVENT_PAGES_MAX {
        let page = events(client, stack, next).await?;
        let count = page.items.len();
        let before = found.len();
        found.extend(page.items.into_iter().take_while(|it| !seen.contains(&it.id)));
        next = page.next;
        if next.is_none() || found.len() - before < count {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

pub(super) async fn events(
    client: &Client,
    stack: &str,
    page: Option<String>,
) -> Result<Page<StackEvent>, CloudError> {
    let call = client.describe_stack_events().stack_name(stack).set_next_token(page);
    match call.send().await {
        Ok(answer) => Ok(Page {
            items: answer.stack_events().iter().map(event).collect(),
            next: answer.next_token().map(str::to_owned),
        }),
        Err(error) if error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) => {
            Ok(Page { items: Vec::new(), next: None })
        }
        Err(error) => Err(failed(format!("read the events of the stack {stack}"))(error)),
    }
}

fn event(event: &aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    let mut told = StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: event.resource_type().unwrap_or_default().to_owned(),
        status: event.resource_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        reason: event.resource_status_reason().unwrap_or_default().to_owned(),
        at_ms: event.timestamp().and_then(|it| it.to_millis().ok()).unwrap_or_default(),
        token: event.client_request_token().unwrap_or_default().to_owned(),
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
