//! What AWS charges: the list prices that an estimate uses, each with its source, and what a company
//! pays in their place.
//!
//! Prices are whole micro-dollars for one unit, such as a GB or a million requests, so that sums are
//! exact. What is not known of a region is estimated from us-east-1 and says so ([`Origin`]). `prices`
//! in fleet.yaml replaces any of them. To add a price: its row in `price/table.rs`, its use in `cost`.
//! To bring one up to date, change its source and [`LOOKED_UP`] as well.

mod instance;
mod region;
mod table;

use std::collections::BTreeMap;
use std::fmt;

use crate::quota::thousands;

pub use region::regions;
pub use table::PRICES;

/// The day on which the prices were looked up.
pub const LOOKED_UP: &str = "2026-11-22";
/// The region whose prices are listed; those of others follow from them.
pub const BASE_REGION: &str = "us-east-1";
/// The key of the one price that each instance type has for itself.
pub const INSTANCES: &str = "sagemaker_instances";
/// The key by which `prices` states how many incidents a store has in a day.
pub const INCIDENTS: &str = "incidents_per_day";
/// Incidents of a store in a day where nobody states it. Our choice: a supermarket's guards look into
/// a few incidents a day.
pub const INCIDENTS_DEFAULT: u32 = 3;
/// Most incidents of a store in a day that can be stated. Our choice: more is a slip of the finger.
pub const INCIDENTS_MAX: u32 = 10_000;
/// Largest price that can be stated, in micro-dollars: a million dollars. Our choice, as above.
pub const STATED_MAX: u64 = 1_000_000_000_000;

/// One thing that AWS charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// As `prices` in fleet.yaml has it.
    pub key: &'static str,
    /// What is charged, in words: `video ingested`.
    pub title: &'static str,
    /// What the price is for: `GB`, `million requests`.
    pub unit: &'static str,
    /// How many single things, such as bytes or requests, make a unit.
    pub singles: u64,
    /// How amounts are told: one of what, and how many single things that is.
    pub shown: (&'static str, u64),
    /// Micro-dollars for a unit in [`BASE_REGION`]; of [`INSTANCES`] nothing, as each type has its own.
    pub micros: u64,
    pub spread: Spread,
    /// Where the price is from.
    pub source: &'static str,
}

/// How a price differs between regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Taken to be the same everywhere.
    Same,
    /// As the region's prices of EC2 differ.
    Scaled,
}

/// A price, and the instance type where each has its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceName {
    pub key: &'static str,
    pub instance: Option<String>,
}

impl fmt::Display for PriceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            None => f.write_str(self.key),
            Some(instance) => write!(f, "{}.{instance}", self.key),
        }
    }
}

/// How sure a price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// AWS's list.
    Listed,
    /// AWS's list of [`BASE_REGION`], times what the region is dearer by on another list.
    Estimated,
    /// `prices` states it.
    Stated,
}

/// A price as it holds in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Micro-dollars for a unit.
    pub micros: u64,
    pub origin: Origin,
}

/// All prices of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    pub region: String,
    /// Incidents of a store in a day.
    pub incidents_per_day: u32,
    stated: BTreeMap<PriceName, u64>,
}

impl Prices {
    /// The prices of a region, but for those that are stated, in micro-dollars for a unit.
    pub fn new(
        region: &str,
        stated: BTreeMap<PriceName, u64>,
        incidents_per_day: Option<u32>,
    ) -> Self {
        let incidents_per_day = incidents_per_day.unwrap_or(INCIDENTS_DEFAULT);
        Self { region: region.to_owned(), incidents_per_day, stated }
    }

    /// What a unit costs; `None` for an instance type that nobody knows a price of.
    pub fn of(&self, name: &PriceName) -> Option<Known> {
        if let Some(micros) = self.stated.get(name) {
            return Some(Known { micros: *micros, origin: Origin::Stated });
        }
        if let Some(instance) = &name.instance {
            return instance::price(instance, &self.region);
        }
        let price = find(name.key)?;
        let listed = Known { micros: price.micros, origin: Origin::Listed };
        if price.spread == Spread::Same {
            return Some(listed);
        }
        Some(scaled(price.micros, region::factor(price.key, &self.region), &self.region))
    }

    /// Whether any price is stated.
    pub fn are_stated(&self) -> bool {
        !self.stated.is_empty()
    }

    /// By how many thousandths of its price in [`BASE_REGION`] something costs here what it is
    /// estimated to.
    pub fn factor(&self) -> u64 {
        region::factor("", &self.region)
    }
}

fn scaled(micros: u64, thousandths: u64, region: &str) -> Known {
    let origin = if region == BASE_REGION { Origin::Listed } else { Origin::Estimated };
    Known { micros: micros.saturating_mul(thousandths).div_ceil(1_000), origin }
}

/// The price with this key.
pub fn find(key: &str) -> Option<&'static Price> {
    PRICES.iter().find(|price| price.key == key)
}

/// Every key that `prices` may hold.
pub fn keys() -> Vec<&'static str> {
    PRICES.iter().map(|price| price.key).chain([INCIDENTS]).collect()
}

/// Micro-dollars as people write them: `$0.0085`, `$1,234.50`.
pub fn dollars(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let decimals = format!("{rest:06}");
    let decimals = decimals.trim_end_matches('0');
    format!("${}.{decimals:0<2}", thousands(whole))
}

/// The prices as a Markdown table.
pub fn reference() -> String {
    let mut text =
        "| key | what | in dollars, for | us-east-1 | other regions | source |\n".to_owned();
    text.push_str("|---|---|---|---|---|---|\n");
    for price in PRICES {
        let micros = match price.key {
            INSTANCES => "by type".to_owned(),
            _ => dollars(price.micros).trim_start_matches('$').to_owned(),
        };
        let elsewhere = match price.spread {
            Spread::Same => "the same",
            Spread::Scaled => "estimated",
        };
        let Price { key, title, unit, source, .. } = price;
        let row = format!("| `{key}` | {title} | {unit} | {micros} | {elsewhere} | {source} |\n");
        text.push_str(&row);
    }
    let row = format!(
        "| `{INCIDENTS}` | incidents of a store in a day: a whole number, no price | | \
         {INCIDENTS_DEFAULT} | the same | our choice |\n"
    );
    text.push_str(&row);
    text
}

/// The instance types that are known, with their prices in [`BASE_REGION`], as a Markdown table.
pub fn instance_reference() -> String {
    instance::reference()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn prices(region: &str) -> Prices {
        Prices::new(region, BTreeMap::new(), None)
    }

    fn plain(key: &'static str) -> PriceName {
        PriceName { key, instance: None }
    }

    fn instance(name: &str) -> PriceName {
        PriceName { key: INSTANCES, instance: Some(name.to_owned()) }
    }

    #[test]
    fn every_price_has_a_key_of_its_own_a_unit_and_a_source() {
        let keys: BTreeSet<_> = keys().into_iter().collect();
        assert_eq!(keys.len(), PRICES.len() + 1);
        for price in PRICES {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(price.key.bytes().all(plain), "{}", price.key);
            assert!(!price.unit.is_empty() && !price.source.is_empty(), "{}", price.key);
            assert!(
                price.singles > 0 && price.shown.1 > 0 && price.micros <= STATED_MAX,
                "{}",
                price.key
            );
            assert_eq!(price.micros == 0, price.key == INSTANCES, "{}", price.key);
        }
    }

    #[test]
    fn every_region_has_every_price_and_what_is_estimated_says_so() {
        for region in regions() {
            let prices = prices(region);
            for price in PRICES.iter().filter(|it| it.key != INSTANCES) {
                let known = prices.of(&plain(price.key)).unwrap();
                let is_listed = region == BASE_REGION || price.spread == Spread::Same;
                let origin = if is_listed { Origin::Listed } else { Origin::Estimated };
                assert_eq!(known.origin, origin, "{region} {}", price.key);
                assert!(known.micros >= price.micros, "{region} {}", price.key);
                assert!(known.micros <= 2 * price.micros, "{region} {}", price.key);
            }
            for family in ["g4dn", "g5", "g6", "m5", "c5", "c6i", "c7i", "inf2"] {
                assert!(
                    prices.of(&instance(&format!("ml.{family}.48xlarge"))).is_some()
                        || prices.of(&instance(&format!("ml.{family}.12xlarge"))).is_some()
                        || prices.of(&instance(&format!("ml.{family}.18xlarge"))).is_some()
                );
            }
        }
    }

    #[test]
    fn an_instance_costs_in_paris_what_aws_lists_there() {
        // The price list of eu-west-3 gives 0.8610 an hour for `Host:ml.g4dn.xlarge`, 1.4302 for
        // `Host:ml.g6.xlarge`; factors of thousandths come within a tenth of a percent.
        let paris = prices("eu-west-3");
        let micros = |name: &str| paris.of(&instance(name)).unwrap().micros;
        assert!(micros("ml.g4dn.xlarge").abs_diff(861_000) < 900);
        assert!(micros("ml.g6.xlarge").abs_diff(1_430_200) < 1_400);
        assert_eq!(paris.of(&instance("ml.x9.xlarge")), None);
        let base = prices(BASE_REGION).of(&instance("ml.g4dn.xlarge")).unwrap();
        assert_eq!(base, Known { micros: 736_400, origin: Origin::Listed });
    }

    #[test]
    fn a_stated_price_holds_in_place_of_the_list() {
        let stated = [(plain("kinesis_video_ingest"), 6_800), (instance("ml.x9.xlarge"), 500_000)];
        let prices = Prices::new("eu-west-1", BTreeMap::from(stated.clone()), Some(7));
        for (name, micros) in stated {
            assert_eq!(prices.of(&name), Some(Known { micros, origin: Origin::Stated }));
        }
        assert_eq!(prices.incidents_per_day, 7);
        let other = prices.of(&plain("kinesis_video_read")).unwrap();
        assert_eq!(other, Known { micros: 9_478, origin: Origin::Estimated }); // 8,500 * 1.115
    }

    #[test]
    fn dollars_have_no_more_decimals_than_they_need() {
        let micros = [0, 8_500, 16_666_700, 1_234_500_000, 1];
        let texts = ["$0.00", "$0.0085", "$16.6667", "$1,234.50", "$0.000001"];
        assert_eq!(micros.map(dollars), texts);
    }
}
