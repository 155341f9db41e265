//! Destroying against a scripted AWS: what is touched, in which order, and what never is.

use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::cause::{Cause, StackEvent};
use crate::recover::Found;

const TEMPLATE: &str = r#"{ "Resources": {
    "Camera": { "Type": "AWS::KinesisVideo::Stream", "DeletionPolicy": "RetainExceptOnCreate" },
    "Kept": { "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain" },
    "Bus": { "Type": "AWS::Events::EventBus" },
    "A": { "Type": "AWS::SNS::Subscription", "Properties": {
        "Protocol": "email", "Endpoint": "lp@example.com" } },
    "B": { "Type": "AWS::SNS::Subscription", "Properties": {
        "Protocol": "sms", "Endpoint": "{{resolve:ssm:/arm/phone}}" } }
} }"#;

/// An AWS with one stack and some streams.
#[derive(Default)]
struct Script {
    /// The stack's state before it is deleted; `None`: there is none.
    status: Option<&'static str>,
    /// The state in which the deletion ends.
    end: &'static str,
    /// The template does not retain the stream.
    is_careless: bool,
    is_refused: bool,
    calls: RefCell<Vec<String>>,
}

impl Script {
    fn note(&self, call: impl Into<String>) {
        self.calls.borrow_mut().push(call.into());
    }

    fn is_deleted(&self) -> bool {
        self.calls.borrow().iter().any(|it| it == "delete the stack")
    }
}

impl RecoverServices for Script {
    async fn stack(&self, _: &str) -> Result<Option<Found>, CloudError> {
        let status =
            if self.is_deleted() && !self.is_refused { Some(self.end) } else { self.status };
        let found = |it: &str| Found {
            id: "id".to_owned(),
            status: it.to_owned(),
            protection: Protection::On,
            is_ours: true,
        };
        Ok(status.map(found))
    }

    async fn events(&self, _: &str, _: &HashSet<String>) -> Result<Vec<StackEvent>, CloudError> {
        let event = |logical_id: &str, resource_type: &str, status: &str| StackEvent {
            id: format!("{logical_id} {status}"),
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            status: status.to_owned(),
            reason: "in use".to_owned(),
            at_ms: 0,
            token: String::new(),
        };
        let own = "AWS::CloudFormation::Stack";
        let stack = "arm-us-west-store-seattle-001";
        Ok(if self.is_deleted() {
            vec![
                event("Bus", "AWS::Events::EventBus", "DELETE_FAILED"),
                event(stack, own, self.end),
            ]
        } else {
            Vec::new()
        })
    }

    async fn failed_checks(&self, _: &str) -> Result<Vec<StackEvent>, CloudError> {
        Ok(Vec::new())
    }

    async fn resources(&self, _: &str) -> Result<Vec<Resource>, CloudError> {
        let resource = |(logical_id, name): (&str, &str)| Resource {
            logical_id: logical_id.to_owned(),
            resource_type: if logical_id == "Camera" { STREAM_TYPE } else { "" }.to_owned(),
            physical_id: name.to_owned(),
            ..Resource::default()
        };
        let all = [("Camera", "arm-us-west-seattle-001-gw-a"), ("Kept", "bucket"), ("Bus", "bus")];
        Ok(all.map(resource).to_vec())
    }

    async fn template(&self, _: &str) -> Result<Option<String>, CloudError> {
        let policy = if self.is_careless { "Delete" } else { "RetainExceptOnCreate" };
        Ok(Some(TEMPLATE.replace("RetainExceptOnCreate", policy)))
    }

    async fn delete(&self, _: &str, leave: &[String]) -> Result<(), CloudError> {
        assert!(leave.is_empty());
        self.note("delete the stack");
        if self.is_refused {
            return Err(CloudError::other("delete the stack", "denied"));
        }
        Ok(())
    }

    async fn roll_back(&self, _: &str) -> Result<(), CloudError> {
        unreachable!("destroying takes nothing back")
    }

    async fn continue_rollback(&self, _: &str, _: &[String]) -> Result<(), CloudError> {
        unreachable!("destroying takes nothing back")
    }

    async fn protect(&self, _: &str, protection: Protection) -> Result<(), CloudError> {
        self.note(format!("protection {protection:?}"));
        Ok(())
    }

    async fn pause(&self, _: Duration) {}
}

impl DestroyServices for Script {
    async fn streams(&self, prefix: &str) -> Result<Vec<Stream>, CloudError> {
        assert_eq!(prefix, "arm-us-west-seattle-001-gw-");
        let stream = |it: &str| Stream {
            name: format!("{prefix}{it}"),
            arn: it.to_owned(),
            retention_hours: 48,
        };
        Ok(["a", "removed", "gw-other"].map(stream).to_vec())
    }

    async fn tags(&self, stream: &Stream) -> Result<BTreeMap<String, String>, CloudError> {
        let store = if stream.arn == "gw-other" { "seattle-001-gw" } else { "seattle-001" };
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Ok(BTreeMap::from([tag(CELL_TAG, "us-west"), tag(STORE_TAG, store)]))
    }

    async fn delete_stream(&self, stream: &Stream) -> Result<(), CloudError> {
        self.note(format!("delete stream {}", stream.arn));
        Ok(())
    }

    async fn count_cases(&self, store: &str) -> Result<u64, CloudError> {
        if store == "seattle-001" { Ok(3) } else { Err(CloudError::other("count", "no table")) }
    }
}

struct Silent;

impl Guide for Silent {
    fn tell(&mut self, _: &StackEvent) {}
    fn say(&mut self, _: &str) {}
    fn may_skip(&mut self, _: &[Cause]) -> bool {
        false
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn looked(script: &Script) -> Result<Loss, DestroyError> {
    let id = |it| Id::new(it).unwrap();
    run(look(script, script, &id("us-west"), &id("seattle-001")))
}

fn destroyed(script: &Script, footage: Footage) -> (Vec<String>, Result<Destroyed, CloudError>) {
    let loss = looked(script).unwrap();
    let outcome = run(carry_out(script, script, &loss, footage, &mut Silent));
    (script.calls.borrow().clone(), outcome)
}

fn standing() -> Script {
    Script { status: Some("UPDATE_COMPLETE"), end: "DELETE_COMPLETE", ..Script::default() }
}

#[test]
fn what_would_be_lost_and_what_stays_is_known_before_anything_is_touched() {
    let script = standing();
    let loss = looked(&script).unwrap();
    let streams: Vec<_> = loss.streams.iter().map(|it| it.arn.as_str()).collect();
    assert_eq!(streams, ["a", "removed"], "a stream of another store is not this one's");
    assert_eq!(loss.footage_hours(), 96);
    let kept: Vec<_> = loss.retained.iter().map(|it| it.physical_id.as_str()).collect();
    assert_eq!(kept, ["bucket"]);
    let told = [("email", "lp@example.com"), ("sms", "a stored address")];
    assert_eq!(loss.subscribers, told.map(|(it, to)| (it.to_owned(), to.to_owned())));
    assert_eq!(loss.cases, Ok(3));
    assert!(script.calls.borrow().is_empty());
}

#[test]
fn footage_that_would_go_with_the_stack_is_known_beforehand() {
    assert!(looked(&standing()).unwrap().unretained.is_empty());
    let script = Script { is_careless: true, ..standing() };
    assert_eq!(looked(&script).unwrap().unretained, ["arm-us-west-seattle-001-gw-a"]);
}

#[test]
fn footage_is_kept_unless_it_was_named() {
    let (calls, outcome) = destroyed(&standing(), Footage::Keep);
    assert_eq!(calls, ["protection Off", "delete the stack"]);
    let outcome = outcome.unwrap();
    assert!(outcome.is_gone() && outcome.deleted.is_empty());
    assert_eq!(outcome.kept.len(), 2);
}

#[test]
fn footage_goes_after_the_stack_and_never_without_it() {
    let (calls, _) = destroyed(&standing(), Footage::Delete);
    let expected =
        ["protection Off", "delete the stack", "delete stream a", "delete stream removed"];
    assert_eq!(calls, expected);
    let script = Script { end: "DELETE_FAILED", ..standing() };
    let (calls, outcome) = destroyed(&script, Footage::Delete);
    assert_eq!(calls, ["protection Off", "delete the stack"]);
    let outcome = outcome.unwrap();
    assert!(!outcome.is_gone());
    let cause = outcome.stack.unwrap().cause.unwrap().to_string();
    assert_eq!(cause, "Bus (AWS::Events::EventBus): in use");
}

#[test]
fn footage_that_an_earlier_stack_left_can_be_deleted_too() {
    let script = Script::default();
    let (calls, outcome) = destroyed(&script, Footage::Delete);
    assert_eq!(calls, ["delete stream a", "delete stream removed"]);
    assert!(outcome.unwrap().is_gone());
}

#[test]
fn a_stack_that_cannot_be_deleted_is_protected_again() {
    let script = Script { is_refused: true, ..standing() };
    let (calls, outcome) = destroyed(&script, Footage::Delete);
    assert_eq!(calls, ["protection Off", "delete the stack", "protection On"]);
    assert!(outcome.is_err());
}

#[test]
fn a_stack_at_which_something_is_at_work_is_left_alone() {
    let script = Script { status: Some("UPDATE_IN_PROGRESS"), ..standing() };
    assert!(matches!(looked(&script), Err(DestroyError::Moving { .. })));
    let script = Script { status: Some("SOMETHING_ELSE"), ..standing() };
    assert!(matches!(looked(&script), Err(DestroyError::Unknown(_))));
}
