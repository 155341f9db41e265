//! Reads `quotas`: what an account was granted, key by key. The keys are those of the table in
//! `quota.rs`; which statement counts where is decided in `demand`. To add a key, add its row to
//! that table: nothing changes here.

use std::collections::BTreeMap;

use crate::decode::{Decoder, Fields};
use crate::diagnostic::{At, Diagnostic};
use crate::quota::{self, Quota, QuotaName, Scope};
use crate::yaml::Node;

/// What one `quotas` states.
#[derive(Clone, Debug, Default)]
pub struct QuotasConfig {
    pub values: BTreeMap<QuotaName, At<u32>>,
}

/// Reads `quotas` of a cell or of the fleet.
pub(super) fn quotas(decoder: &mut Decoder, fields: &Fields<'_>) -> QuotasConfig {
    let mut config = QuotasConfig::default();
    for (key, node) in decoder.entries(fields, "quotas") {
        let found = quota::find(key.text().unwrap_or_default()).filter(|quota| quota.is_stated());
        let Some(quota) = found else {
            decoder.unknown_name("`quotas`", key, quota::keys());
            continue;
        };
        if quota.scope != Scope::InstanceType {
            let name = QuotaName { key: quota.key, instance: None };
            config.values.extend(number(decoder, node, quota).map(|value| (name, value)));
            continue;
        }
        for (instance, node) in decoder.plain_entries(node, quota.key, "{ ml.g4dn.xlarge: 8 }") {
            let value = number(decoder, node, quota);
            let instance = instance_type(decoder, instance, "quotas");
            let name = instance.map(|it| QuotaName { key: quota.key, instance: Some(it) });
            config.values.extend(name.zip(value));
        }
    }
    config
}

fn number(decoder: &mut Decoder, node: &Node, quota: &Quota) -> Option<At<u32>> {
    decoder.plain_whole(node, quota.key, 1..=quota.stated_max())
}

/// Reads an instance type under `key`.
pub(super) fn instance_type(decoder: &mut Decoder, node: &Node, key: &str) -> Option<String> {
    let text = decoder.plain_text(node, key)?;
    let parts: Vec<_> = text.value.split('.').collect();
    if matches!(parts[..], ["ml", family, size] if !family.is_empty() && !size.is_empty()) {
        return Some(text.value);
    }
    let message = format!("`{}` is no SageMaker instance type", text.value);
    let problem = Diagnostic::error("bad-instance", &text.place, message);
    decoder.report(problem.help("write a type such as `ml.g4dn.xlarge`"));
    None
}
