//! The flat rows that people analyse: `project` writes them, the Glue table describes them.
//!
//! Every change of a case is one row, one JSON object a line; the newest row of a case is the one
//! with the highest `version`. Rows lie at `cases/dt=<date>/store_id=<store>/`, where the date is
//! that of `created_at` in UTC: it never changes, so that all rows of a case lie together. The case may
//! have opened on an earlier day; `opened_date_local` says so.

/// Where rows lie in the analytics bucket.
pub const PREFIX: &str = "cases/";

/// What rows are partitioned by, with the type in Glue. A row holds `store_id` too; a table must
/// not list it twice.
pub const PARTITIONS: [(&str, &str); 2] = [("dt", "string"), ("store_id", "string")];

/// The columns of a row and their types in Glue. Times are RFC 3339 in UTC; those that end in
/// `_local` are the store's.
pub const COLUMNS: [(&str, &str); 34] = [
    ("case_id", "string"),
    ("version", "bigint"),
    ("store_name", "string"),
    ("cell", "string"),
    ("timezone", "string"),
    ("camera", "string"),
    ("aisle", "string"),
    ("aisle_name", "string"),
    ("aisle_kind", "string"),
    ("zone", "string"),
    ("period", "string"),
    ("event_type", "string"),
    ("priority", "string"),
    ("priority_rank", "int"),
    ("status", "string"),
    ("confidence", "double"),
    ("rule", "string"),
    ("shadow", "boolean"),
    ("detections", "bigint"),
    ("opened_at", "string"),
    ("opened_date_local", "string"),
    ("opened_hour_local", "int"),
    // 1 is Monday.
    ("opened_weekday_local", "int"),
    ("last_seen_at", "string"),
    ("created_at", "string"),
    ("updated_at", "string"),
    ("evidence_status", "string"),
    ("evidence_key", "string"),
    ("evidence_bytes", "bigint"),
    ("evidence_reason", "string"),
    ("alert_status", "string"),
    ("alert_sent_at", "string"),
    // From the behaviour's begin to the alert.
    ("alert_delay_ms", "bigint"),
    ("model_version", "string"),
];
