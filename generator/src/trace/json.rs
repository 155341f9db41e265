//! A trace as programs read it: schema `arm.explain/1`.

use serde_json::{Value, json};

use super::{Trace, Tried, Untold, Verdict};
use crate::trial::Sent;

/// Writes a trace as JSON.
///
/// `rules` has one entry per rule in the order of the YAML: `verdict` is `matches`, `misses` (with
/// `reasons`) or `taken`. `case` is null for an event that is no detection, and then `error` says
/// why. Each entry of `alerts` has the texts, and the addresses that get them.
pub fn to_json(trace: &Trace<'_>) -> Value {
    let outcome = &trace.outcome;
    let matched = outcome.matched.iter().map(|rule| {
        json!({
            "rule": rule.rule, "id": rule.id, "priority": rule.priority, "notify": rule.notify,
            "shadow": rule.shadow, "cooldown_s": rule.cooldown_s, "pattern": rule.pattern,
        })
    });
    json!({
        "schema": "arm.explain/1",
        "store": trace.store.id.as_str(),
        "event": trace.event.json,
        "rules": trace.tried.iter().map(tried).collect::<Vec<_>>(),
        "matched": matched.collect::<Vec<_>>(),
        "case": outcome.result.as_ref().ok().map(|opened| &opened.case),
        "error": outcome.result.as_ref().err().map(ToString::to_string),
        "alerts": outcome.alerts.iter().map(alert).collect::<Vec<_>>(),
        "not_told": trace.untold.iter().map(untold).collect::<Vec<_>>(),
        "notes": trace.notes,
    })
}

fn tried(tried: &Tried<'_>) -> Value {
    match &tried.verdict {
        Verdict::Matches(_) => json!({ "rule": tried.name, "verdict": "matches" }),
        Verdict::Misses(reasons) => {
            json!({ "rule": tried.name, "verdict": "misses", "reasons": reasons })
        }
        Verdict::Taken => json!({ "rule": tried.name, "verdict": "taken" }),
    }
}

fn alert(sent: &Sent<'_>) -> Value {
    let told = sent.told.iter().map(|told| {
        json!({
            "channel": told.channel.as_str(), "endpoint": told.endpoint.to_string(),
            "audiences": told.audiences, "text": told.text,
        })
    });
    json!({
        "headline": sent.alert.texts.default,
        "subject": sent.alert.texts.subject,
        "audiences": sent.alert.audiences,
        "told": told.collect::<Vec<_>>(),
    })
}

fn untold(untold: &Untold<'_>) -> Value {
    json!({
        "audience": untold.audience,
        "channel": untold.subscriber.map(|it| it.channel.as_str()),
        "endpoint": untold.subscriber.map(|it| it.endpoint.to_string()),
        "reason": untold.reason,
    })
}
