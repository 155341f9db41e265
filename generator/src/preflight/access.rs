//! What CloudFormation does with the caller's credentials, type by type, and the ARNs on which it does it.
//!
//! The table beside this file is made from the official resource schemas by `tests/permissions.py
//! --write`, and held against them in every run of the tests; what each column is for, that file says.
//! Pure. To change what is asked of a type, start in that test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::model::Cell;
use crate::template::Template;

/// What a type asks of the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// With names of properties, and of what is known of the cell, in braces.
    arn: String,
    /// Without which none can be made.
    pub(super) create: Vec<String>,
    /// What making, changing or deleting one may take.
    pub(super) others: Vec<String>,
}

static TABLE: LazyLock<BTreeMap<String, Access>> = LazyLock::new(|| {
    let text: Value = serde_json::from_str(include_str!("permissions.json"))
        .expect("tests/permissions.py writes JSON");
    let types = text.get("types").and_then(Value::as_object);
    types.into_iter().flatten().map(|(name, row)| (name.clone(), Access::new(row))).collect()
});

/// What a type asks; `None` of one that is not in the table.
pub(super) fn find(resource_type: &str) -> Option<&'static Access> {
    TABLE.get(resource_type)
}

impl Access {
    fn new(row: &Value) -> Self {
        let texts = |key: &str| {
            let listed = row.get(key).and_then(Value::as_array).into_iter().flatten();
            listed.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let arn = row.get("arn").and_then(Value::as_str).unwrap_or("*").to_owned();
        let mut others = [texts("perhaps"), texts("update"), texts("delete")].concat();
        others.sort();
        others.dedup();
        Self { arn, create: texts("create"), others }
    }
}

/// The ARN of a resource, with `{partition}` still in it: that only AWS says.
pub(super) fn arn(
    cell: &Cell,
    resource_type: &str,
    resource: &Value,
    template: &Template,
) -> Option<String> {
    let access = find(resource_type)?;
    let properties = resource.get("Properties").unwrap_or(&Value::Null);
    Some(filled(&access.arn, &|name| match name {
        "partition" => "{partition}".to_owned(),
        "account" => cell.account.clone(),
        "region" => cell.region.clone(),
        path => {
            let value = path.split('.').try_fold(properties, step);
            value.and_then(|it| text(cell, it, template)).unwrap_or_else(|| "*".to_owned())
        }
    }))
}

/// A pattern with every name in braces replaced.
fn filled(pattern: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut whole = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        whole.push_str(before);
        whole.push_str(&value(name));
        rest = after;
    }
    whole + rest
}

/// One step down into a property: a key, or a place in a list.
fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match name.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(name),
    }
}

/// What a property is once it is deployed; `None` where only AWS knows.
fn text(cell: &Cell, value: &Value, template: &Template) -> Option<String> {
    let sub = |text: &str| {
        text.replace("${AWS::AccountId}", &cell.account).replace("${AWS::Region}", &cell.region)
    };
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    if let Some(text) = value.get("Fn::Sub").and_then(Value::as_str) {
        return Some(sub(text)).filter(|it| !it.contains("${"));
    }
    let logical_id = value.get("Ref")?.as_str()?;
    let (_, referred) = template.resources().find(|(id, _)| *id == logical_id)?;
    let pattern = &find(referred.get("Type")?.as_str()?)?.arn;
    // The name of a resource is the last that its ARN has.
    let name = pattern.rsplit_once('{')?.1.split_once('}')?.0;
    let properties = referred.get("Properties")?;
    let inner = name.split('.').try_fold(properties, step)?;
    // A name refers to nothing further, so that this ends.
    inner.get("Ref").is_none().then(|| text(cell, inner, template))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::{self, fixture};

    #[test]
    fn every_type_of_a_cell_has_its_arn_and_names_are_filled_in() {
        let cell = fixture::hosting_cell("ml.g4dn.xlarge");
        let mut lines = Vec::new();
        for template in [stack::artifacts(&cell).unwrap(), stack::platform(&cell).unwrap()] {
            for (_, resource) in template.resources() {
                let name = resource["Type"].as_str().unwrap();
                lines.push(arn(&cell, name, resource, &template).unwrap());
            }
        }
        lines.sort();
        lines.dedup();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
