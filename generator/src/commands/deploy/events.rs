//! A run for programs: NDJSON, one event a line, schema `arm.deploy/2`, which [`JSON_SCHEMA`] describes.
//!
//! Keys are added, never renamed or removed; a change that breaks a reader gets a new number. Nothing
//! is cut or summed up. Pure. A new kind of news is an event here and in the schema;
//! `tests/deploy_events.py` holds that the two agree.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::words::utc;
use crate::deploy::StackEvent;
use crate::deploy::progress::{Failure, Pace, Progress, Summary, WaveSize};

/// The JSON Schema of one event, which `arm schema deploy` prints.
pub const JSON_SCHEMA: &str = include_str!("deploy.schema.json");

/// One event; times are universal, spans are seconds.
pub(super) fn event(progress: &Progress, now: Timestamp) -> Value {
    let (name, fields) = told(progress);
    let mut event = Map::new();
    event.insert("schema".to_owned(), json!("arm.deploy/2"));
    event.insert("at".to_owned(), json!(utc(now)));
    event.insert("event".to_owned(), json!(name));
    if let Value::Object(fields) = fields {
        event.extend(fields);
    }
    Value::Object(event)
}

/// Its name, and what it says.
fn told(progress: &Progress) -> (&'static str, Value) {
    match progress {
        Progress::Begun { run, is_resumed, cells, waves, stacks } => {
            let waves: Vec<_> = waves.iter().map(wave_size).collect();
            let fields = json!({
                "run": run, "is_resumed": is_resumed, "cells": cells, "waves": waves,
                "stacks": stacks,
            });
            ("begun", fields)
        }
        Progress::Listed { cell, unchanged, changing } => {
            ("listed", json!({ "cell": cell, "unchanged": unchanged, "changing": changing }))
        }
        Progress::WaveBegun { wave } => ("wave_begun", json!({ "wave": wave })),
        Progress::Baking { wave, time } => {
            ("baking", json!({ "wave": wave, "seconds": time.as_secs() }))
        }
        Progress::WaveDone { wave } => ("wave_done", json!({ "wave": wave })),
        Progress::Stopped { wave, reason } => {
            ("stopped", json!({ "wave": wave, "reason": reason }))
        }
        Progress::Unchanged { cell, stack, store } => {
            ("unchanged", of_stack(cell, stack, store.as_deref(), json!({})))
        }
        Progress::Preparing { cell, stack, store } => {
            ("preparing", of_stack(cell, stack, store.as_deref(), json!({})))
        }
        Progress::Started { cell, stack, store, creates, resources } => {
            let more = json!({ "creates": creates, "resources": resources });
            ("started", of_stack(cell, stack, store.as_deref(), more))
        }
        Progress::Attached { cell, stack, store, status } => {
            let more = json!({ "status": status });
            ("attached", of_stack(cell, stack, store.as_deref(), more))
        }
        Progress::Resource { cell, stack, event } => ("resource", of_event(cell, stack, event)),
        Progress::Done { cell, stack, store } => {
            ("done", of_stack(cell, stack, store.as_deref(), json!({})))
        }
        Progress::Failed { cell, stack, store, cause, next } => {
            let more = json!({ "cause": cause, "next": next });
            ("failed", of_stack(cell, stack, store.as_deref(), more))
        }
        Progress::Uploaded { cell, key, bytes, was_there } => {
            let fields =
                json!({ "cell": cell, "key": key, "bytes": bytes, "was_there": was_there });
            ("uploaded", fields)
        }
        Progress::Pace { cell, pace } => ("pace", of_pace(cell, pace)),
        Progress::Warning { cell, text } => ("warning", json!({ "cell": cell, "text": text })),
        Progress::Ended { summary } => ("ended", of_summary(summary)),
    }
}

fn wave_size(wave: &WaveSize) -> Value {
    json!({ "name": wave.name, "stores": wave.stacks })
}

/// What all news of a stack says, and what this one says besides.
fn of_stack(cell: &str, stack: &str, store: Option<&str>, more: Value) -> Value {
    let mut fields = json!({ "cell": cell, "stack": stack, "store": store });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    fields
}

fn of_event(cell: &str, stack: &str, event: &StackEvent) -> Value {
    json!({
        "cell": cell, "stack": stack, "id": event.id, "logical_id": event.logical_id,
        "type": event.resource_type, "status": event.status, "reason": event.reason,
    })
}

fn of_pace(cell: &str, pace: &Pace) -> Value {
    json!({
        "cell": cell, "reads": pace.reads, "writes": pace.writes, "throttled": pace.throttled,
        "reads_per_second": pace.reads_per_second, "parallel": pace.parallel,
        "seconds_left": pace.left.map(|it| it.as_secs()),
    })
}

fn of_summary(summary: &Summary) -> Value {
    let failed = |it: &Failure| json!({ "stack": it.stack, "cause": it.cause, "next": it.next });
    json!({
        "changed": summary.changed, "unchanged": summary.unchanged,
        "failed": summary.failed.iter().map(failed).collect::<Vec<_>>(), "left": summary.left,
        "under_way": summary.under_way,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_its_schema_its_time_and_what_happened() {
        let done = Progress::Done {
            cell: "us-west".to_owned(),
            stack: "arm-us-west-0042".to_owned(),
            store: Some("0042".to_owned()),
        };
        insta::assert_snapshot!(event(&done, Timestamp::UNIX_EPOCH), @r#"{"schema":"arm.deploy/2","at":"1970-01-01T00:00:00Z","event":"done","cell":"us-west","stack":"arm-us-west-0042","store":"0042"}"#);
    }
}
