//! The same events under two rule sets: what is different now, as sentences, the weightiest first.
//!
//! "Now" are the rules of the folder, "then" those of a commit. A sentence tells what people will
//! notice, not which line of YAML changed; equal sums at other hours are a difference too. What may be
//! missed comes first, then the order is that of [`Kind`], and within a kind the larger number comes
//! first. Pure.
//!
//! Who hears of it is in `comparison/people.rs`, what no event shows in `comparison/setting.rs`.

mod people;
mod setting;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use contract::incident::UNROUTED;
use contract::priority::Priority;

use super::{Routed, Summary};
use crate::model::Channel;
use crate::quota::{plural, thousands};

/// Most places that a sentence names. Our choice: more are a list and no sentence.
const PLACES_MAX: usize = 3;

/// What a difference is about, the weightiest first. Our choice of order: first whom nobody hears of,
/// then what people must do, then what it costs, then what only looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Dropped,
    Unrouted,
    NobodyTold,
    Shadow,
    CriticalCases,
    Priority,
    Sms,
    Cases,
    Messages,
    Address,
    BusiestHour,
    Merged,
    Rule,
    Elsewise,
    Words,
    Evidence,
}

impl Kind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Unrouted => "unrouted",
            Self::NobodyTold => "nobody-told",
            Self::Shadow => "shadow",
            Self::CriticalCases => "critical-cases",
            Self::Priority => "priority",
            Self::Sms => "sms",
            Self::Cases => "cases",
            Self::Messages => "messages",
            Self::Address => "address",
            Self::BusiestHour => "busiest-hour",
            Self::Merged => "merged",
            Self::Rule => "rule",
            Self::Elsewise => "elsewise",
            Self::Words => "words",
            Self::Evidence => "evidence",
        }
    }
}

/// One thing that is different, in a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub kind: Kind,
    /// How much of it; the larger comes first.
    weight: u64,
    /// Whether something may be missed now that was not before.
    is_missed: bool,
    pub text: String,
}

impl Difference {
    fn new(kind: Kind, weight: u64, text: String) -> Self {
        Self { kind, weight, is_missed: false, text }
    }

    /// Whether something may be missed by it.
    fn missed(self, is_missed: bool) -> Self {
        Self { is_missed, ..self }
    }
}

/// Detections that two rule sets route differently.
#[derive(Clone, Debug, Default)]
pub struct Moves<'a> {
    /// How many there are of each, by the place.
    moves: BTreeMap<Move<'a>, BTreeMap<Option<String>, u64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Move<'a> {
    event_type: String,
    /// Rule and priority.
    then: (&'a str, Priority),
    now: (&'a str, Priority),
}

impl Move<'_> {
    fn is_unrouted(&self) -> bool {
        self.then.0 == UNROUTED || self.now.0 == UNROUTED
    }
}

impl<'a> Moves<'a> {
    /// Notes how one event was routed by the rules of then and of now.
    pub fn put(&mut self, then: &Routed<'a>, now: Routed<'a>) {
        let (before, after) = ((then.rule, then.priority), (now.rule, now.priority));
        if before != after {
            let moved = Move { event_type: now.event_type, then: before, now: after };
            *self.moves.entry(moved).or_default().entry(now.place).or_default() += 1;
        }
    }
}

/// All that is different, what may be missed first; empty when nothing is.
pub fn differences(then: &Summary<'_>, now: &Summary<'_>, moves: &Moves<'_>) -> Vec<Difference> {
    let mut found = cases(then, now);
    found.extend(dropped(then, now));
    found.extend(unrouted(moves));
    found.extend(people::unheard(then, now));
    found.extend(priorities(moves));
    found.extend(rules(moves));
    found.extend(people::told(then, now));
    found.extend(people::addresses(then, now));
    found.extend(busiest(then, now));
    found.extend(merged(then, now));
    let heard = |it: &Summary<'_>| {
        let rows = it.hearing.rows.iter().filter(|row| row.total() > 0);
        rows.map(|row| (row.channel, row.endpoint.to_string(), row.hours)).collect::<BTreeSet<_>>()
    };
    if found.is_empty() && heard(then) != heard(now) {
        let text = "as many messages as then come at other hours".to_owned();
        found.push(Difference::new(Kind::Elsewise, 0, text));
    }
    found.extend(setting::shadows(then, now));
    found.extend(setting::words(then, now));
    found.extend(setting::evidence(then, now));
    found.sort_by(|a, b| {
        let key = |it: &Difference| (!it.is_missed, it.kind, Reverse(it.weight));
        key(a).cmp(&key(b)).then_with(|| a.text.cmp(&b.text))
    });
    found
}

/// Cases of each priority; the higher one weighs more, however many there are.
fn cases(then: &Summary<'_>, now: &Summary<'_>) -> Vec<Difference> {
    let pairs = then.cases.iter().zip(&now.cases);
    let changed = pairs.filter(|((_, then), (_, now))| then != now);
    let found = changed.map(|((priority, then), (_, now))| {
        let is_critical = *priority == Priority::Critical;
        let kind = if is_critical { Kind::CriticalCases } else { Kind::Cases };
        let text = more_or_fewer(*then, *now, &format!("{priority} case"), "s");
        Difference::new(kind, u64::from(priority.rank()), text).missed(is_critical && now < then)
    });
    found.collect()
}

/// Events that reach no rule of the bus, not even `unrouted`.
fn dropped(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let (before, after) = (then.dropped, now.dropped);
    let events = plural(after, "event");
    let text = format!("EventBridge drops {events} instead of {}", thousands(before));
    let found = Difference::new(Kind::Dropped, after, text).missed(after > before);
    (before != after).then_some(found)
}

fn unrouted(moves: &Moves<'_>) -> Vec<Difference> {
    let of = |is_now: bool| {
        let fell = moves.moves.iter().filter(|(it, _)| it.is_unrouted());
        let fell = fell.filter(|(it, _)| (it.now.0 == UNROUTED) == is_now);
        let mut total = 0;
        let mut named: BTreeMap<&str, BTreeMap<Option<String>, u64>> = BTreeMap::new();
        for (moved, places) in fell {
            let known = named.entry(&moved.event_type).or_default();
            for (place, count) in places {
                *known.entry(place.clone()).or_default() += count;
                total += count;
            }
        }
        let named: Vec<_> =
            named.iter().map(|(event_type, places)| seen(event_type, places)).collect();
        (total, named.join("; "))
    };
    let (fell, what_fell) = of(true);
    let (rose, what_rose) = of(false);
    let falls = if fell == 1 { "falls" } else { "fall" };
    let are = if rose == 1 { "is" } else { "are" };
    let falls = format!("{} {falls} to unrouted now: {what_fell}", plural(fell, "detection"));
    let rises = format!("{} {are} no longer unrouted: {what_rose}", plural(rose, "detection"));
    let mut found = vec![
        Difference::new(Kind::Unrouted, fell, falls).missed(true),
        Difference::new(Kind::Unrouted, rose, rises),
    ];
    found.retain(|it| it.weight > 0);
    found
}

fn priorities(moves: &Moves<'_>) -> Vec<Difference> {
    let mut changed: BTreeMap<_, BTreeMap<Option<String>, u64>> = BTreeMap::new();
    for (moved, places) in moves.moves.iter().filter(|(it, _)| !it.is_unrouted()) {
        let (then, now) = (moved.then.1, moved.now.1);
        if then != now {
            let known = changed.entry((&moved.event_type, then, now)).or_default();
            for (place, count) in places {
                *known.entry(place.clone()).or_default() += count;
            }
        }
    }
    let found = changed.iter().map(|((event_type, then, now), places)| {
        let total: u64 = places.values().sum();
        let what = places_of(event_type, places.keys());
        let number = plural(total, "detection");
        let highest = u64::from((*then).max(*now).rank());
        let weight = highest.saturating_mul(1 << 32).saturating_add(total);
        let text = format!("{what}: {now} instead of {then} ({number})");
        Difference::new(Kind::Priority, weight, text).missed(now < then)
    });
    found.collect()
}

/// Detections of another rule at the same priority.
fn rules(moves: &Moves<'_>) -> Vec<Difference> {
    let mut changed: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (moved, places) in moves.moves.iter().filter(|(it, _)| !it.is_unrouted()) {
        if moved.then.1 == moved.now.1 {
            *changed.entry((moved.then.0, moved.now.0)).or_default() +=
                places.values().sum::<u64>();
        }
    }
    let found = changed.iter().map(|((then, now), &total)| {
        let verb = if total == 1 { "matches" } else { "match" };
        let text = format!("{} {verb} `{now}` instead of `{then}`", plural(total, "detection"));
        Difference::new(Kind::Rule, total, text)
    });
    found.collect()
}

/// What one message of a channel is called, and what several end in.
pub fn noun(channel: Channel) -> (&'static str, &'static str) {
    match channel {
        Channel::Sms => ("SMS", ""),
        Channel::Email => ("e-mail", "s"),
        Channel::Https => ("webhook call", "s"),
        Channel::Push => ("push message", "s"),
    }
}

fn busiest(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let text = |it: &Summary<'_>| it.hearing.busiest().map(|it| it.text());
    let (before, after) = (text(then), text(now));
    if before == after {
        return None;
    }
    let after = after.unwrap_or_else(|| "nobody gets any alert".to_owned());
    let before = before.unwrap_or_else(|| "nobody gets any alert".to_owned());
    let text = format!("busiest hour: {after}; before, {before}");
    Some(Difference::new(Kind::BusiestHour, 0, text))
}

fn merged(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let (before, after) = (then.joined_percent(), now.joined_percent());
    let text = format!("cooldowns merge {after} % of the detections instead of {before} %");
    (before != after).then(|| Difference::new(Kind::Merged, 0, text))
}

/// `3 fewer critical cases (2 instead of 5)`.
fn more_or_fewer(then: u64, now: u64, noun: &str, ending: &str) -> String {
    more_or_fewer_parts(then, now, noun, ending).join(" ")
}

fn more_or_fewer_parts(then: u64, now: u64, noun: &str, ending: &str) -> [String; 2] {
    let distance = then.abs_diff(now);
    let more = if now > then { "more" } else { "fewer" };
    let ending = if distance == 1 { "" } else { ending };
    [
        format!("{} {more} {noun}{ending}", thousands(distance)),
        format!("({} instead of {})", thousands(now), thousands(then)),
    ]
}

/// `loitering at Loading Dock (3), Aisle 5 (2)`.
fn seen(event_type: &str, places: &BTreeMap<Option<String>, u64>) -> String {
    let mut counts: Vec<_> = places.iter().collect();
    counts.sort_by_key(|(place, count)| (Reverse(**count), *place));
    let named = counts.iter().take(PLACES_MAX).map(|(place, count)| match place {
        Some(place) => format!("{place} ({})", thousands(**count)),
        None => format!("no known place ({})", thousands(**count)),
    });
    let more = counts.len().saturating_sub(PLACES_MAX);
    let more = if more > 0 { format!(" and {}", plural_more(more)) } else { String::new() };
    format!("{event_type} at {}{more}", named.collect::<Vec<_>>().join(", "))
}

/// `concealment at Pharmacy, Spirits`.
fn places_of<'p>(
    event_type: &str,
    places: impl ExactSizeIterator<Item = &'p Option<String>>,
) -> String {
    let more = places.len().saturating_sub(PLACES_MAX);
    let named = places.take(PLACES_MAX);
    let named: Vec<_> = named.map(|it| it.as_deref().unwrap_or("no known place")).collect();
    let more = if more > 0 { format!(" and {}", plural_more(more)) } else { String::new() };
    format!("{event_type} at {}{more}", named.join(", "))
}

fn plural_more(number: usize) -> String {
    format!("{number} more {}", if number == 1 { "place" } else { "places" })
}
