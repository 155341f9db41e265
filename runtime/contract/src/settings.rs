//! Names of the environment variables that the platform template sets and the functions read.

/// The cell's name; every function.
pub const CELL: &str = "ARM_CELL";
/// URL of the queue `windows`; `dispatch`.
pub const WINDOWS_QUEUE_URL: &str = "ARM_WINDOWS_QUEUE_URL";
/// URL of the queue `evidence`; `respond`, `preserve` and `sweep`.
pub const EVIDENCE_QUEUE_URL: &str = "ARM_EVIDENCE_QUEUE_URL";
/// Name of the case table; `respond`, `preserve` and `sweep`.
pub const CASE_TABLE: &str = "ARM_CASE_TABLE";
/// Name of the evidence bucket; `respond` and `preserve`.
pub const EVIDENCE_BUCKET: &str = "ARM_EVIDENCE_BUCKET";
/// Name of the analytics bucket; `project`.
pub const ANALYTICS_BUCKET: &str = "ARM_ANALYTICS_BUCKET";
/// Name of the SageMaker endpoint; `analyze`.
pub const ENDPOINT_NAME: &str = "ARM_ENDPOINT_NAME";

/// The functions of the one binary, by the name in `_HANDLER`.
pub const FUNCTIONS: [&str; 6] = ["dispatch", "analyze", "respond", "preserve", "project", "sweep"];
