//! Settings that shorten the life of data, or take a protection of it away.
//!
//! The rule: of the way back nothing is said; longer or safer loses nothing. A default of AWS counts
//! as what it is, whether it is written or not. Pure. To watch another setting, add a line to
//! `LENGTHS` or `SWITCHES`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::noun::{Nouns, kind};
use super::super::{Finding, Weight};
use super::hold::{MESSAGE_SECONDS_DEFAULT, PENDING_DAYS_DEFAULT, duration, holding, number};
use super::{about, finding};
use crate::change::ResourceChange;

const DAY_SECONDS: u64 = 86_400;
/// For as long as the resource is there.
const EVER: u64 = u64::MAX;

/// Type, property, seconds of its unit, default in that unit, what is so with less of it.
/// Source: CloudFormation's reference of each type.
const LENGTHS: [(&str, &str, u64, u64, &str); 7] = [
    (
        "AWS::Logs::LogGroup",
        "RetentionInDays",
        DAY_SECONDS,
        EVER,
        "older logs of RESOURCE are deleted",
    ),
    (
        "AWS::SQS::Queue",
        "MessageRetentionPeriod",
        1,
        MESSAGE_SECONDS_DEFAULT,
        "older messages in RESOURCE are deleted",
    ),
    (
        "AWS::DynamoDB::Table",
        "PointInTimeRecoverySpecification/RecoveryPeriodInDays",
        DAY_SECONDS,
        35,
        "RESOURCE can be brought back to fewer moments",
    ),
    (
        "AWS::S3::Bucket",
        "ObjectLockConfiguration/Rule/DefaultRetention/Days",
        DAY_SECONDS,
        0,
        "what is put into RESOURCE without saying how long can be deleted earlier",
    ),
    (
        "AWS::KMS::Key",
        "PendingWindowInDays",
        DAY_SECONDS,
        PENDING_DAYS_DEFAULT,
        "there is less time to undo a deletion of RESOURCE",
    ),
    (
        "AWS::Events::Archive",
        "RetentionDays",
        DAY_SECONDS,
        EVER,
        "older events in RESOURCE are deleted",
    ),
    (
        "AWS::Kinesis::Stream",
        "RetentionPeriodHours",
        3_600,
        24,
        "older records in RESOURCE are deleted",
    ),
];

/// Type, property, the value that protects, the default, what is so without it.
const SWITCHES: [(&str, &str, &str, &str, &str); 6] = [
    (
        "AWS::DynamoDB::Table",
        "DeletionProtectionEnabled",
        "true",
        "false",
        "RESOURCE can be deleted by one call: its deletion protection is off",
    ),
    (
        "AWS::DynamoDB::Table",
        "PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
        "true",
        "false",
        "RESOURCE can no longer be brought back to an earlier moment; the earlier moments are gone at once",
    ),
    (
        "AWS::S3::Bucket",
        "VersioningConfiguration/Status",
        "Enabled",
        "Suspended",
        "what is replaced or deleted in RESOURCE is gone at once: it keeps no versions any more",
    ),
    (
        "AWS::S3::Bucket",
        "ObjectLockConfiguration/ObjectLockEnabled",
        "Enabled",
        "off",
        "RESOURCE locks nothing by itself any more (`ObjectLockConfiguration`)",
    ),
    (
        "AWS::S3::Bucket",
        "ObjectLockConfiguration/Rule/DefaultRetention/Mode",
        "COMPLIANCE",
        "off",
        "who has the right to may now delete what RESOURCE locks by itself (`Mode`)",
    ),
    (
        "AWS::KMS::Key",
        "Enabled",
        "true",
        "true",
        "RESOURCE is switched off: what it encrypts cannot be read until it is on again",
    ),
];

pub(super) fn findings(changes: &[ResourceChange], nouns: &Nouns<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in changes {
        let sides = change.before.as_ref().zip(change.after.as_ref());
        let Some((was, is)) = sides.filter(|(was, is)| kind(was) == kind(is)) else { continue };
        let both = Both { id: &change.logical_id, was, is, noun: nouns.of(&change.logical_id) };
        findings.extend(both.lengths());
        findings.extend(both.switches());
        findings.extend(both.expiry());
        findings.extend(both.time_to_live());
        findings.extend(both.policies());
    }
    findings
}

/// A resource on both sides.
struct Both<'a> {
    id: &'a str,
    was: &'a Value,
    is: &'a Value,
    noun: String,
}

impl Both<'_> {
    fn loud(&self, text: &str, key: Option<&str>) -> Finding {
        let mut finding = finding(Weight::Loud, text.replace("RESOURCE", &self.noun));
        finding.about = about(self.is, key);
        finding
    }

    fn lengths(&self) -> Vec<Finding> {
        let of_type = LENGTHS.iter().filter(|it| it.0 == kind(self.is));
        let shorter = of_type.filter_map(|(_, property, unit, default, less)| {
            // No number, and for an archive the number 0, is for ever.
            let read = |side| match number(side, property) {
                Some(0) if *default == EVER => EVER,
                Some(number) => number,
                None => *default,
            };
            let (was, is) = (read(self.was), read(self.is));
            let shown = |length: u64| match length {
                EVER => "for ever".to_owned(),
                length => duration(length.saturating_mul(*unit)),
            };
            let key = (*property == "RetentionInDays").then_some("log_retention");
            let text = format!("{less}: {} instead of {}", shown(is), shown(was));
            (is < was).then(|| self.loud(&text, key))
        });
        shorter.collect()
    }

    fn switches(&self) -> Vec<Finding> {
        let of_type = SWITCHES.iter().filter(|it| it.0 == kind(self.is));
        let off = of_type.filter_map(|(_, property, good, default, without)| {
            let read = |side: &Value| {
                let value = side.pointer(&format!("/Properties/{property}"));
                let text =
                    value.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
                text.unwrap_or_else(|| (*default).to_owned()) == *good
            };
            (read(self.was) && !read(self.is)).then(|| self.loud(without, None))
        });
        off.collect()
    }

    /// Rules of a bucket that delete objects, earlier than so far or at all.
    fn expiry(&self) -> Vec<Finding> {
        let (was, is) = (expiries(self.was), expiries(self.is));
        let sooner = is.into_iter().filter_map(|((what, prefix), days)| {
            let before = was.get(&(what, prefix.clone())).copied();
            if before.is_some_and(|before| before <= days) {
                return None;
            }
            let of = if prefix.is_empty() { String::new() } else { format!(" below `{prefix}`") };
            let so_far = before.map_or("never".to_owned(), |days| format!("after {days} days"));
            let text =
                format!("{what}{of} in RESOURCE are deleted after {days} days, so far {so_far}");
            Some(self.loud(&text, None))
        });
        sooner.collect()
    }

    fn time_to_live(&self) -> Option<Finding> {
        let read = |side: &Value| {
            let of = side.pointer("/Properties/TimeToLiveSpecification")?;
            let is_on = of.get("Enabled").is_some_and(|it| it == true || it == "true");
            of.get("AttributeName").and_then(Value::as_str).filter(|_| is_on).map(str::to_owned)
        };
        let (was, is) = (read(self.was), read(self.is));
        let attribute = is.filter(|it| was.as_ref() != Some(it))?;
        let text =
            format!("items of RESOURCE are deleted at the time in their `{attribute}` from now on");
        Some(self.loud(&text, None))
    }

    /// Data that outlived its stack so far.
    fn policies(&self) -> Vec<Finding> {
        let Some(held) = holding(self.id, self.is) else { return vec![] };
        let when = [
            ("DeletionPolicy", "when its stack is deleted, or it is taken out of it"),
            ("UpdateReplacePolicy", "when it is made anew"),
        ];
        let weaker = when.iter().filter_map(|(attribute, when)| {
            let keeps = |side: &Value| {
                let policy = side.get(*attribute).and_then(Value::as_str);
                policy.is_some_and(|it| it != "Delete")
            };
            let text =
                format!("from now on RESOURCE is deleted, with {held}, {when} (`{attribute}`)");
            (keeps(self.was) && !keeps(self.is)).then(|| self.loud(&text, None))
        });
        weaker.collect()
    }
}

/// Days after which objects go, by what goes and under which prefix; the shortest of several rules.
fn expiries(bucket: &Value) -> BTreeMap<(&'static str, String), u64> {
    const WHAT: [(&str, &str); 3] = [
        ("objects", "/ExpirationInDays"),
        ("earlier versions", "/NoncurrentVersionExpiration/NoncurrentDays"),
        ("earlier versions", "/NoncurrentVersionExpirationInDays"),
    ];
    let rules =
        bucket.pointer("/Properties/LifecycleConfiguration/Rules").and_then(Value::as_array);
    let mut days = BTreeMap::new();
    for rule in rules.into_iter().flatten() {
        if rule.get("Status").and_then(Value::as_str) != Some("Enabled") {
            continue;
        }
        let prefix = rule.get("Prefix").and_then(Value::as_str).unwrap_or_default();
        for (what, pointer) in WHAT {
            if let Some(count) = rule.pointer(pointer).and_then(Value::as_u64) {
                let shortest = days.entry((what, prefix.to_owned())).or_insert(count);
                *shortest = count.min(*shortest);
            }
        }
    }
    days
}
