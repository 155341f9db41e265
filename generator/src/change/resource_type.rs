//! What is known of resource types: which properties force a replacement, by which properties AWS
//! tells two of them apart, what people call them, and what is lost with them.
//!
//! The table beside this file is made from the official resource schemas by
//! `tests/resource_types.py --write`, and held against them in every run of the tests; the words for
//! people stand here. Of a type that is in neither, nothing is known, and so anything may replace it.
//! To add a type, name it in that test, write the table, and give it its words in [`WORDS`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::{Effect, PropertyChange};

/// What the official schema says of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// By what AWS tells two apart, the name last; empty where AWS gives them an id of its own.
    pub identity: Vec<Pointer>,
    /// A change of one makes the resource anew.
    pub create_only: Vec<Pointer>,
    /// A change of one makes it anew with some values.
    pub conditional: Vec<Pointer>,
    /// What a template reads and never says.
    pub read_only: Vec<Pointer>,
}

/// A property by its path below `Properties`; `*` stands for any element of a list.
pub type Pointer = Vec<String>;

/// What people call a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    pub one: &'static str,
    pub many: &'static str,
    /// What is gone when one is deleted; `None` where the template has all there is.
    pub holds: Option<&'static str>,
}

static TABLE: LazyLock<BTreeMap<String, ResourceType>> = LazyLock::new(|| {
    let text: Value = serde_json::from_str(include_str!("resource_types.json"))
        .expect("tests/resource_types.py writes JSON");
    let types = text.get("types").and_then(Value::as_object);
    types.into_iter().flatten().map(|(name, row)| (name.clone(), ResourceType::new(row))).collect()
});

/// What is known of a type; `None` of one that is not in the table.
pub fn find(resource_type: &str) -> Option<&'static ResourceType> {
    TABLE.get(resource_type)
}

/// What people call a type; of one that is not in the table, `None`: its own name has to do.
pub fn words(resource_type: &str) -> Option<Words> {
    let row = WORDS.iter().find(|(name, ..)| *name == resource_type);
    row.map(|&(_, one, many, holds)| Words { one, many, holds })
}

/// What a change of a property makes of a resource of this type.
pub(super) fn effect(resource_type: &str, change: &PropertyChange) -> Effect {
    match change.path.split_first() {
        Some((head, rest)) if head == "Properties" => {
            let sides = [change.before.as_ref(), change.after.as_ref()];
            find(resource_type).map_or(Effect::MayReplace, |known| known.effect(rest, sides))
        }
        // With its condition, the resource itself comes or goes.
        Some((head, _)) if head == "Condition" => Effect::MayReplace,
        _ => Effect::None,
    }
}

impl ResourceType {
    fn new(row: &Value) -> Self {
        let pointers = |key| {
            let listed = row.get(key).and_then(Value::as_array).into_iter().flatten();
            let split = |it: &str| it.split('/').map(str::to_owned).collect();
            listed.filter_map(Value::as_str).map(split).collect()
        };
        Self {
            identity: pointers("identity"),
            create_only: pointers("create_only"),
            conditional: pointers("conditional"),
            read_only: pointers("read_only"),
        }
    }

    fn effect(&self, path: &[String], sides: [Option<&Value>; 2]) -> Effect {
        let forced = self.create_only.iter().map(|pointer| touch(pointer, path, sides)).max();
        let perhaps = self.conditional.iter().map(|pointer| touch(pointer, path, sides)).max();
        let perhaps = perhaps.unwrap_or(Effect::None).min(Effect::MayReplace);
        forced.unwrap_or(Effect::None).max(perhaps)
    }
}

/// What a change at a path makes of a property that cannot change: it is below, at, or above it.
fn touch(pointer: &[String], path: &[String], sides: [Option<&Value>; 2]) -> Effect {
    let is_along = pointer.iter().zip(path).all(|(name, step)| name == "*" || name == step);
    if !is_along {
        return Effect::None;
    }
    let Some(below) = pointer.get(path.len()..).filter(|it| !it.is_empty()) else {
        return Effect::Replace;
    };
    match sides.map(|side| side.map_or(Some(Vec::new()), |value| values(value, below))) {
        [Some(before), Some(after)] if before == after => Effect::None,
        [Some(_), Some(_)] => Effect::Replace,
        _ => Effect::MayReplace,
    }
}

/// The values at a pointer; `None` where a function of the template stands on the way to them.
fn values<'a>(value: &'a Value, pointer: &[String]) -> Option<Vec<&'a Value>> {
    let Some((name, rest)) = pointer.split_first() else { return Some(vec![value]) };
    if super::difference::is_function(value) {
        return None;
    }
    let inner: Vec<&Value> = match value {
        Value::Array(items) if name == "*" => items.iter().collect(),
        other => other.get(name).into_iter().collect(),
    };
    let found: Option<Vec<_>> = inner.into_iter().map(|it| values(it, rest)).collect();
    found.map(|found| found.concat())
}

/// Type, one, many, and what is lost with one. Our choice of words; what a type keeps is said in the
/// developer guide of its service.
const WORDS: &[(&str, &str, &str, Option<&str>)] = &[
    ("AWS::ApplicationAutoScaling::ScalableTarget", "scaling range", "scaling ranges", None),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "scaling policy", "scaling policies", None),
    ("AWS::Athena::NamedQuery", "saved query", "saved queries", None),
    (
        "AWS::Athena::WorkGroup",
        "Athena workgroup",
        "Athena workgroups",
        Some("its saved queries and their history"),
    ),
    ("AWS::CloudFormation::Stack", "nested stack", "nested stacks", Some("all that is in it")),
    ("AWS::CloudWatch::Alarm", "alarm", "alarms", None),
    ("AWS::CloudWatch::CompositeAlarm", "composite alarm", "composite alarms", None),
    ("AWS::CloudWatch::Dashboard", "dashboard", "dashboards", None),
    ("AWS::DynamoDB::GlobalTable", "global table", "global tables", Some("its items")),
    ("AWS::DynamoDB::Table", "table", "tables", Some("its items")),
    ("AWS::Events::Archive", "event archive", "event archives", Some("its events")),
    ("AWS::Events::EventBus", "event bus", "event buses", None),
    ("AWS::Events::EventBusPolicy", "event bus policy", "event bus policies", None),
    ("AWS::Events::Rule", "EventBridge rule", "EventBridge rules", None),
    ("AWS::Glue::Database", "Glue database", "Glue databases", None),
    ("AWS::Glue::Table", "Glue table", "Glue tables", None),
    ("AWS::IAM::ManagedPolicy", "managed policy", "managed policies", None),
    ("AWS::IAM::Policy", "IAM policy", "IAM policies", None),
    ("AWS::IAM::Role", "role", "roles", None),
    ("AWS::IoT::Policy", "IoT policy", "IoT policies", None),
    ("AWS::IoT::RoleAlias", "IoT role alias", "IoT role aliases", None),
    ("AWS::IoT::Thing", "IoT thing", "IoT things", None),
    ("AWS::IoT::TopicRule", "IoT rule", "IoT rules", None),
    ("AWS::KMS::Alias", "key alias", "key aliases", None),
    ("AWS::KMS::Key", "key", "keys", Some("all that it encrypts")),
    (
        "AWS::KMS::ReplicaKey",
        "replica key",
        "replica keys",
        Some("all that it alone decrypts in its region"),
    ),
    ("AWS::Kinesis::Stream", "data stream", "data streams", Some("its records")),
    ("AWS::KinesisVideo::SignalingChannel", "signaling channel", "signaling channels", None),
    ("AWS::KinesisVideo::Stream", "video stream", "video streams", Some("its video")),
    ("AWS::Lambda::Alias", "function alias", "function aliases", None),
    ("AWS::Lambda::EventInvokeConfig", "retry setting", "retry settings", None),
    ("AWS::Lambda::EventSourceMapping", "event source", "event sources", None),
    ("AWS::Lambda::Function", "function", "functions", None),
    ("AWS::Lambda::Permission", "function permission", "function permissions", None),
    ("AWS::Lambda::Version", "function version", "function versions", None),
    ("AWS::Logs::LogGroup", "log group", "log groups", Some("its log")),
    ("AWS::Logs::MetricFilter", "metric filter", "metric filters", None),
    ("AWS::Logs::SubscriptionFilter", "log subscription", "log subscriptions", None),
    ("AWS::S3::Bucket", "bucket", "buckets", Some("its objects")),
    ("AWS::S3::BucketPolicy", "bucket policy", "bucket policies", None),
    ("AWS::SNS::Subscription", "subscription", "subscriptions", None),
    ("AWS::SNS::Topic", "topic", "topics", None),
    ("AWS::SNS::TopicPolicy", "topic policy", "topic policies", None),
    ("AWS::SQS::Queue", "queue", "queues", Some("the messages that wait in it")),
    ("AWS::SQS::QueuePolicy", "queue policy", "queue policies", None),
    ("AWS::SSM::Parameter", "stored parameter", "stored parameters", Some("its earlier versions")),
    ("AWS::SageMaker::Endpoint", "model endpoint", "model endpoints", None),
    ("AWS::SageMaker::EndpointConfig", "endpoint configuration", "endpoint configurations", None),
    ("AWS::SageMaker::Model", "model", "models", None),
    ("AWS::Scheduler::Schedule", "schedule", "schedules", None),
    ("AWS::Scheduler::ScheduleGroup", "schedule group", "schedule groups", None),
    ("AWS::SecretsManager::Secret", "secret", "secrets", Some("its value")),
    (
        "AWS::StepFunctions::StateMachine",
        "state machine",
        "state machines",
        Some("the history of its executions"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_has_its_words_and_no_other_has() {
        let words: Vec<&str> = WORDS.iter().map(|(name, ..)| *name).collect();
        let mut types: Vec<&str> = TABLE.keys().map(String::as_str).collect();
        types.sort_by_key(|name| words.iter().position(|it| it == name));
        assert_eq!(types, words);
    }
}
