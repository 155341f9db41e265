//! What a store says otherwise now, whatever was detected: shadows, words, evidence clips.
//!
//! No count of cases or messages shows these, so they are told by themselves. To tell one more,
//! compare it here; what detections show is found in `comparison`. Pure.

use super::{Difference, Kind};
use crate::quota::plural;
use crate::simulation::Summary;

/// Rules that are a shadow now, or no longer.
pub(super) fn shadows(then: &Summary<'_>, now: &Summary<'_>) -> Vec<Difference> {
    let changed = now.rules.iter().filter_map(|rule| {
        let before = then.rules.iter().find(|it| it.name == rule.name)?;
        (before.shadow != rule.shadow).then_some(rule)
    });
    let found = changed.map(|rule| {
        let detections = plural(rule.detections, "detection");
        let text = if rule.shadow {
            format!("`{}` is a shadow now and tells nobody ({detections})", rule.name)
        } else {
            format!("`{}` is no longer a shadow ({detections})", rule.name)
        };
        Difference::new(Kind::Shadow, rule.detections, text).missed(rule.shadow)
    });
    found.collect()
}

/// The words of alerts.
pub(super) fn words(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let (before, after) = (&then.store.wording, &now.store.wording);
    let texts = [
        ("store name", then.store.name != now.store.name),
        ("headline", before.headline != after.headline),
        ("sms", before.sms != after.sms),
        ("email_subject", before.email_subject != after.email_subject),
        ("email", before.email != after.email),
    ];
    let changed: Vec<_> = texts.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let text = format!("alerts have other words now ({})", changed.join(", "));
    (!changed.is_empty()).then(|| Difference::new(Kind::Words, 0, text))
}

/// What is kept of the video.
pub(super) fn evidence(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let (before, after) = (then.store.evidence, now.store.evidence);
    let mut changed = Vec::new();
    for (what, was, is) in
        [("before", before.before_s, after.before_s), ("after", before.after_s, after.after_s)]
    {
        if was != is {
            changed.push(format!("show {is} s {what} the behaviour instead of {was} s"));
        }
    }
    if before.keep_days != after.keep_days {
        let days = plural(u64::from(after.keep_days), "day");
        changed.push(format!("are kept {days} instead of {}", before.keep_days));
    }
    if before.lock != after.lock {
        let (was, is) = (before.lock.as_str(), after.lock.as_str());
        changed.push(format!("are locked by `{is}` instead of `{was}`"));
    }
    let text = format!("evidence clips {}", changed.join(", "));
    (!changed.is_empty()).then(|| Difference::new(Kind::Evidence, 0, text))
}
