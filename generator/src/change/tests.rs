//! Tests of the comparison of two templates: what is told of one small template changed in many ways.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A template with all that comparison treats in a way of its own.
const STORE: &str = r#"
Parameters: { Digest: { Type: String, Default: none } }
Resources:
  Stream:
    Type: AWS::KinesisVideo::Stream
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      Name: razors
      DataRetentionInHours: 24
      Tags: [{ Key: "arm:cell", Value: us-west }, { Key: "arm:store", Value: "001" }]
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: bus-001 } }
  Rule:
    Type: AWS::Events::Rule
    DependsOn: [Stream, Alerts]
    Properties:
      Name: after-hours
      EventBusName: { Ref: Bus }
      EventPattern:
        source: [arm.detector]
        detail: { zone: [door, till], confidence: [{ numeric: [">=", 0.5, "<", 1] }], aisle: [{ exists: false }, null] }
      Targets:
        - Id: incidents
          Arn: arn:incidents
          InputTransformer:
            InputTemplate: { "Fn::Sub": '{"topic":"${Alerts}","rule":{"priority":"low","steps":["ops","guards"]},"detail":<detail>}' }
  Alerts: { Type: AWS::SNS::Topic, Properties: { TopicName: alerts-001 } }
  AlertsPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [{ Ref: Alerts }]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - { Sid: Let, Effect: Allow, Principal: { AWS: "root" }, Action: ["sns:Publish", "sns:Subscribe"], Resource: { Ref: Alerts } }
          - { Sid: Tls, Effect: Deny, Principal: "*", Action: "sns:Publish", Resource: { Ref: Alerts }, Condition: { Bool: { "aws:SecureTransport": false } } }
  Ops:
    Type: AWS::SNS::Subscription
    Properties: { TopicArn: { "Fn::Sub": "${Alerts}" }, Protocol: email, Endpoint: a@b.c, FilterPolicy: { audience: [ops, guards] } }
  Cases:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: cases
      KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: sk, KeyType: RANGE }]
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }, { AttributeName: sk, AttributeType: S }]
  Rows:
    Type: AWS::Glue::Table
    Properties:
      DatabaseName: db
      TableInput: { Name: cases, Parameters: { EXTERNAL: "TRUE" }, StorageDescriptor: { Columns: [{ Name: a }, { Name: b }, { Name: c }] } }
  Foreign: { Type: Custom::Thing, Properties: { Size: 1 } }
Outputs: { Digest: { Value: { Ref: Digest } } }
"#;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

/// The small template with one text in place of another.
fn edited(from: &str, to: &str) -> Template {
    assert_eq!(STORE.matches(from).count(), 1, "`{from}` stands once");
    template(&STORE.replace(from, to))
}

fn value(value: Option<&Value>) -> String {
    value.map_or("-".to_owned(), Value::to_string)
}

/// What is told of an edit: a line a resource, and one a property.
fn check(from: &str, to: &str) -> String {
    let mut told = String::new();
    for it in compare(&template(STORE), &edited(from, to)) {
        let fate = it.fate().map_or(String::new(), |fate| format!(", the old one {fate:?}"));
        let fails = it.name_conflict();
        let fails = fails.map_or(String::new(), |it| format!(", fails: {}", it.property.join("/")));
        writeln!(told, "{} {:?}{fate}{fails}", it.logical_id, it.action).unwrap();
        for it in &it.properties {
            let sides = [&it.before, &it.after].map(|side| value(side.as_ref()));
            let [before, after] = sides;
            let change = if it.is_followed() {
                format!("follows {after}")
            } else {
                format!("{before} -> {after}")
            };
            writeln!(told, "  {}: {change} ({:?})", it.path.join("/"), it.effect).unwrap();
        }
    }
    told
}

#[test]
fn what_means_the_same_is_no_change() {
    for (from, to) in [
        ("DataRetentionInHours: 24", "DataRetentionInHours: \"24\""),
        ("DataRetentionInHours: 24", "DataRetentionInHours: 24.0"),
        (
            "DataRetentionInHours: 24",
            "DataRetentionInHours: 24\n      DeviceName: { Ref: AWS::NoValue }",
        ),
        ("DependsOn: [Stream, Alerts]", "DependsOn: [Alerts, Stream]"),
        (
            r#"[{ Key: "arm:cell", Value: us-west }, { Key: "arm:store", Value: "001" }]"#,
            r#"[{ Value: "001", Key: "arm:store" }, { Key: "arm:cell", Value: us-west }]"#,
        ),
        ("zone: [door, till]", "zone: [till, door]"),
        ("aisle: [{ exists: false }, null]", "aisle: [null, { exists: false }]"),
        ("audience: [ops, guards]", "audience: [guards, ops]"),
        (r#"["sns:Publish", "sns:Subscribe"]"#, r#"["sns:Subscribe", "sns:Publish"]"#),
        (
            r#"Effect: Deny, Principal: "*", Action: "sns:Publish""#,
            r#"Effect: Deny, Principal: ["*"], Action: ["sns:Publish"]"#,
        ),
        ("SecureTransport\": false", "SecureTransport\": [\"false\"]"),
        (
            r#"Action: ["sns:Publish", "sns:Subscribe"], Resource: { Ref: Alerts }"#,
            r#"Action: ["sns:Publish", "sns:Subscribe"], Resource: [{ "Fn::Sub": "${Alerts}" }]"#,
        ),
        (
            r#""Fn::Sub": '{"topic":"${Alerts}","rule""#,
            r#""Fn::Sub": '{ "topic": "${Alerts}", "rule" "#,
        ),
        (
            r#"{"priority":"low","steps":["ops","guards"]}"#,
            r#"{"steps":["ops","guards"], "priority":"low"}"#,
        ),
        (r#"{ "Fn::Sub": "${Alerts}" }"#, "{ Ref: Alerts }"),
        (
            "AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }, { AttributeName: sk, AttributeType: S }]",
            "AttributeDefinitions: [{ AttributeName: sk, AttributeType: S }, { AttributeName: pk, AttributeType: S }]",
        ),
    ] {
        assert_eq!(check(from, to), "", "{from} -> {to}");
    }
}

#[test]
fn each_change_is_told_by_its_path_and_effect() {
    let told = [
        check("DataRetentionInHours: 24", "DataRetentionInHours: 48"),
        check("Value: us-west }", "Value: us-east }"),
        check(", { Key: \"arm:store\", Value: \"001\" }", ""),
        check("UpdateReplacePolicy: Retain", "UpdateReplacePolicy: Delete"),
        check("DependsOn: [Stream, Alerts]", "DependsOn: Stream"),
        check("zone: [door, till]", "zone: [door, till, wine]"),
        check("\">=\", 0.5, \"<\", 1", "\"<\", 1, \">=\", 0.5"),
        check("\"<\", 1]", "\"<\", \"1\"]"),
        check("\"priority\":\"low\"", "\"priority\":\"high\""),
        check("[\"ops\",\"guards\"]", "[\"guards\",\"ops\"]"),
        check("\"detail\":<detail>", "\"detail\":\"<detail>\""),
        check(
            "Sid: Let, Effect: Allow, Principal: { AWS: \"root\" }",
            "Sid: Let, Effect: Allow, Principal: { AWS: [\"root\", \"other\"] }",
        ),
        check(
            "          - { Sid: Let,",
            "          - { Sid: More, Effect: Allow }\n          - { Sid: Let,",
        ),
        check("audience: [ops, guards]", "audience: [ops]"),
        check(
            "{ Name: a }, { Name: b }, { Name: c }",
            "{ Name: a }, { Name: new }, { Name: b, Type: int }, { Name: c }",
        ),
        check("{ Name: a }, { Name: b }, { Name: c }", "{ Name: b }, { Name: a }, { Name: c }"),
        check("Size: 1", "Size: 2"),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_replacement_says_what_forces_it_what_follows_and_whether_it_fails() {
    let told = [
        check("Name: razors", "Name: shaving"),
        check("Name: bus-001", "Name: bus-002"),
        check("TopicName: alerts-001", "TopicName: alerts-001, FifoTopic: true"),
        check("DatabaseName: db", "DatabaseName: other"),
        check("Name: cases, Parameters", "Name: incidents, Parameters"),
        check("EXTERNAL: \"TRUE\"", "EXTERNAL: \"FALSE\""),
        check("AttributeName: sk, KeyType: RANGE", "AttributeName: at, KeyType: RANGE"),
        check("Endpoint: a@b.c", "Endpoint: d@e.f"),
        check(
            "Type: AWS::SNS::Topic, Properties: { TopicName: alerts-001 }",
            "Type: AWS::SQS::Queue",
        ),
        check(
            "Foreign: { Type: Custom::Thing,",
            "Foreign: { Type: Custom::Thing, Condition: Never,",
        ),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_added_stands_in_order_and_what_is_removed_comes_last() {
    let before = "Resources: { A: { Type: X }, B: { Type: X }, C: { Type: X } }";
    let after = "Resources: { D: { Type: X }, B: { Type: X, Metadata: { a: 1 } }, E: { Type: X } }";
    let changes = compare(&template(before), &template(after));
    let told: Vec<_> = changes.iter().map(|it| (it.logical_id.as_str(), it.action)).collect();
    let expected = [
        ("D", Action::Add),
        ("B", Action::Attributes),
        ("E", Action::Add),
        ("A", Action::Remove),
        ("C", Action::Remove),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_resource_that_leaves_has_the_fate_that_its_policy_says() {
    let rest = "Resources: { B: { Type: X } }";
    let fate = |resource: &str| {
        let before = template(&format!("Resources: {{ A: {resource}, B: {{ Type: X }} }}"));
        compare(&before, &template(rest))[0].fate()
    };
    assert_eq!(fate("{ Type: X }"), Some(Fate::Deleted));
    assert_eq!(fate("{ Type: X, DeletionPolicy: Delete }"), Some(Fate::Deleted));
    assert_eq!(fate("{ Type: X, UpdateReplacePolicy: Retain }"), Some(Fate::Deleted));
    assert_eq!(fate("{ Type: X, DeletionPolicy: Retain }"), Some(Fate::Retained));
    assert_eq!(fate("{ Type: X, DeletionPolicy: RetainExceptOnCreate }"), Some(Fate::Retained));
    assert_eq!(fate("{ Type: X, DeletionPolicy: Snapshot }"), Some(Fate::Snapshot));
    assert_eq!(fate("{ Type: AWS::RDS::DBCluster }"), Some(Fate::Snapshot));
    assert_eq!(fate("{ Type: AWS::RDS::DBInstance }"), Some(Fate::Snapshot));
    let member = "{ Type: AWS::RDS::DBInstance, Properties: { DBClusterIdentifier: a } }";
    assert_eq!(fate(member), Some(Fate::Deleted));
    let replaced = |before: &str, after: &str| {
        let side = |name: &str, policy: &str| {
            template(&format!(
                "Resources: {{ A: {{ Type: AWS::SNS::Topic, UpdateReplacePolicy: {policy}, Properties: {{ TopicName: {name} }} }} }}"
            ))
        };
        compare(&side("a", before), &side("b", after))[0].fate()
    };
    assert_eq!(replaced("Retain", "Retain"), Some(Fate::Retained));
    assert_eq!(replaced("Retain", "Delete"), Some(Fate::Deleted));
    assert_eq!(replaced("Delete", "Retain"), Some(Fate::Deleted));
    assert_eq!(replaced("Snapshot", "Retain"), Some(Fate::Snapshot));
}

#[test]
fn another_logical_id_with_the_same_name_is_told_as_a_name_that_is_taken() {
    let moved = compare(&template(STORE), &edited("  Stream:\n", "  Shaving:\n"));
    let taken = taken_names(&moved);
    let told: Vec<_> = taken.iter().map(|it| (it.removed.as_str(), it.added.as_str())).collect();
    assert_eq!(told, [("Stream", "Shaving")]);
    assert_eq!(
        taken[0].conflict,
        NameConflict { property: vec!["Name".into()], name: json!("razors") }
    );
    let renamed = edited("  Stream:\n", "  Shaving:\n").to_yaml().replace("razors", "shaving");
    assert_eq!(taken_names(&compare(&template(STORE), &template(&renamed))), []);
}

#[test]
fn sections_tell_what_else_differs() {
    let after = edited("Default: none }", "Default: all }, New: { Type: String }");
    let after = template(&after.to_yaml().replace("Ref: Digest", "Ref: New"));
    let told: Vec<_> =
        sections(&template(STORE), &after).iter().map(|it| it.path.join("/")).collect();
    assert_eq!(told, ["Outputs/Digest/Value", "Parameters/Digest/Default", "Parameters/New"]);
    assert_eq!(sections(&template(STORE), &template(STORE)), []);
}

#[test]
fn dependents_are_found_in_every_function_and_in_the_order_of_the_template() {
    let text = r#"
Resources:
  A: { Type: X, DependsOn: E, Properties: { Own: { Ref: A } } }
  B: { Type: X, DependsOn: [A], Properties: { It: { "Fn::GetAtt": [C, Arn] } } }
  C: { Type: X, Properties: { It: { "Fn::Join": ["", [{ "Fn::GetAtt": A.Arn }, { Ref: "AWS::Region" }]] } } }
  D: { Type: X, Properties: { It: { "Fn::If": [A, { "Fn::Sub": "x${B.Arn}/${!C}${A}" }, { Ref: Parameter }] } } }
  E: { Type: X, Properties: { It: [{ "Fn::Sub": ["${A}${D}", { A: { Ref: C } }] }] } }
"#;
    let told = dependents(&template(text));
    let told: Vec<_> = told.iter().map(|(id, all)| format!("{id}: {}", all.join(" "))).collect();
    assert_eq!(told, ["A: B C D", "B: D", "C: B E", "D: E", "E: A"]);
}

/// Numbers that look random, from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's MMIX generator.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// The same, said otherwise. `path` is where the value stands.
    fn reword(&mut self, path: &str, value: &Value) -> Value {
        let in_policy = path.contains("/PolicyDocument");
        let is_set = in_policy
            || ["/Tags", "/DependsOn", "/AttributeDefinitions", "/zone", "/audience", "/Topics"]
                .iter()
                .any(|name| path.ends_with(name));
        match value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                self.shuffle(&mut fields);
                let reword = |(key, it): (&String, &Value)| {
                    (key.clone(), self.reword(&format!("{path}/{key}"), it))
                };
                Value::Object(fields.into_iter().map(reword).collect())
            }
            Value::Array(items) => {
                let mut items: Vec<_> =
                    items.iter().map(|it| self.reword(&format!("{path}/*"), it)).collect();
                if is_set {
                    self.shuffle(&mut items);
                }
                items.into()
            }
            Value::String(text) if path.ends_with("InputTemplate/Fn::Sub") => {
                text.replace(",\"", [" ,\"", ",\n\""][self.below(2)]).into()
            }
            Value::String(text) if in_policy && text.contains(':') && self.below(2) == 0 => {
                if path.ends_with('*') { value.clone() } else { json!([text]) }
            }
            Value::Number(number) if path.ends_with("Hours") && self.below(2) == 0 => {
                number.to_string().into()
            }
            other => other.clone(),
        }
    }
}

/// Every scalar of a resource that nothing else depends on, by its pointer.
fn scalars(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, it)| {
                scalars(
                    it,
                    &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            });
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, it)| scalars(it, &format!("{path}/{index}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

proptest! {
    #[test]
    fn a_template_said_otherwise_is_the_same(seed: u64) {
        let before = template(STORE);
        let mut dice = Dice(seed);
        let body: Value = serde_json::from_str(&before.to_json()).unwrap();
        let after = template(&dice.reword("", &body).to_string());
        prop_assert_eq!(compare(&before, &after), []);
        prop_assert_eq!(compare(&after, &before), []);
        prop_assert_eq!(compare(&after, &after), []);
        prop_assert_eq!(sections(&before, &after), []);
    }

    #[test]
    fn every_resource_that_differs_is_told_and_no_other(seed: u64) {
        let before = template(STORE);
        let mut dice = Dice(seed);
        let mut body: Value = serde_json::from_str(&before.to_json()).unwrap();
        let mut wanted = Vec::new();
        for (id, resource) in before.resources() {
            let mut all = Vec::new();
            scalars(resource, "", &mut all);
            if dice.below(2) == 0 {
                let pointer = format!("/Resources/{id}{}", all[dice.below(all.len())]);
                *body.pointer_mut(&pointer).unwrap() = json!("quite another");
                wanted.push(id);
            }
        }
        let after = template(&dice.reword("", &body).to_string());
        for changes in [compare(&before, &after), compare(&after, &before)] {
            let told = |it: &&ResourceChange| it.properties.iter().any(|it| !it.is_followed());
            let mut told: Vec<_> = changes.iter().filter(told).map(|it| it.logical_id.as_str()).collect();
            told.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(&told, &wanted);
            for change in &changes {
                let paths: std::collections::BTreeSet<_> = change.properties.iter().map(|it| &it.path).collect();
                prop_assert_eq!(paths.len(), change.properties.len(), "{:?}", change);
            }
        }
    }
}
