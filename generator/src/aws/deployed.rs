//! What a review asks CloudFormation: the stacks that are there, their templates, and change sets that
//! are never executed.
//!
//! The words of CloudFormation become ours in [`said`] and [`listed`]; a word that is not known is taken
//! for what must not be overlooked.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, EvaluationType, Parameter,
    PolicyAction, Replacement, RequiresRecreation, ResourceAttribute, ResourceChange,
    ResourceChangeDetail, Stack, StackStatus, Tag, TemplateStage,
};

use super::cloudformation::{self, NO_SUCH_STACK};
use super::stop::Stop;
use super::{Target, failed};
use crate::change::{Action, Fate};
use crate::deploy::CloudError;
use crate::deployed::{ChangeSetRequest, DeployedServices, DeployedStack, Worked};
use crate::release::RELEASE_DIGEST;
use crate::review::opinion::Said;

/// Most pages of a list that are read. Our choice: an account has 2,000 stacks by default, which are 20
/// pages; a change set of 500 resources has a few.
const PAGES_MAX: usize = 500;

/// The stacks of one account and region, to be looked at.
#[derive(Debug)]
pub struct Deployment {
    client: Client,
    stop: Stop,
}

impl Deployment {
    pub async fn connect(target: &Target) -> Self {
        Self { client: Client::new(&target.config().await), stop: Stop::default() }
    }

    /// From now on Ctrl-C and SIGTERM stop the asking between two stacks; see [`Stop::hear`].
    pub async fn hear_signals(&self) {
        self.stop.hear().await;
    }
}

impl DeployedServices for Deployment {
    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError> {
        let mut stacks = Vec::new();
        let mut pages = self.client.describe_stacks().into_paginator().send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(stacks) };
            let page = page.map_err(failed("list the stacks"))?;
            stacks.extend(page.stacks().iter().map(listed));
        }
        Err(CloudError::other("list the stacks", TooMany))
    }

    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError> {
        let call = self.client.get_template().stack_name(stack);
        match call.template_stage(TemplateStage::Original).send().await {
            Ok(answer) => Ok(Some(answer.template_body().unwrap_or_default().to_owned())),
            Err(error) if error.message().is_some_and(|it| it.contains(NO_SUCH_STACK)) => Ok(None),
            Err(error) => Err(failed(format!("read the template of the stack {stack}"))(error)),
        }
    }

    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Result<(), String>, CloudError> {
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let parameter =
            |key: &&str| Parameter::builder().parameter_key(*key).use_previous_value(true).build();
        let plan = request.plan;
        let call = self
            .client
            .create_change_set()
            .stack_name(&plan.name)
            .change_set_name(request.name)
            .description("Made by `arm diff` to be looked at, and deleted again")
            // CloudFormation makes no stack for it: of one that is gone meanwhile it is an error.
            .change_set_type(ChangeSetType::Update)
            .capabilities(Capability::CapabilityNamedIam)
            .set_tags(Some(plan.tags.iter().map(tag).collect()))
            .set_parameters(Some(request.parameters.iter().map(parameter).collect()))
            .template_body(&plan.body);
        match call.send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) if error.code() == Some("ValidationError") => {
                Ok(Err(error.message().unwrap_or("it gives no reason").to_owned()))
            }
            Err(error) => {
                let what =
                    format!("create the change set {} of the stack {}", request.name, plan.name);
                Err(failed(what)(error))
            }
        }
    }

    async fn change_set(&self, stack: &str, name: &str) -> Result<Worked, CloudError> {
        let what = || format!("describe the change set {name} of the stack {stack}");
        let (mut changes, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let call = self.client.describe_change_set().stack_name(stack).change_set_name(name);
            let call = call.include_property_values(true).set_next_token(token);
            let answer = call.send().await.map_err(failed(what()))?;
            if let Some(worked) = unready(&answer) {
                return Ok(worked);
            }
            let page = answer.changes().iter();
            changes.extend(page.filter_map(|it| it.resource_change()).map(said));
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(Worked::Ready(changes));
            }
        }
        Err(CloudError::other(what(), TooMany))
    }

    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError> {
        cloudformation::delete_change_set(&self.client, stack, name).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it has more than {PAGES_MAX} pages")]
struct TooMany;

/// A stack as the list of stacks tells it.
fn listed(stack: &Stack) -> DeployedStack {
    let owned = |it: Option<&str>| it.unwrap_or_default().to_owned();
    let parameters = stack.parameters().iter();
    let digest = stack.outputs().iter().find(|it| it.output_key() == Some(RELEASE_DIGEST));
    DeployedStack {
        name: owned(stack.stack_name()),
        status: owned(stack.stack_status().map(StackStatus::as_str)),
        digest: digest.and_then(|it| it.output_value()).map(str::to_owned),
        parameters: parameters
            .map(|it| (owned(it.parameter_key()), owned(it.parameter_value())))
            .collect(),
        tags: stack.tags().iter().map(|it| (owned(it.key()), owned(it.value()))).collect(),
    }
}

/// How a change set stands that is not ready, or has nothing in it.
fn unready(answer: &DescribeChangeSetOutput) -> Option<Worked> {
    let reason = answer.status_reason().unwrap_or_default();
    match answer.status() {
        Some(ChangeSetStatus::CreateComplete) => None,
        Some(ChangeSetStatus::Failed) if cloudformation::is_empty(reason) => {
            Some(Worked::Ready(Vec::new()))
        }
        Some(ChangeSetStatus::Failed) => Some(Worked::Failed(reason.to_owned())),
        _ => Some(Worked::Pending),
    }
}

/// What a change set says of one resource.
fn said(change: &ResourceChange) -> Said {
    let details = change.details();
    let is_static = |it: &ResourceChangeDetail| it.evaluation() != Some(&EvaluationType::Dynamic);
    Said {
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        action: action(change),
        fate: change.policy_action().and_then(fate),
        is_certain: details.is_empty() || details.iter().any(is_static),
        reasons: details.iter().filter_map(reason).collect(),
    }
}

fn action(change: &ResourceChange) -> Action {
    let scope = change.scope();
    let is_inner = |it: &ResourceAttribute| {
        matches!(it, ResourceAttribute::Properties | ResourceAttribute::Tags)
    };
    match change.action() {
        Some(ChangeAction::Add | ChangeAction::Import) => Action::Add,
        Some(ChangeAction::Remove) => Action::Remove,
        Some(ChangeAction::Modify | ChangeAction::SyncWithActual) => match change.replacement() {
            Some(Replacement::True) => Action::Replace,
            Some(Replacement::Conditional) => Action::MayReplace,
            _ if scope.is_empty() || scope.iter().any(is_inner) => Action::Update,
            _ => Action::Attributes,
        },
        // `Dynamic`: what becomes of it is not known. Source: API reference, `ResourceChange`, `Action`.
        _ => Action::MayReplace,
    }
}

fn fate(policy: &PolicyAction) -> Option<Fate> {
    match policy {
        PolicyAction::Delete | PolicyAction::ReplaceAndDelete => Some(Fate::Deleted),
        PolicyAction::Retain | PolicyAction::ReplaceAndRetain => Some(Fate::Retained),
        PolicyAction::Snapshot | PolicyAction::ReplaceAndSnapshot => Some(Fate::Snapshot),
        _ => None,
    }
}

/// What makes CloudFormation replace a resource, as a sentence.
fn reason(detail: &ResourceChangeDetail) -> Option<String> {
    let target = detail.target()?;
    let may = match target.requires_recreation()? {
        RequiresRecreation::Always => "replaces it",
        RequiresRecreation::Conditionally => "may replace it",
        _ => return None,
    };
    let name = target.name().unwrap_or("a property");
    let values = match (target.before_value(), target.after_value()) {
        (Some(before), Some(after)) => format!(" from `{before}` to `{after}`"),
        _ => String::new(),
    };
    Some(format!("CloudFormation says that changing `{name}`{values} {may}"))
}

#[cfg(test)]
mod tests;
