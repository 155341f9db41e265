//! Small pairs of templates, and what they replace.

use super::*;
use crate::change::compare;
use crate::stack::{self, fixture};

fn between(before: &Template, after: &Template) -> String {
    let line = |finding: &Finding| {
        let details = finding.details.iter().flat_map(|it| ["\n  ", it]).collect::<String>();
        let about: Vec<_> = finding.about.iter().map(|it| it.join(".")).collect();
        format!("{}{details}\n  {about:?}\n", finding.text)
    };
    replacements(&compare(before, after), after).iter().map(line).collect()
}

fn said(before: &str, after: &str) -> String {
    let [before, after] = [before, after].map(|it| {
        let text = format!("Resources:\n  Same: {{ Type: AWS::SNS::Topic }}\n{it}");
        Template::parse(&text).expect(&text)
    });
    between(&before, &after)
}

#[test]
fn a_replacement_names_what_forces_it_and_what_depends_on_it() {
    let subscription = |endpoint: &str| {
        format!(
            "  S: {{ Type: AWS::SNS::Subscription, Properties: {{ TopicArn: {{ Ref: Same }}, Protocol: email, Endpoint: {endpoint} }} }}\n"
        )
    };
    insta::assert_snapshot!(said(&subscription("a@example.com"), &subscription("b@example.com")), @"
    the subscription of `b@example.com` is deleted and made anew, because `Endpoint` changes from `a@example.com` to `b@example.com`
      whoever is told by e-mail or HTTPS must confirm the new subscription before it tells anything
      []
    ");
    let role = |path: &str| {
        format!(
            "  R: {{ Type: AWS::IAM::Role, Properties: {{ Path: {path}, Tags: [{{ Key: \"arm:cell\", Value: us-west }}] }} }}\n  F: {{ Type: AWS::Lambda::Function, Properties: {{ Role: {{ \"Fn::GetAtt\": [R, Arn] }} }} }}\n"
        )
    };
    insta::assert_snapshot!(said(&role("/"), &role("/x/")), @r#"
    the role `R` is deleted and made anew, because `Path` changes from `/` to `/x/`
      1 resource refers to it: the function `F`
      ["cells.us-west"]
    "#);
    assert_eq!(said(&role("/"), &role("/")), "");
}

#[test]
fn what_must_fail_is_said_to_fail_with_its_remedy() {
    let role = |path: &str| {
        format!("  R: {{ Type: AWS::IAM::Role, Properties: {{ RoleName: r, Path: {path} }} }}\n")
    };
    insta::assert_snapshot!(said(&role("/"), &role("/x/")), @"
    cannot be done: the role `r` has to be made anew, because `Path` changes from `/` to `/x/`, and CloudFormation makes the new one before it deletes the old, while both have the name `r` (`RoleName`); change the name with it, or take the resource out and put it back in a second deployment
      []
    ");
    insta::assert_snapshot!(said(&role("/"), &role("/").replace("  R:", "  Other:")), @"
    cannot be done: `Other` wants the name `r` (`RoleName`) that `R` still has: CloudFormation makes the new one before it deletes the old; keep the logical id, or deploy the removal first
      []
    ");
    let alarm = "  R: { Type: AWS::CloudWatch::Alarm, Properties: { AlarmName: a } }\n";
    insta::assert_snapshot!(said(&role("/"), alarm), @"
    cannot be done: `R` was of type AWS::IAM::Role and would be of type AWS::CloudWatch::Alarm: CloudFormation changes no resource's type; give the new one another logical id
      []
    ");
}

#[test]
fn what_may_be_replaced_is_said_as_such() {
    let unknown = |it| format!("  U: {{ Type: Custom::Thing, Properties: {{ A: {it} }} }}\n");
    insta::assert_snapshot!(said(&unknown("1"), &unknown("2")), @"
    `U` (Custom::Thing) may be deleted and made anew, because `A` changes from `1` to `2`
      []
    ");
}

#[test]
fn the_same_replacement_of_two_stores_is_told_in_the_same_words() {
    let of = |id: &str| {
        let store = crate::model::Store { id: fixture::id(id), ..fixture::store() };
        let before = stack::store(&fixture::cell(), &store, &[]).unwrap();
        let after =
            before.to_json().replace("-alerts\"", "-alarms\"").replace("-gw-aisle-5-1", "-gw-x");
        between(&before, &Template::parse(&after).unwrap())
    };
    insta::assert_snapshot!(of("seattle-001"), @r#"
    the stream of camera `aisle-5-1` is made anew, and the old one left outside every stack, because `Name` changes from `arm-us-west-<store>-gw-aisle-5-1` to `arm-us-west-<store>-gw-x`
      ["cameras.aisle-5-1"]
    the topic `arm-us-west-<store>-alarms` is deleted and made anew, because `TopicName` changes from `arm-us-west-<store>-alerts` to `arm-us-west-<store>-alarms`
      2 resources refer to it: the topic policy `AlertsPolicy` and the schedule `Watch`
      []
    "#);
    assert_eq!(of("seattle-001"), of("1"));
}
