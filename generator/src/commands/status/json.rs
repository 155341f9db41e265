//! The board for programs: schema `arm.status/1`. Pure.

use casework::time::rfc3339;
use serde_json::{Value, json};

use crate::status::judge::{Ailing, Cameras, Line, State, state};
use crate::status::subscribers::Unreached;
use crate::status::{Alarm, Board, Drift, Of};

/// The schema of what programs get.
const SCHEMA: &str = "arm.status/1";

pub(super) fn to_json(boards: &[Board], is_bundle_compared: bool, now_ms: i64) -> Value {
    let cells: Vec<_> = boards.iter().map(cell).collect();
    let lines = || boards.iter().flat_map(|it| &it.lines);
    json!({
        "schema": SCHEMA,
        "at": rfc3339(now_ms),
        "bundle_compared": is_bundle_compared,
        "stacks": lines().count(),
        "faulty": lines().filter(|it| !it.faults.is_empty()).count(),
        "cells": cells,
    })
}

fn cell(board: &Board) -> Value {
    json!({
        "cell": board.cell,
        "account": board.account,
        "region": board.region,
        "calls": board.calls,
        "omissions": board.omissions,
        "alarms": board.alarms.iter().map(alarm).collect::<Vec<_>>(),
        "stacks": board.lines.iter().map(|it| line(&board.cell, it)).collect::<Vec<_>>(),
    })
}

fn alarm(alarm: &Alarm) -> Value {
    json!({ "name": alarm.name, "since": alarm.since_ms.map(rfc3339), "reason": alarm.reason })
}

fn line(cell: &str, line: &Line) -> Value {
    let of = match line.of {
        Of::Artifacts => "artifacts",
        Of::Platform => "platform",
        Of::Store(_) => "store",
    };
    let (drift, checked) = match line.drift {
        Drift::Unknown => ("unknown", None),
        Drift::None(at) => ("none", at),
        Drift::Drifted(at) => ("drifted", at),
    };
    let (cameras, since) = match line.cameras {
        Cameras::Well => (Some("well"), None),
        Cameras::Ail(at) => (Some("ail"), at),
        Cameras::Unwatched(at) => (Some("unwatched"), at),
        Cameras::Unknown => (Some("unknown"), None),
        Cameras::None => (None, None),
    };
    json!({
        "of": of,
        "store": line.store(),
        "stack": line.stack,
        "state": line.status.as_deref().map_or("absent", |it| state_word(state(it))),
        "status": line.status,
        "reason": (!line.reason.is_empty()).then_some(&line.reason),
        "deployed_at": line.deployed_ms.map(rfc3339),
        "in_step": line.is_in_step,
        "faults": line.faults.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        "next": line.faults.first().map(|it| it.next(cell, &[line])),
        "drift": drift,
        "drift_checked_at": checked.map(rfc3339),
        "cameras": cameras,
        "cameras_since": since.map(rfc3339),
        "ailments": line.ailments.as_ref().map(|all| all.iter().map(ailing).collect::<Vec<_>>()),
        "unreached": line.unreached.as_ref().map(|all| all.iter().map(unreached).collect::<Vec<_>>()),
    })
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Settled => "settled",
        State::Moving => "moving",
        State::Broken => "broken",
    }
}

fn ailing(it: &Ailing) -> Value {
    json!({ "camera": it.camera, "ailment": it.ailment.as_str(), "since": rfc3339(it.since_ms) })
}

fn unreached(it: &Unreached) -> Value {
    json!({
        "channel": it.channel.as_str(),
        "audiences": it.audiences,
        "addresses": it.addresses,
        "number": it.number,
        "why": it.why.as_str(),
    })
}
