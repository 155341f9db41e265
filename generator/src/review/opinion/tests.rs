//! Agreement is one sentence, and what we did not say is loud.

use super::*;
use crate::review::Subject;
use crate::review::Tally;

const ACTIONS: [Action; 6] = [
    Action::Add,
    Action::Remove,
    Action::Replace,
    Action::MayReplace,
    Action::Update,
    Action::Attributes,
];

fn ours(action: Action, policy: Option<&str>) -> ResourceChange {
    let resource = policy.map(|it| {
        serde_json::json!({ "Type": "AWS::DynamoDB::Table", "DeletionPolicy": it, "UpdateReplacePolicy": it })
    });
    ResourceChange {
        logical_id: "Cases".into(),
        resource_type: "AWS::DynamoDB::Table".into(),
        action,
        properties: Vec::new(),
        before: resource.clone(),
        after: resource,
        refers_to: Vec::new(),
    }
}

fn said(action: Action, fate: Option<Fate>) -> Said {
    Said {
        logical_id: "Cases".into(),
        resource_type: "AWS::DynamoDB::Table".into(),
        action,
        fate,
        is_certain: true,
        reasons: Vec::new(),
    }
}

fn opinion(store: &str, ours: Vec<ResourceChange>, theirs: Vec<Said>) -> Opinion {
    let id = StackId { cell: "us-west".into(), subject: Subject::Store(store.into()) };
    let before = "Resources: { Cases: { Type: 'AWS::DynamoDB::Table' } }";
    Opinion { id, before: Template::parse(before).unwrap(), ours, theirs: Ok(theirs) }
}

/// Class, weight, text and number of stores of each finding.
fn told(opinions: &[Opinion]) -> Vec<String> {
    let mut review = Review {
        base: String::new(),
        head: String::new(),
        stacks: Tally::default(),
        resources: Tally::default(),
        findings: Vec::new(),
        changes: Vec::new(),
        costs: None,
        omissions: Vec::new(),
    };
    add(&mut review, opinions);
    let told = review.findings.iter().map(|it| {
        let Finding { class, weight, text, .. } = &it.what;
        format!("{} {weight:?} {}: {text}", class.as_str(), it.subjects.len())
    });
    told.collect()
}

#[test]
fn that_change_sets_say_the_same_is_one_sentence_about_all_stacks() {
    let of = |store| {
        let ours = vec![ours(Action::Replace, Some("Retain"))];
        opinion(store, ours, vec![said(Action::Replace, Some(Fate::Retained))])
    };
    let expected = ["other Quiet 3: CloudFormation's change sets say the same"];
    assert_eq!(told(&[of("a-1"), of("b-2"), of("c-3")]), expected);
}

#[test]
fn whatever_cloudformation_replaces_or_removes_and_we_did_not_say_is_loud_and_nothing_else_is() {
    let none_or = || ACTIONS.into_iter().map(Some).chain([None]);
    for our in none_or() {
        for their in none_or() {
            let ours = our.map(|it| ours(it, None)).into_iter().collect();
            let theirs = their.map(|it| said(it, None)).into_iter().collect();
            let told = told(&[opinion("a-1", ours, theirs)]);
            let is_loud = told.iter().any(|it| it.contains(" Loud "));
            let is_unsaid = matches!(their, Some(Action::Replace | Action::Remove)) && our != their;
            assert_eq!(is_loud, is_unsaid, "{our:?} {their:?} {told:?}");
        }
    }
}

#[test]
fn a_replacement_that_we_did_not_say_names_what_causes_it() {
    let mut theirs = said(Action::Replace, None);
    theirs.reasons = vec!["`TableName` is `a` and becomes `b`".into()];
    let mut without = opinion("a-1", vec![ours(Action::Update, None)], vec![theirs]);
    without.before = Template::parse("Resources: { A: { Type: 'AWS::SNS::Topic' } }").unwrap();
    let found = findings(&without);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].details, ["`TableName` is `a` and becomes `b`"]);
    assert_eq!(
        found[0].text,
        "CloudFormation's change set says that `Cases` (AWS::DynamoDB::Table) is replaced; by the \
         templates it is changed in place"
    );
    assert_eq!(found[0].class, Class::Replacement);
}

#[test]
fn what_only_refers_to_something_that_changes_is_no_contradiction() {
    let mut update = said(Action::Update, None);
    let same = "other Quiet 1: CloudFormation's change sets say the same";
    assert_ne!(told(&[opinion("a-1", vec![], vec![update.clone()])]), [same]);
    update.is_certain = false;
    assert_eq!(told(&[opinion("a-1", vec![], vec![update])]), [same]);
}

#[test]
fn what_is_deleted_where_we_said_it_stays_is_loud() {
    let of = |policy, fate| {
        let ours = vec![ours(Action::Remove, Some(policy))];
        told(&[opinion("a-1", ours, vec![said(Action::Remove, Some(fate))])])
    };
    let name = "the old `Cases` (AWS::DynamoDB::Table)";
    assert_eq!(
        of("Retain", Fate::Deleted),
        [format!(
            "data-loss Loud 1: CloudFormation's change set says that {name} is deleted; by the templates it stays, outside every stack; the old one is deleted with all its items"
        )]
    );
    assert!(of("Delete", Fate::Retained)[0].starts_with("other Quiet 1: "));
    assert!(of("Retain", Fate::Retained)[0].ends_with("say the same"));
}

#[test]
fn what_is_removed_or_replaced_unsaid_is_a_loss_where_it_holds_data() {
    let of = |action, fate| told(&[opinion("a-1", vec![], vec![said(action, fate)])]);
    let says = |does| {
        format!(
            "CloudFormation's change set says that `Cases` (AWS::DynamoDB::Table) {does}; by the templates it stays as it is"
        )
    };
    let (leaves, replaced) = (says("leaves the stack"), says("is replaced"));
    assert_eq!(
        of(Action::Remove, Some(Fate::Deleted)),
        [format!("data-loss Loud 1: {leaves}; the old one is deleted with all its items")]
    );
    assert_eq!(
        of(Action::Remove, None),
        [format!(
            "data-loss Loud 1: {leaves}; it holds all its items, and of that the change set says nothing"
        )]
    );
    // The gates of both classes say no.
    assert_eq!(
        of(Action::Replace, Some(Fate::Snapshot)),
        [
            format!(
                "data-loss Loud 1: {replaced}; the old one is deleted; a snapshot with all its items stays"
            ),
            format!("replacement Loud 1: {replaced}"),
        ]
    );
    let mut empty = opinion("a-1", vec![], vec![said(Action::Remove, Some(Fate::Deleted))]);
    empty.before = Template::parse("Resources: { Cases: { Type: 'AWS::SNS::Topic' } }").unwrap();
    assert_eq!(told(&[empty]), [format!("other Loud 1: {leaves}")]);
}

#[test]
fn a_change_that_cloudformation_refuses_in_many_stores_is_loud_and_told_once() {
    let refused = |store: &str| {
        let mut refused = opinion(store, vec![ours(Action::Update, None)], vec![]);
        refused.theirs =
            Err(format!("Parameters: [X] must have values in arm-us-west-store-{store}"));
        refused
    };
    assert_eq!(
        told(&[refused("sea-1"), refused("sea-2")]),
        [
            "other Loud 2: CloudFormation refuses the change: Parameters: [X] must have values in arm-us-west-store-<store>"
        ]
    );
}
