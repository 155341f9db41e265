//! Every policy of a template, as the smallest pieces.
//!
//! Owns where templates hold policies: any object with a `Statement`, whatever the resource's type,
//! whoever it speaks of, and what grants access without one. The rule: what a policy leaves out (its
//! own role, its own key) is put in, so that each piece tells the whole. Pure. To read another kind
//! of resource, start in `of_resource`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::noun::{Nouns, kind};
use super::atom::{Atom, Effect, Scope};
use super::condition::{Condition, texts};
use crate::template::Template;

/// Where a piece stands.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The statement's `Sid`.
    pub(super) label: Option<String>,
    /// What the policy protects, by logical id; nothing where it is the policy of a role.
    pub(super) protects: Vec<String>,
}

/// Every piece once.
pub(super) type Atoms = BTreeMap<Atom, Source>;

/// Properties that name what a policy is attached to, of resources that do not hold their own.
const ATTACHED: [&str; 9] = [
    "Bucket",
    "Queues",
    "Topics",
    "SecretId",
    "EventBusName",
    "FunctionName",
    "ResourceArn",
    "ApiId",
    "KeyId",
];

pub(super) fn atoms(template: &Template, nouns: &Nouns<'_>) -> Atoms {
    let mut atoms = Atoms::new();
    for (id, resource) in template.resources() {
        of_resource(id, resource, nouns, &mut atoms);
    }
    atoms
}

/// Who and what a policy is about where its statements leave it open.
struct Context<'a> {
    nouns: &'a Nouns<'a>,
    principals: Vec<String>,
    resources: Vec<String>,
    source: Source,
}

fn of_resource(id: &str, resource: &Value, nouns: &Nouns<'_>, atoms: &mut Atoms) {
    let Some(properties) = resource.get("Properties") else { return };
    let own = |attribute: &str| nouns.text(&serde_json::json!({ "Fn::GetAtt": [id, attribute] }));
    let listed = |key: &str| properties.get(key).map(|it| texts(it, nouns)).unwrap_or_default();
    let mut context = Context {
        nouns,
        principals: vec![],
        resources: vec![],
        source: Source { label: None, protects: vec![] },
    };
    match kind(resource) {
        "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group" => {
            context.principals = vec![format!("AWS:{}", own("Arn"))];
            context.resources = vec![own("Arn")];
        }
        "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
            context.principals = attached(&listed, id, nouns.own_account());
        }
        "AWS::IoT::Policy" => context.principals = vec![format!("Certificate:{}", own("Arn"))],
        "AWS::Lambda::Permission" => {
            context.resources = listed("FunctionName");
            return permission(properties, &context, atoms);
        }
        _ => {
            context.source.protects = protected(properties);
            // A policy that is attached to nothing speaks of whatever it names.
            if context.source.protects.is_empty() && !kind(resource).ends_with("Policy") {
                context.source.protects.push(id.to_owned());
            }
            let arns = context
                .source
                .protects
                .iter()
                .map(|it| nouns.text(&serde_json::json!({ "Fn::GetAtt": [it, "Arn"] })));
            context.resources = arns.collect();
        }
    }
    walk(properties, &context, atoms);
    let is_old_bus_policy =
        kind(resource) == "AWS::Events::EventBusPolicy" && properties.get("Statement").is_none();
    if is_old_bus_policy {
        bus_policy(properties, &context, atoms);
    }
}

/// Whoever a policy of its own is attached to.
fn attached(listed: &dyn Fn(&str) -> Vec<String>, id: &str, account: &str) -> Vec<String> {
    let whom = [("Roles", "role"), ("Users", "user"), ("Groups", "group")];
    let arns = whom.iter().flat_map(|(key, word)| {
        let names = listed(key).into_iter();
        names.map(move |it| format!("AWS:arn:aws:iam::{account}:{word}/{it}"))
    });
    let arns: Vec<_> = arns.collect();
    if arns.is_empty() { vec![format!("Policy:{id}")] } else { arns }
}

/// The logical ids of what a policy is attached to.
fn protected(properties: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for value in ATTACHED.iter().filter_map(|key| properties.get(key)) {
        let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for one in all {
            let by_attribute = one.get("Fn::GetAtt").and_then(|it| {
                it.get(0).and_then(Value::as_str).or_else(|| it.as_str()?.split('.').next())
            });
            let by_name = one.get("Ref").and_then(Value::as_str).or(by_attribute);
            found.extend(by_name.or(one.as_str()).map(str::to_owned));
        }
    }
    found
}

/// Finds every policy document below a value; some are JSON in a text.
fn walk(value: &Value, context: &Context<'_>, atoms: &mut Atoms) {
    match value {
        Value::Object(members) => {
            if let Some(statements) = members.get("Statement") {
                return each(statements, |it| statement(it, context, atoms));
            }
            members.values().for_each(|it| walk(it, context, atoms));
        }
        Value::Array(items) => items.iter().for_each(|it| walk(it, context, atoms)),
        Value::String(text) if text.contains("\"Statement\"") => {
            if let Ok(document) = serde_json::from_str::<Value>(text) {
                walk(&document, context, atoms);
            }
        }
        _ => {}
    }
}

fn each(value: &Value, mut then: impl FnMut(&Value)) {
    match value {
        Value::Array(all) => all.iter().for_each(then),
        one => then(one),
    }
}

fn statement(value: &Value, context: &Context<'_>, atoms: &mut Atoms) {
    let nouns = context.nouns;
    let effect = match value.get("Effect").and_then(Value::as_str) {
        Some("Deny") => Effect::Deny,
        _ => Effect::Allow,
    };
    // In a policy of a resource, "*" is the resource itself.
    let is_of_resource = value.get("Principal").or_else(|| value.get("NotPrincipal")).is_some();
    let resources = match scopes(value, "Resource", "NotResource", nouns) {
        None if context.resources.is_empty() => vec![Scope::Only("*".to_owned())],
        None => context.resources.iter().cloned().map(Scope::Only).collect(),
        Some(all) => all
            .into_iter()
            .flat_map(|scope| match scope {
                Scope::Only(text)
                    if text == "*" && is_of_resource && !context.resources.is_empty() =>
                {
                    context.resources.iter().cloned().map(Scope::Only).collect()
                }
                other => vec![other],
            })
            .collect::<Vec<_>>(),
    };
    let principals = match (value.get("Principal"), value.get("NotPrincipal")) {
        (Some(named), _) => people(named, nouns).into_iter().map(Scope::Only).collect(),
        (None, Some(named)) => vec![Scope::AllBut(people(named, nouns))],
        (None, None) => context.principals.iter().cloned().map(Scope::Only).collect::<Vec<_>>(),
    };
    let condition = Condition::new(value.get("Condition"), nouns);
    let label = value.get("Sid").and_then(Value::as_str).map(str::to_owned);
    let source = Source { label, ..context.source.clone() };
    for action in scopes(value, "Action", "NotAction", nouns).unwrap_or_default() {
        for principal in &principals {
            for resource in &resources {
                let atom = Atom {
                    effect,
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    condition: condition.clone(),
                };
                atoms.entry(atom).or_insert_with(|| source.clone());
            }
        }
    }
}

fn scopes(value: &Value, only: &str, all_but: &str, nouns: &Nouns<'_>) -> Option<Vec<Scope>> {
    if let Some(named) = value.get(only) {
        return Some(texts(named, nouns).into_iter().map(Scope::Only).collect());
    }
    let named = texts(value.get(all_but)?, nouns);
    Some(vec![Scope::AllBut(named.into_iter().collect())])
}

/// Principals with their kind, such as `Service:events.amazonaws.com`; `*` is everybody.
fn people(value: &Value, nouns: &Nouns<'_>) -> BTreeSet<String> {
    let Some(kinds) = value.as_object() else { return texts(value, nouns).into_iter().collect() };
    let all = kinds.iter().flat_map(|(kind, names)| {
        texts(names, nouns).into_iter().map(move |name| principal(kind, name))
    });
    all.collect()
}

/// An account may be written as its number, or as its root.
fn principal(kind: &str, name: String) -> String {
    let is_number = name.len() == 12 && name.bytes().all(|it| it.is_ascii_digit());
    match kind {
        "AWS" if name == "*" => name,
        "AWS" if is_number || name == "${AccountId}" => {
            format!("AWS:arn:aws:iam::{name}:root")
        }
        _ => format!("{kind}:{name}"),
    }
}

/// `AWS::Lambda::Permission`: one statement, in properties of its own.
fn permission(properties: &Value, context: &Context<'_>, atoms: &mut Atoms) {
    let nouns = context.nouns;
    let text = |key: &str| properties.get(key).map(|it| nouns.text(it));
    let named = text("Principal").unwrap_or_default();
    let kind = if named.contains(".amazonaws.com") { "Service" } else { "AWS" };
    let mut condition = Condition::default();
    let conditions = [
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ];
    for (property, operator, key) in conditions {
        if let Some(value) = text(property) {
            condition.add(operator, key, value);
        }
    }
    let function = context.resources.first().cloned().unwrap_or_default();
    let is_name = !function.contains(':') && !function.starts_with("${");
    let arn = nouns.text(&serde_json::json!({
        "Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:"
    }));
    let function = if is_name { format!("{arn}{function}") } else { function };
    let atom = Atom {
        effect: Effect::Allow,
        principal: Scope::Only(principal(kind, named)),
        action: Scope::Only(text("Action").unwrap_or_default()),
        resource: Scope::Only(function),
        condition,
    };
    atoms.insert(atom, context.source.clone());
}

/// The older form of `AWS::Events::EventBusPolicy`, without a `Statement`.
fn bus_policy(properties: &Value, context: &Context<'_>, atoms: &mut Atoms) {
    let nouns = context.nouns;
    let text = |key: &str| properties.get(key).map(|it| nouns.text(it));
    let (Some(named), Some(action)) = (text("Principal"), text("Action")) else { return };
    let mut condition = Condition::default();
    let of = |key: &str| properties.pointer(&format!("/Condition/{key}")).map(|it| nouns.text(it));
    if let (Some(operator), Some(key), Some(value)) = (of("Type"), of("Key"), of("Value")) {
        condition.add(&operator, &key, value);
    }
    for resource in &context.resources {
        let atom = Atom {
            effect: Effect::Allow,
            principal: Scope::Only(principal("AWS", named.clone())),
            action: Scope::Only(action.clone()),
            resource: Scope::Only(resource.clone()),
            condition: condition.clone(),
        };
        atoms.insert(atom, context.source.clone());
    }
}
