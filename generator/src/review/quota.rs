//! Quotas of which the later side needs more than there is, or nearly. Pure.

use std::cell::LazyCell;

use super::setting::ANY;
use super::side::{Pairs, StackId, Written};
use super::{Cause, Class, Finding, Subject, Weight, path};
use crate::demand::{Home, Line, Verdict};
use crate::quota::thousands;

/// One finding about an account and region.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) id: StackId,
    pub(super) finding: Finding,
    pub(super) causes: Vec<Cause>,
}

/// What changes about the quotas of every account and region.
pub(super) fn quotas(before: Written<'_>, after: Written<'_>, pairs: &Pairs<'_>) -> Vec<Told> {
    let mut found = Vec::new();
    for home in &after.fleet.homes {
        let is_same = |it: &&Home| (&it.account, &it.region) == (&home.account, &home.region);
        let earlier = before.fleet.homes.iter().find(is_same);
        // The same for every line, and looked for only where there is one.
        let causes = LazyCell::new(|| causes(home, pairs));
        for line in &home.lines {
            let old = earlier.and_then(|it| it.lines.iter().find(|it| it.name == line.name));
            let Some(finding) = finding(old, line) else { continue };
            let subject = Subject::Home(format!("{} {}", home.account, home.region));
            let cell = home.cells.first().map(|it| it.id.to_string()).unwrap_or_default();
            found.push(Told { id: StackId { cell, subject }, finding, causes: causes.clone() });
        }
    }
    found
}

/// What cells say of their model and quotas, else what stores have otherwise.
fn causes(home: &Home, pairs: &Pairs<'_>) -> Vec<Cause> {
    let cells: Vec<String> = home.cells.iter().map(|it| it.id.to_string()).collect();
    let of_cell = |cell: &String| {
        let of = |key: &str| path(&["cells", cell, key]);
        let id = StackId { cell: cell.clone(), subject: Subject::Platform(cell.clone()) };
        pairs.settings(&id).causes(&[of("model"), of("id"), path(&["quotas"])])
    };
    let found: Vec<Cause> = cells.iter().flat_map(of_cell).collect();
    if !found.is_empty() {
        return found;
    }
    let stores = pairs.ids().iter().filter(|it| it.store().is_some() && cells.contains(&it.cell));
    let of_store = |id: &StackId| {
        let settings = pairs.settings(id);
        let key = if pairs.is_whole(id) { "store" } else { ANY };
        settings.causes(&[vec![key.to_owned()]])
    };
    stores.flat_map(of_store).collect()
}

fn finding(old: Option<&Line>, line: &Line) -> Option<Finding> {
    let (was, verdict) = (old.map_or(Verdict::Ok, |it| it.verdict), line.verdict);
    let used = old.map_or(0, |it| it.used);
    if verdict == Verdict::Ok || (verdict <= was && line.used <= used) {
        return None;
    }
    let from =
        if used == line.used { String::new() } else { format!(" instead of {}", thousands(used)) };
    let what = match &line.name.instance {
        Some(instance) => format!("{} ({instance})", line.quota.title),
        None => line.quota.title.to_owned(),
    };
    let says = if verdict == Verdict::Over { "more than" } else { "nearly" };
    let text = format!(
        "{what}: {} needed{from}, {says} the {} that there are",
        thousands(line.used),
        thousands(line.limit)
    );
    let weight = if verdict == Verdict::Over { Weight::Loud } else { Weight::Quiet };
    let details = line.remedy.iter().cloned().collect();
    Some(Finding { class: Class::Quota, weight, text, details, about: vec![Vec::new()] })
}
