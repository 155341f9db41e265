//! Stacks that are made anew in another account, region or cell, though their templates may be the same.
//!
//! CloudFormation moves nothing: the stack of before stays where it is, with all that it holds, and
//! goes on working; the new one begins empty. What people and detections notice of a store that moves
//! is told by comparing its old template with its new one. Pure.

use super::people::people;
use super::routing::rules;
use super::side::{Pair, Pairs, StackId};
use super::{Class, Finding, STORE, Subject, Weight, path};
use crate::quota::plural;
use crate::stack::StackError;
use crate::template::Template;

/// What is to be said of a cell that is in another account or region; nothing of one that is not.
pub(super) fn cell(pairs: &Pairs<'_>, id: &StackId) -> Option<Finding> {
    let (before, after) = pairs.cells(&id.cell)?;
    let Subject::Platform(cell) = &id.subject else { return None };
    if !has_moved(pairs, cell) {
        return None;
    }
    let stores = u64::try_from(pairs.stores_of(cell)).unwrap_or(u64::MAX);
    let text = format!(
        "the cell is in {} {} instead of {} {}: everything is made anew there, for {} too; what stands in the old place stays, with all video, cases, evidence and logs, and goes on watching, telling and costing",
        after.account,
        after.region,
        before.account,
        before.region,
        plural(stores, "store")
    );
    Some(Finding {
        details: vec![CONFIRM.to_owned()],
        about: ["account", "region"].map(|key| path(&["cells", cell, key])).to_vec(),
        ..loss(text)
    })
}

/// Whether a cell is in another account or region.
pub(super) fn has_moved(pairs: &Pairs<'_>, cell: &str) -> bool {
    pairs.cells(cell).is_some_and(|(before, after)| {
        (&before.account, &before.region) != (&after.account, &after.region)
    })
}

/// What is to be said of a store that is in another cell; `None` of one that is not.
pub(super) fn store(pairs: &Pairs<'_>, pair: &Pair) -> Result<Option<Vec<Finding>>, StackError> {
    if let Some(new) = pairs.moved_to(&pair.id) {
        // All is told of the new stack, where that is looked at.
        if pairs.compares(new) {
            return Ok(Some(Vec::new()));
        }
        let after = pairs.make(new)?.after;
        return Ok(Some(moves([&pair.id.cell, &new.cell], [pair.before.as_ref(), after.as_ref()])));
    }
    let Some((cell, before)) = pairs.moved_from(&pair.id)? else { return Ok(None) };
    Ok(Some(moves([cell, &pair.id.cell], [Some(&before), pair.after.as_ref()])))
}

/// What is to be said of a store that moves between two cells, with its template in each.
fn moves([from, to]: [&str; 2], [before, after]: [Option<&Template>; 2]) -> Vec<Finding> {
    let text = format!(
        "the store moves from the cell `{from}` to `{to}`: it is made anew there, with empty streams; its stack in `{from}` stays, with its video and what it knows of open cases, and goes on watching, telling and costing until it is deleted"
    );
    let evidence = format!("cases, evidence and analytics of {STORE} stay in the cell `{from}`");
    let mut found = vec![Finding {
        details: vec![evidence, CONFIRM.to_owned()],
        about: vec![path(&["cell"])],
        ..loss(text)
    }];
    found.extend(people(before, after));
    found.extend(rules(before, after));
    found
}

/// Source: SNS developer guide, "Confirm an Amazon SNS subscription".
const CONFIRM: &str = "whoever is told by e-mail or HTTPS must confirm the new subscription by the link that AWS sends, and is told twice until the old stack is deleted";

fn loss(text: String) -> Finding {
    Finding::new(Class::DataLoss, Weight::Loud, text)
}
