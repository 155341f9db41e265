//! By how much regions are dearer than us-east-1.
//!
//! AWS's lists of other regions were not at hand for most services. So the ratio of another list
//! stands in: on-demand prices of EC2, family m5, or m6i where there is no m5, as Apache Libcloud 3.9.1
//! has them (2025-03-02). It comes near: a tick of a schedule is 1.25 times as dear in ap-northeast-1,
//! this says 1.292. To add a region that a cell may name, add its row.

/// Regions, and the thousandths of us-east-1's price that things cost there.
const FACTORS: &[(&str, u64)] = &[
    ("ap-east-1", 1_375),
    ("ap-northeast-1", 1_292),
    ("ap-northeast-2", 1_229),
    ("ap-south-1", 1_052),
    ("ap-southeast-1", 1_250),
    ("ap-southeast-2", 1_250),
    ("ap-southeast-5", 1_062),
    ("ca-central-1", 1_115),
    ("eu-central-1", 1_198),
    ("eu-south-2", 1_115),
    ("eu-west-1", 1_115),
    ("eu-west-2", 1_156),
    ("eu-west-3", 1_167),
    ("il-central-1", 1_170),
    ("sa-east-1", 1_594),
    ("us-east-1", 1_000),
    ("us-east-2", 1_000),
    ("us-west-2", 1_000),
];

/// Every region that has a factor: those that a cell may name.
pub fn regions() -> impl Iterator<Item = &'static str> {
    FACTORS.iter().map(|(region, _)| *region)
}

/// Services that are known to be dearer still: beginning of the key, region, thousandths. Kinesis
/// Video's signaling and relays cost 1.577 times as much in ap-southeast-2 (price list, 2026-09-14).
const DEARER: &[(&str, &str, u64)] = &[("kinesis_video_", "ap-southeast-2", 1_577)];

/// Thousandths of us-east-1's price; of a region that is none of ours, as much as the dearest.
pub(super) fn factor(key: &str, region: &str) -> u64 {
    let dearer = DEARER.iter().find(|(start, at, _)| key.starts_with(start) && *at == region);
    let known = FACTORS.iter().find(|(name, _)| *name == region).map(|(_, it)| *it);
    let most = || FACTORS.iter().map(|(_, it)| *it).max().unwrap_or(1_000);
    dearer.map(|(_, _, it)| *it).or(known).unwrap_or_else(most)
}
