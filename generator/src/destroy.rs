//! Deletes the stack of one store, and its footage only where that was asked for by name.
//!
//! The case log and the evidence belong to the cell's platform, which nothing here touches. A stream is
//! deleted only when its own tags say that it is this store's. To show more of what is lost, add it to
//! [`Loss`].

use std::collections::{BTreeMap, HashSet};
use std::error::Error;

use serde_json::Value;

use crate::deploy::CloudError;
use crate::model::Id;
use crate::name::StoreNames;
use crate::recover::{self, Guide, Outcome, Protection, RecoverError, RecoverServices, Resource};
use crate::release::{CELL_TAG, STORE_TAG};
use crate::stack_status::{Remedy, StackStatus, Standing};
use crate::template::Template;

/// The type of a camera's stream.
const STREAM_TYPE: &str = "AWS::KinesisVideo::Stream";

/// What destroying needs of AWS beyond its stack; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait DestroyServices {
    /// The video streams whose names begin so.
    async fn streams(&self, prefix: &str) -> Result<Vec<Stream>, CloudError>;
    async fn tags(&self, stream: &Stream) -> Result<BTreeMap<String, String>, CloudError>;
    /// Deletes a stream with all its footage.
    async fn delete_stream(&self, stream: &Stream) -> Result<(), CloudError>;
    /// How many cases the case log has of a store.
    async fn count_cases(&self, store: &str) -> Result<u64, CloudError>;
}

/// A video stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub name: String,
    pub arn: String,
    pub retention_hours: u64,
}

/// What destroying a store means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub stack: String,
    /// The stack, unless there is none.
    pub found: Option<Doomed>,
    /// The store's streams, also those that an earlier stack left.
    pub streams: Vec<Stream>,
    /// Streams that the stack's template does not retain: they would go with it, footage and all.
    pub unretained: Vec<String>,
    /// What else the stack's template retains.
    pub retained: Vec<Resource>,
    /// By how each is told, such as `email` and an address.
    pub subscribers: Vec<(String, String)>,
    /// Cases that stay in the case log, or why they were not counted.
    pub cases: Result<u64, String>,
}

impl Loss {
    /// The most hours of footage that the streams can hold.
    pub fn footage_hours(&self) -> u64 {
        self.streams.iter().map(|it| it.retention_hours).sum()
    }
}

/// A stack that can be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    pub id: String,
    pub status: StackStatus,
    pub protection: Protection,
}

/// Why a store is not destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    #[error(
        "the stack {stack} is in {status}: something is at work there; nothing was touched\n  help: wait, \
         or follow it with `arm recover`"
    )]
    Moving { stack: String, status: &'static str },
    #[error(transparent)]
    Unknown(RecoverError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// What becomes of a store's footage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footage {
    Keep,
    Delete,
}

/// What was destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// How the deletion of the stack ended; `None` when there was no stack.
    pub stack: Option<Outcome>,
    pub deleted: Vec<Stream>,
    pub kept: Vec<Stream>,
}

impl Destroyed {
    pub fn is_gone(&self) -> bool {
        self.stack.as_ref().is_none_or(|it| it.status.is_none())
    }
}

/// Finds out what destroying a store means; changes nothing.
pub async fn look(
    stacks: &impl RecoverServices,
    services: &impl DestroyServices,
    cell: &Id,
    store: &Id,
) -> Result<Loss, DestroyError> {
    let names = StoreNames::new(cell, store);
    let stack = names.stack().to_owned();
    let mut loss = Loss {
        stack: stack.clone(),
        found: None,
        streams: own_streams(services, cell, store).await?,
        unretained: Vec::new(),
        retained: Vec::new(),
        subscribers: Vec::new(),
        cases: services
            .count_cases(store.as_str())
            .await
            .map_err(|error| format!("{error}: {}", deepest(&error))),
    };
    let Some(found) = stacks.stack(&stack).await? else { return Ok(loss) };
    let Some(status) = StackStatus::parse(&found.status) else {
        let status = found.status;
        return Err(DestroyError::Unknown(RecoverError::Unknown { stack, status }));
    };
    if !found.is_ours {
        return Err(DestroyError::Unknown(RecoverError::Foreign(stack)));
    }
    match status.standing() {
        Standing::Absent => return Ok(loss),
        Standing::Moving => return Err(DestroyError::Moving { stack, status: status.as_str() }),
        Standing::Shell | Standing::Settled | Standing::Void | Standing::Stuck => {}
    }
    if let Some(text) = stacks.template(&found.id).await? {
        loss.subscribers = subscribers(&text);
    }
    loss.retained = recover::retained(stacks, &found.id).await?;
    let stays = |it: &Resource| loss.retained.iter().any(|kept| kept.logical_id == it.logical_id);
    let mut streams = stacks.resources(&found.id).await?;
    streams.retain(|it| it.resource_type == STREAM_TYPE && it.status != "DELETE_COMPLETE");
    streams.retain(|it| !it.physical_id.is_empty() && !stays(it));
    loss.unretained = streams.into_iter().map(|it| it.physical_id).collect();
    let names: HashSet<_> = loss.streams.iter().map(|it| it.name.as_str()).collect();
    loss.retained.retain(|it| !names.contains(it.physical_id.as_str()));
    loss.found = Some(Doomed { id: found.id, status, protection: found.protection });
    Ok(loss)
}

/// What caused an error in the end.
fn deepest(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}

/// The streams whose names and tags say that they are the store's.
async fn own_streams(
    services: &impl DestroyServices,
    cell: &Id,
    store: &Id,
) -> Result<Vec<Stream>, CloudError> {
    let mut own = Vec::new();
    for stream in services.streams(&StoreNames::new(cell, store).stream_prefix()).await? {
        let tags = services.tags(&stream).await?;
        let is = |tag: &str, id: &Id| tags.get(tag).is_some_and(|it| it == id.as_str());
        if is(CELL_TAG, cell) && is(STORE_TAG, store) {
            own.push(stream);
        }
    }
    Ok(own)
}

/// Whom the stack's topic tells, as its template has it.
fn subscribers(template: &str) -> Vec<(String, String)> {
    let Ok(template) = Template::parse(template) else { return Vec::new() };
    let is_subscription =
        |it: &Value| it.get("Type").and_then(Value::as_str) == Some("AWS::SNS::Subscription");
    let subscriptions = template.resources().filter(|(_, it)| is_subscription(it));
    let told = subscriptions.filter_map(|(_, it)| {
        let properties = it.get("Properties")?;
        let protocol = properties.get("Protocol")?.as_str()?.to_owned();
        let endpoint = properties.get("Endpoint").and_then(Value::as_str);
        // An address that is kept elsewhere is not shown.
        let endpoint = endpoint.filter(|it| !it.contains("{{")).unwrap_or("a stored address");
        Some((protocol, endpoint.to_owned()))
    });
    told.collect()
}

/// Deletes the stack, and then the footage where that was asked for.
pub async fn carry_out(
    stacks: &impl RecoverServices,
    services: &impl DestroyServices,
    loss: &Loss,
    footage: Footage,
    guide: &mut impl Guide,
) -> Result<Destroyed, CloudError> {
    let mut destroyed = Destroyed::default();
    if let Some(doomed) = &loss.found {
        destroyed.stack = Some(delete_stack(stacks, &loss.stack, doomed, guide).await?);
    }
    if footage == Footage::Keep || !destroyed.is_gone() {
        destroyed.kept.clone_from(&loss.streams);
        return Ok(destroyed);
    }
    for stream in &loss.streams {
        services.delete_stream(stream).await?;
        guide.say(&format!("  deleted stream {}", stream.name));
        destroyed.deleted.push(stream.clone());
    }
    Ok(destroyed)
}

/// Deletes a stack; one that CloudFormation refuses to delete is as protected as it was.
async fn delete_stack(
    stacks: &impl RecoverServices,
    stack: &str,
    doomed: &Doomed,
    guide: &mut impl Guide,
) -> Result<Outcome, CloudError> {
    let is_protected = doomed.protection == Protection::On;
    if is_protected {
        stacks.protect(&doomed.id, Protection::Off).await?;
    }
    let outcome = recover::delete(stacks, (stack, &doomed.id), guide).await;
    if outcome.is_err() && is_protected {
        let found = stacks.stack(&doomed.id).await?;
        let status = found.and_then(|it| StackStatus::parse(&it.status));
        if status.is_some_and(|it| it.remedy() == Remedy::Nothing && it.can_update()) {
            stacks.protect(&doomed.id, Protection::On).await?;
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
