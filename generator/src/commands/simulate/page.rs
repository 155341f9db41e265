//! A simulation for people: what matters as lines of words, then tables, all within [`WIDTH`].
//!
//! Nothing is counted here. To show one more thing of a day, start in [`day`]; two rule sets side by
//! side are in `simulate/beside.rs`.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::{names_of, number_or_dot, row, table};
use super::{Answer, beside};
use crate::paragraph::{WIDTH, shortened, wrapped};
use crate::quota::{plural, thousands};
use crate::simulation::comparison::noun;
use crate::simulation::hours::{CHANNELS, HOURS, Row};
use crate::simulation::line::BadLines;
use crate::simulation::{Silence, Storm, Summary};

/// Narrowest that the names of a row in the table of hours may get. Our choice: an audience, a
/// channel and a phone number; with more hours than fit beside that, there are two tables.
const NAMES_WIDTH_MIN: usize = 42;
/// Longest address that is shown whole, and most that a row of names takes.
const NAMES_WIDTH_MAX: usize = 64;
/// Most kinds of events that are named as unrouted. Our choice: a line or two.
const UNROUTED_MAX: usize = 8;
/// Most cameras that are named as not there. Our choice: a line.
const CAMERAS_MAX: usize = 4;

/// The whole answer.
pub(super) fn text(answer: &Answer<'_>) -> String {
    let now = &answer.now;
    let title = title(now);
    let Some(then) = &answer.then else { return format!("{title}\n\n{}", day(now)) };
    if now.detections + then.summary.detections == 0 {
        let nothing = "nothing to compare: there is no detection among the events";
        return format!("{title}\n\n{}{}", wrapped("  = ", nothing), beside::sentences(then));
    }
    if then.differences.is_empty() {
        let same = format!(
            "nothing changes: the rules of `{}` give these events the same cases and alerts",
            then.reference
        );
        return format!("{title}\n\n{}\n{}", wrapped("  = ", &same), day(now));
    }
    let strange = strange_cameras(now).map(|text| wrapped("  note  ", &text)).unwrap_or_default();
    format!("{title}\n\n{}{strange}", beside::text(then, now))
}

/// Whose day it is.
fn title(summary: &Summary<'_>) -> String {
    let store = summary.store;
    let when = match summary.first_last_ms {
        None => "no events".to_owned(),
        Some((first, last)) => {
            let clock = Clock::of(summary);
            let last = if clock.is_one_day { clock.minute(last) } else { clock.full(last) };
            format!("{} to {last}", clock.full(first))
        }
    };
    format!("{} ({}), {when}, {}", store.name, store.id, store.hours.timezone)
}

/// The lines that are no events, for stderr.
pub(super) fn bad_lines(bad: &BadLines) -> String {
    let mut text = String::new();
    for (line, error) in &bad.shown {
        writeln!(text, "line {line}: {error}").expect("a text takes everything");
    }
    let more = bad.number.saturating_sub(u64::try_from(bad.shown.len()).unwrap_or(u64::MAX));
    if more > 0 {
        writeln!(text, "and {} more", plural(more, "line")).expect("a text takes everything");
    }
    text
}

/// One rule set's day.
fn day(summary: &Summary<'_>) -> String {
    let mut text = words(summary);
    if summary.detections == 0 {
        return text;
    }
    text.push('\n');
    text.push_str(&rules(summary));
    if summary.hearing.messages() > 0 {
        text.push('\n');
        text.push_str(&hours(summary));
    }
    if !summary.storms.is_empty() {
        text.push('\n');
        text.push_str(&storms(summary));
    }
    text
}

fn words(summary: &Summary<'_>) -> String {
    let merged = format!(
        "{}, which became {}; cooldowns merged {} % of them",
        thousands(summary.detections),
        plural(summary.case_count(), "case"),
        summary.joined_percent(),
    );
    if summary.detections == 0 {
        return wrapped("  ", "there is no detection among the events");
    }
    let mut lines = vec![("detections", merged)];
    let by_priority: Vec<_> = summary.cases.iter().rev().collect();
    lines.push(("cases", list(by_priority.iter().map(|(it, number)| (*number, it.to_string())))));
    let hearing = &summary.hearing;
    let by_channel = hearing.by_channel();
    let channels = CHANNELS.into_iter().map(|channel| {
        let number = by_channel.get(&channel).copied().unwrap_or_default();
        let (noun, ending) = noun(channel);
        (number, format!("{noun}{}", if number == 1 { "" } else { ending }))
    });
    let messages = plural(hearing.messages(), "message");
    let alerts = format!("{}, in {messages}: {}", thousands(summary.alerts), list(channels));
    lines.push(("alerts", if hearing.messages() > 0 { alerts } else { thousands(summary.alerts) }));
    if let Some(busiest) = hearing.busiest() {
        let day = if Clock::of(summary).is_one_day {
            String::new()
        } else {
            format!(" on {}", busiest.day)
        };
        lines.push(("busiest hour", format!("{}{day}", busiest.text())));
    }
    lines.extend(silence(summary).map(|text| ("told nobody", text)));
    lines.extend(unrouted(summary).map(|text| ("unrouted", text)));
    lines.extend(notes(summary).into_iter().map(|text| ("note", text)));
    let widest = lines.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    let lines = lines.iter().map(|(key, text)| wrapped(&format!("  {key:<widest$}  "), text));
    lines.collect()
}

/// `3 critical, 20 high`, without what there is none of.
fn list(parts: impl Iterator<Item = (u64, String)>) -> String {
    let parts = parts.filter(|(number, _)| *number > 0);
    let parts: Vec<_> =
        parts.map(|(number, what)| format!("{} {what}", thousands(number))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn silence(summary: &Summary<'_>) -> Option<String> {
    let total: u64 = summary.silent.values().map(|(cases, _)| cases).sum();
    let parts = summary.silent.iter().map(|(reason, (cases, _))| {
        let what = match reason {
            Silence::Unrouted => "unrouted",
            Silence::Shadow => "of a shadow rule",
            Silence::LogOnly => "of a rule with `notify: []`",
            Silence::NoSubscriber => "for an audience without subscriber",
        };
        (*cases, what.to_owned())
    });
    let parts: Vec<_> = parts.collect();
    match parts.as_slice() {
        [] => None,
        [(1, what)] => Some(format!("1 case, {what}")),
        [(_, what)] => Some(format!("{}, all {what}", plural(total, "case"))),
        _ => Some(format!("{}: {}", plural(total, "case"), list(parts.into_iter()))),
    }
}

fn unrouted(summary: &Summary<'_>) -> Option<String> {
    let mut types: Vec<_> = summary.unrouted.iter().collect();
    types.sort_by_key(|(name, number)| (u64::MAX - **number, *name));
    let total: u64 = summary.unrouted.values().sum();
    let more = types.len().saturating_sub(UNROUTED_MAX);
    let named = types.iter().take(UNROUTED_MAX);
    let mut named: Vec<_> =
        named.map(|(name, number)| format!("{name} {}", thousands(**number))).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    (total > 0).then(|| format!("{}: {}", plural(total, "detection"), named.join(", ")))
}

/// What a reader of the file should know.
fn notes(summary: &Summary<'_>) -> Vec<String> {
    let (repeated, elsewhere) = (summary.repeated, summary.elsewhere);
    let without_type = plural(summary.without_type, "event");
    let dropped = plural(summary.dropped, "event");
    let all = [
        (repeated, format!("{} came again and did nothing", plural(repeated, "detection"))),
        (
            elsewhere,
            format!(
                "{} of another store; the bus they are on decides, so they count here",
                plural(elsewhere, "detection")
            ),
        ),
        (
            summary.without_type,
            format!("{without_type} without `event_type`, which the function refuses"),
        ),
        (summary.dropped, format!("{dropped} that no pattern matches, which EventBridge drops")),
        (
            summary.hearing.unheard,
            format!("{} had nobody to go to", plural(summary.hearing.unheard, "alert")),
        ),
    ];
    let all = all.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text);
    all.chain(strange_cameras(summary)).collect()
}

/// That events name cameras which are not there: of another store, or renamed.
fn strange_cameras(summary: &Summary<'_>) -> Option<String> {
    let mut cameras: Vec<_> = summary.strange_cameras.iter().collect();
    cameras.sort_by_key(|(id, number)| (u64::MAX - **number, *id));
    let total: u64 = summary.strange_cameras.values().sum();
    let more = cameras.len().saturating_sub(CAMERAS_MAX);
    let named = cameras.iter().take(CAMERAS_MAX);
    let mut named: Vec<_> =
        named.map(|(id, number)| format!("{id} {}", thousands(**number))).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let (named, of) = (named.join(", "), if total == 1 { "a camera" } else { "cameras" });
    let total_text = plural(total, "detection");
    (total > 0).then(|| format!("{total_text} of {of} that the store does not have: {named}"))
}

fn rules(summary: &Summary<'_>) -> String {
    let mut rows = vec![row(&["rule", "priority", "detections", "cases", "joined", "alerts"])];
    for rule in &summary.rules {
        let name = if rule.shadow { format!("{} (shadow)", rule.name) } else { rule.name.into() };
        let numbers = [rule.detections, rule.cases, rule.joined, rule.alerts];
        rows.push(
            [vec![name, rule.priority.to_string()], numbers.map(number_or_dot).to_vec()].concat(),
        );
    }
    table(&rows, 2, "  ")
}

/// Messages of each address by the hour, in as many tables as it takes.
fn hours(summary: &Summary<'_>) -> String {
    let rows = &summary.hearing.rows;
    let of = |row: &Row<'_>, hour: usize| row.hours.get(hour).copied().unwrap_or_default();
    let used: Vec<usize> =
        (0..HOURS).filter(|hour| rows.iter().any(|row| of(row, *hour) > 0)).collect();
    let most = rows.iter().flat_map(|row| row.hours).max().unwrap_or_default();
    let column = thousands(most).len().max(2) + 1;
    let total = rows.iter().map(|row| thousands(row.total()).len()).max().unwrap_or_default();
    let total = total.max("all".len()) + 2;
    let fit = (WIDTH - 2 - NAMES_WIDTH_MIN - total) / column;
    let tables = used.len().div_ceil(fit).max(1);
    let each = used.len().div_ceil(tables).max(1);
    let names = (WIDTH - 2 - total - each * column).min(NAMES_WIDTH_MAX);
    let names = names_of(rows, names);
    let mut text = String::new();
    for (index, chunk) in used.chunks(each).enumerate() {
        let is_last = index + 1 == tables;
        let title = ["messages by hour".to_owned()].into_iter();
        let hours = chunk.iter().map(|hour| format!("{hour:02}"));
        let mut lines =
            vec![title.chain(hours).chain(is_last.then(|| " all".to_owned())).collect::<Vec<_>>()];
        for (name, row) in names.iter().zip(rows) {
            let all = is_last.then(|| format!(" {}", number_or_dot(row.total())));
            let numbers = chunk.iter().map(|hour| number_or_dot(of(row, *hour)));
            lines.push([name.clone()].into_iter().chain(numbers).chain(all).collect());
        }
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&table(&lines, 1, " "));
    }
    text
}

fn storms(summary: &Summary<'_>) -> String {
    let clock = Clock::of(summary);
    let mut rows =
        vec![row(&["most detections in one case", "from", "to", "detections", "alerts"])];
    for storm in &summary.storms {
        rows.push(vec![
            seen(storm),
            clock.short(storm.first_ms),
            clock.short(storm.last_ms),
            thousands(storm.detections),
            number_or_dot(storm.alerts),
        ]);
    }
    table(&rows, 1, "  ")
}

fn seen(storm: &Storm) -> String {
    let place = storm.place.as_deref().map_or(String::new(), |place| format!(" at {place}"));
    let what = shortened(&format!("{}{place}", storm.event_type), NAMES_WIDTH_MIN);
    format!("{what}, case {}", storm.case_id)
}

/// The store's own clock.
struct Clock {
    zone: TimeZone,
    is_one_day: bool,
}

impl Clock {
    fn of(summary: &Summary<'_>) -> Self {
        let zone = TimeZone::get(&summary.store.hours.timezone).unwrap_or(TimeZone::UTC);
        let mut clock = Self { zone, is_one_day: true };
        let day = |ms| clock.local(ms).date();
        clock.is_one_day =
            summary.first_last_ms.is_none_or(|(first, last)| day(first) == day(last));
        clock
    }

    fn local(&self, ms: i64) -> jiff::Zoned {
        Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(self.zone.clone())
    }

    fn full(&self, ms: i64) -> String {
        self.local(ms).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn minute(&self, ms: i64) -> String {
        self.local(ms).strftime("%H:%M").to_string()
    }

    /// The time alone, where all is on one day.
    fn short(&self, ms: i64) -> String {
        if self.is_one_day {
            self.local(ms).strftime("%H:%M:%S").to_string()
        } else {
            self.full(ms)
        }
    }
}
