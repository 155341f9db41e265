//! What a fleet needs of each quota, in each account and region, against what there is.
//!
//! Counted from the model and the compiled rules, without rendering a template; the tests hold the
//! counts against the templates. Whole numbers throughout. Two cells in one account and region
//! share their quotas, so their needs add up. To change what is counted, start in
//! `demand/count.rs`; to change what is said about it, in `demand/verdict.rs`.

mod count;
mod problem;
mod stated;
mod verdict;

use std::collections::BTreeMap;

use crate::config::FleetConfig;
use crate::diagnostic::Place;
use crate::model::{Cell, Fleet, Id, Store};
use crate::quota::{Quota, QuotaName, Rate};
use crate::rules::RuleSet;

use count::Counts;
pub(crate) use count::{ANALYZE_SECONDS, FUNCTION_ALARMS, KEYS, PLATFORM_ALARMS};
pub use problem::problems;

/// One account and region, and the cells that share it.
#[derive(Debug)]
pub struct Home {
    pub account: String,
    pub region: String,
    /// Sorted by id.
    pub cells: Vec<HomeCell>,
    /// In the order of the table; only what is needed at all.
    pub lines: Vec<Line>,
    /// How long calls take that AWS meters.
    pub times: Vec<Time>,
    /// On what the estimates rest.
    pub watch: Watch,
}

/// A cell, and how many stores it has.
#[derive(Debug)]
pub struct HomeCell {
    pub id: Id,
    pub stores: u64,
}

/// One quota, what is needed of it, and what that means.
#[derive(Debug)]
pub struct Line {
    pub quota: &'static Quota,
    pub name: QuotaName,
    pub used: u64,
    pub limit: u64,
    pub origin: Origin,
    pub verdict: Verdict,
    /// A sentence that starts with a verb; `None` when nothing is to be done.
    pub remedy: Option<String>,
}

/// Where a limit is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// AWS's default, which it raises on request.
    Default,
    /// Nobody raises it.
    Fixed,
    /// `quotas` states it, here.
    Stated(Place),
}

/// What a need means for a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    /// Over 80 percent.
    Near,
    Over,
}

impl Verdict {
    /// As people and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Near => "near",
            Self::Over => "over",
        }
    }
}

impl Line {
    /// The need in whole percent of the limit, rounded up; `None` when nothing is granted.
    pub fn percent(&self) -> Option<u64> {
        let used = self.used.saturating_mul(100);
        (self.limit > 0).then(|| used.div_ceil(self.limit))
    }

    /// Whether this cannot be deployed: over what nobody raises, or over what was granted. An
    /// estimate against a bound of our own is too weak a reason.
    pub fn is_refused(&self) -> bool {
        let firm = match self.origin {
            Origin::Default => false,
            Origin::Fixed => !self.quota.estimate,
            Origin::Stated(_) => true,
        };
        firm && self.verdict == Verdict::Over
    }
}

/// How long calls take at the least.
#[derive(Debug, PartialEq, Eq)]
pub struct Time {
    pub rate: &'static Rate,
    pub calls: u64,
    pub seconds: u64,
}

/// What the model watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    pub cameras: u64,
    /// Windows in ten seconds, rounded up.
    pub windows_in_ten_s: u64,
}

/// Counts what a fleet needs, and holds it against the defaults and what `config` states.
pub fn homes<'a>(
    fleet: &'a Fleet,
    config: &FleetConfig,
    rules_of: impl Fn(&'a Store) -> &'a RuleSet,
) -> Vec<Home> {
    let mut stores: BTreeMap<&Id, Vec<&Store>> = BTreeMap::new();
    for store in &fleet.stores {
        stores.entry(&store.cell).or_default().push(store);
    }
    let mut homes: BTreeMap<(&str, &str), Vec<(&Cell, Counts)>> = BTreeMap::new();
    for cell in &fleet.cells {
        let stores = stores.get(&cell.id).map_or(&[][..], Vec::as_slice);
        let counts = Counts::of_cell(cell, stores, &rules_of);
        homes.entry((&cell.account, &cell.region)).or_default().push((cell, counts));
    }
    let mut accounts: BTreeMap<&str, (Counts, Vec<&Id>)> = BTreeMap::new();
    for ((account, _), cells) in &homes {
        let (counts, ids) = accounts.entry(account).or_default();
        for (cell, of_cell) in cells {
            counts.add(of_cell);
            ids.push(&cell.id);
        }
    }
    let homes = homes.iter().filter_map(|((account, region), cells)| {
        let mut counts = Counts::default();
        for (_, of_cell) in cells {
            counts.add(of_cell);
        }
        let ids: Vec<_> = cells.iter().map(|(cell, _)| &cell.id).collect();
        let (of_account, account_ids) = accounts.get(account)?;
        Some(Home {
            account: (*account).to_owned(),
            region: (*region).to_owned(),
            cells: cells
                .iter()
                .map(|(cell, counts)| HomeCell { id: cell.id.clone(), stores: counts.stores })
                .collect(),
            lines: verdict::lines(&verdict::Needs {
                region: &counts,
                account: of_account,
                region_stated: stated::values(config, &ids),
                account_stated: stated::values(config, account_ids),
            }),
            times: verdict::times(&counts),
            watch: counts.watch(),
        })
    });
    homes.collect()
}
