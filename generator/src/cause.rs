//! Why an operation on a stack failed: the first failure that is not the consequence of another's.
//!
//! Only events of the stack's latest operation count; the rollback that follows a failure is part of it,
//! one that a person asked for later is an operation of its own. CloudFormation's words are kept, on one
//! line. What a new kind of consequence looks like is said in `is_consequence`. Pure.

use std::fmt;

use crate::stack_status::StackStatus;

/// The type of a stack's own events, and of a stack within a stack.
const STACK_TYPE: &str = "AWS::CloudFormation::Stack";
/// The word by which a validation before the first resource says that it failed; ours, because
/// `DescribeEvents` has `FAILED` in a field of its own.
pub const VALIDATION_FAILED: &str = "VALIDATION_FAILED";

/// One event of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackEvent {
    pub id: String,
    pub logical_id: String,
    pub resource_type: String,
    /// Such as `CREATE_FAILED`; also a hook's, and [`VALIDATION_FAILED`].
    pub status: String,
    pub reason: String,
    /// When it happened, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Of the request that began the operation to which it belongs; empty where CloudFormation gives none.
    pub token: String,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub logical_id: String,
    /// Empty when a validation does not say.
    pub resource_type: String,
    pub status: String,
    /// In CloudFormation's words, on one line.
    pub reason: String,
}

impl Cause {
    fn of(event: &StackEvent) -> Self {
        let words: Vec<_> = event.reason.split_whitespace().collect();
        let reason = if words.is_empty() {
            format!("in {}, for which no reason is given", event.status)
        } else {
            words.join(" ")
        };
        Self {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            status: event.status.clone(),
            reason,
        }
    }
}

/// `CameraAisle5 (AWS::KinesisVideo::Stream): Limit exceeded ...`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logical_id, resource_type, reason, .. } = self;
        match (logical_id.as_str(), resource_type.as_str()) {
            ("", _) => write!(f, "{reason}"),
            (_, "") => write!(f, "{logical_id}: {reason}"),
            _ => write!(f, "{logical_id} ({resource_type}): {reason}"),
        }
    }
}

/// The first failure of the latest operation on a stack, which has this name; `None` when nothing failed.
/// `events` come oldest first.
pub fn first_cause(stack: &str, events: &[StackEvent]) -> Option<Cause> {
    let latest = latest(stack, events);
    latest.iter().find(|it| is_cause(stack, it)).map(Cause::of).or_else(|| {
        // Nothing but consequences: what the stack itself says is all that there is.
        let said = latest.iter().find(|it| is_own(stack, it) && has_failed(it));
        let is_said = |it: &&StackEvent| !it.reason.is_empty() && it.reason != USER_INITIATED;
        said.filter(is_said).map(Cause::of)
    })
}

/// What failed while the latest rollback or deletion of a stack went on, and has not succeeded since.
pub fn culprits(stack: &str, events: &[StackEvent]) -> Vec<Cause> {
    let latest = latest(stack, events);
    let begins = |it: &StackEvent| {
        let words = ["ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"];
        is_own(stack, it) && words.iter().any(|word| it.status.ends_with(word))
    };
    let begin = latest.iter().rposition(begins).unwrap_or_default();
    let mut found: Vec<Cause> = Vec::new();
    for event in latest.get(begin..).unwrap_or_default() {
        if is_own(stack, event) {
            continue;
        }
        found.retain(|it| it.logical_id != event.logical_id || event.status.ends_with("_PROGRESS"));
        if event.status.ends_with("_FAILED") && !is_consequence(&event.reason) {
            found.push(Cause::of(event));
        }
    }
    found
}

/// When the stack came into the state in which it is, in milliseconds since the epoch.
pub fn since_ms(stack: &str, events: &[StackEvent]) -> Option<i64> {
    events.iter().rev().find(|it| is_own(stack, it)).map(|it| it.at_ms)
}

/// Whether CloudFormation says only that a validation failed, and keeps the rest for `DescribeEvents`.
pub fn lacks_detail(reason: &str) -> bool {
    reason.contains("DescribeEvents") || reason.contains("EarlyValidation")
}

/// What was found wrong before anything was made, on one line; `reason` is CloudFormation's own, which
/// stands where the events say nothing.
pub fn refusal(reason: &str, events: &[StackEvent]) -> String {
    let found: Vec<_> = events
        .iter()
        .filter(|it| it.status.ends_with("_FAILED") && !it.reason.is_empty())
        .filter(|it| !lacks_detail(&it.reason))
        .map(|it| Cause::of(it).to_string())
        .collect();
    if found.is_empty() {
        return reason.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    found.join("; ")
}

/// The events from the beginning of the latest operation on.
fn latest<'a>(stack: &str, events: &'a [StackEvent]) -> &'a [StackEvent] {
    let own = events.iter().enumerate().filter(|(_, it)| is_own(stack, it));
    let (mut begin, mut is_over) = (0, true);
    for (place, event) in own {
        let status = StackStatus::parse(&event.status);
        let is_final = status.is_some_and(StackStatus::is_final);
        let is_asked_for = is_beginning(&event.status) || event.reason == USER_INITIATED;
        if !is_final && is_asked_for && is_over {
            begin = place;
        }
        is_over = is_final || status == Some(StackStatus::ReviewInProgress);
    }
    events.get(begin..).unwrap_or_default()
}

/// What CloudFormation says of an operation that a person asked for.
const USER_INITIATED: &str = "User Initiated";

/// Whether an operation always begins with this status of the stack.
fn is_beginning(status: &str) -> bool {
    matches!(
        status,
        "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS" | "IMPORT_IN_PROGRESS"
    )
}

fn is_own(stack: &str, event: &StackEvent) -> bool {
    event.logical_id == stack && event.resource_type == STACK_TYPE
}

/// A failure of a resource, or of the stack where it says more than that a resource failed.
fn is_cause(stack: &str, event: &StackEvent) -> bool {
    if is_own(stack, event) {
        return has_failed(event) && !is_summary(&event.reason) && !event.reason.is_empty();
    }
    event.status.ends_with("_FAILED") && !is_consequence(&event.reason)
}

/// Whether a stack's own event tells of a failure.
fn has_failed(event: &StackEvent) -> bool {
    event.status.ends_with("_FAILED") || event.status.ends_with("ROLLBACK_IN_PROGRESS")
}

/// What a stack says of its resources, which say it better themselves.
fn is_summary(reason: &str) -> bool {
    reason == USER_INITIATED
        || reason.starts_with("The following resource(s) failed")
        || reason.starts_with("The following hook(s) failed")
}

/// What CloudFormation says of a resource that it stopped because another one failed, such as
/// `Resource creation cancelled`.
fn is_consequence(reason: &str) -> bool {
    let reason = reason.trim().trim_end_matches('.');
    reason.starts_with("Resource ")
        && (reason.ends_with("cancelled") || reason.ends_with("canceled"))
}

#[cfg(test)]
mod tests;
