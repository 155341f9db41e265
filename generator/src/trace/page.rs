//! A trace as people read it: from the event down to each person's message.

use std::fmt::Write;

use contract::alert::{SMS_SEPTETS_MAX, septets};
use contract::case::EvidenceStatus;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Trace, Tried, Verdict};
use crate::model::Channel;
use crate::paragraph::{WIDTH, wrapped_to};
use crate::trial::{NoCase, Opened, Sent, Told};

/// Most characters of a pattern that are shown.
const PATTERN_CHARACTERS_MAX: usize = 400;

/// Draws a trace; every line ends with a line break.
pub fn page(trace: &Trace<'_>) -> String {
    let mut text = head(trace);
    text.push('\n');
    section(&mut text, "rules", &rules(trace));
    for rule in &trace.outcome.matched {
        section(&mut text, "pattern", &pattern(&rule.id, &rule.pattern));
    }
    text.push('\n');
    section(&mut text, "case", &case_or_not(trace));
    text.push('\n');
    if trace.outcome.alerts.is_empty() {
        section(&mut text, "alert", "none\n");
    }
    for sent in &trace.outcome.alerts {
        section(&mut text, "alert", &format!("{}\n", sent.alert.texts.default));
        for told in groups(&sent.told) {
            text.push('\n');
            section(&mut text, "told", &message(sent, &told));
        }
    }
    untold(&mut text, trace);
    for (index, note) in trace.notes.iter().enumerate() {
        if index == 0 {
            text.push('\n');
        }
        section(&mut text, "note", &within("", note));
    }
    text
}

/// The case, or why there is none.
fn case_or_not(trace: &Trace<'_>) -> String {
    let error = match &trace.outcome.result {
        Ok(opened) => return case(trace, opened),
        Err(error) => error,
    };
    let after = match error {
        NoCase::NotADetection(_) => "; the message goes to the dead letters of `incidents`",
        NoCase::Unmatched => "",
    };
    within("", &format!("none: {error}{after}"))
}

/// Everybody whom the alert does not reach, by the reason.
fn untold(text: &mut String, trace: &Trace<'_>) {
    let mut reasons: Vec<&str> = trace.untold.iter().map(|it| it.reason.as_str()).collect();
    reasons.dedup();
    for reason in reasons {
        let mut lines = within("", reason);
        for untold in trace.untold.iter().filter(|it| it.reason == reason) {
            let who = match untold.subscriber {
                None => format!("  audience `{}`\n", untold.audience),
                Some(it) => {
                    format!("  {} {} {}\n", untold.audience, it.channel.as_str(), it.endpoint)
                }
            };
            lines.push_str(&who);
        }
        text.push('\n');
        section(text, "not told", &lines);
    }
}

/// Widest word before a section, and two spaces.
const INDENT: usize = 11;

/// A paragraph for a section.
pub(super) fn within(mark: &str, text: &str) -> String {
    wrapped_to(WIDTH - INDENT, mark, text)
}

/// A word and its lines beside it.
pub(super) fn section(text: &mut String, word: &str, lines: &str) {
    for (number, line) in lines.lines().enumerate() {
        let word = if number == 0 { word } else { "" };
        let line = format!("{word:<INDENT$}{line}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// The store, and the event as people would say it.
fn head(trace: &Trace<'_>) -> String {
    let store = trace.store;
    let period = store.hours.period_at(trace.event.at_ms).as_str();
    let at = local(trace, trace.event.at_ms, "%a %-d %b %Y, %H:%M:%S %Z");
    let mut text = String::new();
    section(&mut text, "store", &format!("{} ({}), {period} at {at}", store.id, store.name));
    let detail = trace.event.detail();
    let known = ["event_type", "confidence", "camera", "aisle", "aisle_kind", "zone", "period"];
    let fields = known.iter().filter_map(|field| {
        let value = detail.get(field)?;
        // A text is shown bare where only a text is meant.
        let bare = value.as_str().filter(|_| *field != "confidence");
        Some(format!("{field} {}", bare.map_or_else(|| value.to_string(), str::to_owned)))
    });
    let fields = fields.collect::<Vec<_>>().join(", ");
    let fields = if fields.is_empty() { "nothing that rules look at".to_owned() } else { fields };
    section(&mut text, "event", &within("", &fields));
    text
}

fn rules(trace: &Trace<'_>) -> String {
    let width = trace.tried.iter().map(|it| it.name.len()).max().unwrap_or_default();
    let digits = trace.tried.len().to_string().len();
    let line = |(index, tried): (usize, &Tried<'_>)| {
        let mark = format!("{:>digits$}. {:<width$}  ", index + 1, tried.name);
        match &tried.verdict {
            Verdict::Matches(rule) => {
                let told = match rule.notify.as_slice() {
                    _ if rule.shadow => "shadow, tells nobody".to_owned(),
                    [] => "tells nobody".to_owned(),
                    audiences => format!("tells {}", audiences.join(", ")),
                };
                format!("{mark}MATCHES  priority {}, {told}\n", rule.priority)
            }
            Verdict::Misses(misses) => within(&format!("{mark}no       "), &misses.join("; ")),
            Verdict::Taken => format!("{mark}-        an earlier rule took it\n"),
        }
    };
    trace.tried.iter().enumerate().map(line).collect()
}

/// The pattern as it stands in the template.
fn pattern(id: &str, pattern: &Value) -> String {
    let json = pattern.to_string();
    let shown: String = json.chars().take(PATTERN_CHARACTERS_MAX).collect();
    let more = if shown.len() < json.len() { " ..." } else { "" };
    let lines = broken(&shown).into_iter().map(|line| format!("  {line}"));
    format!("of the EventBridge rule `{id}`\n{}{more}\n", lines.collect::<Vec<_>>().join("\n"))
}

/// Compact JSON in lines, broken between its entries.
fn broken(json: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = json;
    while !rest.is_empty() {
        let ends = [",\"", ",{", ",["].iter().filter_map(|end| rest.find(end)).min();
        let (entry, after) = rest.split_at(ends.map_or(rest.len(), |end| end + 1));
        let last = lines.last_mut().expect("there is a first line");
        if last.is_empty() || last.len() + entry.len() <= WIDTH - INDENT - 2 {
            last.push_str(entry);
        } else {
            lines.push(entry.to_owned());
        }
        rest = after;
    }
    lines
}

fn case(trace: &Trace<'_>, opened: &Opened) -> String {
    let case = &opened.case;
    let mut text = format!("{} opened, priority {}, status OPEN\n", case.case_id, case.priority);
    let evidence = &case.evidence;
    let is_own = |id: &String| trace.store.cameras.iter().any(|it| it.id.as_str() == id);
    if let Some(id) = case.camera.as_ref().filter(|id| !is_own(id)) {
        text.push_str(&within("", &format!("no clip: the store has no camera `{id}`")));
        return text;
    }
    if evidence.status == EvidenceStatus::Failed {
        let reason = evidence.reason.as_deref().unwrap_or("no camera is known");
        let line = format!("no clip: {reason}");
        text.push_str(&within("", &line));
        return text;
    }
    let clock = |at: &str| {
        let at = at.parse::<Timestamp>().map(Timestamp::as_millisecond);
        local(trace, at.unwrap_or_default(), "%H:%M:%S")
    };
    let settings = trace.store.evidence;
    let line = format!(
        "clip {} to {}, locked {} days ({}): {}",
        clock(&evidence.start),
        clock(&evidence.end),
        settings.keep_days,
        settings.lock.as_str(),
        evidence.key
    );
    text.push_str(&within("", &line));
    text
}

/// Those who get the same words by the same channel, together.
fn groups<'t, 'a>(all: &'t [Told<'a>]) -> Vec<Vec<&'t Told<'a>>> {
    let mut groups: Vec<Vec<&Told<'_>>> = Vec::new();
    for told in all {
        let is_same = |it: &&Told<'_>| (it.channel, &it.text) == (told.channel, &told.text);
        match groups.iter_mut().find(|group| group.iter().any(is_same)) {
            Some(group) => group.push(told),
            None => groups.push(vec![told]),
        }
    }
    groups
}

/// Addresses with the words that they get.
fn message(sent: &Sent<'_>, group: &[&Told<'_>]) -> String {
    let mut text = String::new();
    for told in group {
        let audiences = told.audiences.iter().copied().collect::<Vec<_>>().join(", ");
        let address = format!("{audiences} {} {}\n", told.channel.as_str(), told.endpoint);
        text.push_str(&address);
    }
    let Some(told) = group.first() else { return text };
    let mut line = |line: &str| writeln!(text, "  {line}").expect("a text takes everything");
    match told.channel {
        Channel::Email => {
            line(&format!("Subject: {}", sent.alert.texts.subject));
            told.text.lines().for_each(line);
        }
        Channel::Sms => {
            line(&told.text);
            let used = septets(&told.text);
            line(&format!("({used} of {SMS_SEPTETS_MAX} characters)"));
        }
        Channel::Https | Channel::Push => {
            for part in broken(&told.text) {
                line(&part);
            }
        }
    }
    text
}

/// A moment in the store's own time.
fn local(trace: &Trace<'_>, at_ms: i64, format: &str) -> String {
    let zone = TimeZone::get(&trace.store.hours.timezone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.to_zoned(zone).strftime(format).to_string()
}
