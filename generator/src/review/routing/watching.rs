//! What the model watches otherwise: which cameras, when, in what windows, with which zones; and when
//! the store is open.
//!
//! A camera that is watched less is loud. Cameras that change alike share a sentence. Pure. To compare
//! one more thing of a camera, start in [`camera`].

use std::collections::BTreeMap;

use contract::hours::{Hours, Span};
use contract::watch::{WatchCamera, WatchInput, WatchWhen};

use super::finding;
use crate::paragraph::first_of;
use crate::review::hearing::Side;
use crate::review::{Finding, Weight, path};

/// Most cameras that a sentence names. Our choice: more are a list and no sentence.
const NAMED_MAX: usize = 4;
/// As `arm` says them everywhere.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

pub(super) fn findings(before: &Side, after: &Side) -> Vec<Finding> {
    let (Some(before), Some(after)) = (&before.watch, &after.watch) else {
        let text = "what the model watches is not compared: a side has no watch".to_owned();
        let both = before.watch.is_none() && after.watch.is_none();
        return if both { vec![] } else { vec![finding(Weight::Loud, text, Vec::new())] };
    };
    let mut findings = cameras(before, after);
    findings.extend(hours(&before.hours, &after.hours));
    findings
}

/// What is otherwise about a camera: how weighty, in words, and below which keys.
type Said = (Weight, String, &'static [&'static str]);

fn cameras(before: &WatchInput, after: &WatchInput) -> Vec<Finding> {
    let find =
        |watch: &'_ WatchInput, id: &str| watch.cameras.iter().find(|it| it.id == id).cloned();
    let mut ids: Vec<&str> = before.cameras.iter().map(|it| it.id.as_str()).collect();
    let new = after.cameras.iter().map(|it| it.id.as_str());
    ids.extend(new.filter(|id| !before.cameras.iter().any(|it| it.id == *id)));
    let mut alike: BTreeMap<Said, Vec<&str>> = BTreeMap::new();
    for id in ids {
        for said in camera(find(before, id).as_ref(), find(after, id).as_ref()) {
            alike.entry(said).or_default().push(id);
        }
    }
    let sentence = |((weight, text, keys), ids): (Said, Vec<&str>)| {
        let path = |id: &&str| path(&[&["cameras", *id][..], keys].concat());
        let is = if ids.len() == 1 { "is" } else { "are" };
        let text = format!("{} {}", named(&ids), text.replace("{is}", is));
        let details = ids.iter().filter(|_| ids.len() > NAMED_MAX).map(|it| format!("`{it}`"));
        let details = details.collect();
        Finding { details, ..finding(weight, text, ids.iter().map(path).collect()) }
    };
    alike.into_iter().map(sentence).collect()
}

/// ``camera `a` ``, ``cameras `a`, `b` ``
fn named(ids: &[&str]) -> String {
    let word = if ids.len() == 1 { "camera" } else { "cameras" };
    let ids: Vec<_> = ids.iter().map(|it| format!("`{it}`")).collect();
    format!("{word} {}", first_of(&ids, NAMED_MAX))
}

fn camera(before: Option<&WatchCamera>, after: Option<&WatchCamera>) -> Vec<Said> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (Some(before), None) if before.when != WatchWhen::Never => {
            let text = "{is} gone, and no longer watched".to_owned();
            return vec![(Weight::Loud, text, &[])];
        }
        (None, Some(after)) if after.when != WatchWhen::Never => {
            let text = format!("{{is}} new, and watched {}", times(after.when));
            return vec![(Weight::Quiet, text, &[])];
        }
        _ => return Vec::new(),
    };
    let mut said: Vec<Said> = Vec::new();
    if before.when != after.when {
        let is_less =
            !matches!((before.when, after.when), (WatchWhen::Never, _) | (_, WatchWhen::Always));
        let weight = if is_less { Weight::Loud } else { Weight::Quiet };
        let text = match after.when {
            WatchWhen::Never => format!("{{is}} no longer watched ({} before)", times(before.when)),
            when => format!("{{is}} watched {}, {} before", times(when), times(before.when)),
        };
        said.push((weight, text, &["watch", "when"]));
    }
    if before.window_s != after.window_s {
        let (was, is) = (before.window_s, after.window_s);
        let text = format!("{{is}} watched in windows of {is} s instead of {was} s");
        said.push((Weight::Quiet, text, &["watch", "window"]));
    }
    said.extend(zones(before, after).map(|text| (Weight::Quiet, text, &["zones"][..])));
    said
}

fn times(when: WatchWhen) -> &'static str {
    match when {
        WatchWhen::Always => "always",
        WatchWhen::Open => "only while open",
        WatchWhen::Closed => "only while closed",
        WatchWhen::Never => "never",
    }
}

fn zones(before: &WatchCamera, after: &WatchCamera) -> Option<String> {
    let mut parts = Vec::new();
    for zone in &after.zones {
        match before.zones.iter().find(|it| it.id == zone.id) {
            None => parts.push(format!("a new zone `{}`", zone.id)),
            Some(was) if was != zone => {
                parts.push(format!("zone `{}` elsewhere in the picture", zone.id));
            }
            Some(_) => {}
        }
    }
    let gone = before.zones.iter().filter(|it| !after.zones.iter().any(|zone| zone.id == it.id));
    parts.extend(gone.map(|zone| format!("no zone `{}` any more", zone.id)));
    (!parts.is_empty()).then(|| format!("{{is}} watched with {}", parts.join(", ")))
}

fn hours(before: &Hours, after: &Hours) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sentence =
        |key: &str, text: String| finding(Weight::Quiet, text, vec![vec![key.to_owned()]]);
    if before.timezone != after.timezone {
        let (was, is) = (&before.timezone, &after.timezone);
        let means = if after.is_always_open() { "" } else { ", by which it opens and closes" };
        let text = format!("the store's time zone is {is} instead of {was}{means}");
        findings.push(sentence("timezone", text));
    }
    let changed = changed_hours(before, after);
    if !changed.is_empty() {
        let text = format!("the store is open at other times: {}", changed.join("; "));
        findings.push(sentence("hours", text));
    }
    findings
}

fn changed_hours(before: &Hours, after: &Hours) -> Vec<String> {
    if before.is_always_open() || after.is_always_open() {
        return match (before.is_always_open(), after.is_always_open()) {
            (true, false) => vec!["no longer always".to_owned()],
            (false, true) => vec!["always".to_owned()],
            _ => Vec::new(),
        };
    }
    let mut runs: Vec<(usize, usize, String)> = Vec::new();
    for at in 0..DAYS.len() {
        let (was, is) = (spans(before.week.get(at)), spans(after.week.get(at)));
        let text = format!("{is} instead of {was}");
        match runs.last_mut() {
            _ if was == is => {}
            Some((_, last, same)) if *last + 1 == at && *same == text => *last = at,
            _ => runs.push((at, at, text)),
        }
    }
    let day = |at: usize| DAYS.get(at).copied().unwrap_or_default();
    let run = |(first, last, text): (usize, usize, String)| match last - first {
        0 => format!("{} {text}", day(first)),
        _ => format!("{}-{} {text}", day(first), day(last)),
    };
    let mut changed: Vec<_> = runs.into_iter().map(run).collect();
    let dates: std::collections::BTreeSet<_> =
        before.dates.keys().chain(after.dates.keys()).collect();
    for date in dates {
        let on = |hours: &Hours| {
            let spans_on = hours.dates.get(date).map(|it| spans(Some(it)));
            spans_on.unwrap_or_else(|| "as its weekday".to_owned())
        };
        let (was, is) = (on(before), on(after));
        if was != is {
            changed.push(format!("{date} {is} instead of {was}"));
        }
    }
    changed
}

fn spans(spans: Option<&Vec<Span>>) -> String {
    let all: Vec<_> = spans.into_iter().flatten().map(Span::to_string).collect();
    if all.is_empty() { "closed".to_owned() } else { all.join(", ") }
}
