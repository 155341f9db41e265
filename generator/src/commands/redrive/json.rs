//! What a redrive found and did, for programs: schema `arm.redrive/1`.
//!
//! Words that programs compare are codes and do not change; every letter that was left or deleted is
//! there. To tell something more, add a field.

use casework::time::rfc3339;
use serde_json::{Value, json};

use super::unfound;
use crate::redrive::{Became, Entry, Looked, Mode, Report, Request};

pub(super) fn to_json(report: &Report, request: &Request<'_>, error: Option<&str>) -> Value {
    let sums = report.sums.iter().map(|((queue, kind, became), sum)| {
        let (became, to) = match became {
            Became::PutBack(to) => ("put-back", Some(to.as_str())),
            Became::Rows => ("rows", None),
            Became::Dropped => ("dropped", None),
            Became::Left => ("left", None),
        };
        json!({
            "queue": queue.as_str(), "kind": kind, "became": became, "to": to,
            "count": sum.count, "oldest_at": rfc3339(sum.oldest_ms),
        })
    });
    let queues = report.queues.iter().map(|(queue, looked)| {
        let (looked, error) = match looked {
            Looked::NotTried => ("not-tried", None),
            Looked::Whole => ("whole", None),
            Looked::Stopped => ("stopped", None),
            Looked::Failed(error) => ("failed", Some(error)),
        };
        json!({
            "queue": queue.as_str(), "looked": looked, "error": error,
            "hidden": report.hidden.get(queue).copied().unwrap_or_default(),
            "still_hidden": report.still_hidden.get(queue).copied().unwrap_or_default(),
        })
    });
    let by_case = |(case, why): (&String, &str)| json!({ "case": case, "reason": why });
    let waiting = report.clips.waiting.iter().map(|(case, why)| by_case((case, *why)));
    let lost = report.clips.lost.iter().map(|(case, why)| by_case((case, why)));
    let cell = request.cell;
    json!({
        "schema": "arm.redrive/1", "cell": cell.id.as_str(), "account": cell.account,
        "region": cell.region, "dry_run": request.mode == Mode::Look,
        "stopped": report.is_stopped, "error": error,
        "queues": queues.collect::<Vec<_>>(), "letters": sums.collect::<Vec<_>>(),
        "left": report.left.iter().map(entry).collect::<Vec<_>>(),
        "dropped": report.dropped.iter().map(entry).collect::<Vec<_>>(),
        "unfound": unfound(report, request), "rows": report.rows,
        "more": report.more.iter().map(|queue| queue.as_str()).collect::<Vec<_>>(),
        "clips": {
            "looked": report.clips.is_whole, "asked": report.clips.asked,
            "waiting": waiting.collect::<Vec<_>>(), "lost": lost.collect::<Vec<_>>(),
        },
    })
}

fn entry(entry: &Entry) -> Value {
    let alert = entry.alert.as_ref();
    let alert = alert.map(|it| json!({ "topic": it.topic, "subject": it.subject, "at": it.at }));
    json!({
        "queue": entry.queue.as_str(), "id": entry.id, "kind": entry.kind,
        "sent_at": rfc3339(entry.sent_ms), "reason": entry.reason, "aws": entry.from_aws,
        "alert": alert, "excerpt": entry.excerpt,
    })
}
