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
mod platform;
mod store;

#[cfg(test)]
pub(crate) mod fixture;

use serde::Serialize;
use serde_json::{Value, json};

use crate::blueprint::{self, BlueprintError};
use crate::model::{Cell, Store};
use crate::name::{Bucket, CellNames};
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
    #[error("cannot make stack {stack}: it would need {count} {what}, and {limit} are the most")]
    Limit { stack: String, count: usize, what: String, limit: usize },
}

/// The bucket that everything else of the cell is deployed from.
pub fn artifacts(cell: &Cell) -> Result<Template, StackError> {
    let names = CellNames::new(cell);
    let context = json!({
        "description": format!("Autonomous Retail Module, cell {}: artifacts", cell.id),
        "tags": tags(&[("arm:cell", cell.id.as_str())]),
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
        (json.matches("{{resolve:").count(), "references to values kept elsewhere", REFERENCES_MAX),
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
mod dump {
    #[test]
    fn dump() {
        use super::fixture::*;
        let dir = "/tmp/bp-out";
        std::fs::create_dir_all(dir).unwrap();
        let w = |n: &str, t: super::Template| {
            std::fs::write(format!("{dir}/{n}.json"), t.to_json()).unwrap();
            std::fs::write(format!("{dir}/{n}.yaml"), t.to_yaml()).unwrap();
            println!("{n} {} resources {} bytes", t.resources().count(), t.to_json().len());
        };
        w("artifacts", super::artifacts(&cell()).unwrap());
        w("platform", super::platform(&cell()).unwrap());
        w("platform-hosted", super::platform(&hosting_cell("ml.g4dn.xlarge")).unwrap());
        w("platform-hosted-m5", super::platform(&hosting_cell("ml.m5.xlarge")).unwrap());
        w("store", super::store(&cell(), &store(), &[rule("shelf-sweep")]).unwrap());
        w("store6", super::store(&cell(), &large_store(6), &[rule("shelf-sweep"), rule("after-hours"), rule("unrouted")]).unwrap());
        let rules: Vec<_> = (0..100).map(|i| rule(&format!("r-{i}"))).collect();
        w("store180", super::store(&cell(), &large_store(180), &rules).unwrap());
    }
}
