//! The quotas of AWS that a fleet can reach: key, default, who can raise it, and where the number
//! is from.
//!
//! The table is data; `demand` counts what a fleet needs of each and `config::quota` reads what
//! people state. Every number gives its source in words, and one that is not certain says so. To
//! add a quota: its row in `quota/table.rs`, its count in `demand/count.rs`.

mod table;

pub use table::{QUOTAS, RATES};

/// One limit that AWS, or `arm`, sets.
#[derive(Debug, PartialEq, Eq)]
pub struct Quota {
    /// As `quotas` in fleet.yaml has it.
    pub key: &'static str,
    /// What is counted, in words that follow a number.
    pub title: &'static str,
    /// How many there may be unless somebody raised it.
    pub default: u64,
    pub raise: Raise,
    pub scope: Scope,
    /// AWS's service code in Service Quotas.
    pub service: &'static str,
    /// AWS's name of the quota in Service Quotas, empty where we know none; `TYPE` stands for an
    /// instance type.
    pub name: &'static str,
    /// Whether the need is estimated, not counted.
    pub estimate: bool,
    /// What helps beside raising it; completes "or ...".
    pub relief: &'static str,
    /// Where the default is from.
    pub source: &'static str,
}

/// Who can raise a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raise {
    /// AWS does on request, in Service Quotas.
    OnRequest,
    /// Nobody does; a lower number may be stated.
    Never,
    /// It is a bound of `arm` itself, or a rate that AWS never raises: nothing to state.
    BuiltIn,
}

/// What a quota is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All cells in one account and region share it.
    Region,
    /// The same, for each instance type.
    InstanceType,
    /// All cells in one account share it, whatever their regions.
    Account,
    /// Each thing of this kind has its own; the largest counts.
    Each(&'static str),
}

/// How often AWS lets a call be made, where that decides how long something takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Rate {
    pub call: &'static str,
    /// Calls in one account and region.
    pub per_second: u64,
    /// What the calls are made for, in words that follow a number.
    pub of: &'static str,
    /// When they are made all at once.
    pub when: &'static str,
    pub source: &'static str,
}

/// Largest number that can be stated. Our choice: AWS grants nothing like it, and a longer number
/// is a slip of the finger.
const STATED_MAX: u32 = 1_000_000_000;

impl Quota {
    /// The largest number that can be stated for it: of one that nobody raises, its default.
    pub fn stated_max(&self) -> u32 {
        let fixed = u32::try_from(self.default).ok().filter(|_| self.raise == Raise::Never);
        fixed.unwrap_or(STATED_MAX)
    }

    /// Whether a number can be stated for it.
    pub fn is_stated(&self) -> bool {
        self.raise != Raise::BuiltIn
    }

    /// AWS's name of the quota, for this instance type where it has one.
    pub fn aws_name(&self, instance: Option<&str>) -> String {
        self.name.replace("TYPE", instance.unwrap_or("TYPE"))
    }
}

/// The quota with this key.
pub fn find(key: &str) -> Option<&'static Quota> {
    QUOTAS.iter().find(|quota| quota.key == key)
}

/// Every key that `quotas` may hold.
pub fn keys() -> Vec<&'static str> {
    QUOTAS.iter().filter(|quota| quota.is_stated()).map(|quota| quota.key).collect()
}

/// A quota, and the instance type where each has its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaName {
    pub key: &'static str,
    pub instance: Option<String>,
}

impl std::fmt::Display for QuotaName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.instance {
            None => f.write_str(self.key),
            Some(instance) => write!(f, "{}.{instance}", self.key),
        }
    }
}

impl QuotaName {
    /// The key and a number, as `quotas` in fleet.yaml has them.
    pub fn yaml(&self, number: u64) -> String {
        match &self.instance {
            None => format!("quotas: {{ {}: {number} }}", self.key),
            Some(instance) => format!("quotas: {{ {}: {{ {instance}: {number} }} }}", self.key),
        }
    }
}

/// `12345` -> `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 store`, `2,000 stores`.
pub fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// The table of keys as Markdown, for the reference of fleet.yaml.
pub fn reference() -> String {
    let mut text =
        String::from("| key | what | default | can be raised | source |\n|---|---|---|---|---|\n");
    for quota in QUOTAS.iter().filter(|quota| quota.is_stated()) {
        let what = match quota.scope {
            Scope::Region => format!("{} in an account and region", quota.title),
            Scope::InstanceType => {
                format!("{} in an account and region, by instance type", quota.title)
            }
            Scope::Account => format!("{} in an account, all regions together", quota.title),
            Scope::Each(thing) => format!("{} of one {thing}", quota.title),
        };
        let raised = match quota.raise {
            Raise::OnRequest if quota.name.is_empty() => "yes".to_owned(),
            Raise::OnRequest => format!("yes: `{}` of `{}`", quota.name, quota.service),
            Raise::Never | Raise::BuiltIn => "no".to_owned(),
        };
        let default = thousands(quota.default);
        let row =
            format!("| `{}` | {what} | {default} | {raised} | {} |\n", quota.key, quota.source);
        text.push_str(&row);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_quota_has_a_key_of_its_own_and_a_source() {
        let keys: BTreeSet<_> = QUOTAS.iter().map(|quota| quota.key).collect();
        assert_eq!(keys.len(), QUOTAS.len());
        for quota in QUOTAS {
            let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            let plain = quota.key.bytes().all(letter);
            assert!(plain && !quota.source.is_empty() && !quota.relief.is_empty(), "{}", quota.key);
            assert_eq!(quota.name.contains("TYPE"), quota.scope == Scope::InstanceType);
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567];
        assert_eq!(numbers.map(thousands), ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn the_reference_shows_every_key_with_its_source() {
        insta::assert_snapshot!(reference());
    }
}
