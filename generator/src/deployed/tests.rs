//! Reading and asking against a scripted CloudFormation: what is called, and what is said.

use std::cell::RefCell;

use super::*;
use crate::change::Action;
use crate::review::opinion::Said;
use crate::stack::fixture;
use crate::template::INLINE_BYTES_MAX;

/// A CloudFormation that knows what it will answer, and notes what it is asked to do.
#[derive(Default)]
struct Script {
    stacks: Vec<DeployedStack>,
    templates: BTreeMap<String, String>,
    /// How often a change set is looked at before it is worked out.
    pending: usize,
    worked: Option<Worked>,
    /// Calls that fail, by the beginning of their note.
    failing: Vec<&'static str>,
    /// The call with which the person stops the run.
    stopped_at: Option<&'static str>,
    /// A change set that is there cannot be deleted.
    is_stuck: bool,
    calls: RefCell<Vec<String>>,
    /// Change sets that are there.
    change_sets: RefCell<BTreeSet<String>>,
}

impl Script {
    fn note(&self, call: String) -> Result<(), CloudError> {
        let fails = self.failing.iter().any(|it| call.starts_with(it));
        self.calls.borrow_mut().push(call.clone());
        if fails {
            return Err(CloudError::other(call, "no"));
        }
        Ok(())
    }

    fn count(&self, call: &str) -> usize {
        self.calls.borrow().iter().filter(|it| it.starts_with(call)).count()
    }
}

impl DeployedServices for Script {
    async fn stacks(&self) -> Result<Vec<DeployedStack>, CloudError> {
        self.note("list".into())?;
        Ok(self.stacks.clone())
    }

    async fn template(&self, stack: &str) -> Result<Option<String>, CloudError> {
        self.note(format!("template {stack}"))?;
        Ok(self.templates.get(stack).cloned())
    }

    async fn create_change_set(
        &self,
        request: &ChangeSetRequest<'_>,
    ) -> Result<Result<(), String>, CloudError> {
        let parameters: Vec<_> = request.parameters.iter().copied().collect();
        // What an answer that is lost leaves behind.
        self.change_sets.borrow_mut().insert(request.name.to_owned());
        self.note(format!("create {} {}", request.plan.name, parameters.join(",")))?;
        Ok(Ok(()))
    }

    async fn change_set(&self, stack: &str, _: &str) -> Result<Worked, CloudError> {
        self.note(format!("look {stack}"))?;
        let is_pending = self.count("look") <= self.pending;
        Ok(if is_pending { Worked::Pending } else { self.worked.clone().unwrap() })
    }

    async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), CloudError> {
        self.note(format!("delete {stack}"))?;
        if self.is_stuck && self.change_sets.borrow().contains(name) {
            return Err(CloudError::other(format!("delete {stack}"), "no"));
        }
        self.change_sets.borrow_mut().remove(name);
        Ok(())
    }

    async fn pause(&self, _: Duration) {}

    fn is_stopped(&self) -> bool {
        self.stopped_at.is_some_and(|call| self.count(call) > 0)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn template(name: &str) -> Template {
    Template::parse(&format!(
        "Parameters: {{ ReleaseDigest: {{ Type: String }}, Other: {{ Type: String }} }}\n\
         Resources: {{ Topic: {{ Type: 'AWS::SNS::Topic', Properties: {{ TopicName: {name} }} }} }}"
    ))
    .unwrap()
}

fn of(subject: Subject) -> StackId {
    StackId { cell: "us-west".into(), subject }
}

fn store(id: &str) -> StackId {
    of(Subject::Store(id.into()))
}

/// What shall be: what is shared, and the store `sea-1`.
fn templates() -> BTreeMap<StackId, Template> {
    let shared = [Subject::Artifacts("us-west".into()), Subject::Platform("us-west".into())];
    let ids = shared.map(of).into_iter().chain([store("sea-1")]);
    ids.map(|id| (id, template("new"))).collect()
}

fn stack(name: &str, status: &str, tags: &[(&str, &str)]) -> DeployedStack {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    DeployedStack {
        name: name.into(),
        status: status.into(),
        tags: tags.iter().map(pair).collect(),
        ..DeployedStack::default()
    }
}

fn ours(store: &str, status: &str) -> DeployedStack {
    let name = format!("arm-us-west-store-{store}");
    stack(&name, status, &[("arm:cell", "us-west"), ("arm:store", store)])
}

/// Reads the cell with a scope.
fn read_of(script: &mut Script, scope: Scope<'_>) -> Result<Deployed, CloudError> {
    let cell = fixture::cell();
    assert_eq!(cell.id.as_str(), "us-west");
    for stack in &script.stacks {
        let old = template("old").to_json();
        script.templates.entry(stack.name.clone()).or_insert(old);
    }
    let templates = templates();
    let cells = BTreeSet::from(["us-west", "us-east"]);
    let wanted = Wanted { cell: &cell, scope, cells, templates: &templates };
    block_on(read(script, &wanted, &mut |_, _| {}))
}

fn read_all(stacks: Vec<DeployedStack>) -> (Deployed, Vec<String>) {
    let mut script = Script { stacks, ..Script::default() };
    let deployed = read_of(&mut script, Scope::default()).unwrap();
    (deployed, script.calls.take())
}

#[test]
fn a_stack_is_known_by_its_name_and_tags_and_others_are_not_touched() {
    let of_other = |name, cell| stack(name, "CREATE_COMPLETE", &[("arm:cell", cell)]);
    let (deployed, calls) = read_all(vec![
        stack("arm-us-west-platform", "UPDATE_COMPLETE", &[]),
        ours("sea-1", "CREATE_COMPLETE"),
        ours("gone-2", "CREATE_COMPLETE"),
        stack("somebody-else", "CREATE_COMPLETE", &[]),
        stack("arm-us-west-store-nobody", "CREATE_COMPLETE", &[]),
        of_other("arm-us-east-platform", "us-east"),
        of_other("arm-old-platform", "old"),
        of_other("arm-old-artifacts", "old"),
        of_other("copied", "us-west"),
    ]);
    let found: Vec<_> = deployed.templates.keys().map(|it| &it.subject).collect();
    let (gone, sea) = (Subject::Store("gone-2".into()), Subject::Store("sea-1".into()));
    assert_eq!(found, [&Subject::Platform("us-west".into()), &gone, &sea]);
    let read: Vec<_> = calls.iter().filter(|it| it.starts_with("template")).collect();
    assert_eq!(read.len(), 3, "{calls:?}");
    let expected = [
        "{}: of the cell old, which is not in fleet.yaml; not compared, and left alone by `arm deploy`",
        "{}: tagged arm:cell=us-west, with no name that `arm` gives; not compared",
    ];
    let names = ["`arm-old-platform`, `arm-old-artifacts`", "`copied`"];
    let expected = [0, 1].map(|it| expected[it].replace("{}", names[it]));
    assert_eq!(deployed.omissions, expected.map(Omission::known));
}

#[test]
fn only_the_stacks_of_the_stores_that_are_named_are_read() {
    let stacks = vec![ours("sea-1", "CREATE_COMPLETE"), ours("gone-2", "CREATE_FAILED")];
    let mut script = Script { stacks, ..Script::default() };
    let named = ["sea-1".to_owned()];
    let scope = Scope { stores: &named, ..Scope::default() };
    let deployed = read_of(&mut script, scope).unwrap();
    assert_eq!(deployed.templates.keys().collect::<Vec<_>>(), [&store("sea-1")]);
    assert_eq!(deployed.omissions, []);
    assert_eq!(script.calls.take(), ["list", "template arm-us-west-store-sea-1"]);
}

#[test]
fn a_stack_whose_digest_is_in_step_is_the_same_without_being_read() {
    let cell = fixture::cell();
    let id = Id::new("sea-1").unwrap();
    let mut in_step = ours("sea-1", "UPDATE_ROLLBACK_COMPLETE");
    in_step.digest = Some(StackPlan::of_store(&cell, &id, &template("new")).digest());
    let mut platform = stack("arm-us-west-platform", "CREATE_COMPLETE", &[]);
    platform.parameters.insert("FunctionsKey".into(), "functions/1.zip".into());
    let plan = StackPlan::of_platform(&cell, &template("new"), "functions/1.zip".into());
    platform.digest = Some(plan.digest());
    let (deployed, calls) = read_all(vec![in_step.clone(), platform.clone()]);
    assert_eq!(calls, ["list"]);
    assert_eq!(deployed.templates[&store("sea-1")], template("new"));
    assert_eq!(deployed.standing, []);
    // One that is not settled is read all the same, and so is one of another bundle than it says.
    in_step.status = "UPDATE_ROLLBACK_FAILED".into();
    platform.parameters.insert("FunctionsKey".into(), "functions/2.zip".into());
    let (_, calls) = read_all(vec![in_step, platform]);
    assert_eq!(calls.len(), 3, "{calls:?}");
}

#[test]
fn every_status_of_a_stack_is_met() {
    let expected = [
        ("REVIEW_IN_PROGRESS", "absent"),
        ("DELETE_COMPLETE", "absent"),
        ("ROLLBACK_COMPLETE", "absent and told"),
        ("CREATE_COMPLETE", "can be asked about"),
        ("UPDATE_COMPLETE", "can be asked about"),
        ("UPDATE_ROLLBACK_COMPLETE", "can be asked about"),
        ("IMPORT_COMPLETE", "can be asked about"),
        ("IMPORT_ROLLBACK_COMPLETE", "can be asked about"),
        ("CREATE_IN_PROGRESS", "read and told"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "read and told"),
        ("DELETE_IN_PROGRESS", "read and told"),
        ("CREATE_FAILED", "read and told"),
        ("ROLLBACK_FAILED", "read and told"),
        ("UPDATE_FAILED", "read and told"),
        ("UPDATE_ROLLBACK_FAILED", "read and told"),
        ("DELETE_FAILED", "read and told"),
        ("A_STATUS_OF_TOMORROW", "read and told"),
    ];
    for (status, wanted) in expected {
        let (deployed, _) = read_all(vec![ours("sea-1", status)]);
        let is_told =
            deployed.omissions.iter().any(|it| it.text.contains(&format!("in {status}; ")));
        let found = match (deployed.templates.len(), deployed.standing.len(), is_told) {
            (0, 0, false) => "absent",
            (0, 0, true) => "absent and told",
            (1, 1, false) => "can be asked about",
            (1, 0, true) => "read and told",
            _ => "other",
        };
        assert_eq!(found, wanted, "{status}: {:?}", deployed.omissions);
    }
}

#[test]
fn a_template_that_cannot_be_read_is_said_and_its_stack_is_not_new() {
    let stacks = vec![ours("sea-1", "CREATE_COMPLETE")];
    let short = "Resources: { A: { Type: 'AWS::SNS::Topic', Properties: { TopicName: !Ref B } } }";
    let templates = BTreeMap::from([("arm-us-west-store-sea-1".to_owned(), short.to_owned())]);
    let mut script = Script { stacks, templates, ..Script::default() };
    let deployed = read_of(&mut script, Scope::default()).unwrap();
    assert_eq!(deployed.unknown, [store("sea-1")]);
    assert_eq!(deployed.templates.len(), 0);
    let text = "the template of `arm-us-west-store-sea-1` cannot be read: `!Ref` is a short form";
    assert!(deployed.omissions[0].text.starts_with(text), "{:?}", deployed.omissions);
}

fn standing(name: &str) -> Standing {
    let (before, after) = (template("old"), template("new"));
    let id = Id::new(name).unwrap();
    Standing {
        id: store(name),
        plan: StackPlan::of_store(&fixture::cell(), &id, &after),
        before,
        after,
        parameters: BTreeSet::from(["ReleaseDigest".to_owned(), "Gone".to_owned()]),
    }
}

fn ask_all(script: &Script, standing: &[Standing]) -> (Answers, Result<(), CloudError>) {
    let mut answers = Answers::default();
    let outcome = block_on(ask(script, standing, &mut answers, &mut |_| {}));
    (answers, outcome)
}

fn ready() -> Worked {
    Worked::Ready(vec![Said {
        logical_id: "Topic".into(),
        resource_type: "AWS::SNS::Topic".into(),
        action: Action::Replace,
        fate: None,
        is_certain: true,
        reasons: Vec::new(),
    }])
}

#[test]
fn a_change_set_has_the_stacks_own_parameters_and_is_gone_afterwards() {
    let script = Script { worked: Some(ready()), pending: 6, ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[standing("sea-1")]);
    outcome.unwrap();
    let calls = script.calls.take();
    assert_eq!(
        calls[..2],
        ["delete arm-us-west-store-sea-1", "create arm-us-west-store-sea-1 ReleaseDigest"]
    );
    assert_eq!(calls.iter().filter(|it| it.starts_with("look")).count(), 7);
    assert_eq!(calls.last().unwrap(), "delete arm-us-west-store-sea-1");
    assert_eq!(script.change_sets.take().len(), 0);
    assert_eq!(answers.open, None);
    let [opinion] = &answers.opinions[..] else { panic!("{answers:?}") };
    assert_eq!(opinion.ours[0].logical_id, "Topic");
    assert_eq!(opinion.theirs.as_ref().unwrap().len(), 1);
}

#[test]
fn what_does_not_differ_or_does_not_fit_a_request_is_not_asked_about() {
    let same = Standing { before: template("new"), ..standing("sea-1") };
    let mut large = standing("sea-2");
    large.plan.body = "x".repeat(INLINE_BYTES_MAX + 1);
    let script = Script { worked: Some(ready()), ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[same, large]);
    outcome.unwrap();
    assert_eq!(script.calls.take(), Vec::<String>::new());
    let text = "no change set is asked for `arm-us-west-store-sea-2`: its template has 51201 bytes";
    assert!(answers.omissions[0].text.starts_with(text), "{:?}", answers.omissions);
    assert_eq!(answers.omissions.len(), 1);
}

#[test]
fn a_refused_change_is_an_answer_and_its_change_set_is_deleted() {
    let worked = Some(Worked::Failed("no such property".into()));
    let script = Script { worked, ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[standing("sea-1"), standing("sea-2")]);
    outcome.unwrap();
    let refusals: Vec<_> = answers.opinions.iter().map(|it| it.theirs.clone()).collect();
    assert_eq!(refusals, [Err("no such property".to_owned()), Err("no such property".to_owned())]);
    assert_eq!(script.change_sets.take().len(), 0);
}

#[test]
fn whichever_call_fails_no_change_set_is_left_without_its_name_being_known() {
    for failing in ["delete", "create", "look"] {
        let script = Script { worked: Some(ready()), failing: vec![failing], ..Script::default() };
        let (answers, outcome) = ask_all(&script, &[standing("sea-1"), standing("sea-2")]);
        assert!(outcome.unwrap_err().what.starts_with(failing));
        assert!(answers.opinions.is_empty());
        assert_eq!(script.change_sets.take().len(), 0, "{failing}");
        assert!(answers.open.is_none(), "{failing}");
        assert_eq!(script.count("create arm-us-west-store-sea-2"), 0, "{failing}");
    }
}

#[test]
fn a_change_set_that_cannot_be_deleted_is_named() {
    let script = Script { worked: Some(ready()), is_stuck: true, ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[standing("sea-1")]);
    outcome.unwrap_err();
    let (stack, name) = answers.open.unwrap();
    assert_eq!(stack, "arm-us-west-store-sea-1");
    assert!(script.change_sets.take().contains(&name), "{name}");
}

#[test]
fn an_error_while_deleting_does_not_hide_why_asking_failed() {
    let script = Script { failing: vec!["look"], is_stuck: true, ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[standing("sea-1")]);
    let stack = "arm-us-west-store-sea-1";
    assert_eq!(
        outcome.unwrap_err().to_string(),
        format!("cannot look {stack}, nor delete {stack} afterwards (no)")
    );
    assert!(answers.open.is_some());
}

#[test]
fn a_run_that_is_stopped_deletes_its_change_set_and_asks_no_more() {
    let script =
        Script { worked: Some(ready()), pending: 3, stopped_at: Some("look"), ..Script::default() };
    let (answers, outcome) = ask_all(&script, &[standing("sea-1"), standing("sea-2")]);
    outcome.unwrap();
    assert!(answers.is_stopped);
    assert_eq!(answers.opinions.len(), 1);
    assert_eq!(script.count("create"), 1);
    assert_eq!(script.change_sets.take().len(), 0);
}
