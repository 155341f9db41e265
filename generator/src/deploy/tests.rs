//! Deploying against a scripted CloudFormation: what is called, in which order, and what is said.

use std::cell::RefCell;

use super::*;
use crate::release::RELEASE_DIGEST;

/// A CloudFormation that knows what it will answer, and notes what it is asked to do.
#[derive(Default)]
struct Script {
    account: String,
    stacks: RefCell<BTreeMap<String, StackState>>,
    /// Events that a stack's next operation brings, with the status it ends in.
    outcomes: BTreeMap<String, (Vec<StackEvent>, &'static str)>,
    events: RefCell<BTreeMap<String, Vec<StackEvent>>>,
    objects: RefCell<Vec<String>>,
    empty: bool,
    /// Every change set is refused.
    refused: bool,
    /// The status in which a stack is found once a change set was made for it.
    appears: Option<&'static str>,
    calls: RefCell<Vec<String>>,
    requested: RefCell<BTreeMap<String, String>>,
}

impl Script {
    fn note(&self, call: String) {
        self.calls.borrow_mut().push(call);
    }
}

impl Cloud for Script {
    async fn account(&self) -> Result<String, CloudError> {
        Ok(self.account.clone())
    }

    async fn stack(&self, name: &str) -> Result<Option<StackState>, CloudError> {
        Ok(self.stacks.borrow().get(name).cloned())
    }

    async fn create_change_set(&self, request: &ChangeSetRequest<'_>) -> Result<(), CloudError> {
        self.note(format!("create {:?} {}", request.kind, request.plan.name));
        let digest = request.parameters.get(RELEASE_DIGEST).cloned().unwrap_or_default();
        self.requested.borrow_mut().insert(request.plan.name.clone(), digest);
        if let Some(status) = self.appears {
            let state = StackState { status: status.to_owned(), ..StackState::default() };
            self.stacks.borrow_mut().insert(request.plan.name.clone(), state);
        }
        Ok(())
    }

    async fn change_set(&self, _: &str, _: &str) -> Result<ChangeSetState, CloudError> {
        Ok(match (self.refused, self.empty) {
            (true, _) => ChangeSetState::Failed("no".to_owned()),
            (_, true) => ChangeSetState::Empty,
            _ => ChangeSetState::Ready(2),
        })
    }

    async fn execute_change_set(&self, stack: &str, _: &str) -> Result<(), CloudError> {
        self.note(format!("execute {stack}"));
        let (mut events, status) =
            self.outcomes.get(stack).cloned().unwrap_or((Vec::new(), "CREATE_COMPLETE"));
        let end = format!("{stack}-ended-{}", self.calls.borrow().len());
        events.push(event(&end, stack, status, ""));
        self.events.borrow_mut().entry(stack.to_owned()).or_default().extend(events);
        let digest = self.requested.borrow().get(stack).cloned();
        let state = StackState { status: status.to_owned(), reason: String::new(), digest };
        self.stacks.borrow_mut().insert(stack.to_owned(), state);
        Ok(())
    }

    async fn delete_change_set(&self, _: &str, _: &str) -> Result<(), CloudError> {
        Ok(())
    }

    async fn delete_empty_stack(&self, name: &str) -> Result<(), CloudError> {
        self.note(format!("delete {name}"));
        Ok(())
    }

    async fn events(
        &self,
        stack: &str,
        _: &HashSet<String>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        Ok(self.events.borrow().get(stack).cloned().unwrap_or_default())
    }

    async fn has_object(&self, _: &str, key: &str) -> Result<bool, CloudError> {
        Ok(self.objects.borrow().iter().any(|it| it == key))
    }

    async fn put_object(&self, _: &str, artifact: &Artifact) -> Result<(), CloudError> {
        self.note(format!("put {}", artifact.key));
        self.objects.borrow_mut().push(artifact.key.clone());
        Ok(())
    }

    async fn pause(&self, _: Duration) {}
}

fn plan(name: &str) -> StackPlan {
    StackPlan {
        name: name.to_owned(),
        body: "{}".to_owned(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
    }
}

fn release() -> Release {
    Release {
        cell: "us-west".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        artifacts_bucket: "bucket".to_owned(),
        artifacts_stack: plan("artifacts"),
        artifacts: vec![Artifact {
            key: "zip".to_owned(),
            bytes: vec![1],
            media_type: "application/zip",
        }],
        platform_stack: plan("platform"),
        store_stacks: vec![plan("store-a"), plan("store-b")],
    }
}

fn script() -> Script {
    Script { account: "123456789012".to_owned(), ..Script::default() }
}

/// Runs a release; returns what was called and the outcome.
fn run(cloud: &Script) -> (Vec<String>, Result<Summary, DeployError>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(async {
        check_account(cloud, &release()).await?;
        deploy(cloud, &release(), &mut |_| {}).await
    });
    (cloud.calls.take(), outcome)
}

fn event(id: &str, logical_id: &str, status: &str, reason: &str) -> StackEvent {
    StackEvent {
        id: id.to_owned(),
        logical_id: logical_id.to_owned(),
        resource_type: "AWS::SNS::Topic".to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        at_ms: 0,
    }
}

#[test]
fn stacks_come_in_order_and_artifacts_between_the_first_and_the_second() {
    let (calls, outcome) = run(&script());
    let expected = [
        "create Create artifacts",
        "execute artifacts",
        "put zip",
        "create Create platform",
        "execute platform",
        "create Create store-a",
        "execute store-a",
        "create Create store-b",
        "execute store-b",
    ];
    assert_eq!(calls, expected);
    assert_eq!(outcome.unwrap().changed.len(), 4);
}

#[test]
fn a_second_run_touches_nothing() {
    let cloud = script();
    let (_, first) = run(&cloud);
    first.unwrap();
    let (calls, second) = run(&cloud);
    assert_eq!(calls, Vec::<String>::new());
    assert_eq!(second.unwrap().unchanged.len(), 4);
}

#[test]
fn credentials_of_another_account_touch_nothing() {
    let cloud = Script { account: "999999999999".to_owned(), ..Script::default() };
    let (calls, outcome) = run(&cloud);
    assert_eq!(calls, Vec::<String>::new());
    assert!(matches!(outcome, Err(DeployError::WrongAccount { .. })));
}

#[test]
fn a_failed_store_shows_its_first_real_cause_and_the_others_go_on() {
    let mut cloud = script();
    let events = vec![
        event("1", "Topic", "CREATE_IN_PROGRESS", ""),
        event("2", "Stream", "CREATE_FAILED", "Resource creation cancelled"),
        event("3", "Topic", "CREATE_FAILED", "the key is disabled"),
        event("4", "store-a", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed"),
    ];
    cloud.outcomes.insert("store-a".to_owned(), (events, "ROLLBACK_COMPLETE"));
    let (calls, outcome) = run(&cloud);
    let cause = "Topic (AWS::SNS::Topic) is in CREATE_FAILED: the key is disabled";
    assert_eq!(outcome.unwrap().failed, [("store-a".to_owned(), cause.to_owned())]);
    assert_eq!(calls.last().map(String::as_str), Some("execute store-b"));
}

#[test]
fn events_of_an_earlier_failure_are_not_taken_for_this_one() {
    let mut cloud = script();
    let old = event("1", "Topic", "UPDATE_FAILED", "last week's reason");
    cloud.events.get_mut().insert("store-a".to_owned(), vec![old]);
    let state =
        StackState { status: "UPDATE_ROLLBACK_COMPLETE".to_owned(), ..StackState::default() };
    cloud.stacks.get_mut().insert("store-a".to_owned(), state);
    let new = event("2", "Topic", "UPDATE_FAILED", "today's reason");
    cloud.outcomes.insert("store-a".to_owned(), (vec![new], "UPDATE_ROLLBACK_COMPLETE"));
    let (_, outcome) = run(&cloud);
    let cause = "Topic (AWS::SNS::Topic) is in UPDATE_FAILED: today's reason";
    assert_eq!(outcome.unwrap().failed, [("store-a".to_owned(), cause.to_owned())]);
}

#[test]
fn a_change_set_without_changes_is_success() {
    let cloud = Script { empty: true, ..script() };
    let (calls, outcome) = run(&cloud);
    assert!(calls.iter().all(|call| !call.starts_with("execute")), "{calls:?}");
    assert_eq!(outcome.unwrap().unchanged.len(), 4);
}

#[test]
fn a_stack_that_somebody_else_changes_is_left_alone() {
    let mut cloud = script();
    let state = StackState { status: "UPDATE_IN_PROGRESS".to_owned(), ..StackState::default() };
    cloud.stacks.get_mut().insert("store-b".to_owned(), state);
    let (calls, outcome) = run(&cloud);
    assert!(!calls.iter().any(|call| call.contains("store-b")), "{calls:?}");
    let cause = "it is in UPDATE_IN_PROGRESS: something else is changing it; wait until that has ended, then run `arm deploy` again";
    assert_eq!(outcome.unwrap().failed, [("store-b".to_owned(), cause.to_owned())]);
}

#[test]
fn a_refused_first_change_set_never_deletes_a_stack_that_another_run_made() {
    let cloud = Script { refused: true, appears: Some("CREATE_IN_PROGRESS"), ..script() };
    let (calls, outcome) = run(&cloud);
    assert_eq!(calls, ["create Create artifacts"]);
    assert!(matches!(outcome, Err(DeployError::StackFailed { .. })));
}

#[test]
fn a_refused_first_change_set_leaves_no_shell_of_a_stack() {
    let cloud = Script { refused: true, appears: Some("REVIEW_IN_PROGRESS"), ..script() };
    let (calls, _) = run(&cloud);
    assert_eq!(calls, ["create Create artifacts", "delete artifacts"]);
}

/// How a stack in a status is met: what is called for it, or the words of the refusal.
fn met(status: &str) -> String {
    let mut cloud = script();
    let state = StackState { status: status.to_owned(), ..StackState::default() };
    cloud.stacks.get_mut().insert("store-a".to_owned(), state);
    let (calls, outcome) = run(&cloud);
    let call = calls.iter().find(|call| call.ends_with("store-a")).cloned();
    let refusal = outcome.unwrap().failed.first().map(|(_, cause)| cause.clone());
    let refusal = refusal.unwrap_or_default();
    let command = refusal.split("cloudformation ").nth(1).and_then(|it| it.split(' ').next());
    call.or(command.map(str::to_owned)).unwrap_or(refusal)
}

#[test]
fn every_status_of_a_stack_is_met() {
    let wait = |status: &str| {
        format!(
            "it is in {status}: something else is changing it; wait until that has ended, then run `arm deploy` again"
        )
    };
    let expected = [
        ("REVIEW_IN_PROGRESS", "create Create store-a".to_owned()),
        ("CREATE_IN_PROGRESS", wait("CREATE_IN_PROGRESS")),
        ("CREATE_COMPLETE", "create Update store-a".to_owned()),
        ("CREATE_FAILED", "delete-stack".to_owned()),
        ("ROLLBACK_IN_PROGRESS", wait("ROLLBACK_IN_PROGRESS")),
        ("ROLLBACK_COMPLETE", "delete-stack".to_owned()),
        ("ROLLBACK_FAILED", "delete-stack".to_owned()),
        ("DELETE_IN_PROGRESS", wait("DELETE_IN_PROGRESS")),
        ("DELETE_FAILED", "delete-stack".to_owned()),
        ("UPDATE_IN_PROGRESS", wait("UPDATE_IN_PROGRESS")),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", wait("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")),
        ("UPDATE_COMPLETE", "create Update store-a".to_owned()),
        ("UPDATE_FAILED", "rollback-stack".to_owned()),
        ("UPDATE_ROLLBACK_IN_PROGRESS", wait("UPDATE_ROLLBACK_IN_PROGRESS")),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback".to_owned()),
        ("UPDATE_ROLLBACK_COMPLETE", "create Update store-a".to_owned()),
        ("IMPORT_IN_PROGRESS", wait("IMPORT_IN_PROGRESS")),
        ("IMPORT_COMPLETE", "create Update store-a".to_owned()),
        ("IMPORT_ROLLBACK_COMPLETE", "create Update store-a".to_owned()),
    ];
    for (status, words) in expected {
        assert_eq!(met(status), words, "{status}");
    }
}
