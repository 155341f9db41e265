//! AWS regions: those that a cell may name. A region belongs here when every resource type that our
//! blueprints make exists in it; `tests/lint.py` lints every template in each of them. To add one,
//! add it to the list and run `tests/run`.

use crate::diagnostic::{At, Diagnostic, suggest};

/// The regions of the partition `aws` in which every type that we make exists, by cfn-lint 1.58.0's
/// resource schemas. Other partitions are left out: nothing of ours was tried there.
const REGIONS: &[&str] = &[
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-5",
    "ca-central-1",
    "eu-central-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// Regions that lack a type that we make, by the same schemas, and the services it belongs to.
const LACKING: &[(&str, &str)] = &[
    ("af-south-1", "Kinesis Video Streams and IoT role aliases"),
    ("ap-east-2", "Kinesis Video Streams and IoT role aliases"),
    ("ap-northeast-3", "Kinesis Video Streams and IoT role aliases"),
    ("ap-south-2", "Kinesis Video Streams and IoT role aliases"),
    ("ap-southeast-3", "Kinesis Video Streams and IoT role aliases"),
    ("ap-southeast-4", "Kinesis Video Streams and IoT role aliases"),
    ("ap-southeast-6", "Kinesis Video Streams and IoT role aliases"),
    ("ap-southeast-7", "Kinesis Video Streams and IoT role aliases"),
    ("ca-west-1", "Kinesis Video Streams and IoT role aliases"),
    ("eu-central-2", "Kinesis Video Streams and IoT role aliases"),
    ("eu-north-1", "Kinesis Video Streams"),
    ("eu-south-1", "Kinesis Video Streams"),
    ("me-central-1", "Kinesis Video Streams and SageMaker endpoints"),
    ("mx-central-1", "Kinesis Video Streams and IoT role aliases"),
    ("us-west-1", "Kinesis Video Streams"),
];

/// What is wrong with a region, if anything.
pub(super) fn check(region: &At<String>) -> Option<Diagnostic> {
    let name = region.value.as_str();
    if REGIONS.contains(&name) {
        return None;
    }
    let problem = |message| Diagnostic::error("unknown-region", &region.place, message);
    if let Some((_, services)) = LACKING.iter().find(|(lacking, _)| *lacking == name) {
        let message = format!("the region `{name}` lacks {services}");
        let area = name.split('-').next().unwrap_or_default();
        let near: Vec<_> = REGIONS.iter().filter(|it| it.starts_with(area)).copied().collect();
        let near = if near.is_empty() { REGIONS.to_vec() } else { near };
        return Some(problem(message).help(suggest("", near)));
    }
    if ["cn-", "us-gov-", "eusc-", "us-iso"].iter().any(|partition| name.starts_with(partition)) {
        let message = format!("`{name}` is in a partition of AWS that arm was not tried in");
        return Some(problem(message).help(suggest("", REGIONS.iter().copied())));
    }
    let message = format!("`{name}` is no region that arm knows");
    Some(problem(message).help(suggest(name, REGIONS.iter().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_that_a_cell_may_name_has_prices() {
        assert_eq!(crate::price::regions().collect::<Vec<_>>(), REGIONS);
    }
}
