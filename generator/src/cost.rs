//! What a month costs at AWS's list prices: of each store, and of what a cell's stores share.
//!
//! Estimated from the model alone, without rendering a template. Everything is counted in whole
//! numbers, bytes and micro-dollars; only what is shown is rounded. What people or video decide is
//! assumed, and [`assumptions`] says all of it. To count something more, add its line in
//! `cost/store.rs` or `cost/platform.rs`, and what it rests on in `cost/assumption.rs`.

mod assumption;
mod difference;
mod platform;
mod store;

use std::collections::BTreeMap;

use crate::config::FleetConfig;
use crate::model::{Architecture, Cell};
use crate::price::{self, Origin, Price, PriceName, Prices};
use crate::quota::{plural, thousands};

pub use assumption::assumptions;
pub use difference::{LineChange, differences};
pub use platform::of_platform;
pub use store::of_store;

/// Hours of a month. Our choice, as AWS's own calculator has it: 8,760 hours of a year by twelve.
pub const MONTH_HOURS: u64 = 730;
const MONTH_SECONDS: u64 = MONTH_HOURS * 3_600;

/// What a month costs, and of what that is the sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    pub cents_per_month: i64,
    /// In the order of the table of prices; only what is needed at all.
    pub lines: Vec<Line>,
    /// What holds for this estimate alone: sentences.
    pub notes: Vec<String>,
}

/// One thing that AWS charges for.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The same in every estimate, so that two can be compared.
    pub name: PriceName,
    pub price: &'static Price,
    /// Micro-dollars for a unit.
    pub unit_micros: u64,
    pub origin: Origin,
    /// In single things, of which [`Price::singles`] make a unit.
    pub amount: u128,
    /// What it is for, such as 42 and `camera`; nothing where the amount says it.
    pub things: Option<(u64, &'static str)>,
}

impl Line {
    /// Micro-dollars a month, rounded down.
    pub fn micros(&self) -> u128 {
        self.amount * u128::from(self.unit_micros) / u128::from(self.price.singles)
    }

    /// Cents a month.
    pub fn cents(&self) -> i64 {
        cents(self.micros())
    }

    /// What is charged: `video sent to streams`.
    pub fn what(&self) -> String {
        match &self.name.instance {
            Some(instance) => format!("{} ({instance})", self.price.title),
            None => self.price.title.to_owned(),
        }
    }

    /// How much, with its unit and what it is for: `13,797 GB (42 cameras)`.
    pub fn quantity(&self) -> String {
        let amount = shown(self.amount, self.price);
        match self.things {
            Some((number, noun)) => format!("{amount} ({})", plural(number, noun)),
            None => amount,
        }
    }
}

/// The prices of a cell: its own `prices` first, then the fleet's, key by key, then AWS's list.
pub fn prices(config: &FleetConfig, cell: &Cell) -> Prices {
    let own = config.cells.iter().find(|it| it.id.value == cell.id.as_str());
    let mut stated = BTreeMap::new();
    let mut incidents = None;
    for layer in [Some(&config.prices), own.map(|it| &it.prices)].into_iter().flatten() {
        let values = layer.values.iter().map(|(name, micros)| (name.clone(), micros.value));
        stated.extend(values);
        incidents = layer.incidents_per_day.as_ref().map(|it| it.value).or(incidents);
    }
    Prices::new(&cell.region, stated, incidents)
}

/// Collects the lines of an estimate.
struct Bill<'a> {
    prices: &'a Prices,
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl<'a> Bill<'a> {
    fn new(prices: &'a Prices) -> Self {
        Self { prices, lines: Vec::new(), notes: Vec::new() }
    }

    /// Adds so many single things; nothing where there are none.
    fn add(&mut self, key: &'static str, amount: u128, things: Option<(u64, &'static str)>) {
        self.add_named(PriceName { key, instance: None }, amount, things);
    }

    /// The same of an instance type; `false` where it has no price.
    fn add_named(
        &mut self,
        name: PriceName,
        amount: u128,
        things: Option<(u64, &'static str)>,
    ) -> bool {
        let known = price::find(name.key).zip(self.prices.of(&name));
        let Some((price, known)) = known else { return false };
        if amount > 0 {
            let line = Line {
                name,
                price,
                unit_micros: known.micros,
                origin: known.origin,
                amount,
                things,
            };
            self.lines.push(line);
        }
        true
    }

    fn estimate(self) -> Estimate {
        let Self { mut lines, notes, .. } = self;
        let order = |line: &Line| price::PRICES.iter().position(|it| it.key == line.name.key);
        lines.sort_by_key(order);
        let micros = lines.iter().map(Line::micros).sum();
        Estimate { cents_per_month: cents(micros), lines, notes }
    }
}

/// Micro-dollars in cents, rounded to the nearest.
fn cents(micros: u128) -> i64 {
    i64::try_from((micros + 5_000) / 10_000).unwrap_or(i64::MAX)
}

/// Cents as people write them: `$1,234.50`.
pub fn in_dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}${}.{:02}", thousands(cents / 100), cents % 100)
}

/// So many single things as people tell them: `15,111 GB`, `43,800 ticks`; whole where there are ten or
/// more.
fn shown(amount: u128, price: &Price) -> String {
    let (noun, singles) = price.shown;
    let thousandths = amount.saturating_mul(1_000) / u128::from(singles);
    let number = if singles == 1 || thousandths >= 10_000 {
        thousands(u64::try_from((thousandths + 500) / 1_000).unwrap_or(u64::MAX))
    } else {
        let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let one = number == "1" || noun == "GB";
    format!("{number} {noun}{}", if one { "" } else { "s" })
}

/// The price of functions' time on the cell's CPU.
fn compute(cell: &Cell) -> &'static str {
    match cell.architecture {
        Architecture::X86_64 => "lambda_compute_x86_64",
        Architecture::Arm64 => "lambda_compute_arm64",
    }
}

fn size(number: usize) -> u64 {
    u64::try_from(number).expect("a number of things fits 64 bits")
}

#[cfg(test)]
mod tests;
