//! Stacks: model + rules + blueprints -> templates.
//!
//! One file per stack in `stack/`: it prepares every value that the stack's blueprint asks for, so
//! that blueprints only place values. Nothing is decided at deployment (no conditions, no
//! exports): what a template says is what happens. To change what a stack holds, start in its
//! blueprint; to change a value, in its file here.
//!
//! Pure.

mod message;
mod operations;
mod store;
mod detector;
mod functions;
mod platform;

#[cfg(test)]
pub(crate) mod fixture;

use contract::incident::IncidentMessage;
use contract::watch::WatchInput;
use serde::Serialize;
use serde_json::{Value, json};

use crate::blueprint::{self, BlueprintError};
use crate::model::{Cell, Store};
use crate::name::{Bucket, CELL_TAG, CellNames};
use crate::rules::CompiledRule;
use crate::template::{BYTES_MAX, RESOURCES_MAX, Template, TemplateError};

/// Most dynamic references (`{{resolve:...}}`) in one template. Source: CloudFormation user guide,
/// "Get values stored in other services using dynamic references", considerations.
pub const REFERENCES_MAX: usize = 60;

/// Why there is no template for a stack.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error("cannot make stack {stack}")]
    Blueprint { stack: String, source: BlueprintError },
    #[error("cannot make stack {stack}: blueprints/{blueprint} renders to no template")]
    Template { stack: String, blueprint: &'static str, source: TemplateError },
    #[error("the stack {stack} would need {count} {what}, and {limit} are the most")]
    Limit { stack: String, count: usize, what: String, limit: usize },
}

/// The bucket that everything else of the cell is deployed from.
pub fn artifacts(cell: &Cell) -> Result<Template, StackError> {
    let names = CellNames::new(cell);
    let context = json!({
        "description": format!("Autonomous Retail Module, cell {}: artifacts", cell.id),
        "tags": tags(&[(CELL_TAG, cell.id.as_str())]),
        "bucket_name": sub(&names.bucket_sub(Bucket::Artifacts)),
    });
    template(names.artifacts_stack(), "artifacts.yaml.j2", &context)
}

/// What all stores of the cell share.
pub fn platform(cell: &Cell) -> Result<Template, StackError> {
    let names = CellNames::new(cell);
    let context = platform::Context::new(cell, &names);
    template(names.platform_stack(), "platform.yaml.j2", &context)
}

/// One store.
pub fn store(cell: &Cell, store: &Store, rules: &[CompiledRule]) -> Result<Template, StackError> {
    let context = store::Context::new(cell, store, rules)?;
    template(context.stack.clone(), "store.yaml.j2", &context)
}

/// Whether a store fits into a stack; it is rendered only where that is not plain beforehand.
pub fn check_store(cell: &Cell, store: &Store, rules: &[CompiledRule]) -> Result<(), StackError> {
    let context = store::Context::new(cell, store, rules)?;
    if context.plainly_fits() {
        return Ok(());
    }
    template(context.stack.clone(), "store.yaml.j2", &context).map(drop)
}

/// What the queue `incidents` gets when a rule matches an event, but for the event itself and the
/// ARN of the store's alerts topic.
pub fn incident_message(store: &Store, rule: &CompiledRule) -> IncidentMessage {
    message::incident_message(store, rule)
}

/// The message that a rule of a store's template makes, without what an event brings; `None` where it
/// is not one of ours. Takes the resource.
pub fn read_incident_message(rule: &Value) -> Option<IncidentMessage> {
    let text = rule.pointer("/Properties/Targets/0/InputTransformer/InputTemplate/Fn::Sub")?;
    message::read_rule_input(text.as_str()?)
}

/// The input of the watch of a store's template; `None` where it is not one of ours. Takes the resource.
pub fn read_watch_input(schedule: &Value) -> Option<WatchInput> {
    let text = schedule.pointer("/Properties/Target/Input/Fn::Sub")?;
    message::read_watch_input(text.as_str()?)
}

/// Renders, reads back, and holds the result against CloudFormation's limits.
fn template(
    stack: String,
    blueprint: &'static str,
    context: &impl Serialize,
) -> Result<Template, StackError> {
    let yaml = match blueprint::render(blueprint, context) {
        Ok(yaml) => yaml,
        Err(source) => return Err(StackError::Blueprint { stack, source }),
    };
    let template = match Template::parse(&yaml) {
        Ok(template) => template,
        Err(source) => return Err(StackError::Template { stack, blueprint, source }),
    };
    let json = template.to_json();
    let counts = [
        (template.resources().count(), "resources", RESOURCES_MAX),
        (json.len(), "bytes", BYTES_MAX),
        (
            json.matches("{{resolve:").count(),
            "stored addresses (`ssm:`, `secret:`)",
            REFERENCES_MAX,
        ),
    ];
    for (count, what, limit) in counts {
        within(&stack, count, what, limit)?;
    }
    Ok(template)
}

fn within(stack: &str, count: usize, what: &str, limit: usize) -> Result<(), StackError> {
    if count <= limit {
        return Ok(());
    }
    Err(StackError::Limit { stack: stack.to_owned(), count, what: what.to_owned(), limit })
}

/// CloudFormation's list of tags.
fn tags(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Text in which CloudFormation replaces `${...}`.
fn sub(text: &str) -> Value {
    json!({ "Fn::Sub": text })
}

/// The ARN of a resource in the stack's own partition, account and region.
fn arn(service: &str, resource: &str) -> Value {
    sub(&arn_text(service, resource))
}

fn arn_text(service: &str, resource: &str) -> String {
    format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every stack in every variant.
    fn templates() -> Vec<Template> {
        let rules = [fixture::rule("shelf-sweep"), fixture::rule("unrouted")];
        let cells = [
            fixture::cell(),
            fixture::hosting_cell("ml.g4dn.xlarge"),
            fixture::hosting_cell("ml.m5.xlarge"),
        ];
        let mut templates: Vec<_> =
            cells.iter().flat_map(|cell| [artifacts(cell), platform(cell)]).collect();
        for of in [fixture::store(), fixture::large_store(6)] {
            templates.push(store(&fixture::cell(), &of, &rules));
        }
        templates.into_iter().map(|template| template.unwrap()).collect()
    }

    fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().flat_map(texts).collect(),
            Value::Object(fields) => fields.values().flat_map(texts).collect(),
            _ => vec![],
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let digests = || templates().iter().map(Template::digest).collect::<Vec<_>>();
        assert_eq!(digests(), digests());
    }

    #[test]
    fn nothing_is_decided_or_shared_at_deployment() {
        for template in templates() {
            for section in ["Conditions", "Mappings", "Transform", "Rules"] {
                assert_eq!(template.section(section), None);
            }
            let outputs = template.section("Outputs").unwrap();
            assert_eq!(outputs.as_object().unwrap().keys().collect::<Vec<_>>(), ["ReleaseDigest"]);
            assert_eq!(outputs["ReleaseDigest"].get("Export"), None);
            for (id, resource) in template.resources() {
                assert_ne!(resource["Type"], "AWS::CloudFormation::Stack", "{id}");
            }
        }
    }

    #[test]
    fn what_holds_data_outlives_its_stack() {
        let holds = [
            "AWS::S3::Bucket",
            "AWS::DynamoDB::Table",
            "AWS::KMS::Key",
            "AWS::KinesisVideo::Stream",
        ];
        for template in templates() {
            for (id, resource) in template.resources() {
                if holds.iter().any(|kind| resource["Type"] == *kind) {
                    let deletion = resource["DeletionPolicy"].as_str().unwrap();
                    assert!(["Retain", "RetainExceptOnCreate"].contains(&deletion), "{id}");
                    assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
                }
            }
        }
    }

    #[test]
    fn roles_name_every_action_and_every_resource_that_an_action_knows() {
        for template in templates() {
            for (id, role) in template.resources().filter(|(_, it)| it["Type"] == "AWS::IAM::Role")
            {
                for statement in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
                    .as_array()
                    .unwrap()
                {
                    let actions = texts(&statement["Action"]);
                    assert!(actions.iter().all(|action| !action.contains('*')), "{id}");
                    let knows_none = [
                        "cloudwatch:PutMetricData",
                        "dynamodb:ListStreams",
                        "ecr:GetAuthorizationToken",
                    ];
                    let is_known = knows_none.contains(&actions[0]) && actions.len() == 1;
                    assert!(statement["Resource"] != "*" || is_known, "{id}: {statement}");
                }
            }
        }
    }

    /// Names that a template gives to its resources.
    fn given(template: &Template) -> BTreeSet<&str> {
        let names = ["QueueName", "FunctionName", "RoleName", "AliasName", "TopicName"];
        let properties = template.resources().map(|(_, resource)| &resource["Properties"]);
        properties.flat_map(|it| names.iter().filter_map(|name| it[*name].as_str())).collect()
    }

    #[test]
    fn what_a_store_refers_to_is_in_its_platform() {
        let cell = fixture::cell();
        let platform = platform(&cell).unwrap();
        let store =
            store(&cell, &fixture::large_store(2), &[fixture::rule("shelf-sweep")]).unwrap();
        let body = serde_json::from_str(&store.to_json()).unwrap();
        let prefix = "arn:${AWS::Partition}:";
        let arns = texts(&body).into_iter().filter_map(|text| text.strip_prefix(prefix));
        let names: BTreeSet<_> = arns
            .filter(|arn| arn.contains("arm-us-west"))
            .map(|arn| arn.rsplit([':', '/']).next().unwrap())
            .collect();
        let aliases = |name: &&str| given(&platform).contains(format!("alias/{name}").as_str());
        let missing: Vec<_> =
            names.iter().filter(|it| !given(&platform).contains(**it) && !aliases(it)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(names.len(), 7, "{names:?}");
    }

    #[test]
    fn the_name_for_fn_sub_is_the_name() {
        let cell = fixture::cell();
        let names = CellNames::new(&cell);
        for bucket in [Bucket::Artifacts, Bucket::Evidence, Bucket::Analytics, Bucket::Logs] {
            let text = names.bucket_sub(bucket);
            let text = text.replace("${AWS::AccountId}", &cell.account);
            assert_eq!(text.replace("${AWS::Region}", &cell.region), names.bucket(bucket));
        }
    }
}
