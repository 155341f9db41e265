//! Small pairs of templates, and what they lose.

use super::*;
use crate::change::compare;
use crate::stack::{self, fixture};

fn template(resources: &str) -> Template {
    let text = format!("Resources:\n  Same: {{ Type: AWS::SNS::Topic }}\n{resources}");
    Template::parse(&text).expect(&text)
}

fn line(finding: &Finding) -> String {
    let details = finding.details.iter().flat_map(|it| ["\n  ", it]).collect::<String>();
    let about: Vec<_> = finding.about.iter().map(|it| it.join(".")).collect();
    let about =
        if about.is_empty() { String::new() } else { format!("\n  [{}]", about.join(", ")) };
    format!("{:?}: {}{details}{about}\n", finding.weight, finding.text)
}

fn between(before: &Template, after: &Template) -> String {
    let changes = compare(before, after);
    loss(&changes, Some(before), Some(after)).iter().map(line).collect()
}

fn said(before: &str, after: &str) -> String {
    between(&template(before), &template(after))
}

/// A stream as a store's stack has it.
fn stream(camera: &str, hours: u32, more: &str) -> String {
    format!(
        "  Camera{camera}: {{ Type: AWS::KinesisVideo::Stream, DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Retain, Properties: {{ Name: s-{camera}, DataRetentionInHours: {hours}, Tags: [{{ Key: \"arm:camera\", Value: {camera} }}, {{ Key: \"arm:aisle\", Value: aisle-1 }}], {more} }} }}\n"
    )
}

#[test]
fn a_camera_that_is_gone_says_what_becomes_of_its_video() {
    insta::assert_snapshot!(said(&stream("a", 24, ""), ""), @"
    Loud: camera `a` is gone: its stream stays outside every stack, with up to 24 h of video: nobody looks at it or deletes it, but evidence of open cases can still be taken from it
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a]
    ");
    let deleted = stream("a", 24, "").replace("RetainExceptOnCreate", "Delete");
    insta::assert_snapshot!(said(&deleted, ""), @"
    Loud: camera `a` is gone: its stream is deleted with up to 24 h of video: evidence that is still to be cut is lost
      [cameras.a]
    ");
    insta::assert_snapshot!(said(&stream("a", 0, ""), ""), @"
    Quiet: camera `a` is gone: its stream stays outside every stack; no video was kept
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a]
    ");
    let many: String = "abcdefg".chars().map(|it| stream(&it.to_string(), 72, "")).collect();
    insta::assert_snapshot!(said(&many, ""), @"
    Loud: 7 cameras (`a`, `b`, `c`, `d`, `e` and 2 more) are gone: their streams stay outside every stack, with up to 72 h of video each: nobody looks at them or deletes them, but evidence of open cases can still be taken from them
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      cameras: `a`, `b`, `c`, `d`, `e`, `f`, `g`
      [cameras.a, cameras.b, cameras.c, cameras.d, cameras.e, cameras.f, cameras.g]
    ");
}

#[test]
fn a_camera_like_another_is_said_to_be_renamed_and_why() {
    insta::assert_snapshot!(said(&stream("a", 24, ""), &stream("b", 24, "")), @"
    Loud: camera `a` is now `b`: a new, empty stream; the old one stays outside every stack, with up to 24 h of video: nobody looks at it or deletes it, but evidence of open cases can still be taken from it
      said to be renamed because aisle, device and retention are the same; a camera's id is its identity, so its video and cases do not move along
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a, cameras.b]
    ");
    let (two, other) =
        (stream("a", 24, "") + &stream("b", 24, ""), stream("c", 24, "") + &stream("d", 24, ""));
    insta::assert_snapshot!(said(&two, &other), @"
    Loud: 2 cameras (`a` and `b`) are now `c` and `d`: new, empty streams; the old ones stay outside every stack, with up to 24 h of video each: nobody looks at them or deletes them, but evidence of open cases can still be taken from them
      said to be renamed because aisle, device and retention are the same; a camera's id is its identity, so its video and cases do not move along
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a, cameras.c, cameras.b, cameras.d]
    ");
    // Which of the two goes on is not told.
    insta::assert_snapshot!(said(&two, &stream("c", 24, "")), @"
    Loud: 2 cameras (`a` and `b`) are gone: their streams stay outside every stack, with up to 24 h of video each: nobody looks at them or deletes them, but evidence of open cases can still be taken from them
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a, cameras.b]
    ");
    insta::assert_snapshot!(said(&stream("a", 24, ""), &stream("b", 24, "DeviceName: door")), @"
    Loud: camera `a` is gone: its stream stays outside every stack, with up to 24 h of video: nobody looks at it or deletes it, but evidence of open cases can still be taken from it
      to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken
      [cameras.a]
    ");
    assert_eq!(said(&stream("a", 24, ""), &stream("a", 24, "DeviceName: door")), "");
    insta::assert_snapshot!(said(&stream("a", 24, ""), &stream("a", 24, "").replace("s-a", "t-a")), @"
    Loud: camera `a` gets a new, empty stream; the old one stays outside every stack, with up to 24 h of video: nobody looks at it or deletes it, but evidence of open cases can still be taken from it
      [cameras.a]
    ");
}

#[test]
fn video_that_is_kept_shorter_is_told_and_longer_is_not() {
    let (day, days) =
        (stream("a", 24, "") + &stream("b", 24, ""), stream("a", 72, "") + &stream("b", 72, ""));
    insta::assert_snapshot!(said(&days, &day), @"
    Loud: video of 2 cameras (`a` and `b`) that is older than 24 h is deleted: it is kept 24 h instead of 72 h
      [cameras.a.retention, cameras.b.retention]
    ");
    assert_eq!(said(&day, &days), "");
}

/// A resource of the type `kind` with these attributes and properties.
fn one(id: &str, kind: &str, attributes: &str, properties: &str) -> String {
    format!("  {id}: {{ Type: {kind}, {attributes} Properties: {{ {properties} }} }}\n")
}

#[test]
fn what_leaves_the_stack_takes_its_data_along_or_leaves_it_behind() {
    let kinds = [
        ("CaseTable", "AWS::DynamoDB::Table", "TableName: arm-us-west-cases"),
        ("Protected", "AWS::DynamoDB::Table", "TableName: t, DeletionProtectionEnabled: true"),
        ("EvidenceBucket", "AWS::S3::Bucket", "BucketName: b"),
        ("VideoKey", "AWS::KMS::Key", "PendingWindowInDays: 7"),
        ("Log", "AWS::Logs::LogGroup", "LogGroupName: l, RetentionInDays: 90"),
        ("Queue", "AWS::SQS::Queue", "QueueName: q, MessageRetentionPeriod: 1209600"),
        ("Archive", "AWS::Events::Archive", "SourceArn: a"),
        ("Database", "AWS::Glue::Database", "CatalogId: c"),
        ("Alarm", "AWS::CloudWatch::Alarm", "AlarmName: a"),
    ];
    let told = kinds.map(|(id, kind, properties)| {
        let gone = said(&one(id, kind, "DeletionPolicy: Delete,", properties), "");
        gone + &said(&one(id, kind, "DeletionPolicy: Retain,", properties), "")
    });
    insta::assert_snapshot!(told.concat(), @"
    Loud: the table `arm-us-west-cases` leaves the stack and is deleted with the case log (every case and its audit trail)
    Loud: the table `arm-us-west-cases` leaves the stack and stays outside every stack, with the case log (every case and its audit trail); nobody looks after it or deletes it
    Loud: the table `t` leaves the stack and is to be deleted with all its items; CloudFormation fails, as its deletion protection is on
    Loud: the table `t` leaves the stack and stays outside every stack, with all its items; nobody looks after it or deletes it
    Loud: the bucket `b` leaves the stack and is to be deleted with every evidence clip; CloudFormation deletes an empty bucket only, and fails otherwise
    Loud: the bucket `b` leaves the stack and stays outside every stack, with every evidence clip; nobody looks after it or deletes it
    Loud: the key `VideoKey` leaves the stack and is deleted after 7 days, in which it can be used no more; then all video under it can never be read again
    Loud: the key `VideoKey` leaves the stack and stays outside every stack, with all video under it; nobody looks after it or deletes it
    Loud: the log group `l` leaves the stack and is deleted with up to 90 days of logs
    Loud: the log group `l` leaves the stack and stays outside every stack, with up to 90 days of logs; nobody looks after it or deletes it
    Loud: the queue `q` leaves the stack and is deleted with the messages in it, of up to 14 days
    Loud: the queue `q` leaves the stack and stays outside every stack, with the messages in it, of up to 14 days; nobody looks after it or deletes it
    Loud: the event archive `Archive` leaves the stack and is deleted with its events
    Loud: the event archive `Archive` leaves the stack and stays outside every stack, with its events; nobody looks after it or deletes it
    ");
    let logs = |name: &str| {
        one(
            name,
            "AWS::Logs::LogGroup",
            "",
            &format!("LogGroupName: {name}, Tags: [{{ Key: \"arm:cell\", Value: us-west }}]"),
        )
    };
    insta::assert_snapshot!(said(&(logs("a") + &logs("b")), ""), @"
    Loud: each of 2 log groups (the log group `a` and the log group `b`) leaves the stack and is deleted with all its logs
      [cells.us-west]
    ");
}

#[test]
fn what_is_made_anew_begins_empty() {
    let table = |key: &str, policy: &str| {
        let policy = format!("UpdateReplacePolicy: {policy},");
        one("CaseTable", "AWS::DynamoDB::Table", &policy, &format!("TableName: cases-{key}"))
    };
    insta::assert_snapshot!(said(&table("a", "Retain"), &table("b", "Retain")), @"Loud: the table `cases-a` is made anew, empty; the old one stays outside every stack, with the case log (every case and its audit trail); nobody looks after it or deletes it");
    insta::assert_snapshot!(said(&table("a", "Delete"), &table("b", "Delete")), @"Loud: the table `cases-a` is made anew, empty; the old one is deleted with the case log (every case and its audit trail)");
}

/// Type, properties before and after.
const WEAKER: [(&str, &str, &str); 12] = [
    ("AWS::Logs::LogGroup", "RetentionInDays: 90", "RetentionInDays: 30"),
    ("AWS::Logs::LogGroup", "LogGroupName: l", "LogGroupName: l, RetentionInDays: 30"),
    ("AWS::SQS::Queue", "QueueName: q", "QueueName: q, MessageRetentionPeriod: 3600"),
    ("AWS::DynamoDB::Table", "DeletionProtectionEnabled: true", "BillingMode: PAY_PER_REQUEST"),
    (
        "AWS::DynamoDB::Table",
        "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }",
        "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false }",
    ),
    (
        "AWS::DynamoDB::Table",
        "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }",
        "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 }",
    ),
    (
        "AWS::S3::Bucket",
        "VersioningConfiguration: { Status: Enabled }",
        "VersioningConfiguration: { Status: Suspended }",
    ),
    (
        "AWS::S3::Bucket",
        "ObjectLockConfiguration: { ObjectLockEnabled: Enabled, Rule: { DefaultRetention: { Mode: COMPLIANCE, Days: 90 } } }",
        "ObjectLockConfiguration: { ObjectLockEnabled: Enabled, Rule: { DefaultRetention: { Mode: GOVERNANCE, Days: 30 } } }",
    ),
    (
        "AWS::S3::Bucket",
        "BucketName: b",
        "BucketName: b, LifecycleConfiguration: { Rules: [{ Status: Enabled, Prefix: x/, ExpirationInDays: 30, NoncurrentVersionExpiration: { NoncurrentDays: 7 } }] }",
    ),
    (
        "AWS::S3::Bucket",
        "LifecycleConfiguration: { Rules: [{ Status: Enabled, ExpirationInDays: 30 }] }",
        "LifecycleConfiguration: { Rules: [{ Status: Enabled, ExpirationInDays: 10 }, { Status: Disabled, ExpirationInDays: 1 }] }",
    ),
    ("AWS::KMS::Key", "PendingWindowInDays: 30", "PendingWindowInDays: 7, Enabled: false"),
    ("AWS::Events::Archive", "SourceArn: a", "SourceArn: a, RetentionDays: 7"),
];

#[test]
fn shorter_lives_and_weaker_protection_are_told_and_the_way_back_is_not() {
    let told = WEAKER.map(|(kind, before, after)| {
        let [before, after] = [before, after].map(|it| one("It", kind, "", it));
        let back = said(&after, &before);
        assert_eq!(back, "", "{kind}");
        said(&before, &after)
    });
    insta::assert_snapshot!(told.concat(), @"
    Loud: older logs of the log group `It` are deleted: 30 days instead of 90 days
    Loud: older logs of the log group `l` are deleted: 30 days instead of for ever
    Loud: older messages in the queue `q` are deleted: 1 h instead of 4 days
    Loud: the table `It` can be deleted by one call: its deletion protection is off
    Loud: the table `It` can no longer be brought back to an earlier moment; the earlier moments are gone at once
    Loud: the table `It` can be brought back to fewer moments: 7 days instead of 35 days
    Loud: what is replaced or deleted in the bucket `It` is gone at once: it keeps no versions any more
    Loud: what is put into the bucket `It` without saying how long can be deleted earlier: 30 days instead of 90 days
    Loud: who has the right to may now delete what the bucket `It` locks by itself (`Mode`)
    Loud: earlier versions below `x/` in the bucket `b` are deleted after 7 days, so far never
    Loud: objects below `x/` in the bucket `b` are deleted after 30 days, so far never
    Loud: objects in the bucket `It` are deleted after 10 days, so far after 30 days
    Loud: there is less time to undo a deletion of the key `It`: 7 days instead of 30 days
    Loud: the key `It` is switched off: what it encrypts cannot be read until it is on again
    Loud: older events in the event archive `It` are deleted: 7 days instead of for ever
    ");
    let expires = |it| {
        one(
            "It",
            "AWS::DynamoDB::Table",
            "",
            &format!("TimeToLiveSpecification: {{ AttributeName: {it}, Enabled: true }}"),
        )
    };
    insta::assert_snapshot!(said(&expires("a"), &expires("b")), @"Loud: items of the table `It` are deleted at the time in their `b` from now on");
    let kept = |policy| {
        one(
            "CaseTable",
            "AWS::DynamoDB::Table",
            &format!("DeletionPolicy: {policy}, UpdateReplacePolicy: {policy},"),
            "TableName: t",
        )
    };
    insta::assert_snapshot!(said(&kept("Retain"), &kept("Delete")), @"
    Loud: from now on the table `t` is deleted, with the case log (every case and its audit trail), when its stack is deleted, or it is taken out of it (`DeletionPolicy`)
    Loud: from now on the table `t` is deleted, with the case log (every case and its audit trail), when it is made anew (`UpdateReplacePolicy`)
    ");
    assert_eq!(said(&kept("Delete"), &kept("Retain")), "");
}

#[test]
fn a_whole_stack_is_one_sentence() {
    let store = stack::store(&fixture::cell(), &fixture::large_store(3), &[]).unwrap();
    let platform = stack::platform(&fixture::cell()).unwrap();
    let artifacts = stack::artifacts(&fixture::cell()).unwrap();
    let all = [&store, &platform, &artifacts].map(|it| {
        let (gone, new) = (loss(&[], Some(it), None), loss(&[], None, Some(it)));
        gone.iter().chain(&new).map(line).collect::<String>()
    });
    insta::assert_snapshot!(all.concat(), @"
    Loud: the store is in no file any more: `arm deploy` leaves its stack as it is, so its 3 cameras go on being watched, and cost; deleting its stack would leave outside every stack: 3 video streams with up to 72 h of video each
      [store]
    Quiet: a new store: it holds 3 video streams with up to 72 h of video each
      [store]
    Loud: the stack is in no file any more: `arm deploy` leaves its stack as it is, so it goes on running, and costs; deleting its stack would leave outside every stack: the record of who touched which clip, every evidence clip, all rows about cases, the case log (every case and its audit trail), 4 keys; and would delete 6 log groups, 8 queues
      [cells.us-west]
    Quiet: a new stack: it holds the record of who touched which clip, every evidence clip, all rows about cases, the case log (every case and its audit trail), 4 keys, 6 log groups, 8 queues
    Loud: the stack is in no file any more: `arm deploy` leaves its stack as it is, so it goes on running, and costs; deleting its stack would leave outside every stack: the templates and function zips of every release
      [cells.us-west]
    Quiet: a new stack: it holds the templates and function zips of every release
    ");
    assert_eq!(loss(&[], None, None), vec![]);
    assert_eq!(between(&store, &store), "");
}
