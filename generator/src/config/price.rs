//! Reads `prices`: what a company pays where it is not AWS's list price. The keys are those of the
//! table in `price.rs`; which statement counts where is decided in `cost`. To add a key, add its row
//! to that table: nothing changes here.

use std::collections::BTreeMap;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::At;
use crate::price::{self, INCIDENTS, INCIDENTS_MAX, INSTANCES, PriceName, STATED_MAX};

use super::quota::instance_type;

/// What one `prices` states.
#[derive(Clone, Debug, Default)]
pub struct PricesConfig {
    /// In micro-dollars for a unit.
    pub values: BTreeMap<PriceName, At<u64>>,
    pub incidents_per_day: Option<At<u32>>,
}

/// Reads `prices` of a cell or of the fleet.
pub(super) fn prices(decoder: &mut Decoder, fields: &Fields<'_>) -> PricesConfig {
    let mut config = PricesConfig::default();
    for (key, node) in decoder.entries(fields, "prices") {
        let name = key.text().unwrap_or_default();
        if name == INCIDENTS {
            config.incidents_per_day = decoder.plain_whole(node, INCIDENTS, 0..=INCIDENTS_MAX);
            continue;
        }
        let Some(price) = price::find(name) else {
            decoder.unknown_name("`prices`", key, price::keys());
            continue;
        };
        if price.key != INSTANCES {
            let name = PriceName { key: price.key, instance: None };
            let value = decoder.plain_dollars(node, price.key, STATED_MAX);
            config.values.extend(value.map(|value| (name, value)));
            continue;
        }
        for (instance, node) in decoder.plain_entries(node, INSTANCES, "{ ml.g4dn.xlarge: 0.59 }") {
            let value = decoder.plain_dollars(node, INSTANCES, STATED_MAX);
            let instance = instance_type(decoder, instance, "prices");
            let name = instance.map(|it| PriceName { key: INSTANCES, instance: Some(it) });
            config.values.extend(name.zip(value));
        }
    }
    config
}
