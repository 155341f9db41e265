//! AWS regions: those that a cell may name.

/// Regions of the partitions `aws`, `aws-us-gov` and `aws-cn` for which cfn-lint 1.58.0 ships
/// resource schemas with Kinesis Video Streams or which are opted in by default.
///
/// Source: cfn-lint 1.58.0, `REGIONS`; checked against its schemas in `tests/`.
pub(super) const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];
