//! What makes a right dangerous beyond its own resource.
//!
//! Owns the short lists: which conditions bind who asks, which actions know no resources. The rule:
//! a right that one of our blueprints gives as such is none of these; a test holds that. Pure.

use std::collections::BTreeSet;

use super::super::noun::Nouns;
use super::atom::{Atom, Effect, Scope, covers_text};

/// Actions that can be granted on "*" alone. Source: service authorization reference, actions with
/// no resource types; those that a cell could need.
const WITHOUT_RESOURCE: [&str; 13] = [
    "cloudwatch:putmetricdata",
    "dynamodb:liststreams",
    "dynamodb:listtables",
    "ec2:describe*",
    "ecr:getauthorizationtoken",
    "iot:describeendpoint",
    "kinesisvideo:liststreams",
    "kms:listaliases",
    "logs:describeloggroups",
    "s3:listallmybuckets",
    "sts:getcalleridentity",
    "xray:puttelemetryrecords",
    "xray:puttracesegments",
];

/// Beginnings of condition keys that say on whose behalf a call is made. Source: IAM user guide,
/// "AWS global condition context keys", and the key policies of KMS.
const BINDING: [&str; 14] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorg",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorg",
    "aws:sourcevpc",
    "aws:userid",
    "iot:",
    "kms:calleraccount",
    "kms:encryptioncontext:",
    "lambda:eventsourcetoken",
    "sts:externalid",
];

/// Services that take on a role for what was handed to them in its own account (`iam:PassRole`), and
/// name no source when they do. Source: Lambda developer guide, "Defining Lambda function
/// permissions with an execution role"; EC2 user guide, "IAM roles for Amazon EC2".
const NAMELESS: [&str; 2] = ["Service:lambda.amazonaws.com", "Service:ec2.amazonaws.com"];

/// Says in words what is dangerous about a right, or nothing.
pub(super) fn dangers(atom: &Atom, nouns: &Nouns<'_>) -> BTreeSet<String> {
    let mut dangers = BTreeSet::new();
    if atom.effect == Effect::Deny {
        return dangers;
    }
    let is_bound = atom.condition.keys().any(|key| BINDING.iter().any(|it| key.starts_with(it)));
    let principal = match &atom.principal {
        Scope::Only(name) => name.as_str(),
        Scope::AllBut(_) => "*",
    };
    if principal == "*" && !is_bound {
        dangers.insert("that is anyone in the world, as no condition says who".to_owned());
    }
    let is_nameless = NAMELESS.contains(&principal) && has(&atom.action, "sts:AssumeRole");
    if principal.starts_with("Service:") && !is_bound && !is_nameless {
        dangers.insert(
            "the service does so for any customer's resources, as neither `aws:SourceAccount` nor `aws:SourceArn` is asked for"
                .to_owned(),
        );
    }
    for account in accounts(atom, nouns) {
        dangers.insert(format!("`{account}` is another account"));
    }
    // AWS's own default for a key: the account's own policies decide.
    let is_own = principal == format!("AWS:arn:aws:iam::{}:root", nouns.own_account());
    if !is_own {
        dangers.extend(every(&atom.action));
    }
    let is_everywhere = match &atom.resource {
        Scope::Only(text) => text == "*",
        Scope::AllBut(_) => true,
    };
    if is_everywhere && atom.condition.is_empty() && !knows_no_resource(&atom.action) {
        dangers.insert("nothing binds it to a resource".to_owned());
    }
    if has(&atom.action, "iam:PassRole") {
        dangers.insert("whoever hands a role to a service gets the role's rights".to_owned());
    }
    dangers
}

/// Says so where an action is every one of a service, or of all.
fn every(action: &Scope) -> Option<String> {
    match action {
        Scope::Only(text) if text == "*" => {
            Some("that is every action of every service".to_owned())
        }
        Scope::Only(text) => {
            let service = text.strip_suffix(":*")?;
            Some(format!("that is every action of `{service}`"))
        }
        Scope::AllBut(_) => Some("that takes in actions that AWS adds later".to_owned()),
    }
}

fn has(action: &Scope, name: &str) -> bool {
    let name = name.to_lowercase();
    match action {
        Scope::Only(pattern) => covers_text(&pattern.to_lowercase(), &name),
        Scope::AllBut(these) => !these.iter().any(|it| covers_text(&it.to_lowercase(), &name)),
    }
}

fn knows_no_resource(action: &Scope) -> bool {
    match action {
        Scope::Only(name) => {
            WITHOUT_RESOURCE.iter().any(|it| covers_text(it, &name.to_lowercase()))
        }
        Scope::AllBut(_) => false,
    }
}

/// Every account but the stack's own that the principal, the resource or the conditions name.
fn accounts(atom: &Atom, nouns: &Nouns<'_>) -> BTreeSet<String> {
    let of = |scope: &Scope| match scope {
        Scope::Only(text) => vec![text.clone()],
        Scope::AllBut(_) => vec![],
    };
    let named = of(&atom.principal).into_iter().chain(of(&atom.resource));
    let texts = named.chain(atom.condition.values().map(str::to_owned));
    let parts = texts.flat_map(|it| it.split(':').map(str::to_owned).collect::<Vec<_>>());
    parts.filter(|it| nouns.is_foreign(it)).collect()
}
