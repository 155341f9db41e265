//! Which statement of a quota counts where cells share it.
//!
//! A cell's own `quotas` is nearer than the fleet's, key by key, and an account has one number
//! only: what one of its cells states holds for all that share it. Where two differ the smaller
//! counts, because the larger may be a wish; `problem` reports that they differ.

use std::collections::BTreeMap;

use crate::config::FleetConfig;
use crate::diagnostic::At;
use crate::model::Id;
use crate::quota::QuotaName;

/// What is stated for cells that share an account, by quota.
pub(super) fn values(config: &FleetConfig, cells: &[&Id]) -> BTreeMap<QuotaName, At<u32>> {
    let mut values = BTreeMap::new();
    for (name, value) in own(config, cells) {
        let least: &mut At<u32> = values.entry(name.clone()).or_insert_with(|| value.clone());
        if value.value < least.value {
            *least = value.clone();
        }
    }
    for (name, value) in &config.quotas.values {
        values.entry(name.clone()).or_insert_with(|| value.clone());
    }
    values
}

/// What these cells state themselves, in the order of the file.
pub(super) fn own<'a>(
    config: &'a FleetConfig,
    cells: &[&Id],
) -> impl Iterator<Item = (&'a QuotaName, &'a At<u32>)> {
    let is_one = |id: &str| cells.iter().any(|cell| cell.as_str() == id);
    let cells = config.cells.iter().filter(move |cell| is_one(&cell.id.value));
    cells.flat_map(|cell| &cell.quotas.values)
}
