//! A whole stack that comes or goes, in one sentence about what it holds.
//!
//! The rule: a stack whose file is gone is not deleted by anything here; what its deletion would
//! lose is told for whoever deletes it by hand. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::noun::{Nouns, kind, tag};
use super::super::{Class, Finding, Weight, path};
use super::hold::{VIDEO_HOURS_DEFAULT, holding, number};
use super::{about, finding, is_kept};
use crate::change::resource_type::words;
use crate::name::CELL_TAG;
use crate::template::Template;

/// Of a stack that is in no file any more.
pub(super) fn removed(template: &Template) -> Finding {
    let nouns = Nouns::new(template, None);
    let kept = contents(template, is_kept);
    let lost = contents(template, |it| !is_kept(it));
    let cameras = cameras(template);
    let goes_on = match (nouns.is_store(), cameras) {
        (true, 1) => "its camera goes on being watched, and costs".to_owned(),
        (true, count) => format!("its {count} cameras go on being watched, and cost"),
        (false, _) => "it goes on running, and costs".to_owned(),
    };
    let what = if nouns.is_store() { "the store" } else { "the stack" };
    let kept = said("leave outside every stack:", &kept);
    let parts: Vec<_> = kept.into_iter().chain(said("delete", &lost)).collect();
    let end = match &parts[..] {
        [] => "deleting its stack would lose no data".to_owned(),
        parts => format!("deleting its stack would {}", parts.join("; and would ")),
    };
    let text = format!(
        "{what} is in no file any more: `arm deploy` leaves its stack as it is, so {goes_on}; {end}"
    );
    let mut finding = finding(Weight::Loud, text);
    let first = template.resources().find(|(_, it)| tag(it, CELL_TAG).is_some());
    finding.about = if nouns.is_store() {
        vec![path(&["store"])]
    } else {
        first.map(|(_, it)| about(it, None)).unwrap_or_default()
    };
    finding
}

/// Of a stack that is new.
pub(super) fn added(template: &Template) -> Finding {
    let nouns = Nouns::new(template, None);
    let all = contents(template, |_| true);
    let what = if nouns.is_store() { "a new store" } else { "a new stack" };
    let text = said(&format!("{what}: it holds"), &all);
    let text = text.unwrap_or_else(|| format!("{what}: it holds no data"));
    let mut finding = finding(Weight::Quiet, text);
    finding.class = Class::Other;
    if nouns.is_store() {
        finding.about = vec![path(&["store"])];
    }
    finding
}

/// What the resources that are chosen hold; of many of a type, how many there are.
fn contents(template: &Template, chosen: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut counts: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    let mut all = Vec::new();
    for (id, resource) in template.resources().filter(|(_, it)| chosen(it)) {
        let Some(held) = holding(id, resource) else { continue };
        if ["AWS::S3::Bucket", "AWS::DynamoDB::Table"].contains(&kind(resource)) {
            all.push(held);
            continue;
        }
        let hours = number(resource, "DataRetentionInHours").unwrap_or(VIDEO_HOURS_DEFAULT);
        let (count, longest) = counts.entry(kind(resource)).or_default();
        (*count, *longest) = (*count + 1, hours.max(*longest));
    }
    all.extend(counts.into_iter().map(|(kind, (count, hours))| {
        let names = words(kind);
        let name = match count {
            1 => names.map_or("resource", |it| it.one),
            _ => names.map_or("resources", |it| it.many),
        };
        let video = match hours {
            0 => String::new(),
            hours => {
                format!(" with up to {hours} h of video{}", if count == 1 { "" } else { " each" })
            }
        };
        format!("{count} {name}{video}")
    }));
    all
}

fn cameras(template: &Template) -> usize {
    let streams = template.resources().filter(|(_, it)| kind(it) == "AWS::KinesisVideo::Stream");
    streams
        .filter(|(_, it)| number(it, "DataRetentionInHours") != Some(VIDEO_HOURS_DEFAULT))
        .count()
}

fn said(before: &str, all: &[String]) -> Option<String> {
    (!all.is_empty()).then(|| format!("{before} {}", all.join(", ")))
}
