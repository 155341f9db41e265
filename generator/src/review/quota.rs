//! Quotas of which the later side needs more than there is, or nearly. Pure.

use super::{Class, Finding, Subject, Weight};
use crate::demand::{Home, Line, Verdict};
use crate::quota::thousands;

/// What changes about the quotas of every account and region.
pub(super) fn quotas(before: &[Home], after: &[Home]) -> Vec<(Subject, Finding)> {
    let mut found = Vec::new();
    for home in after {
        let earlier =
            before.iter().find(|it| (&it.account, &it.region) == (&home.account, &home.region));
        for line in &home.lines {
            let old = earlier.and_then(|it| it.lines.iter().find(|it| it.name == line.name));
            let subject = Subject::Home(format!("{} {}", home.account, home.region));
            found.extend(finding(old, line).map(|it| (subject, it)));
        }
    }
    found
}

fn finding(old: Option<&Line>, line: &Line) -> Option<Finding> {
    let (was, verdict) = (old.map_or(Verdict::Ok, |it| it.verdict), line.verdict);
    let used = old.map_or(0, |it| it.used);
    if verdict == Verdict::Ok || (verdict <= was && line.used <= used) {
        return None;
    }
    let from =
        if used == line.used { String::new() } else { format!(" instead of {}", thousands(used)) };
    let says = if verdict == Verdict::Over { "more than" } else { "nearly" };
    let text = format!(
        "{} of {} are needed{from}, {says} the {} that there are",
        thousands(line.used),
        line.quota.title,
        thousands(line.limit)
    );
    let weight = if verdict == Verdict::Over { Weight::Loud } else { Weight::Quiet };
    let details = line.remedy.iter().cloned().collect();
    Some(Finding { class: Class::Quota, weight, text, details, about: vec![Vec::new()] })
}
