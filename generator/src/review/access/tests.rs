//! Small pairs of templates, and what is said of them.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::stack::{self, fixture};

const ACCOUNT: &str = "123456789012";

/// What is said, a line each.
fn said(before: Option<&Template>, after: Option<&Template>) -> String {
    let line = |finding: Finding| {
        let details = finding.details.iter().map(|it| format!("\n  {it}"));
        format!("{:?}: {}{}\n", finding.weight, finding.text, details.collect::<String>())
    };
    access(before, after, Some(ACCOUNT)).into_iter().map(line).collect()
}

/// A role, a queue and a bucket, with these statements in the policies of the role and the queue.
fn template(role: &str, queue: &str) -> Template {
    let text = format!(
        r#"
Resources:
  RespondRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: arm-us-west-respond
      AssumeRolePolicyDocument:
        Statement:
          - {{ Effect: Allow, Principal: {{ Service: lambda.amazonaws.com }}, Action: "sts:AssumeRole" }}
      Policies:
        - {{ PolicyName: respond, PolicyDocument: {{ Statement: [{role}] }} }}
      Tags: [{{ Key: "arm:cell", Value: us-west }}]
  Evidence: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: arm-us-west-evidence }} }}
  EvidencePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [{{ Ref: Evidence }}]
      PolicyDocument: {{ Statement: [{queue}] }}
  Clips:
    Type: AWS::S3::Bucket
    Properties: {{ BucketName: {{ "Fn::Sub": "arm-us-west-evidence-${{AWS::AccountId}}-${{AWS::Region}}" }} }}
"#
    );
    Template::parse(&text).expect(&text)
}

/// What is said of other statements in the role's policy.
fn role(before: &str, after: &str) -> String {
    said(Some(&template(before, "")), Some(&template(after, "")))
}

/// What is said of other statements in the queue's policy.
fn queue(before: &str, after: &str) -> String {
    said(Some(&template("", before)), Some(&template("", after)))
}

const SEND: &str =
    r#"{ Effect: Allow, Action: "sqs:SendMessage", Resource: { "Fn::GetAtt": [Evidence, Arn] } }"#;

#[test]
fn a_right_of_a_role_is_named_by_action_and_resource() {
    insta::assert_snapshot!(role("", SEND), @"Loud: the role of `respond` may now `sqs:SendMessage` on the queue `arm-us-west-evidence`");
    insta::assert_snapshot!(role(SEND, ""), @"Quiet: the role of `respond` may no longer `sqs:SendMessage` on the queue `arm-us-west-evidence`");
    let two = r#"{ Effect: Allow, Action: ["s3:PutObject", "s3:GetObject"], Resource: [
        { "Fn::Sub": "${Clips.Arn}/*" }, { "Fn::Sub": "${Clips.Arn}/evidence/*" }, "arn:aws:s3:::elsewhere" ] }"#;
    insta::assert_snapshot!(role(SEND, &format!("{SEND}, {two}")), @"Loud: the role of `respond` may now also `s3:GetObject` and `s3:PutObject` on `evidence/*` in the bucket `arm-us-west-evidence`, everything in the bucket `arm-us-west-evidence` and the bucket `elsewhere`");
}

#[test]
fn what_is_covered_already_is_no_news() {
    let every =
        r#"{ Effect: Allow, Action: "sqs:*", Resource: { "Fn::GetAtt": [Evidence, Arn] } }"#;
    assert_eq!(role(every, &format!("{every}, {SEND}")), "");
    assert_eq!(role(SEND, &SEND.replace("SendMessage", "sendmessage")), "");
    let written = r#"{ Effect: Allow, Action: ["sqs:SendMessage"],
        Resource: [{ "Fn::Sub": "arn:aws:sqs:${AWS::Region}:123456789012:arm-us-west-evidence" }] }"#;
    assert_eq!(role(SEND, written), "");
    let broad = written.replace("west-evidence", "west-*");
    assert_eq!(role(&broad, &format!("{broad}, {SEND}")), "");
    insta::assert_snapshot!(role(SEND, &broad), @"Loud: the role of `respond` may now also `sqs:SendMessage` on the queue `arm-us-west-*`");
    insta::assert_snapshot!(role(SEND, every), @"Loud: the role of `respond` may now also `sqs:*` on the queue `arm-us-west-evidence`: that is every action of `sqs`");
}

#[test]
fn an_exception_is_said_as_an_exception() {
    let but = r#"{ Effect: Allow, NotAction: ["iam:*", "sqs:DeleteQueue"], Resource: "*" }"#;
    insta::assert_snapshot!(role("", but), @"Loud: the role of `respond` may now do everything but `iam:*` and `sqs:DeleteQueue` on every resource: nothing binds it to a resource; that takes in actions that AWS adds later");
    assert_eq!(role(but, &format!("{but}, {SEND}")), "");
    let deletes = SEND.replace("SendMessage", "DeleteQueue");
    insta::assert_snapshot!(role(but, &format!("{but}, {deletes}")), @"Loud: the role of `respond` may now also `sqs:DeleteQueue` on the queue `arm-us-west-evidence`");
    let fewer = but.replace(r#"["iam:*", "sqs:DeleteQueue"]"#, r#""iam:*""#);
    insta::assert_snapshot!(role(but, &fewer), @"Loud: the role of `respond` may now also do everything but `iam:*` on every resource: nothing binds it to a resource; that takes in actions that AWS adds later");
    let elsewhere = r#"{ Effect: Allow, Action: "sqs:SendMessage", NotResource: { "Fn::GetAtt": [Evidence, Arn] } }"#;
    insta::assert_snapshot!(role("", elsewhere), @"Loud: the role of `respond` may now `sqs:SendMessage` on every resource but the queue `arm-us-west-evidence`: nothing binds it to a resource");
}

#[test]
fn what_endangers_others_says_why() {
    let on_all =
        |action: &str| format!(r#"{{ Effect: Allow, Action: "{action}", Resource: "*" }}"#);
    let actions = ["*", "kms:*", "iam:PassRole", "dynamodb:ListStreams", "s3:GetObject"];
    insta::assert_snapshot!(actions.map(|action| role("", &on_all(action))).concat(), @"
    Loud: the role of `respond` may now do everything on every resource: nothing binds it to a resource; that is every action of every service; whoever hands a role to a service gets the role's rights
    Loud: the role of `respond` may now `kms:*` on every resource: nothing binds it to a resource; that is every action of `kms`
    Loud: the role of `respond` may now `iam:PassRole` on every resource: nothing binds it to a resource; whoever hands a role to a service gets the role's rights
    Loud: the role of `respond` may now `dynamodb:ListStreams` on every resource
    Loud: the role of `respond` may now `s3:GetObject` on every resource: nothing binds it to a resource
    ");
    let bound = r#"{ Effect: Allow, Action: "cloudwatch:GetMetricData", Resource: "*", Condition: { StringEquals: { "aws:ResourceTag/arm:cell": us-west } } }"#;
    insta::assert_snapshot!(role("", bound), @"Loud: the role of `respond` may now `cloudwatch:GetMetricData` on every resource, if `aws:ResourceTag/arm:cell` is `us-west`");
    let foreign = r#"{ Effect: Allow, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-west-2:999999999999:theirs" }"#;
    insta::assert_snapshot!(role("", foreign), @"Loud: the role of `respond` may now `sqs:SendMessage` on the queue `theirs` of the account `999999999999`: `999999999999` is another account");
    assert_eq!(role(foreign, foreign), "");
}

/// A statement of the queue's policy.
fn queue_statement(principal: &str, condition: &str) -> String {
    format!(
        r#"{{ Sid: LetThemSend, Effect: Allow, Principal: {principal}, Action: "sqs:SendMessage", Resource: "*", Condition: {{ {condition} }} }}"#
    )
}

#[test]
fn strangers_and_services_that_act_for_anyone_are_loud() {
    let by_account = r#"StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } }"#;
    let events = "{ Service: events.amazonaws.com }";
    let tls = r#"Bool: { "aws:SecureTransport": true }"#;
    insta::assert_snapshot!(queue("", &queue_statement("\"*\"", "")), @"Loud: anyone may now `sqs:SendMessage` on the queue `arm-us-west-evidence`: that is anyone in the world, as no condition says who");
    insta::assert_snapshot!(queue("", &queue_statement("\"*\"", tls)), @"Loud: anyone may now `sqs:SendMessage` on the queue `arm-us-west-evidence`, if `aws:SecureTransport` is `true`: that is anyone in the world, as no condition says who");
    insta::assert_snapshot!(queue("", &queue_statement("{ AWS: \"*\" }", by_account)), @"Loud: anyone may now `sqs:SendMessage` on the queue `arm-us-west-evidence`, if `aws:SourceAccount` is this account");
    insta::assert_snapshot!(queue("", &queue_statement("{ AWS: \"999999999999\" }", "")), @"Loud: the account `999999999999` may now `sqs:SendMessage` on the queue `arm-us-west-evidence`: `999999999999` is another account");
    insta::assert_snapshot!(queue("", &queue_statement("{ AWS: \"arn:aws:iam::999999999999:role/x\" }", "")), @"Loud: the role `x` of the account `999999999999` may now `sqs:SendMessage` on the queue `arm-us-west-evidence`: `999999999999` is another account");
    insta::assert_snapshot!(queue("", &queue_statement("{ AWS: \"123456789012\" }", "")), @"Loud: this account may now `sqs:SendMessage` on the queue `arm-us-west-evidence`");
    insta::assert_snapshot!(queue("", &queue_statement(events, "")), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence`: the service does so for any customer's resources, as neither `aws:SourceAccount` nor `aws:SourceArn` is asked for");
    insta::assert_snapshot!(queue("", &queue_statement(events, by_account)), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence`, if `aws:SourceAccount` is this account");
    let but = queue_statement("\"*\"", "").replace("Principal", "NotPrincipal").replacen(
        "\"*\"",
        "{ AWS: { Ref: \"AWS::AccountId\" } }",
        1,
    );
    insta::assert_snapshot!(queue("", &but), @"Loud: everyone but this account may now `sqs:SendMessage` on the queue `arm-us-west-evidence`: that is anyone in the world, as no condition says who");
    assert_eq!(queue(&queue_statement("\"*\"", ""), &queue_statement("{ AWS: [\"*\"] }", "")), "");
}

#[test]
fn other_conditions_are_told_with_what_they_were() {
    let events = |condition: &str| queue_statement("{ Service: events.amazonaws.com }", condition);
    let account = r#"StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } }"#;
    let both = format!(
        r#"{account}, ArnLike: {{ "aws:SourceArn": ["arn:aws:events:*:*:rule/a-*", "arn:aws:events:*:*:rule/b"] }}"#
    );
    let more = both.replace("rule/b", "rule/b*");
    let other = both.replace("rule/b", "rule/c");
    insta::assert_snapshot!(queue(&events(&both), &events(account)), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence` not only if `aws:SourceArn` is like the rule `a-*` or the rule `b`");
    insta::assert_snapshot!(queue(&events(account), &events(&both)), @"Quiet: the service `events.amazonaws.com` may `sqs:SendMessage` on the queue `arm-us-west-evidence` only if `aws:SourceArn` is like the rule `a-*` or the rule `b` now");
    insta::assert_snapshot!(queue(&events(&both), &events("")), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence` not only if `aws:SourceArn` is like the rule `a-*` or the rule `b` and `aws:SourceAccount` is this account: the service does so for any customer's resources, as neither `aws:SourceAccount` nor `aws:SourceArn` is asked for");
    insta::assert_snapshot!(queue(&events(&both), &events(&more)), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence` if `aws:SourceArn` is like the rule `a-*` or the rule `b*`, so far only if `aws:SourceArn` is like the rule `a-*` or the rule `b`");
    insta::assert_snapshot!(queue(&events(&both), &events(&other)), @"Loud: the service `events.amazonaws.com` may now `sqs:SendMessage` on the queue `arm-us-west-evidence` if `aws:SourceArn` is like the rule `a-*` or the rule `c`, so far only if `aws:SourceArn` is like the rule `a-*` or the rule `b`");
    assert_eq!(queue(&events(&both), &events(&both.replace("aws:S", "AWS:s"))), "");
}

#[test]
fn a_refusal_that_goes_or_weakens_is_loud_and_a_new_one_is_quiet() {
    let refuse = r#"{ Sid: RefusePlainHttp, Effect: Deny, Principal: "*", Action: "sqs:*",
        Resource: { "Fn::GetAtt": [Evidence, Arn] }, Condition: { Bool: { "aws:SecureTransport": false } } }"#;
    insta::assert_snapshot!(queue(refuse, ""), @"Loud: a refusal is gone (`RefusePlainHttp`): anyone was refused `sqs:*` on the queue `arm-us-west-evidence`, if `aws:SecureTransport` is `false`");
    insta::assert_snapshot!(queue("", refuse), @"Quiet: anyone is now refused `sqs:*` on the queue `arm-us-west-evidence`, if `aws:SecureTransport` is `false` (`RefusePlainHttp`)");
    let weaker = refuse.replace(
        "false }",
        r#"false }, StringNotEquals: { "aws:PrincipalAccount": "999999999999" }"#,
    );
    insta::assert_snapshot!(queue(refuse, &weaker), @"Loud: a refusal is weaker (`RefusePlainHttp`): anyone is refused `sqs:*` on the queue `arm-us-west-evidence` only if `aws:PrincipalAccount` is not `999999999999` now");
    let fewer = refuse.replace("sqs:*", "sqs:Send*");
    insta::assert_snapshot!(queue(refuse, &fewer), @"Loud: a refusal is narrower (`RefusePlainHttp`): anyone was refused `sqs:*` on the queue `arm-us-west-evidence`, if `aws:SecureTransport` is `false`, and is refused `sqs:Send*` still");
    // The queue is gone with its policy.
    let gone = template("", refuse).to_json().replace(r#""Evidence":"#, r#""Other":"#);
    let gone = gone
        .replace(r#"{"Ref":"Evidence"}"#, r#"{"Ref":"Other"}"#)
        .replace("RefusePlainHttp", "R")
        .replace("Deny", "Allow");
    let gone = Template::parse(&gone).unwrap();
    assert!(!said(Some(&template("", refuse)), Some(&gone)).contains("a refusal"));
}

#[test]
fn a_new_stack_brings_one_quiet_line_and_what_endangers_others() {
    let cells = [fixture::cell(), fixture::hosting_cell("ml.g4dn.xlarge")];
    let [asking, hosting] = cells.map(|cell| stack::platform(&cell).unwrap());
    let artifacts = stack::artifacts(&fixture::cell()).unwrap();
    let store = stack::store(&fixture::cell(), &fixture::store(), &[]).unwrap();
    let new = [&asking, &hosting, &artifacts, &store].map(|it| said(None, Some(it))).concat();
    insta::assert_snapshot!(new, @"
    Quiet: a new stack brings its usual rights: 117 permissions and 18 refusals, as its blueprint has them
    Quiet: a new stack brings its usual rights: 127 permissions and 18 refusals, as its blueprint has them
    Quiet: a new stack brings its usual rights: 0 permissions and 2 refusals, as its blueprint has them
    Quiet: a new store brings its usual rights: 1 permission and 1 refusal, as its blueprint has them
    ");
    insta::assert_snapshot!(said(Some(&store), None), @"Quiet: if the stack is deleted, 1 permission and 1 refusal go with it");
    let image = hosting.to_json().replace(":123456789012:repository", ":999999999999:repository");
    insta::assert_snapshot!(said(None, Some(&Template::parse(&image).unwrap())), @"
    Loud: the role of `detector` may now `ecr:BatchCheckLayerAvailability`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` on the repository `shelf/model` of the account `999999999999`: `999999999999` is another account
    Quiet: a new stack brings its usual rights, beside what is told above: 127 permissions and 18 refusals, as its blueprint has them
    ");
    insta::assert_snapshot!(said(Some(&asking), Some(&hosting)), @"
    Loud: the role of `analyze` may now also `sagemaker:InvokeEndpoint` on the endpoint `arm-us-west-detector`
    Loud: the role of `detector` may now `ecr:BatchCheckLayerAvailability`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` on the repository `shelf/model`
    Loud: the role of `detector` may now `ecr:GetAuthorizationToken` on every resource
    Loud: the role of `detector` may now `logs:CreateLogStream`, `logs:DescribeLogStreams` and `logs:PutLogEvents` on the log group `/aws/sagemaker/Endpoints/arm-us-west-detector`
    Loud: the role of `detector` may now `s3:GetObject` on `shelf/1.4.tar.gz` in the bucket `acme-models`
    Loud: the role of `detector` may now `cloudwatch:PutMetricData` on every resource, if `cloudwatch:namespace` is `/aws/sagemaker/Endpoints` or `AWS/SageMaker`
    Loud: the service `sagemaker.amazonaws.com` may now `sts:AssumeRole` on the role of `detector`, if `aws:SourceAccount` is this account
    Quiet: the role of `analyze` may no longer `sagemaker:InvokeEndpoint` on the endpoint `shelf-model`
    ");
    let all = access(Some(&asking), Some(&hosting), Some(ACCOUNT));
    assert!(all.iter().all(|it| it.about == [["cells", "us-west"]]));
    assert_eq!(access(None, None, None), vec![]);
}

#[test]
fn the_same_change_of_every_store_is_told_in_the_same_words() {
    let of = |id: &str| {
        let store = crate::model::Store { id: fixture::id(id), ..fixture::store() };
        let before = stack::store(&fixture::cell(), &store, &[]).unwrap();
        let after =
            before.to_json().replace("sns:Publish", "sns:*").replace("Sid\":\"Ref", "Sid\":\"ref");
        said(Some(&before), Some(&Template::parse(&after).unwrap()))
    };
    insta::assert_snapshot!(of("seattle-001"), @"
    Loud: this account may now also `sns:*` on the topic `arm-us-west-<store>-alerts`
    Quiet: anyone is now refused `sns:*` on the topic `arm-us-west-<store>-alerts`, if `aws:SecureTransport` is `false` (`refusePlainHttp`)
    ");
    assert_eq!(of("seattle-001"), of("1"));
}

fn changed_by(type_name: &str, before: &str, after: &str) -> String {
    let template = |properties: &str| {
        let text = format!(
            "Resources: {{ It: {{ Type: {type_name}, Properties: {{ {properties} }} }}, Key: {{ Type: AWS::KMS::Key }}, KeyAlias: {{ Type: AWS::KMS::Alias, Properties: {{ AliasName: alias/arm-us-west-cases, TargetKeyId: {{ Ref: Key }} }} }} }}"
        );
        Template::parse(&text).expect(&text)
    };
    said(Some(&template(before)), Some(&template(after)))
}

/// Type, properties with the stronger guard, and without it.
const GUARDS: [(&str, &str, &str); 8] = [
    (
        "AWS::S3::Bucket",
        "BucketName: b, PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true }",
        "BucketName: b",
    ),
    ("AWS::S3::Bucket", "BucketName: b", "BucketName: b, AccessControl: PublicRead"),
    (
        "AWS::S3::Bucket",
        "BucketName: b, LoggingConfiguration: { DestinationBucketName: l }",
        "BucketName: b",
    ),
    (
        "AWS::S3::Bucket",
        "OwnershipControls: { Rules: [{ ObjectOwnership: BucketOwnerEnforced }] }",
        "BucketName: b",
    ),
    ("AWS::KinesisVideo::Stream", "Name: s, KmsKeyId: { Ref: Key }", "Name: s"),
    (
        "AWS::SQS::Queue",
        "QueueName: q, KmsMasterKeyId: { Ref: Key }",
        "QueueName: q, KmsMasterKeyId: alias/aws/sqs",
    ),
    ("AWS::KMS::Key", "EnableKeyRotation: true", "EnableKeyRotation: false"),
    (
        "AWS::DynamoDB::Table",
        "TableName: t, SSESpecification: { SSEEnabled: true }",
        "TableName: t",
    ),
];

/// The same of rights.
const RIGHTS: [(&str, &str, &str); 7] = [
    (
        "AWS::IAM::Role",
        "RoleName: r, ManagedPolicyArns: [a/ReadOnly], PermissionsBoundary: a/b",
        "RoleName: r, ManagedPolicyArns: [\"arn:aws:iam::aws:policy/AdministratorAccess\"]",
    ),
    ("AWS::IAM::Role", "RoleName: r", "RoleName: r, PermissionsBoundary: a/b"),
    (
        "AWS::IoT::RoleAlias",
        "RoleAlias: g, RoleArn: \"arn:aws:iam::123456789012:role/a\"",
        "RoleAlias: g, RoleArn: \"arn:aws:iam::123456789012:role/b\"",
    ),
    (
        "AWS::Lambda::Permission",
        "FunctionName: f, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com, SourceArn: t",
        "FunctionName: f, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com",
    ),
    ("AWS::Lambda::Url", "AuthType: AWS_IAM", "AuthType: NONE"),
    (
        "AWS::Events::EventBusPolicy",
        "StatementId: a, Action: events:PutEvents, Principal: \"123456789012\", EventBusName: b",
        "StatementId: a, Action: events:PutEvents, Principal: \"*\", EventBusName: b",
    ),
    (
        "AWS::Logs::ResourcePolicy",
        "PolicyName: p",
        r#"PolicyName: p, PolicyDocument: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"logs:PutLogEvents","Resource":"*"}]}'"#,
    ),
];

fn there_and_back(pairs: &[(&str, &str, &str)]) -> String {
    let lines = pairs.iter().map(|(kind, before, after)| {
        assert_eq!(changed_by(kind, before, before), "");
        let (there, back) = (changed_by(kind, before, after), changed_by(kind, after, before));
        format!("{kind}\n{there}and back\n{back}")
    });
    lines.collect()
}

#[test]
fn weaker_guards_are_loud_and_stronger_ones_quiet() {
    insta::assert_snapshot!(there_and_back(&GUARDS), @"
    AWS::S3::Bucket
    Loud: the bucket `b` no longer refuses access control lists that make it public (`BlockPublicAcls`)
    Loud: the bucket `b` no longer refuses policies that make it public (`BlockPublicPolicy`)
    Loud: the bucket `b` no longer ignores access control lists that make it public (`IgnorePublicAcls`)
    Loud: the bucket `b` no longer keeps strangers out when its policy is public (`RestrictPublicBuckets`)
    and back
    Quiet: the bucket `b` is guarded better: `BlockPublicAcls` is now `true`
    Quiet: the bucket `b` is guarded better: `BlockPublicPolicy` is now `true`
    Quiet: the bucket `b` is guarded better: `IgnorePublicAcls` is now `true`
    Quiet: the bucket `b` is guarded better: `RestrictPublicBuckets` is now `true`
    AWS::S3::Bucket
    Loud: the bucket `b` is now open to anyone in the world (`PublicRead`)
    and back
    AWS::S3::Bucket
    Loud: who touches what in the bucket `b` is no longer written down
    and back
    Quiet: who touches what in the bucket `b` is now written down
    AWS::S3::Bucket
    Loud: the bucket `b` may give access by access control lists again (`ObjectOwnership`)
    and back
    Quiet: the bucket `It` is guarded better: `ObjectOwnership` is now `BucketOwnerEnforced`
    AWS::KinesisVideo::Stream
    Loud: the video stream `s` is no longer encrypted with the key `alias/arm-us-west-cases`
    and back
    Quiet: the video stream `s` is now encrypted with the key `alias/arm-us-west-cases`
    AWS::SQS::Queue
    Loud: the queue `q` is now encrypted with the key `alias/aws/sqs` instead of the key `alias/arm-us-west-cases`: who may use that key may read it
    and back
    Loud: the queue `q` is now encrypted with the key `alias/arm-us-west-cases` instead of the key `alias/aws/sqs`: who may use that key may read it
    AWS::KMS::Key
    Loud: the key `It` is no longer rotated (`EnableKeyRotation`)
    and back
    Quiet: the key `It` is guarded better: `EnableKeyRotation` is now `true`
    AWS::DynamoDB::Table
    Loud: the table `t` is no longer encrypted with a key of ours (`SSEEnabled`)
    and back
    Quiet: the table `t` is guarded better: `SSEEnabled` is now `true`
    ");
}

#[test]
fn rights_without_a_statement_of_a_role_are_told() {
    insta::assert_snapshot!(there_and_back(&RIGHTS), @"
    AWS::IAM::Role
    Loud: the role `r` now also has the managed policy `AdministratorAccess`
    Loud: the role `r` has no boundary any more; it was `b`
    Quiet: the role `r` no longer has the managed policy `ReadOnly`
    and back
    Loud: the role `r` now also has the managed policy `ReadOnly`
    Quiet: the role `r` no longer has the managed policy `AdministratorAccess`
    Quiet: the role `r` now has the boundary `b`
    AWS::IAM::Role
    Quiet: the role `r` now has the boundary `b`
    and back
    Loud: the role `r` has no boundary any more; it was `b`
    AWS::IoT::RoleAlias
    Loud: whoever comes by the role alias `g` now gets the role `b` instead of the role `a`
    and back
    Loud: whoever comes by the role alias `g` now gets the role `a` instead of the role `b`
    AWS::Lambda::Permission
    Loud: the service `sns.amazonaws.com` may now `lambda:InvokeFunction` on the function `f` not only if `aws:SourceArn` is like `t`: the service does so for any customer's resources, as neither `aws:SourceAccount` nor `aws:SourceArn` is asked for
    and back
    Quiet: the service `sns.amazonaws.com` may `lambda:InvokeFunction` on the function `f` only if `aws:SourceArn` is like `t` now
    AWS::Lambda::Url
    Loud: `It` (AWS::Lambda::Url) can be called by anyone in the world (`AuthType`)
    and back
    Quiet: `It` (AWS::Lambda::Url) is guarded better: `AuthType` is now `AWS_IAM`
    AWS::Events::EventBusPolicy
    Loud: anyone may now `events:PutEvents` on `b`: that is anyone in the world, as no condition says who
    and back
    Quiet: anyone may no longer `events:PutEvents` on `b`
    AWS::Logs::ResourcePolicy
    Loud: anyone may now `logs:PutLogEvents` on every resource: nothing binds it to a resource; that is anyone in the world, as no condition says who
    and back
    Quiet: anyone may no longer `logs:PutLogEvents` on every resource
    ");
}

/// Statements made of these, each with some actions, resources and values of one condition.
fn statements() -> impl Strategy<Value = Vec<(bool, u8, u8, u8, u8)>> {
    prop::collection::vec((any::<bool>(), 0..3_u8, 1..8_u8, 1..8_u8, 0..8_u8), 1..5)
}

/// The members of `all` that the bits pick.
fn picked(all: [&'static str; 3], bits: u8) -> Vec<&'static str> {
    all.into_iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, it)| it).collect()
}

fn policy(statements: &[serde_json::Value]) -> Template {
    let body = json!({ "Resources": {
        "Queue": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "q" } },
        "Policy": { "Type": "AWS::SQS::QueuePolicy", "Properties": {
            "Queues": [{ "Ref": "Queue" }],
            "PolicyDocument": { "Statement": statements },
        } },
    } });
    Template::parse(&body.to_string()).unwrap()
}

fn statement(
    (allows, who, actions, resources, values): (bool, u8, u8, u8, u8),
) -> (serde_json::Value, Vec<serde_json::Value>) {
    let who = ["*", "111111111111", "222222222222"][usize::from(who)];
    let actions = picked(["sqs:Send*", "sqs:Receive", "sqs:*"], actions);
    let resources = picked(["a", "b", "arn:aws:sqs:us-west-2:1:*"], resources);
    let values = picked(["x", "y", "z"], values);
    let effect = if allows { "Allow" } else { "Deny" };
    let make = |actions: serde_json::Value,
                resources: serde_json::Value,
                values: Option<serde_json::Value>| {
        let condition =
            values.map_or(json!({}), |it| json!({ "StringEquals": { "aws:SourceAccount": it } }));
        json!({ "Effect": effect, "Principal": { "AWS": who }, "Action": actions, "Resource": resources, "Condition": condition })
    };
    let all = (!values.is_empty()).then(|| json!(values));
    let whole = make(json!(actions), json!(resources), all);
    let each: Vec<_> = if values.is_empty() {
        vec![None]
    } else {
        values.iter().map(|it| Some(json!(it))).collect()
    };
    let parts = actions.iter().flat_map(|action| {
        let each = each.clone();
        resources.iter().flat_map(move |resource| {
            each.clone()
                .into_iter()
                .map(move |value| make(json!(action), json!([resource]), value))
                .collect::<Vec<_>>()
        })
    });
    let parts = parts.collect();
    (whole, parts)
}

proptest! {
    #[test]
    fn how_rights_are_spread_over_statements_means_nothing(
        all in statements(), seed in any::<prop::sample::Index>(),
    ) {
        let (whole, parts): (Vec<_>, Vec<_>) = all.into_iter().map(statement).unzip();
        let mut parts: Vec<_> = parts.into_iter().flatten().collect();
        let count = parts.len();
        parts.rotate_left(seed.index(count));
        parts.reverse();
        let (whole, parts) = (policy(&whole), policy(&parts));
        prop_assert_eq!(said(Some(&whole), Some(&parts)), "");
        prop_assert_eq!(said(Some(&parts), Some(&whole)), "");
    }

    /// Judged by trying requests: what one policy allows or refuses and the other does not is told.
    #[test]
    fn a_request_that_is_decided_otherwise_is_never_passed_over(
        before in statements(), after in statements(),
    ) {
        let of = |all: Vec<_>| all.into_iter().map(|it| statement(it).0).collect::<Vec<_>>();
        let (before, after) = (of(before), of(after));
        let told = said(Some(&policy(&before)), Some(&policy(&after)));
        for who in ["111111111111", "222222222222", "333333333333"] {
            for (action, resource) in [("sqs:SendX", "a"), ("sqs:Receive", "b"), ("sqs:Other", "arn:aws:sqs:us-west-2:1:q"), ("sqs:SendX", "c")] {
                for account in ["x", "y", "w"] {
                    let asked = (who, action, resource, account);
                    prop_assert!(decided(&before, asked) == decided(&after, asked) || !told.is_empty());
                }
            }
        }
    }
}

/// Whether some statement allows the request, and whether some refuses it: an evaluation of its own.
fn decided(statements: &[serde_json::Value], asked: (&str, &str, &str, &str)) -> (bool, bool) {
    let (who, action, resource, account) = asked;
    let texts = |it: &serde_json::Value| -> Vec<String> {
        let one = it.as_str().map(str::to_owned).into_iter();
        one.chain(it.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()))
            .collect()
    };
    let fits = |pattern: &String, text: &str| match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => pattern == text,
    };
    let says = |effect: &str| {
        statements.iter().any(|it| {
            let condition = it.pointer("/Condition/StringEquals/aws:SourceAccount").map(texts);
            it["Effect"] == effect
                && ["*", who].contains(&it["Principal"]["AWS"].as_str().unwrap())
                && texts(&it["Action"]).iter().any(|it| fits(it, action))
                && texts(&it["Resource"]).iter().any(|it| fits(it, resource))
                && condition.is_none_or(|it| it.contains(&account.to_owned()))
        })
    };
    (says("Allow"), says("Deny"))
}
