//! What a fleet needs of its quotas: counted as the templates have it, told before a deploy fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;

use arm_tests::{Fleet, Outcome, arm, example_stores};

/// A fleet whose cells each have so many stores of so many cameras.
fn fleet(fleet_yaml: &str, stores: &[(&str, usize, usize)]) -> Fleet {
    let folder = Fleet::new(&[]);
    folder.write("fleet.yaml", fleet_yaml.as_bytes());
    for (cell, count, cameras) in stores {
        for number in 1..=*count {
            let id = format!("{cell}-{number}");
            let mut text = format!(
                "store: {id}\nname: {id}\ncell: {cell}\ntimezone: UTC\naisles: [{{ id: aisle-1 }}]\ncameras:\n"
            );
            for camera in 1..=*cameras {
                writeln!(text, "  - {{ id: c-{camera}, aisle: aisle-1 }}").unwrap();
            }
            folder.write(&format!("{id}.yaml"), text.as_bytes());
        }
    }
    folder
}

/// Cells by id, region and their `quotas`; the model is an endpoint that exists.
fn cells(cells: &[(&str, &str, &str)], quotas: &str) -> String {
    let mut text = "model: { endpoint: shelf-model }\ncells:\n".to_owned();
    for (id, region, own) in cells {
        let own = if own.is_empty() { String::new() } else { format!(", quotas: {own}") };
        writeln!(text, "  {id}: {{ account: \"123456789012\", region: {region}{own} }}").unwrap();
    }
    if !quotas.is_empty() {
        writeln!(text, "quotas: {quotas}").unwrap();
    }
    text
}

fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

/// The lines of `arm quotas` that speak of these keys, its end included.
fn lines_of(outcome: &Outcome, keys: &[&str]) -> String {
    let text = shown(outcome);
    let speaks = |line: &&str| keys.iter().any(|key| line.contains(key));
    text.lines().filter(speaks).map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_fleet_is_within_its_quotas() {
    let outcome = arm(&["quotas", "--stores", &example_stores()]);
    assert!(outcome.out.lines().all(|line| line.chars().count() <= 110), "{}", outcome.out);
    assert_snapshot!(shown(&outcome));
}

/// Every resource of a type, over all templates that `generate` writes.
fn generated(fleet: &Fleet) -> BTreeMap<String, u64> {
    assert_eq!(fleet.arm("generate", &["--out", &fleet.path("out")]).code, 0);
    let mut counts = BTreeMap::new();
    let mut add = |key: &str, number: u64| *counts.entry(key.to_owned()).or_default() += number;
    let (mut most_resources, mut most_rules, mut most_filters) = (0, 0, 0);
    for (path, bytes) in fleet.files("out") {
        if path.ends_with("manifest.json") {
            continue;
        }
        let template: Value = serde_json::from_slice(&bytes).unwrap();
        let resources: Vec<_> = template["Resources"].as_object().unwrap().values().collect();
        add("stacks", 1);
        let (mut rules, mut filters) = (0, 0);
        for resource in &resources {
            let kind = resource["Type"].as_str().unwrap();
            let properties = &resource["Properties"];
            add(kind, 1);
            rules += u64::from(kind == "AWS::Events::Rule");
            filters += u64::from(properties.get("FilterPolicy").is_some());
            let protocol = properties["Protocol"].as_str().unwrap_or_default();
            add("to confirm", u64::from(["email", "https"].contains(&protocol)));
            let most = properties["MaxCapacity"].as_u64();
            add("instances", most.unwrap_or_default());
            let at_once = properties["ScalingConfig"]["MaximumConcurrency"].as_u64();
            if properties["FunctionName"].to_string().contains("Analyze") {
                add("windows at once", at_once.unwrap_or_default());
            }
        }
        add("filters", filters);
        most_resources = most_resources.max(u64::try_from(resources.len()).unwrap());
        most_rules = most_rules.max(rules);
        most_filters = most_filters.max(filters);
    }
    add("most resources", most_resources);
    add("most rules", most_rules);
    add("most filters", most_filters);
    counts
}

#[test]
fn every_count_is_that_of_the_templates() {
    let example = std::path::Path::new(&example_stores()).to_owned();
    let read = |name: &str| std::fs::read_to_string(example.join(name)).unwrap();
    let names = ["bellevue-100.yaml", "seattle-001.yaml", "tacoma-012.yaml"];
    let texts = names.map(read);
    let files: Vec<_> = names.iter().zip(&texts).map(|(name, text)| (*name, &**text)).collect();
    let fleet = Fleet::new(&files);
    let outcome = fleet.arm("quotas", &["--format", "json"]);
    let answer: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(answer["schema"], "arm.quotas/1");
    assert_snapshot!(format!("{:#}", answer["homes"][0]["quotas"][4]), @r#"
    {
      "key": "sagemaker_instances",
      "instance": "ml.g4dn.xlarge",
      "title": "instances for endpoints",
      "scope": "instance-type",
      "used": 8,
      "estimate": false,
      "limit": 10,
      "limit_from": "stated",
      "percent": 80,
      "verdict": "ok",
      "refused": false,
      "remedy": null,
      "service": "sagemaker",
      "aws_name": "ml.g4dn.xlarge for endpoint usage",
      "source": "Service Quotas, SageMaker: 0 for 227 of 230 instance types; some accounts are given 1 or 2"
    }
    "#);
    let counted = generated(&fleet);
    let types = [
        ("kinesis_video_streams", "AWS::KinesisVideo::Stream"),
        ("sagemaker_instances", "instances"),
        ("sagemaker_endpoint_instances", "instances"),
        ("sagemaker_instances_per_endpoint", "instances"),
        ("cloudformation_stacks", "stacks"),
        ("cloudformation_resources_per_stack", "most resources"),
        ("eventbridge_buses", "AWS::Events::EventBus"),
        ("eventbridge_rules_per_bus", "most rules"),
        ("scheduler_schedules", "AWS::Scheduler::Schedule"),
        ("sns_topics", "AWS::SNS::Topic"),
        ("sns_filter_policies", "filters"),
        ("sns_filter_policies_per_topic", "most filters"),
        ("sns_subscriptions_pending", "to confirm"),
        ("cloudwatch_alarms", "AWS::CloudWatch::Alarm"),
        ("cloudwatch_log_groups", "AWS::Logs::LogGroup"),
        ("iam_roles", "AWS::IAM::Role"),
        ("s3_buckets", "AWS::S3::Bucket"),
        ("dynamodb_tables", "AWS::DynamoDB::Table"),
        ("kms_keys", "AWS::KMS::Key"),
    ];
    let lines = answer["homes"][0]["quotas"].as_array().unwrap();
    for line in lines {
        let key = line["key"].as_str().unwrap();
        if key == "windows_at_once" {
            assert_eq!(line["limit"], counted["windows at once"], "the bound in the template");
        } else if line["estimate"] == false {
            let (_, kind) = types.iter().find(|(it, _)| *it == key).expect("each has its type");
            assert_eq!(line["used"], counted[*kind], "{key}: change its number in demand/count.rs");
        }
    }
    // Three are estimates.
    assert_eq!(lines.len(), types.len() + 3);
}

#[test]
fn two_cells_in_one_account_and_region_share_their_quotas() {
    let yaml = cells(&[("north", "us-west-2", ""), ("south", "us-west-2", "")], "");
    let fleet = fleet(&yaml, &[("north", 60, 1), ("south", 50, 1)]);
    assert_snapshot!(shown(&fleet.arm("check", &[])));
    assert_snapshot!(lines_of(&fleet.arm("quotas", &["--cell", "north"]), &["eventbridge_buses", "cells:", "exit"]), @"
    cells: north (60 stores), south (50 stores)
    eventbridge_buses                                  110       100  default   110  ##########  over
    ! eventbridge_buses is over: raise `Event buses` of `events` to at least 140 (Service Quotas), then write
    `quotas: { eventbridge_buses: 140 }` in fleet.yaml; or move 10 of 110 stores to a cell in another account
    exit code 0
    ");
}

#[test]
fn a_region_of_its_own_shares_only_what_belongs_to_the_account() {
    let yaml = cells(&[("north", "us-west-2", ""), ("east", "us-east-1", "")], "{ iam_roles: 10 }");
    let fleet = fleet(&yaml, &[("north", 2, 1), ("east", 3, 1)]);
    let outcome = fleet.arm("quotas", &[]);
    assert_snapshot!(lines_of(&outcome, &["account", "eventbridge_buses", "iam_roles", "exit"]), @"
    account 123456789012, us-east-1
    eventbridge_buses                                    3       100  default     3              ok
    iam_roles (all regions)                             16        10  yours     160  ##########  over
    ! iam_roles is over: raise `Roles per account` of `iam` to at least 20 (Service Quotas), then write `quotas:
    { iam_roles: 20 }` in fleet.yaml; or move cells to another account
    account 123456789012, us-west-2
    eventbridge_buses                                    2       100  default     2              ok
    iam_roles (all regions)                             16        10  yours     160  ##########  over
    ! iam_roles is over: raise `Roles per account` of `iam` to at least 20 (Service Quotas), then write `quotas:
    { iam_roles: 20 }` in fleet.yaml; or move cells to another account
    error: the fleet needs more than there is of `iam_roles`
    exit code 1
    ");
    assert_snapshot!(shown(&fleet.arm("check", &[])), @r#"
    error[quota-exceeded]: the account 123456789012 needs 16 roles, over the 10 that `quotas` states
     --> stores/fleet.yaml:5:22
      |
    4 |   east: { account: "123456789012", region: us-east-1 }
      |   ---- needed here
    5 | quotas: { iam_roles: 10 }
      |                      ^^ stated here
      |
      = help: raise `Roles per account` of `iam` to at least 20 (Service Quotas), then write `quotas: { iam_roles: 20 }` in fleet.yaml; or move cells to another account

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told (and the same in 4 more files)
     --> stores/east-1.yaml:1:8
      |
    1 | store: east-1
      |        ^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    for more about a code: arm check --explain quota-exceeded
    error: 1 error and 5 warnings in 5 stores
    exit code 1
    "#);
}

#[test]
fn a_stated_number_that_is_too_small_is_an_error_and_the_nearest_counts() {
    let quotas = "{ eventbridge_buses: 3, kinesis_video_streams: 5, sns_topics: 6 }";
    let yaml = cells(&[("north", "us-west-2", "{ kinesis_video_streams: 20 }")], quotas);
    let fleet = fleet(&yaml, &[("north", 4, 2)]);
    assert_snapshot!(shown(&fleet.arm("check", &[])), @r#"
    error[quota-exceeded]: the cell `north` needs 4 event buses, over the 3 that `quotas` states
     --> stores/fleet.yaml:4:30
      |
    3 |   north: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 20 } }
      |   ----- needed here
    4 | quotas: { eventbridge_buses: 3, kinesis_video_streams: 5, sns_topics: 6 }
      |                              ^ stated here
      |
      = help: raise `Event buses` of `events` to at least 5 (Service Quotas), then write `quotas: { eventbridge_buses: 5 }` in fleet.yaml; or move 1 of 4 stores to a cell in another account or region

    warning[quota-near]: the cell `north` needs 5 topics, near the 6 that `quotas` states
     --> stores/fleet.yaml:4:71
      |
    3 |   north: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 20 } }
      |   ----- needed here
    4 | quotas: { eventbridge_buses: 3, kinesis_video_streams: 5, sns_topics: 6 }
      |                                                                       ^ stated here
      |
      = help: raise `Topics per Account` of `sns` to at least 7 (Service Quotas), then write `quotas: { sns_topics: 7 }` in fleet.yaml; or move stores to a cell in another account or region (1 store more like these fit)

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/north-1.yaml:1:8
      |
    1 | store: north-1
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/north-2.yaml:1:8
      |
    1 | store: north-2
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/north-3.yaml:1:8
      |
    1 | store: north-3
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/north-4.yaml:1:8
      |
    1 | store: north-4
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    for more about a code: arm check --explain quota-exceeded
    error: 1 error and 5 warnings in 4 stores
    exit code 1
    "#);
    let outcome = fleet.arm("quotas", &[]);
    assert_snapshot!(lines_of(&outcome, &["eventbridge_buses", "kinesis", "sns_topics", "exit"]), @"
    kinesis_video_streams                                8        20  yours      40  ####        ok
    kinesis_video_endpoint_calls                        ~2       300  fixed       1              ok
    eventbridge_buses                                    4         3  yours     134  ##########  over
    sns_topics                                           5         6  yours      84  ########    near
    ! eventbridge_buses is over: raise `Event buses` of `events` to at least 5 (Service Quotas), then write
    `quotas: { eventbridge_buses: 5 }` in fleet.yaml; or move 1 of 4 stores to a cell in another account or
    ! sns_topics is near: raise `Topics per Account` of `sns` to at least 7 (Service Quotas), then write
    `quotas: { sns_topics: 7 }` in fleet.yaml; or move stores to a cell in another account or region (1 store
    error: the fleet needs more than there is of `eventbridge_buses`
    exit code 1
    ");
    assert_eq!(fleet.arm("generate", &["--out", &fleet.path("out")]).code, 1);
}

#[test]
fn cells_that_share_an_account_state_its_quotas_alike() {
    let yaml = cells(
        &[
            ("north", "us-west-2", "{ kinesis_video_streams: 20, iam_roles: 2000 }"),
            ("south", "us-west-2", "{ kinesis_video_streams: 30 }"),
            ("east", "us-east-1", "{ kinesis_video_streams: 40, iam_roles: 3000 }"),
        ],
        "",
    );
    let fleet = fleet(&yaml, &[("north", 1, 1), ("south", 1, 1), ("east", 1, 1)]);
    assert_snapshot!(shown(&fleet.arm("check", &[])), @r#"
    error[quotas-disagree]: two cells in account 123456789012 state 20 and 30 for `kinesis_video_streams`
     --> stores/fleet.yaml:4:89
      |
    3 |   north: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 20, iam_roles: 2000 } }
      |                                                                                         -- stated differently here
    4 |   south: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 30 } }
      |                                                                                         ^^
      |
      = help: state it once: cells in one account share it

    error[quotas-disagree]: two cells in account 123456789012 state 2,000 and 3,000 for `iam_roles`
     --> stores/fleet.yaml:5:103
      |
    3 |   north: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 20, iam_roles: 2000 } }
      |                                                                                                        ---- stated differently here
    4 |   south: { account: "123456789012", region: us-west-2, quotas: { kinesis_video_streams: 30 } }
    5 |   east: { account: "123456789012", region: us-east-1, quotas: { kinesis_video_streams: 40, iam_roles: 3000 } }
      |                                                                                                       ^^^^
      |
      = help: state it once: cells in one account share it

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/east-1.yaml:1:8
      |
    1 | store: east-1
      |        ^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/north-1.yaml:1:8
      |
    1 | store: north-1
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    warning[no-rule]: the store has no rule: every detection is only logged, and nobody is told
     --> stores/south-1.yaml:1:8
      |
    1 | store: south-1
      |        ^^^^^^^
      |
      = help: add `rules`, or name a `format` that has some

    for more about a code: arm check --explain quotas-disagree
    error: 2 errors and 3 warnings in 3 stores
    exit code 1
    "#);
    assert_eq!(fleet.arm("quotas", &[]).code, 1);
}

#[test]
fn what_quotas_cannot_hold_is_refused() {
    let quotas = "{ kinesis_streams: 5, kms_keys: 12_000, s3_buckets: 0, cloudformation_resources_per_stack: 600, windows_at_once: 900, sagemaker_instances: { g4dn.xlarge: 2 }, iam_roles: [1] }";
    let yaml = cells(&[("north", "us-west-2", "")], quotas);
    assert_snapshot!(shown(&fleet(&yaml, &[("north", 1, 1)]).arm("check", &[])));
}

#[test]
fn a_cell_of_200_stores_is_told_what_to_raise() {
    let yaml = cells(&[("north", "us-west-2", "")], "");
    let fleet = fleet(&yaml, &[("north", 200, 41)]);
    assert_snapshot!(shown(&fleet.arm("quotas", &[])));
    let outcome = fleet.arm("quotas", &["--cell", "nort"]);
    assert_snapshot!(shown(&outcome), @"
    error: there is no cell `nort`
      help: did you mean `north`?
    exit code 1
    ");
}

#[test]
fn a_stack_that_nobody_can_raise_is_a_no_and_is_told_once() {
    let fleet = fleet(&cells(&[("north", "us-west-2", "")], ""), &[]);
    let mut text =
        "store: huge-1\nname: Huge\ncell: north\ntimezone: UTC\naisles: [{ id: a }]\n".to_owned();
    text.push_str(
        "rules:\n  - { name: all, when: { event_type: sweep }, priority: low, notify: [lp] }\n",
    );
    text.push_str("subscribers:\n");
    for number in 1..=100 {
        writeln!(text, "  - {{ audience: lp, email: lp-{number}@example.com }}").unwrap();
    }
    text.push_str("cameras:\n");
    for number in 1..=393 {
        writeln!(text, "  - {{ id: c-{number}, aisle: a, watch: {{ when: never }} }}").unwrap();
    }
    fleet.write("huge-1.yaml", text.as_bytes());
    let outcome = fleet.arm("quotas", &[]);
    assert_snapshot!(lines_of(&outcome, &["per_stack", "error", "exit"]), @"
    cloudformation_resources_per_stack (largest)       501       500  fixed     101  ##########  over
    ! cloudformation_resources_per_stack is over: split the store, or use fewer cameras, rules or subscribers
    error: the fleet needs more than there is of `cloudformation_resources_per_stack`
    exit code 1
    ");
    let check = fleet.arm("check", &[]);
    let told: Vec<_> = check.err.lines().filter(|it| it.starts_with(['e', 'w'])).collect();
    assert_snapshot!(told.join("\n"), @"
    error[stack-too-large]: the stack arm-north-store-huge-1 would need 501 resources, and 500 are the most
    warning[never-watched]: no camera of this store is ever watched: video is kept, and nothing detected
    error: 1 error and 1 warning in 1 store
    ");
}

#[test]
fn cameras_that_are_never_watched_need_no_function() {
    let yaml = cells(&[("north", "us-west-2", "")], "");
    let text = "store: quiet-1\nname: Quiet\ncell: north\ntimezone: UTC\naisles: [{ id: a }]\ncameras:\n  \
        - { id: c-1, aisle: a, watch: { when: never } }\n  \
        - { id: c-2, aisle: a, watch: { window: 3s } }\n  \
        - { id: c-3, aisle: a, watch: { window: 7s } }\n";
    let fleet = fleet(&yaml, &[]);
    fleet.write("quiet-1.yaml", text.as_bytes());
    let outcome = fleet.arm("quotas", &[]);
    assert_snapshot!(lines_of(&outcome, &["video_streams", "lambda", "windows_at", "on watch"]), @"
    kinesis_video_streams                                3    10,000  default     1              ok
    lambda_concurrency                                  ~3     1,000  default     1              ok
    windows_at_once (largest)                           ~1       600  fixed       1              ok
    - ~ is an estimate: 2 cameras on watch at 0.5 windows a second, 2 s of `analyze` for each, and 2 executions
    ");
}
