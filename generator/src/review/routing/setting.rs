//! What becomes of a case otherwise, whatever was detected: cooldowns, and what is kept of the video.
//!
//! Nothing here is loud but evidence that is kept for less long: no case is missed by the rest. Pure. To compare one more setting, add it here.

use std::collections::BTreeMap;

use contract::evidence::{EvidencePolicy, LockMode};

use super::finding;
use crate::quota::plural;
use crate::review::hearing::Side;
use crate::review::{Class, Finding, Weight};
use crate::schema::Unit;

pub(super) fn findings(before: &Side, after: &Side) -> Vec<Finding> {
    let mut findings = cooldowns(before, after);
    if let (Some(before), Some(after)) = (before.message(), after.message()) {
        findings.extend(evidence(&before.evidence, &after.evidence));
    }
    findings
}

/// Rules that change alike share a sentence.
fn cooldowns(before: &Side, after: &Side) -> Vec<Finding> {
    let (before, after) = (before.treatments(), after.treatments());
    let mut changed: BTreeMap<(u32, u32), Vec<&str>> = BTreeMap::new();
    for (name, is) in &after {
        let was = before.get(name).filter(|was| was.cooldown_s != is.cooldown_s);
        if let Some(was) = was {
            changed.entry((was.cooldown_s, is.cooldown_s)).or_default().push(name);
        }
    }
    let sentence = |((was, is), rules): (&(u32, u32), &Vec<&str>)| {
        let names: Vec<_> = rules.iter().map(|it| format!("`{it}`")).collect();
        let (was, is) = (Unit::Seconds.shown(*was), Unit::Seconds.shown(*is));
        let text = format!(
            "{}: detections within {is} are one case instead of within {was}",
            names.join(", ")
        );
        let path =
            |rule: &&str| vec!["rules".to_owned(), (*rule).to_owned(), "cooldown".to_owned()];
        let about = rules.iter().map(path).chain([vec!["cooldown".to_owned()]]);
        finding(Weight::Quiet, text, about.collect())
    };
    changed.iter().map(sentence).collect()
}

fn evidence(before: &EvidencePolicy, after: &EvidencePolicy) -> Vec<Finding> {
    let sentence = |key: &str, text: String| {
        finding(Weight::Quiet, text, vec![vec!["evidence".to_owned(), key.to_owned()]])
    };
    let mut findings = Vec::new();
    for (key, was, is) in
        [("before", before.before_s, after.before_s), ("after", before.after_s, after.after_s)]
    {
        if was != is {
            let text = format!("clips show {is} s {key} the behaviour instead of {was} s");
            findings.push(sentence(key, text));
        }
    }
    if before.keep_days != after.keep_days {
        let text = format!(
            "clips are kept {} instead of {}: those of new cases; those that exist keep their lock",
            plural(u64::from(after.keep_days), "day"),
            plural(u64::from(before.keep_days), "day")
        );
        let kept = sentence("keep", text);
        let is_shorter = after.keep_days < before.keep_days;
        findings.push(if is_shorter {
            Finding { class: Class::DataLoss, weight: Weight::Loud, ..kept }
        } else {
            kept
        });
    }
    if before.lock != after.lock {
        let nobody = match after.lock {
            LockMode::Compliance => {
                "; nobody, not even the account's owner, can delete them before"
            }
            LockMode::Governance => "",
        };
        let text = format!(
            "clips are locked by `{}` instead of `{}`: those of new cases; those that exist keep their lock{nobody}",
            after.lock.as_str(),
            before.lock.as_str()
        );
        findings.push(sentence("lock", text));
    }
    findings
}
