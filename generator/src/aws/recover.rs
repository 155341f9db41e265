//! What CloudFormation is asked to do about a stack that is stuck, or is to go.
//!
//! A stack is named by its id wherever its end is waited for: by its name, CloudFormation does not find
//! one that was deleted. To see more of a resource, add it to `resource`.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{StackResourceSummary, TemplateStage};

use super::cloudformation::{self, NO_SUCH_STACK};
use super::{Target, failed};
use crate::cause::StackEvent;
use crate::deploy::CloudError;
use crate::recover::{Found, Protection, RecoverServices, Resource};

/// Most pages of resources that are read. Our choice: a stack has at most 500 resources, which are five.
const PAGES_MAX: usize = 50;

/// The stacks of one account and region, to be mended or deleted.
#[derive(Debug)]
pub struct Recovery {
    client: Client,
}

impl Recovery {
    pub async fn connect(target: &Target) -> Self {
        Self { client: Client::new(&target.config().await) }
    }
}

impl RecoverServices for Recovery {
    async fn stack(&self, stack: &str) -> Result<Option<Found>, CloudError> {
        match self.client.describe_stacks().stack_name(stack).send().await {
            Ok(answer) => Ok(answer.stacks().first().map(|it| Found {
                id: it.stack_id().unwrap_or(stack).to_owned(),
                status: it.stack_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
                protection: match it.enable_termination_protection() {
                    Some(true) => Protection::On,
                    _ => Protection::Off,
                },
                is_ours: cloudformation::is_ours(it),
            })),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(format!("describe the stack {stack}"))(error)),
        }
    }

    async fn events(
        &self,
        stack: &str,
        seen: &HashSet<String>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        cloudformation::newer_events(&self.client, stack, seen).await
    }

    async fn failed_checks(&self, stack: &str) -> Result<Vec<StackEvent>, CloudError> {
        cloudformation::failed_checks(&self.client, stack, None).await
    }

    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, CloudError> {
        let mut resources = Vec::new();
        let call = self.client.list_stack_resources().stack_name(stack);
        let mut pages = call.into_paginator().send();
        for _ in 0..PAGES_MAX {
            match pages.next().await {
                None => break,
                Some(Ok(page)) => {
                    resources.extend(page.stack_resource_summaries().iter().map(resource));
                }
                Some(Err(error)) if is_missing(&error) => break,
                Some(Err(error)) => {
                    return Err(failed(format!("list the resources of the stack {stack}"))(error));
                }
            }
        }
        Ok(resources)
    }

    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError> {
        let call = self.client.get_template().stack_name(stack);
        match call.template_stage(TemplateStage::Original).send().await {
            Ok(answer) => Ok(answer.template_body().map(str::to_owned)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(format!("read the template of the stack {stack}"))(error)),
        }
    }

    async fn delete(&self, stack: &str, leave: &[String]) -> Result<(), CloudError> {
        let leave = (!leave.is_empty()).then(|| leave.to_vec());
        let call = self.client.delete_stack().stack_name(stack).set_retain_resources(leave);
        call.send().await.map(drop).map_err(failed(format!("delete the stack {stack}")))
    }

    async fn roll_back(&self, stack: &str) -> Result<(), CloudError> {
        let call = self.client.rollback_stack().stack_name(stack).send().await;
        call.map(drop).map_err(failed(format!("take back the update of the stack {stack}")))
    }

    async fn continue_rollback(&self, stack: &str, skip: &[String]) -> Result<(), CloudError> {
        let skip = (!skip.is_empty()).then(|| skip.to_vec());
        let call =
            self.client.continue_update_rollback().stack_name(stack).set_resources_to_skip(skip);
        let what = format!("go on with the rollback of the stack {stack}");
        call.send().await.map(drop).map_err(failed(what))
    }

    async fn protect(&self, stack: &str, protection: Protection) -> Result<(), CloudError> {
        match protection {
            Protection::On => cloudformation::protect(&self.client, stack).await,
            Protection::Off => cloudformation::unprotect(&self.client, stack).await,
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Whether CloudFormation says that there is no such stack.
fn is_missing(error: &impl ProvideErrorMetadata) -> bool {
    error.message().is_some_and(|it| it.contains(NO_SUCH_STACK))
}

fn resource(it: &StackResourceSummary) -> Resource {
    Resource {
        logical_id: it.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: it.resource_type().unwrap_or_default().to_owned(),
        physical_id: it.physical_resource_id().unwrap_or_default().to_owned(),
        status: it.resource_status().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        reason: it.resource_status_reason().unwrap_or_default().to_owned(),
    }
}
