//! AWS regions: those that a cell may name. A region belongs here when every resource type that our
//! blueprints make exists in it; `tests/lint.py` lints every template in each of them. To add one,
//! add it to the list and run `tests/run`.

/// The regions of the partition `aws` in which every type that we make exists, by cfn-lint 1.58.0's
/// resource schemas. Other partitions are left out: nothing of ours was tried there.
pub(super) const REGIONS: &[&str] = &[
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
