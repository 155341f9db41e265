//! Cameras that are gone or go by another id, and the video that their streams hold.
//!
//! The rule: cameras that meet the same end are one sentence. One that is gone while another with the
//! same aisle, device and retention is new was renamed, as far as templates tell; the sentence says
//! on what that rests. Pure.

use std::collections::BTreeMap;

use super::super::noun::{kind, listed, tag};
use super::super::{Finding, Weight, path};
use super::finding;
use super::hold::{VIDEO_HOURS_DEFAULT, number};
use crate::change::{Action, Fate, ResourceChange};
use crate::name::{AISLE_TAG, CAMERA_TAG};

const STREAM: &str = "AWS::KinesisVideo::Stream";

/// One stream that leaves the stack or takes another's place.
struct Camera {
    id: String,
    hours: u64,
    fate: Fate,
    action: Action,
    /// The camera that takes its place.
    successor: Option<String>,
}

pub(super) fn is_stream(change: &ResourceChange) -> bool {
    change.resource_type == STREAM
}

pub(super) fn findings(changes: &[ResourceChange]) -> Vec<Finding> {
    let mut alike: BTreeMap<_, Vec<&Camera>> = BTreeMap::new();
    let cameras = cameras(changes);
    for camera in &cameras {
        let kind = (camera.action, camera.successor.is_none(), camera.fate, camera.hours);
        alike.entry(kind).or_default().push(camera);
    }
    let mut findings: Vec<_> = alike.values().map(|all| told(all)).collect();
    findings.extend(shortened(changes));
    findings
}

fn cameras(changes: &[ResourceChange]) -> Vec<Camera> {
    let mut successors = successors(changes);
    let streams = changes.iter().filter(|it| is_stream(it));
    let cameras = streams.filter_map(|change| {
        let resource = change.before.as_ref()?;
        let fate = change.fate()?;
        let id = name(change);
        let hours = number(resource, "DataRetentionInHours").unwrap_or(VIDEO_HOURS_DEFAULT);
        let action = change.action;
        Some(Camera { successor: successors.remove(&id), id, hours, fate, action })
    });
    cameras.collect()
}

/// The camera's id; of a stream that has none, its logical id.
fn name(change: &ResourceChange) -> String {
    let resource = change.after.as_ref().or(change.before.as_ref());
    let id = resource.and_then(|it| tag(it, CAMERA_TAG)).unwrap_or(&change.logical_id);
    id.to_owned()
}

/// Cameras that are gone, with those that are new and like them: as many of each, in their order.
fn successors(changes: &[ResourceChange]) -> BTreeMap<String, String> {
    let of = |action: Action| {
        let mut alike: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for change in changes.iter().filter(|it| is_stream(it) && it.action == action) {
            let resource = change.before.as_ref().or(change.after.as_ref());
            let like = resource.map(|it| {
                let aisle = tag(it, AISLE_TAG).map(str::to_owned);
                let device = it.pointer("/Properties/DeviceName").map(ToString::to_string);
                (aisle, device, number(it, "DataRetentionInHours"))
            });
            alike.entry(like).or_default().push(name(change));
        }
        alike
    };
    let (gone, mut new) = (of(Action::Remove), of(Action::Add));
    let mut pairs = BTreeMap::new();
    for (like, gone) in gone {
        let new = new.remove(&like).unwrap_or_default();
        if gone.len() == new.len() {
            pairs.extend(gone.into_iter().zip(new));
        }
    }
    pairs
}

fn told(cameras: &[&Camera]) -> Finding {
    let Some(first) = cameras.first() else { return finding(Weight::Quiet, String::new()) };
    let is_one = cameras.len() == 1;
    let names: Vec<_> = cameras.iter().map(|it| format!("`{}`", it.id)).collect();
    let whom = whom(&names);
    let each = if is_one { "" } else { " each" };
    let video = format!("up to {} h of video{each}", first.hours);
    let (stays, is) = if is_one { ("stays", "is") } else { ("stay", "are") };
    let it = if is_one { "it" } else { "them" };
    let end = match first.fate {
        _ if first.hours == 0 => match first.fate {
            Fate::Deleted => format!("{is} deleted; no video was kept"),
            _ => format!("{stays} outside every stack; no video was kept"),
        },
        Fate::Deleted => {
            format!("{is} deleted with {video}: evidence that is still to be cut is lost")
        }
        Fate::Retained | Fate::Snapshot => format!(
            "{stays} outside every stack, with {video}: nobody looks at {it} or deletes {it}, but evidence of open cases can still be taken from {it}"
        ),
    };
    let old = if is_one { "the old one" } else { "the old ones" };
    let streams = if is_one { "its stream" } else { "their streams" };
    let text = if first.successor.is_some() {
        let new: Vec<_> = cameras
            .iter()
            .filter_map(|it| it.successor.as_ref())
            .map(|it| format!("`{it}`"))
            .collect();
        let empty = if is_one { "a new, empty stream" } else { "new, empty streams" };
        format!("{whom} {is} now {}: {empty}; {old} {end}", listed(&new))
    } else if first.action != Action::Remove {
        let empty = if is_one { "a new, empty stream" } else { "new, empty streams" };
        let get = match first.action {
            Action::MayReplace => "may get",
            _ if is_one => "gets",
            _ => "get",
        };
        format!("{whom} {get} {empty}; {old} {end}")
    } else {
        format!("{whom} {is} gone: {streams} {end}")
    };
    let weight = if first.hours == 0 { Weight::Quiet } else { Weight::Loud };
    let mut finding = finding(weight, text);
    if first.successor.is_some() {
        finding.details.push(
            "said to be renamed because aisle, device and retention are the same; a camera's id is its identity, so its video and cases do not move along".to_owned(),
        );
    }
    if first.fate == Fate::Retained && first.action == Action::Remove {
        finding.details.push(
            "to bring a camera of the same id back, its stream must first be imported into the stack or deleted: its name is taken".to_owned(),
        );
    }
    let ids = cameras.iter().flat_map(|it| [Some(&it.id), it.successor.as_ref()]);
    finding.about = ids.flatten().map(|id| path(&["cameras", id])).collect();
    finding.details.extend(rest(&names));
    finding
}

fn whom(names: &[String]) -> String {
    match names {
        [only] => format!("camera {only}"),
        all => format!("{} cameras ({})", all.len(), listed(all)),
    }
}

/// All names where a sentence has but some.
fn rest(names: &[String]) -> Option<String> {
    listed(names).contains(" more").then(|| format!("cameras: {}", names.join(", ")))
}

/// Video that is deleted because streams keep it for a shorter time.
fn shortened(changes: &[ResourceChange]) -> Vec<Finding> {
    let mut alike: BTreeMap<(u64, u64), Vec<String>> = BTreeMap::new();
    for change in changes.iter().filter(|it| is_stream(it) && it.fate().is_none()) {
        let hours = |side: &Option<serde_json::Value>| {
            let side = side.as_ref().filter(|it| kind(it) == STREAM)?;
            Some(number(side, "DataRetentionInHours").unwrap_or(VIDEO_HOURS_DEFAULT))
        };
        if let (Some(before), Some(after)) = (hours(&change.before), hours(&change.after))
            && after < before
        {
            alike.entry((before, after)).or_default().push(name(change));
        }
    }
    let findings = alike.into_iter().map(|((before, after), ids)| {
        let names: Vec<_> = ids.iter().map(|it| format!("`{it}`")).collect();
        let whom = whom(&names);
        let text = format!(
            "video of {whom} that is older than {after} h is deleted: it is kept {after} h instead of {before} h"
        );
        let mut finding = finding(Weight::Loud, text);
        finding.details.extend(rest(&names));
        finding.about = ids.iter().map(|id| path(&["cameras", id, "retention"])).collect();
        finding
    });
    findings.collect()
}
