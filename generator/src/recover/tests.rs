//! Recovering against a scripted CloudFormation: what is called for each state, and what is said.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write;

use super::*;

const STACK: &str = "arm-us-west-store-seattle-001";
const TEMPLATE: &str = r#"{ "Resources": {
    "Camera": { "Type": "AWS::KinesisVideo::Stream", "DeletionPolicy": "RetainExceptOnCreate" },
    "Bus": { "Type": "AWS::Events::EventBus" }
} }"#;

/// A CloudFormation with one stack, which each operation brings into the next of the states given.
#[derive(Default)]
struct Script {
    status: RefCell<String>,
    /// The state and the failed resources after each operation; `DELETE_COMPLETE` is gone.
    next: RefCell<VecDeque<(&'static str, &'static [&'static str])>>,
    failed: RefCell<Vec<&'static str>>,
    events: RefCell<Vec<StackEvent>>,
    protection: Protection,
    calls: RefCell<Vec<String>>,
}

fn event(number: usize, logical_id: &str, status: &str, reason: &str) -> StackEvent {
    let is_own = logical_id == STACK;
    let own = if is_own { "AWS::CloudFormation::Stack" } else { "AWS::KinesisVideo::Stream" };
    StackEvent {
        id: number.to_string(),
        logical_id: logical_id.to_owned(),
        resource_type: own.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        at_ms: 0,
        token: String::new(),
    }
}

impl Script {
    /// A stack in a state, and what becomes of it.
    fn new(status: &str, next: &[(&'static str, &'static [&'static str])]) -> Self {
        let script = Self {
            status: RefCell::new(status.to_owned()),
            next: RefCell::new(next.iter().copied().collect()),
            failed: RefCell::new(vec!["Bus"]),
            ..Self::default()
        };
        script.event(STACK, "UPDATE_IN_PROGRESS", "User Initiated");
        script.event("Camera", "UPDATE_FAILED", "limit exceeded");
        script.event(STACK, status, "");
        script
    }

    fn event(&self, logical_id: &str, status: &str, reason: &str) {
        let mut events = self.events.borrow_mut();
        let number = events.len();
        events.push(event(number, logical_id, status, reason));
    }

    fn begin(&self, call: String, begin: &str) {
        self.calls.borrow_mut().push(call);
        self.event(STACK, begin, "User Initiated");
        self.advance();
    }

    /// Goes on to the next state.
    fn advance(&self) {
        let Some((status, failed)) = self.next.borrow_mut().pop_front() else { return };
        for it in failed {
            let word = if status == "DELETE_FAILED" { status } else { "UPDATE_FAILED" };
            self.event(it, word, "in use");
        }
        self.event(STACK, status, "");
        *self.failed.borrow_mut() = failed.to_vec();
        status.clone_into(&mut self.status.borrow_mut());
    }
}

impl RecoverServices for Script {
    async fn stack(&self, _: &str) -> Result<Option<Found>, CloudError> {
        let status = self.status.borrow().clone();
        let protection = self.protection;
        Ok((!status.is_empty()).then(|| Found {
            id: "id".to_owned(),
            status,
            protection,
            is_ours: true,
        }))
    }

    async fn events(&self, _: &str, seen: &HashSet<String>) -> Result<Vec<StackEvent>, CloudError> {
        let events = self.events.borrow();
        Ok(events.iter().filter(|it| !seen.contains(&it.id)).cloned().collect())
    }

    async fn failed_checks(&self, _: &str) -> Result<Vec<StackEvent>, CloudError> {
        Ok(vec![event(0, "Camera", "VALIDATION_FAILED", "#/Name: too long")])
    }

    async fn resources(&self, _: &str) -> Result<Vec<Resource>, CloudError> {
        let resource = |logical_id: &str, status: &str| Resource {
            logical_id: logical_id.to_owned(),
            physical_id: format!("the-{logical_id}"),
            status: status.to_owned(),
            ..Resource::default()
        };
        let status = |it| if self.failed.borrow().contains(&it) { "DELETE_FAILED" } else { "" };
        Ok(["Camera", "Bus"].map(|it| resource(it, status(it))).to_vec())
    }

    async fn template(&self, _: &str) -> Result<Option<String>, CloudError> {
        Ok(Some(TEMPLATE.to_owned()))
    }

    async fn delete(&self, _: &str, leave: &[String]) -> Result<(), CloudError> {
        self.begin(format!("delete, leaving {leave:?}"), "DELETE_IN_PROGRESS");
        Ok(())
    }

    async fn roll_back(&self, _: &str) -> Result<(), CloudError> {
        self.begin("roll back".to_owned(), "UPDATE_ROLLBACK_IN_PROGRESS");
        Ok(())
    }

    async fn continue_rollback(&self, _: &str, skip: &[String]) -> Result<(), CloudError> {
        self.begin(format!("continue, skipping {skip:?}"), "UPDATE_ROLLBACK_IN_PROGRESS");
        Ok(())
    }

    async fn protect(&self, _: &str, protection: Protection) -> Result<(), CloudError> {
        self.calls.borrow_mut().push(format!("protection {protection:?}"));
        Ok(())
    }

    async fn pause(&self, _: Duration) {
        self.advance();
    }
}

/// Somebody who allows so many skips.
struct Asked(usize);

impl Guide for Asked {
    fn tell(&mut self, _: &StackEvent) {}
    fn say(&mut self, _: &str) {}
    fn may_skip(&mut self, _: &[Cause]) -> bool {
        let may = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        may
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The calls that recovering makes, and how it ends.
fn recovered(script: &Script, skips: usize) -> (String, Outcome) {
    let finding = run(look(script, STACK)).unwrap().expect("the script has a stack");
    let outcome = run(carry_out(script, &finding, &mut Asked(skips))).unwrap();
    (script.calls.borrow().join("; "), outcome)
}

#[test]
fn every_status_of_a_stack_has_its_answer() {
    let mut table = String::new();
    for status in StackStatus::ALL {
        let next = match status.remedy() {
            Remedy::Delete | Remedy::DeleteShell | Remedy::DeleteAgain => "DELETE_COMPLETE",
            Remedy::RollBack | Remedy::ContinueRollback => "UPDATE_ROLLBACK_COMPLETE",
            Remedy::Follow => "UPDATE_COMPLETE",
            Remedy::Nothing | Remedy::ByHand => "must not be reached",
        };
        let script = Script::new(status.as_str(), &[(next, &[])]);
        let (calls, outcome) = recovered(&script, 0);
        let ended = outcome.status.map_or("gone", StackStatus::as_str);
        let good = if outcome.is_good() { "good" } else { "stuck" };
        let calls = if calls.is_empty() { "no call".to_owned() } else { calls };
        writeln!(table, "{:<44} {calls:<24} {ended}, {good}", status.as_str()).unwrap();
    }
    insta::assert_snapshot!(table, @"
    CREATE_IN_PROGRESS                           no call                  UPDATE_COMPLETE, good
    CREATE_FAILED                                delete, leaving []       gone, good
    CREATE_COMPLETE                              no call                  CREATE_COMPLETE, good
    ROLLBACK_IN_PROGRESS                         no call                  UPDATE_COMPLETE, good
    ROLLBACK_FAILED                              delete, leaving []       gone, good
    ROLLBACK_COMPLETE                            delete, leaving []       gone, good
    DELETE_IN_PROGRESS                           no call                  UPDATE_COMPLETE, good
    DELETE_FAILED                                delete, leaving []       gone, good
    DELETE_COMPLETE                              no call                  DELETE_COMPLETE, good
    UPDATE_IN_PROGRESS                           no call                  UPDATE_COMPLETE, good
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS          no call                  UPDATE_COMPLETE, good
    UPDATE_COMPLETE                              no call                  UPDATE_COMPLETE, good
    UPDATE_FAILED                                roll back                UPDATE_ROLLBACK_COMPLETE, good
    UPDATE_ROLLBACK_IN_PROGRESS                  no call                  UPDATE_COMPLETE, good
    UPDATE_ROLLBACK_FAILED                       continue, skipping []    UPDATE_ROLLBACK_COMPLETE, good
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS no call                  UPDATE_COMPLETE, good
    UPDATE_ROLLBACK_COMPLETE                     no call                  UPDATE_ROLLBACK_COMPLETE, good
    REVIEW_IN_PROGRESS                           delete, leaving []       gone, good
    IMPORT_IN_PROGRESS                           no call                  UPDATE_COMPLETE, good
    IMPORT_COMPLETE                              no call                  IMPORT_COMPLETE, good
    IMPORT_ROLLBACK_IN_PROGRESS                  no call                  UPDATE_COMPLETE, good
    IMPORT_ROLLBACK_FAILED                       no call                  IMPORT_ROLLBACK_FAILED, stuck
    IMPORT_ROLLBACK_COMPLETE                     no call                  IMPORT_ROLLBACK_COMPLETE, good
    ");
}

#[test]
fn a_rollback_goes_on_without_skipping_and_then_skips_only_what_failed() {
    let stuck: (&str, &[&str]) = ("UPDATE_ROLLBACK_FAILED", &["Bus"]);
    let next = [stuck, ("UPDATE_ROLLBACK_FAILED", &["Camera"]), ("UPDATE_ROLLBACK_COMPLETE", &[])];
    let (calls, outcome) = recovered(&Script::new("UPDATE_ROLLBACK_FAILED", &next), 2);
    assert_eq!(
        calls,
        r#"continue, skipping []; continue, skipping ["Bus"]; continue, skipping ["Camera"]"#
    );
    assert_eq!(outcome.skipped, ["Bus", "Camera"]);
    assert!(outcome.is_good());
}

#[test]
fn nothing_is_skipped_that_nobody_allowed() {
    let next: [(&str, &[&str]); 1] = [("UPDATE_ROLLBACK_FAILED", &["Bus"])];
    let (calls, outcome) = recovered(&Script::new("UPDATE_ROLLBACK_FAILED", &next), 0);
    assert_eq!(calls, "continue, skipping []");
    assert!(outcome.skipped.is_empty() && !outcome.is_good());
    assert_eq!(outcome.cause.unwrap().to_string(), "Bus (AWS::KinesisVideo::Stream): in use");
}

#[test]
fn a_deletion_that_fails_again_leaves_only_what_failed() {
    let next: [(&str, &[&str]); 2] = [("DELETE_FAILED", &["Bus"]), ("DELETE_COMPLETE", &[])];
    let (calls, outcome) = recovered(&Script::new("DELETE_FAILED", &next), 0);
    assert_eq!(calls, r#"delete, leaving []; delete, leaving ["Bus"]"#);
    let left: Vec<_> = outcome.left.iter().map(|it| it.physical_id.as_str()).collect();
    assert_eq!(left, ["the-Bus"]);
    assert_eq!(outcome.status, None);
}

#[test]
fn what_the_template_retains_is_known_before_a_stack_is_deleted() {
    let script = Script::new("CREATE_FAILED", &[]);
    let finding = run(look(&script, STACK)).unwrap().unwrap();
    let kept: Vec<_> = finding.retained.iter().map(|it| it.logical_id.as_str()).collect();
    assert_eq!(kept, ["Camera"]);
    assert_eq!(
        finding.cause.unwrap().to_string(),
        "Camera (AWS::KinesisVideo::Stream): limit exceeded"
    );
    assert!(script.calls.borrow().is_empty());
}

#[test]
fn a_protected_stack_is_let_go_only_when_it_is_deleted() {
    let next: [(&str, &[&str]); 1] = [("DELETE_COMPLETE", &[])];
    let mut script = Script::new("ROLLBACK_COMPLETE", &next);
    script.protection = Protection::On;
    assert_eq!(recovered(&script, 0).0, "protection Off; delete, leaving []");
    let mut script = Script::new("UPDATE_COMPLETE", &[]);
    script.protection = Protection::On;
    assert_eq!(recovered(&script, 0).0, "");
}

#[test]
fn what_fails_while_it_is_followed_ends_with_its_cause() {
    let next: [(&str, &[&str]); 1] = [("UPDATE_ROLLBACK_COMPLETE", &[])];
    let (calls, outcome) = recovered(&Script::new("UPDATE_ROLLBACK_IN_PROGRESS", &next), 0);
    assert_eq!(calls, "");
    assert!(outcome.is_good());
    assert_eq!(
        outcome.cause.unwrap().to_string(),
        "Camera (AWS::KinesisVideo::Stream): limit exceeded"
    );
}

#[test]
fn a_cause_that_only_points_to_the_checks_is_what_they_found() {
    let script = Script::new("ROLLBACK_COMPLETE", &[]);
    let pointer = "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. \
                   To troubleshoot Early Validation errors, use the DescribeEvents API";
    *script.events.borrow_mut() = vec![
        event(0, STACK, "CREATE_IN_PROGRESS", "User Initiated"),
        event(1, STACK, "ROLLBACK_IN_PROGRESS", pointer),
        event(2, STACK, "ROLLBACK_COMPLETE", ""),
    ];
    let cause = run(look(&script, STACK)).unwrap().unwrap().cause.unwrap();
    assert_eq!(cause.to_string(), "Camera (AWS::KinesisVideo::Stream): #/Name: too long");
}

#[test]
fn a_status_that_is_not_known_is_refused_and_nothing_is_touched() {
    let script = Script::new("PAUSED_FOR_LUNCH", &[]);
    let error = run(look(&script, STACK)).unwrap_err();
    assert!(matches!(error, RecoverError::Unknown { status, .. } if status == "PAUSED_FOR_LUNCH"));
    assert!(script.calls.borrow().is_empty());
    assert!(run(look(&Script::default(), STACK)).unwrap().is_none());
}
