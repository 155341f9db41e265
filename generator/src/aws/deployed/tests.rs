//! CloudFormation's words become ours.

use aws_sdk_cloudformation::types::{Output, ResourceTargetDefinition};

use super::*;

fn detail(
    evaluation: EvaluationType,
    recreation: RequiresRecreation,
    values: Option<(&str, &str)>,
) -> ResourceChangeDetail {
    let target = ResourceTargetDefinition::builder()
        .attribute(ResourceAttribute::Properties)
        .name("TableName")
        .requires_recreation(recreation)
        .set_before_value(values.map(|it| it.0.to_owned()))
        .set_after_value(values.map(|it| it.1.to_owned()));
    ResourceChangeDetail::builder().target(target.build()).evaluation(evaluation).build()
}

fn modified(replacement: Replacement, scope: ResourceAttribute) -> Action {
    let change = ResourceChange::builder().action(ChangeAction::Modify);
    action(&change.replacement(replacement).scope(scope).build())
}

#[test]
fn every_kind_of_change_has_its_action() {
    let properties = || ResourceAttribute::Properties;
    assert_eq!(modified(Replacement::True, properties()), Action::Replace);
    assert_eq!(modified(Replacement::Conditional, properties()), Action::MayReplace);
    assert_eq!(modified(Replacement::False, properties()), Action::Update);
    assert_eq!(modified(Replacement::False, ResourceAttribute::Tags), Action::Update);
    assert_eq!(modified(Replacement::False, ResourceAttribute::DeletionPolicy), Action::Attributes);
    let plain = |it: ChangeAction| action(&ResourceChange::builder().action(it).build());
    assert_eq!(plain(ChangeAction::Add), Action::Add);
    assert_eq!(plain(ChangeAction::Import), Action::Add);
    assert_eq!(plain(ChangeAction::Remove), Action::Remove);
    assert_eq!(plain(ChangeAction::Dynamic), Action::MayReplace);
    assert_eq!(plain(ChangeAction::from("Tomorrow")), Action::MayReplace);
}

#[test]
fn a_replacement_says_what_becomes_of_the_old_one_and_why() {
    let of = |details: Vec<ResourceChangeDetail>| {
        let change = ResourceChange::builder()
            .action(ChangeAction::Modify)
            .logical_resource_id("Cases")
            .resource_type("AWS::DynamoDB::Table")
            .replacement(Replacement::True)
            .policy_action(PolicyAction::ReplaceAndRetain);
        said(&change.set_details(Some(details)).build())
    };
    let always = detail(EvaluationType::Static, RequiresRecreation::Always, Some(("a", "b")));
    let never = detail(EvaluationType::Static, RequiresRecreation::Never, Some(("1", "2")));
    let found = of(vec![always, never]);
    assert_eq!(found.fate, Some(Fate::Retained));
    assert_eq!(
        found.reasons,
        ["CloudFormation says that changing `TableName` from `a` to `b` replaces it"]
    );
    assert!(found.is_certain);
    let later = detail(EvaluationType::Dynamic, RequiresRecreation::Conditionally, None);
    let found = of(vec![later]);
    assert!(!found.is_certain);
    assert_eq!(found.reasons, ["CloudFormation says that changing `TableName` may replace it"]);
}

#[test]
fn a_change_set_without_changes_is_ready_and_one_that_is_refused_is_not() {
    let of = |status, reason: &str| {
        let answer = DescribeChangeSetOutput::builder().status(status).status_reason(reason);
        unready(&answer.build())
    };
    let empty = "The submitted information didn't contain changes. Submit different information";
    assert_eq!(of(ChangeSetStatus::Failed, empty), Some(Worked::Ready(Vec::new())));
    assert_eq!(of(ChangeSetStatus::Failed, "no"), Some(Worked::Failed("no".into())));
    assert_eq!(of(ChangeSetStatus::CreateInProgress, ""), Some(Worked::Pending));
    assert_eq!(of(ChangeSetStatus::CreatePending, ""), Some(Worked::Pending));
    assert_eq!(of(ChangeSetStatus::CreateComplete, ""), None);
}

#[test]
fn a_stack_is_listed_with_its_digest_parameters_and_tags() {
    let stack = Stack::builder()
        .stack_name("arm-us-west-platform")
        .stack_status(StackStatus::UpdateComplete)
        .outputs(Output::builder().output_key("Other").output_value("x").build())
        .outputs(Output::builder().output_key("ReleaseDigest").output_value("d1").build())
        .parameters(Parameter::builder().parameter_key("P").parameter_value("1").build())
        .tags(Tag::builder().key("arm:cell").value("us-west").build());
    let listed = listed(&stack.build());
    assert_eq!(listed.name, "arm-us-west-platform");
    assert_eq!(listed.status, "UPDATE_COMPLETE");
    assert_eq!(listed.digest.as_deref(), Some("d1"));
    assert_eq!(listed.parameters["P"], "1");
    assert_eq!(listed.tags["arm:cell"], "us-west");
}
