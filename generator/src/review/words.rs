//! The sentences and short forms that every page of a review has in common.
//!
//! What people read is made of data from anywhere: names of stores, deployed templates. No control
//! character and nothing that turns the direction of writing comes through [`plain`], so that no page
//! can be made to show other than what it says. To say something otherwise in all formats, change it here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Cause, Class, Finding, Group, Review, STORE, Subject, Tally, Weight};
use crate::change::{Action, Effect, PropertyChange};
use crate::paragraph::shortened;
use crate::quota::{plural, thousands};

/// Subjects that are named before the rest is counted. Our choice: they fit a line.
pub(super) const NAMED_MAX: usize = 3;
/// Longest value that is shown whole, in characters. Our choice: two of them and a path fit a line.
const VALUE_MAX: usize = 48;

/// How much a page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What is alike is summed up; long lists are cut, with counts.
    Summary,
    /// Everything.
    All,
}

/// Whether there is nothing to tell but, perhaps, what could not be compared.
pub fn is_empty(review: &Review) -> bool {
    let Tally { added, changed, removed, replaced, .. } = review.stacks;
    let cost = review.costs.as_ref().is_none_or(|it| it.before_cents == it.after_cents);
    review.findings.is_empty()
        && review.changes.is_empty()
        && added + changed + removed + replaced == 0
        && cost
}

/// What the change does, in one sentence without its full stop.
pub fn headline(review: &Review) -> String {
    if is_empty(review) {
        return match review.omissions.len() {
            0 => "no change".to_owned(),
            _ => "no change in what could be compared".to_owned(),
        };
    }
    format!("{}: {}", stacks(review), outcome(review))
}

/// The half of it that tells of resources and money.
pub(super) fn outcome(review: &Review) -> String {
    let resources = resources(&review.resources);
    let mut parts =
        vec![if resources.is_empty() { "no resource changes".to_owned() } else { resources }];
    parts.extend(
        review.costs.as_ref().map(|it| difference(it.after_cents.saturating_sub(it.before_cents))),
    );
    parts.join("; ")
}

/// `3 stores change, 1 is new`; of stacks, where there are others than stores among them.
pub(super) fn stacks(review: &Review) -> String {
    let Tally { added, changed, removed, .. } = review.stacks;
    let mut seen: BTreeSet<&Subject> = review.changes.iter().flat_map(|it| &it.subjects).collect();
    seen.retain(|it| !matches!(it, Subject::Home(_)));
    let is_store = |it: &&Subject| matches!(it, Subject::Store(_));
    let (stores, others) = (seen.iter().filter(|it| is_store(it)).count(), seen.len());
    let is_known = others == added + changed + removed && others > 0;
    let noun = if is_known && stores == others { "store" } else { "stack" };
    let mut parts = Vec::new();
    let all = [
        (changed, "changes", "change"),
        (added, "is new", "are new"),
        (removed, "is gone", "are gone"),
    ];
    for (number, one, many) in all {
        if number == 0 {
            continue;
        }
        let verb = if number == 1 { one } else { many };
        let counted = if parts.is_empty() { count(number, noun) } else { thousands_of(number) };
        parts.push(format!("{counted} {verb}"));
    }
    if parts.is_empty() {
        return "no stack changes".to_owned();
    }
    let mut text = parts.join(", ");
    let platforms = seen.iter().filter(|it| matches!(it, Subject::Platform(_))).count();
    if noun == "stack" && is_known && stores > 0 && stores + platforms == others {
        text.extend([format!(" ({}, {})", count(stores, "store"), count(platforms, "platform"))]);
    }
    text
}

/// `41 resources to add, 2 to change`; empty when there is none.
fn resources(tally: &Tally) -> String {
    let all = [
        (tally.added, "to add"),
        (tally.changed, "to change"),
        (tally.replaced, "to replace"),
        (tally.removed, "to remove"),
    ];
    let mut parts: Vec<String> = Vec::new();
    for (number, verb) in all.into_iter().filter(|(number, _)| *number > 0) {
        let counted =
            if parts.is_empty() { count(number, "resource") } else { thousands_of(number) };
        parts.push(format!("{counted} {verb}"));
    }
    parts.join(", ")
}

/// `+$412 a month`.
pub(super) fn difference(cents: i64) -> String {
    match cents {
        0 => "no change in cost".to_owned(),
        more if more > 0 => format!("+{} a month", dollars(more)),
        less => format!("{} a month", dollars(less)),
    }
}

/// `$1,204`, `-$38`, `$0.42`: cents where there are less than ten dollars.
pub(super) fn dollars(cents: i64) -> String {
    /// Below this, in cents, the cents are shown. Our choice: they are a percent or more of it.
    const CENTS_BELOW: u64 = 1_000;
    let size = cents.unsigned_abs();
    let sign = if cents < 0 { "-" } else { "" };
    if size < CENTS_BELOW {
        return format!("{sign}${}.{:02}", size / 100, size % 100);
    }
    format!("{sign}${}", thousands((size + 50) / 100))
}

/// `1 store`, `2,000 stores`.
pub(super) fn count(number: usize, noun: &str) -> String {
    plural(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

/// `2,000`.
pub(super) fn thousands_of(number: usize) -> String {
    thousands(u64::try_from(number).unwrap_or(u64::MAX))
}

/// How a reader of problems sorts a finding: what is lost comes first, then what must not be overlooked.
pub(super) fn level(finding: &Finding) -> &'static str {
    match (finding.weight, finding.class) {
        (Weight::Loud, Class::DataLoss | Class::Replacement) => "error",
        (Weight::Loud, _) => "warning",
        (Weight::Quiet, _) => "note",
    }
}

/// The words above a class's findings.
pub(super) fn title(class: Class) -> &'static str {
    match class {
        Class::DataLoss => "data loss",
        Class::Replacement => "replacement",
        Class::Access => "access",
        Class::People => "people",
        Class::Rules => "rules",
        Class::Cost => "cost",
        Class::Quota => "quota",
        Class::Other => "other",
    }
}

/// What a class is about, for those who see it for the first time.
pub(super) fn meaning(class: Class) -> &'static str {
    match class {
        Class::DataLoss => {
            "video, cases, evidence or logs that are gone or out of reach afterwards"
        }
        Class::Replacement => "what is made anew",
        Class::Access => "who may do what in AWS",
        Class::People => "who is told of what",
        Class::Rules => "which detections are treated otherwise",
        Class::Cost => "what a month costs",
        Class::Quota => "what no longer fits the account",
        Class::Other => "what else to know",
    }
}

/// The findings of a class, the loud ones first.
pub(super) fn of_class(review: &Review, class: Class) -> Vec<&Group<Finding>> {
    let mut found: Vec<_> = review.findings.iter().filter(|it| it.what.class == class).collect();
    found.sort_by_key(|it| it.what.weight);
    found
}

/// How many of them are loud.
pub(super) fn loud(findings: &[&Group<Finding>]) -> usize {
    findings.iter().filter(|it| it.what.weight == Weight::Loud).count()
}

/// A text of a group: with the store's id where there is only one store.
pub(super) fn text_for(text: &str, subjects: &[Subject]) -> String {
    match subjects {
        [Subject::Store(id)] => plain(&text.replace(STORE, id)),
        _ => plain(text),
    }
}

/// `in seattle-001`, `in 212 stores: a, b, c and 209 more`; empty for none.
pub(super) fn places(subjects: &[Subject], detail: Detail) -> String {
    let stores: Vec<_> = subjects
        .iter()
        .filter_map(|it| if let Subject::Store(id) = it { Some(plain(id)) } else { None })
        .collect();
    let others: Vec<_> =
        subjects.iter().filter(|it| !matches!(it, Subject::Store(_))).map(subject).collect();
    let mut parts = Vec::new();
    if !others.is_empty() {
        parts.push(named(&others, detail));
    }
    match stores.len() {
        0 => {}
        1 => parts.push(named(&stores, detail)),
        number => parts.push(format!("{}: {}", count(number, "store"), named(&stores, detail))),
    }
    if parts.is_empty() { String::new() } else { format!("in {}", parts.join(", and in ")) }
}

/// `a, b, c and 209 more`.
pub(super) fn named(names: &[String], detail: Detail) -> String {
    // One name takes no more room than "1 more" does.
    if detail == Detail::All || names.len() <= NAMED_MAX + 1 {
        return names.join(", ");
    }
    let first: Vec<_> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    format!("{} and {} more", first.join(", "), thousands_of(names.len() - NAMED_MAX))
}

/// One stack, or account and region, in words.
pub(super) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Platform(cell) => format!("the platform of {}", plain(cell)),
        Subject::Artifacts(cell) => format!("the artifacts of {}", plain(cell)),
        Subject::Store(id) => plain(id),
        Subject::Home(home) => format!("account {}", plain(home)),
    }
}

/// `stores/seattle-001.yaml:17`.
pub(super) fn place(cause: &Cause) -> String {
    format!("{}:{}", file(cause), cause.line)
}

/// A cause's file; a folder given as `./stores` makes no other file.
pub(super) fn file(cause: &Cause) -> String {
    plain(cause.file.strip_prefix("./").unwrap_or(&cause.file))
}

/// What was done at a cause, and that the line is gone where it is.
pub(super) fn done(cause: &Cause) -> String {
    let text = plain(&cause.text);
    match (cause.is_before, text.is_empty()) {
        (false, _) => text,
        (true, true) => "before".to_owned(),
        (true, false) => format!("{text} (before)"),
    }
}

/// What happens to a resource, as a verb.
pub(super) fn verb(action: Action) -> &'static str {
    match action {
        Action::Add => "add",
        Action::Remove => "remove",
        Action::Replace => "replace",
        Action::MayReplace => "may replace",
        Action::Update => "change",
        Action::Attributes => "settings",
    }
}

/// `EventPattern.detail.confidence[0]`.
pub(super) fn path(change: &PropertyChange) -> String {
    let mut text = String::new();
    let is_property = change.path.first().is_some_and(|it| it == "Properties");
    let inner = change.path.len() > 1 && is_property;
    for part in change.path.iter().skip(usize::from(inner)) {
        if !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()) {
            text.extend([format!("[{part}]")]);
            continue;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&plain(part));
    }
    text
}

/// `24 -> 48`, and whether that forces a replacement.
pub(super) fn values(change: &PropertyChange, detail: Detail) -> String {
    let text = bare(change, detail);
    match change.effect {
        Effect::None => text,
        Effect::MayReplace => format!("{text}  (may force the replacement)"),
        Effect::Replace => format!("{text}  (forces the replacement)"),
    }
}

/// `24 -> 48`.
pub(super) fn bare(change: &PropertyChange, detail: Detail) -> String {
    let shown = |it: &Value| value(it, detail);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let (before, after) = (raw(before), raw(after));
            let (before, after) =
                if detail == Detail::All { (before, after) } else { apart(&before, &after) };
            format!("{before} -> {after}")
        }
        (None, Some(after)) => format!("{} (new)", shown(after)),
        (Some(before), None) => format!("{} (gone)", shown(before)),
        (None, None) => "changed".to_owned(),
    }
}

/// A value on one line; a long one loses its middle.
fn value(value: &Value, detail: Detail) -> String {
    let text = raw(value);
    if detail == Detail::All { text } else { shortened(&text, VALUE_MAX) }
}

fn raw(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && text.trim() == text => plain(text),
        other => plain(&other.to_string()),
    }
}

/// Two long values, each from shortly before where they differ.
fn apart(before: &str, after: &str) -> (String, String) {
    /// Characters shown of what both begin with. Our choice: a word or two.
    const CONTEXT: usize = 12;
    if before.chars().count().max(after.chars().count()) <= VALUE_MAX {
        return (before.to_owned(), after.to_owned());
    }
    let same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let skipped = same.saturating_sub(CONTEXT);
    let cut = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        let dots = if skipped > 0 { "..." } else { "" };
        let kept: String = rest.chars().take(VALUE_MAX).collect();
        let end = if kept.len() < rest.len() { "..." } else { "" };
        format!("{dots}{kept}{end}")
    };
    (cut(before), cut(after))
}

/// A text on one line that is only what it looks like: line breaks and tabs are spaces, and other
/// control characters and marks that turn the direction of writing are shown as U+FFFD.
pub(super) fn plain(text: &str) -> String {
    let shown = text.chars().map(|it| match it {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        it if it.is_control() => '\u{fffd}',
        it => it,
    });
    shown.collect()
}
