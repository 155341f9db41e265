//! Who hears otherwise now: audiences that are told nothing, messages by channel, addresses.
//!
//! Nothing is said twice: where an audience is told in only one of the two, that says its messages and
//! addresses too. To tell one more thing about people, start here. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, Kind, more_or_fewer_parts, noun};
use crate::model::Channel;
use crate::quota::{plural, thousands};
use crate::simulation::Summary;
use crate::simulation::hours::{CHANNELS, Row};

/// Alerts that reach no address.
pub(super) fn unheard(then: &Summary<'_>, now: &Summary<'_>) -> Option<Difference> {
    let (before, after) = (then.hearing.unheard, now.hearing.unheard);
    let text = format!("{} reach nobody instead of {}", plural(after, "alert"), thousands(before));
    let found = Difference::new(Kind::NobodyTold, after, text).missed(after > before);
    (before != after).then_some(found)
}

/// Messages to each audience by each channel, or that an audience is told nothing at all.
pub(super) fn told(then: &Summary<'_>, now: &Summary<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    for (audience, was) in silenced(then, now) {
        let text = format!("{audience} is told nothing now, {} before", plural(was, "alert"));
        found.push(Difference::new(Kind::NobodyTold, was, text).missed(true));
    }
    for (audience, is) in silenced(now, then) {
        let text = format!("{audience} is told for the first time: {}", plural(is, "alert"));
        found.push(Difference::new(Kind::NobodyTold, is, text));
    }
    let (before, after) = (heard(then, now), heard(now, then));
    let names: BTreeSet<&str> =
        before.keys().chain(after.keys()).map(|(audiences, _)| audiences.as_str()).collect();
    for audiences in names {
        for channel in CHANNELS {
            let key = (audiences.to_owned(), channel);
            let number = |it: &BTreeMap<_, u64>| it.get(&key).copied().unwrap_or_default();
            let (was, is) = (number(&before), number(&after));
            if was != is {
                let (noun, ending) = noun(channel);
                let [more, numbers] = more_or_fewer_parts(was, is, noun, ending);
                let text = format!("{more} to {audiences} {numbers}");
                let kind = if channel == Channel::Sms { Kind::Sms } else { Kind::Messages };
                found.push(Difference::new(kind, was.abs_diff(is), text));
            }
        }
    }
    found
}

/// The audiences that were told and are told nothing in the other, with the number of their alerts.
fn silenced<'s>(of: &'s Summary<'_>, other: &Summary<'_>) -> BTreeMap<&'s str, u64> {
    let told = other.hearing.alerts();
    let mut alerts = of.hearing.alerts();
    alerts.retain(|audience, _| !told.contains_key(audience));
    alerts
}

/// Messages by audiences and channel, without those of audiences that are told but in one of the two.
fn heard(of: &Summary<'_>, other: &Summary<'_>) -> BTreeMap<(String, Channel), u64> {
    let silenced = silenced(of, other);
    let mut messages = BTreeMap::new();
    for row in of.hearing.rows.iter().filter(|row| !is_silenced(row, &silenced)) {
        *messages.entry((row.audiences(), row.channel)).or_default() += row.total();
    }
    messages
}

/// Whether all that a row is for is told but in one of the two, so that its sentence says it all.
fn is_silenced(row: &Row<'_>, silenced: &BTreeMap<&str, u64>) -> bool {
    row.audiences.iter().all(|audience| silenced.contains_key(audience))
}

/// Addresses that only one of the two tells.
pub(super) fn addresses(then: &Summary<'_>, now: &Summary<'_>) -> Vec<Difference> {
    let difference = |row: &Row<'_>, text: String| {
        let text = format!("{} ({}) {text}", row.endpoint, row.audiences());
        Difference::new(Kind::Address, row.total(), text)
    };
    let gone = told_only_by(then, now).map(|row| {
        let before = plural(row.total(), "message");
        difference(row, format!("is no longer told, {before} before")).missed(true)
    });
    let new = told_only_by(now, then).map(|row| {
        let number = plural(row.total(), "message");
        difference(row, format!("is a new address, {number}"))
    });
    gone.chain(new).collect()
}

fn told_only_by<'s>(
    summary: &'s Summary<'_>,
    other: &'s Summary<'_>,
) -> impl Iterator<Item = &'s Row<'s>> {
    let is_other = |row: &Row<'_>| {
        other.hearing.rows.iter().any(|it| (it.channel, it.endpoint) == (row.channel, row.endpoint))
    };
    let silenced = silenced(summary, other);
    let is_said = move |row: &Row<'_>| is_silenced(row, &silenced);
    let rows = summary.hearing.rows.iter();
    rows.filter(move |row| row.total() > 0 && !is_other(row) && !is_said(row))
}
