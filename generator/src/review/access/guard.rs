//! What grants or withholds access without a statement: managed policies, boundaries, role aliases,
//! public access blocks, encryption.
//!
//! The rule: a weaker guard is loud, a stronger one quiet. That data can be deleted more easily is
//! `loss`'s. Pure. To watch another setting, add a line to `SWITCHES`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::noun::{Nouns, kind, listed};
use super::super::{Finding, Weight};
use super::condition::texts;
use super::finding;
use crate::template::Template;

/// Type, place of a setting, the value that guards, and what is so without it, said of the
/// resource. Source: CloudFormation's reference of each type.
const SWITCHES: [(&str, &str, &str, &str); 9] = [
    (
        "AWS::S3::Bucket",
        "/PublicAccessBlockConfiguration/BlockPublicAcls",
        "true",
        "no longer refuses access control lists that make it public (`BlockPublicAcls`)",
    ),
    (
        "AWS::S3::Bucket",
        "/PublicAccessBlockConfiguration/BlockPublicPolicy",
        "true",
        "no longer refuses policies that make it public (`BlockPublicPolicy`)",
    ),
    (
        "AWS::S3::Bucket",
        "/PublicAccessBlockConfiguration/IgnorePublicAcls",
        "true",
        "no longer ignores access control lists that make it public (`IgnorePublicAcls`)",
    ),
    (
        "AWS::S3::Bucket",
        "/PublicAccessBlockConfiguration/RestrictPublicBuckets",
        "true",
        "no longer keeps strangers out when its policy is public (`RestrictPublicBuckets`)",
    ),
    (
        "AWS::S3::Bucket",
        "/OwnershipControls/Rules/0/ObjectOwnership",
        "BucketOwnerEnforced",
        "may give access by access control lists again (`ObjectOwnership`)",
    ),
    (
        "AWS::S3::Bucket",
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        "aws:kms",
        "no longer encrypts with a key of ours (`SSEAlgorithm`)",
    ),
    (
        "AWS::DynamoDB::Table",
        "/SSESpecification/SSEEnabled",
        "true",
        "is no longer encrypted with a key of ours (`SSEEnabled`)",
    ),
    ("AWS::KMS::Key", "/EnableKeyRotation", "true", "is no longer rotated (`EnableKeyRotation`)"),
    (
        "AWS::Lambda::Url",
        "/AuthType",
        "AWS_IAM",
        "can be called by anyone in the world (`AuthType`)",
    ),
];

/// Properties that name a key that encrypts, in lower case.
const KEYS: [&str; 5] = ["kmskeyid", "kmsmasterkeyid", "kmskeyarn", "kmskeyidentifier", "kmskey"];

/// What is guarded otherwise in a stack that exists.
pub(super) fn findings(before: &Template, after: &Template, account: Option<&str>) -> Vec<Finding> {
    let (old, new) = (Nouns::new(before, account), Nouns::new(after, account));
    let mut findings = Vec::new();
    for (id, resource) in after.resources() {
        match old.resource(id) {
            Some(was) if was == resource => {}
            Some(was) => {
                let both = Both { id, was, is: resource, old: &old, new: &new };
                findings.extend(both.switches().into_iter().chain(both.keys()));
                findings.extend(both.logging());
                findings.extend(both.managed().into_iter().chain(both.handed()));
            }
            None => findings.extend(of_resource(id, resource, &new)),
        }
    }
    findings
}

/// What is open in a new stack that no statement tells of.
pub(super) fn of_new(template: &Template, nouns: &Nouns<'_>) -> Vec<Finding> {
    template.resources().flat_map(|(id, resource)| of_resource(id, resource, nouns)).collect()
}

fn of_resource(id: &str, resource: &Value, nouns: &Nouns<'_>) -> Vec<Finding> {
    let at = |path: &str| resource.pointer(&format!("/Properties{path}"));
    let loud = |text| finding(Weight::Loud, text);
    let mut findings = Vec::new();
    for policy in at("/ManagedPolicyArns").map(|it| texts(it, nouns)).unwrap_or_default() {
        findings.push(loud(format!(
            "{} has the managed policy {}",
            nouns.called(id),
            managed(&policy, nouns)
        )));
    }
    if at("/AuthType").and_then(Value::as_str) == Some("NONE")
        && kind(resource) == "AWS::Lambda::Url"
    {
        findings.push(loud(format!("`{id}` can be called by anyone in the world (`AuthType`)")));
    }
    let list = at("/AccessControl").and_then(Value::as_str).filter(|it| it.starts_with("Public"));
    if let Some(list) = list {
        findings.push(loud(format!("{} is open to anyone in the world (`{list}`)", nouns.of(id))));
    }
    findings
}

/// One resource on both sides.
struct Both<'a> {
    id: &'a str,
    was: &'a Value,
    is: &'a Value,
    old: &'a Nouns<'a>,
    new: &'a Nouns<'a>,
}

impl Both<'_> {
    fn texts(&self, path: &str) -> (Option<String>, Option<String>) {
        let path = format!("/Properties{path}");
        let text = |side: &Value, nouns: &Nouns<'_>| side.pointer(&path).map(|it| nouns.text(it));
        (text(self.was, self.old), text(self.is, self.new))
    }

    fn switches(&self) -> Vec<Finding> {
        let noun = self.new.called(self.id);
        let of_type = SWITCHES.iter().filter(|it| it.0 == kind(self.is));
        let found = of_type.filter_map(|(_, path, good, worse)| {
            let (was, is) = self.texts(path);
            let (was, is) = (was.as_deref() == Some(*good), is.as_deref() == Some(*good));
            match (was, is) {
                (true, false) => Some(finding(Weight::Loud, format!("{noun} {worse}"))),
                (false, true) => {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    Some(finding(
                        Weight::Quiet,
                        format!("{noun} is guarded better: `{name}` is now `{good}`"),
                    ))
                }
                _ => None,
            }
        });
        let mut found: Vec<_> = found.collect();
        let (was, is) = self.texts("/AccessControl");
        if let Some(list) = is.filter(|it| it.starts_with("Public") && was.as_ref() != Some(it)) {
            found.push(finding(
                Weight::Loud,
                format!("{noun} is now open to anyone in the world (`{list}`)"),
            ));
        }
        found
    }

    fn keys(&self) -> Vec<Finding> {
        let (mut was, mut is) = (BTreeMap::new(), BTreeMap::new());
        keys(self.was.get("Properties"), "", self.old, &mut was);
        keys(self.is.get("Properties"), "", self.new, &mut is);
        let noun = self.new.called(self.id);
        let places: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        let found = places.into_iter().filter_map(|place| match (was.get(place), is.get(place)) {
            (Some(key), None) => Some(finding(
                Weight::Loud,
                format!("{noun} is no longer encrypted with {}", key_noun(key, self.old)),
            )),
            (None, Some(key)) => Some(finding(
                Weight::Quiet,
                format!("{noun} is now encrypted with {}", key_noun(key, self.new)),
            )),
            (Some(old), Some(new)) if old != new => Some(finding(
                Weight::Loud,
                format!(
                    "{noun} is now encrypted with {} instead of {}: who may use that key may read it",
                    key_noun(new, self.new),
                    key_noun(old, self.old),
                ),
            )),
            _ => None,
        });
        found.collect()
    }

    /// Who touched what in a bucket is told by its log.
    fn logging(&self) -> Option<Finding> {
        let place = "/LoggingConfiguration/DestinationBucketName";
        let noun = self.new.called(self.id);
        match self.texts(place) {
            (Some(_), None) => Some(finding(
                Weight::Loud,
                format!("who touches what in {noun} is no longer written down"),
            )),
            (None, Some(_)) => Some(finding(
                Weight::Quiet,
                format!("who touches what in {noun} is now written down"),
            )),
            _ => None,
        }
    }

    fn managed(&self) -> Vec<Finding> {
        let all = |side: &Value, nouns: &Nouns<'_>| -> BTreeSet<String> {
            let list = side.pointer("/Properties/ManagedPolicyArns");
            list.map(|it| texts(it, nouns)).unwrap_or_default().into_iter().collect()
        };
        let (was, is) = (all(self.was, self.old), all(self.is, self.new));
        let noun = self.new.called(self.id);
        let more: Vec<_> = is.difference(&was).map(|it| managed(it, self.new)).collect();
        let fewer: Vec<_> = was.difference(&is).map(|it| managed(it, self.old)).collect();
        let mut found = Vec::new();
        if !more.is_empty() {
            let text = format!("{noun} now also has the managed policy {}", listed(&more));
            found.push(finding(Weight::Loud, text));
        }
        if !fewer.is_empty() {
            let text = format!("{noun} no longer has the managed policy {}", listed(&fewer));
            found.push(finding(Weight::Quiet, text));
        }
        found.extend(match self.texts("/PermissionsBoundary") {
            (Some(was), None) => Some(finding(
                Weight::Loud,
                format!("{noun} has no boundary any more; it was {}", managed(&was, self.old)),
            )),
            (Some(was), Some(is)) if was != is => Some(finding(
                Weight::Loud,
                format!(
                    "{noun} has another boundary: {} instead of {}",
                    managed(&is, self.new),
                    managed(&was, self.old)
                ),
            )),
            (None, Some(is)) => Some(finding(
                Weight::Quiet,
                format!("{noun} now has the boundary {}", managed(&is, self.new)),
            )),
            _ => None,
        });
        found
    }

    /// Whoever comes by the alias gets another role.
    fn handed(&self) -> Option<Finding> {
        let (Some(was), Some(is)) = self.texts("/RoleArn") else { return None };
        let is_alias = kind(self.is) == "AWS::IoT::RoleAlias";
        let text = format!(
            "whoever comes by {} now gets {} instead of {}",
            self.new.of(self.id),
            self.new.of_text(&is),
            self.old.of_text(&was),
        );
        (is_alias && was != is).then(|| finding(Weight::Loud, text))
    }
}

/// Every key below a value, by its place.
fn keys(
    value: Option<&Value>,
    place: &str,
    nouns: &Nouns<'_>,
    found: &mut BTreeMap<String, String>,
) {
    match value {
        Some(Value::Object(members)) => {
            for (name, value) in members {
                let place = format!("{place}/{name}");
                if KEYS.contains(&name.to_lowercase().as_str()) {
                    found.insert(place, nouns.text(value));
                } else {
                    keys(Some(value), &place, nouns, found);
                }
            }
        }
        Some(Value::Array(items)) => {
            for (at, value) in items.iter().enumerate() {
                keys(Some(value), &format!("{place}/{at}"), nouns, found);
            }
        }
        _ => {}
    }
}

/// A key by its id, alias or ARN.
fn key_noun(text: &str, nouns: &Nouns<'_>) -> String {
    if text.starts_with("arn:") || text.starts_with("${") {
        return nouns.of_text(text);
    }
    format!("the key `{text}`")
}

/// A managed policy by its ARN: its name is what people know.
fn managed(text: &str, nouns: &Nouns<'_>) -> String {
    let name = text.rsplit('/').next().unwrap_or(text);
    let account = text.split(':').nth(4).filter(|it| nouns.is_foreign(it));
    let of = account.map(|it| format!(" of the account `{it}`")).unwrap_or_default();
    format!("`{}`{of}", nouns.shown(name))
}
