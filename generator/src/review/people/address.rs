//! Addresses that come, go, or are in other audiences; and who must confirm a subscription.
//!
//! SNS sends nothing to an e-mail address or a webhook before it has confirmed, which is said of each
//! new one. Addresses that come or go from the same audiences share a sentence. Pure. To change the
//! words for an address, start at [`named`].

use std::collections::{BTreeMap, BTreeSet};

use contract::health::OPS_AUDIENCE;

use super::{About, Difference, Finding, Sides, Weight, audiences, finding, path, told_of};
use crate::paragraph::first_of;
use crate::review::hearing::ReadAddress;

/// Most addresses that a sentence names. Our choice: more are a list and no sentence.
const NAMED_MAX: usize = 3;

/// Every address that is on one side alone.
pub(super) fn findings(sides: &Sides<'_>) -> Vec<Finding> {
    let kept = sides.kept();
    let is_kept = |it: &&ReadAddress| kept.iter().any(|(was, is)| was == it || is == it);
    let mut removed: Vec<_> = sides.before.addresses.iter().filter(|it| !is_kept(it)).collect();
    let mut added: Vec<_> = sides.after.addresses.iter().filter(|it| !is_kept(it)).collect();
    let mut findings = replaced(&mut removed, &mut added);
    // Of a store that is new, everybody is.
    let is_new = sides.before.message().is_none();
    for (names, group) in grouped(&removed) {
        let was = told_of(&sides.was.of(names));
        let was = if was.is_empty() { "nothing".to_owned() } else { was };
        let text = format!("{} no longer told, before of {was}", subject(&group, names));
        findings.push(about(Weight::Loud, text, &group));
    }
    for (names, group) in grouped(&added) {
        let is = told_of(&sides.is.of(names));
        let is = if is.is_empty() { "nothing yet".to_owned() } else { is };
        let text = format!("{} told now of {is}{}", subject(&group, names), confirmation(&group));
        findings.push(about(if is_new { Weight::Quiet } else { Weight::Loud }, text, &group));
    }
    findings.extend(emptied(sides));
    findings
}

/// One address instead of another, by the same channel in the same audiences.
fn replaced(removed: &mut Vec<&ReadAddress>, added: &mut Vec<&ReadAddress>) -> Vec<Finding> {
    let key = |it: &ReadAddress| (it.channel.clone(), it.audiences.clone());
    let keys: BTreeSet<_> = removed.iter().map(|it| key(it)).collect();
    let mut findings = Vec::new();
    for both in keys {
        let of = |all: &[&ReadAddress]| -> Vec<ReadAddress> {
            all.iter().filter(|it| key(it) == both).map(|it| (*it).clone()).collect()
        };
        let (old, new) = (of(removed), of(added));
        if let ([was], [is]) = (old.as_slice(), new.as_slice()) {
            let text = format!(
                "{} is told instead of {}{}",
                subject_name(is),
                was.endpoint,
                confirmation(&[is])
            );
            findings.push(about(Weight::Loud, text, &[was, is]));
            removed.retain(|it| key(it) != both);
            added.retain(|it| key(it) != both);
        }
    }
    findings
}

fn grouped<'a>(all: &[&'a ReadAddress]) -> BTreeMap<&'a BTreeSet<String>, Vec<&'a ReadAddress>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for address in all {
        groups.entry(&address.audiences).or_default().push(*address);
    }
    groups
}

/// `` sms +12065550100 (`floor`) is ``
fn subject(group: &[&ReadAddress], names: &BTreeSet<String>) -> String {
    let is = if group.len() == 1 { "is" } else { "are" };
    format!("{} ({}) {is}", named(group), audiences(names))
}

fn subject_name(address: &ReadAddress) -> String {
    format!("{} ({})", named(&[address]), audiences(&address.audiences))
}

fn named(group: &[&ReadAddress]) -> String {
    let one = |it: &&ReadAddress| {
        // A webhook's address says the channel itself.
        let says = it.endpoint.starts_with(&it.channel);
        if says { it.endpoint.clone() } else { format!("{} {}", it.channel, it.endpoint) }
    };
    first_of(&group.iter().map(one).collect::<Vec<_>>(), NAMED_MAX)
}

/// What new addresses must do. Source: SNS developer guide, "Confirm an Amazon SNS subscription":
/// an SMS number and a push endpoint need none.
fn confirmation(group: &[&ReadAddress]) -> String {
    let must = group.iter().filter(|it| ["email", "https"].contains(&it.channel.as_str())).count();
    match must {
        0 => String::new(),
        1 if group.len() == 1 => "; it must confirm by the link that AWS sends first".to_owned(),
        all if all == group.len() => {
            "; each must confirm by the link that AWS sends first".to_owned()
        }
        some => format!("; {some} of them must confirm by the link that AWS sends first"),
    }
}

fn about(weight: Weight, text: String, group: &[&ReadAddress]) -> Finding {
    let entries: BTreeSet<About> = group.iter().flat_map(|it| entries(it, &it.audiences)).collect();
    let details = group.iter().filter(|_| group.len() > NAMED_MAX).map(|it| named(&[it]));
    let details = details.collect();
    Finding { details, ..finding(weight, text, entries.into_iter().collect()) }
}

/// Where an address stands in YAML.
fn entries<'a>(
    address: &'a ReadAddress,
    audiences: impl IntoIterator<Item = &'a String>,
) -> Vec<About> {
    let audiences = audiences.into_iter();
    audiences.map(|it| path(&["subscribers", it, &address.channel])).collect()
}

/// Audiences that somebody was in, and nobody is.
fn emptied(sides: &Sides<'_>) -> Vec<Finding> {
    // A store that is gone has no audiences.
    if sides.after.message().is_none() {
        return Vec::new();
    }
    let all = |addresses: &[ReadAddress]| -> BTreeSet<String> {
        addresses.iter().flat_map(|it| it.audiences.clone()).collect()
    };
    let (before, after) = (all(&sides.before.addresses), all(&sides.after.addresses));
    // Of cameras that ail a sentence of their own tells.
    let gone = before.difference(&after).filter(|it| *it != OPS_AUDIENCE);
    let gone = gone.map(|it| {
        let text = format!("nobody is in `{it}` any more");
        finding(Weight::Loud, text, vec![path(&["subscribers", it])])
    });
    gone.collect()
}

/// An address that stays, where its audiences have not `said` all that is different for it.
pub(super) fn changed(
    was: &ReadAddress,
    is: &ReadAddress,
    difference: &Difference,
    said: &Difference,
) -> Option<Finding> {
    if was.audiences == is.audiences {
        let text = format!("{} {}", subject_name(is), difference.words());
        let about = difference.about();
        return (!difference.is_within(said)).then(|| finding(difference.weight(), text, about));
    }
    let words = difference.words();
    let words = if words.is_empty() { "is told of the same".to_owned() } else { words };
    let text = format!("{}, in {} before, {words}", subject_name(is), audiences(&was.audiences));
    let moved = was.audiences.symmetric_difference(&is.audiences);
    Some(finding(difference.weight(), text, entries(is, moved)))
}
