//! A simulation for programs: schema `arm.simulation/1`.
//!
//! Times are RFC 3339 in UTC, hours those of the store's own day. `then` and `differences` are null
//! without `--rules-from`. A key is added as people come to need it, and none changes its meaning.

use casework::time::rfc3339;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::simulation::hours::Row;
use crate::simulation::{RuleCount, Storm, Summary};

/// The whole answer.
pub(super) fn text(answer: &Answer<'_>) -> Value {
    let bad = answer.bad.shown.iter();
    let bad = bad.map(|(line, error)| json!({ "line": line, "problem": error.to_string() }));
    let then = answer.then.as_ref().map(|then| {
        let mut summary = summary_json(&then.summary);
        if let Some(fields) = summary.as_object_mut() {
            fields.insert("commit".to_owned(), json!(then.reference));
        }
        summary
    });
    let differences = answer.then.as_ref().map(|then| {
        let all = then.differences.iter();
        all.map(|it| json!({ "about": it.kind.as_str(), "text": it.text })).collect::<Vec<_>>()
    });
    json!({
        "schema": "arm.simulation/1",
        "store": answer.now.store.id.as_str(),
        "timezone": answer.now.store.hours.timezone,
        "events": answer.events,
        "bad_lines": { "number": answer.bad.number, "first": bad.collect::<Vec<_>>() },
        "now": summary_json(&answer.now),
        "then": then,
        "differences": differences,
    })
}

fn summary_json(summary: &Summary<'_>) -> Value {
    let at = |ms: i64| rfc3339(ms);
    let silent: Vec<_> = summary
        .silent
        .iter()
        .map(|(reason, (cases, detections))| {
            json!({ "reason": reason.as_str(), "cases": cases, "detections": detections })
        })
        .collect();
    let by_channel = summary.hearing.by_channel().into_iter();
    let by_channel: Map<_, _> =
        by_channel.map(|(channel, number)| (channel.as_str().to_owned(), json!(number))).collect();
    let by_priority = summary.cases.iter();
    let by_priority: Map<_, _> =
        by_priority.map(|(priority, number)| (priority.to_string(), json!(number))).collect();
    let busiest = summary.hearing.busiest().map(|busiest| {
        json!({
            "audience": busiest.audience, "alerts": busiest.alerts,
            "day": busiest.day.to_string(), "hour": busiest.hour,
        })
    });
    json!({
        "detections": summary.detections,
        "joined": summary.joined(),
        "joined_percent": summary.joined_percent(),
        "repeated": summary.repeated,
        "without_event_type": summary.without_type,
        "dropped": summary.dropped,
        "of_other_stores": summary.elsewhere,
        "first": summary.first_last_ms.map(|(first, _)| at(first)),
        "last": summary.first_last_ms.map(|(_, last)| at(last)),
        "cases": { "number": summary.case_count(), "by_priority": by_priority },
        "alerts": { "number": summary.alerts, "reach_nobody": summary.hearing.unheard },
        "messages": { "number": summary.hearing.messages(), "by_channel": by_channel },
        "busiest_hour": busiest,
        "rules": summary.rules.iter().map(rule_json).collect::<Vec<_>>(),
        "unrouted": summary.unrouted,
        "unknown_cameras": summary.strange_cameras,
        "subscribers": summary.hearing.rows.iter().map(row_json).collect::<Vec<_>>(),
        "tell_nobody": silent,
        "storms": summary.storms.iter().map(storm_json).collect::<Vec<_>>(),
    })
}

fn rule_json(rule: &RuleCount<'_>) -> Value {
    json!({
        "rule": rule.name, "priority": rule.priority, "shadow": rule.shadow,
        "detections": rule.detections, "cases": rule.cases, "joined": rule.joined,
        "alerts": rule.alerts,
    })
}

fn row_json(row: &Row<'_>) -> Value {
    json!({
        "audiences": row.audiences, "channel": row.channel.as_str(),
        "endpoint": row.endpoint.to_string(), "messages": row.total(), "by_hour": row.hours,
    })
}

fn storm_json(storm: &Storm) -> Value {
    json!({
        "case": storm.case_id, "event_type": storm.event_type, "place": storm.place,
        "detections": storm.detections, "alerts": storm.alerts,
        "first": rfc3339(storm.first_ms), "last": rfc3339(storm.last_ms),
    })
}
