//! What `platform.yaml.j2` and its parts are given, but for the alarms and the dashboard.

use std::collections::BTreeMap;

use contract::case::{INDEX_BY_STATUS, INDEX_BY_STORE, INDEX_PENDING, SK_CASE, TTL_ATTRIBUTE};
use contract::row::{COLUMNS, PARTITIONS, PREFIX};
use contract::sweep::{SweepInput, TICK_MINUTES};
use serde::Serialize;
use serde_json::{Value, json};

use super::detector::{DetectorNames, Hosted, detector_names, endpoint, hosted};
use super::functions::{Function, Queue, functions, queues, service, services};
use super::operations::{self, Alarm};
use super::store::address;
use super::{arn, sub, tags};
use crate::model::{Cell, Detector};
use crate::name::{Bucket, CELL_TAG, CellNames, anonymous_id, pascal_case};

/// Days that something is locked in the evidence bucket when its request does not say. Our choice:
/// what a store keeps by default.
const EVIDENCE_LOCK_DAYS: u32 = 90;
/// Bytes that one query may read. Our choice: 10 GB, five cents, far above a year of rows.
const SCAN_BYTES_MAX: u64 = 10_000_000_000;
/// Invocations at once. Our choice: an account has 1,000 until it asks for more (Lambda quotas), and
/// alerts must find some free however many windows wait.
const ANALYZE_CONCURRENCY: u32 = 600;
const RESPOND_CONCURRENCY: u32 = 100;
/// Clips take long and can wait; Kinesis Video Streams must have capacity left for the watch.
const PRESERVE_CONCURRENCY: u32 = 50;

#[derive(Serialize)]
pub(super) struct Context {
    description: String,
    tags: Value,
    architecture: &'static str,
    log_days: u32,
    keys: Vec<Key>,
    log_group_arns: Value,
    buckets: BTreeMap<&'static str, Value>,
    artifacts_bucket: Value,
    case_table: String,
    indexes: Value,
    evidence_lock_days: u32,
    queues: Vec<Queue>,
    undelivered_queue: String,
    changes_dead_letters: String,
    changes_pattern: String,
    ttl_attribute: &'static str,
    rule_arns: Value,
    bus_arns: Value,
    topic_arns: Value,
    arns: BTreeMap<&'static str, Value>,
    pending_arn: Value,
    functions: Vec<Function>,
    batches: Value,
    concurrency: Value,
    scheduler_role: String,
    sweep: Value,
    scheduler_key_services: Vec<Value>,
    queue_key_service: Value,
    video_key_service: Value,
    evidence_key_service: Value,
    hosted: Option<Hosted>,
    detector: DetectorNames,
    gateway: String,
    gateway_streams: Value,
    role_alias_arn: Value,
    database: String,
    workgroup: String,
    columns: Value,
    partitions: Value,
    rows_arn: Value,
    row_location: Value,
    row_template: Value,
    result_location: Value,
    scan_bytes_max: u64,
    ops_topic: String,
    ops_subscriptions: Vec<OpsSubscription>,
    alarms: Vec<Alarm>,
    dashboard_name: String,
    dashboard_body: Value,
}

#[derive(Serialize)]
struct Key {
    logical_id: String,
    domain: &'static str,
    alias: String,
    description: &'static str,
}

#[derive(Serialize)]
struct OpsSubscription {
    logical_id: String,
    endpoint: String,
}

impl Context {
    pub(super) fn new(cell: &Cell, names: &CellNames) -> Self {
        let functions = functions(cell, names);
        let prefix = names.prefix();
        let location = |path: &str| sub(&format!("s3://${{AnalyticsBucket}}/{path}"));
        let partitions = PARTITIONS.map(|(name, _)| format!("{name}=${{!{name}}}/")).concat();
        Self {
            description: format!("Autonomous Retail Module, cell {}: platform", cell.id),
            tags: tags(&[(CELL_TAG, cell.id.as_str())]),
            architecture: cell.architecture.as_str(),
            log_days: cell.log_days,
            keys: keys(names),
            log_group_arns: json!([
                arn("logs", &format!("log-group:/aws/lambda/{prefix}-*")),
                arn("logs", &format!("log-group:/aws/sagemaker/Endpoints/{prefix}-*")),
            ]),
            buckets: buckets(names),
            artifacts_bucket: sub(&names.bucket_sub(Bucket::Artifacts)),
            case_table: names.case_table(),
            indexes: json!({
                "by_store": INDEX_BY_STORE,
                "by_status": INDEX_BY_STATUS,
                "pending": INDEX_PENDING,
            }),
            evidence_lock_days: EVIDENCE_LOCK_DAYS,
            queues: queues(names),
            undelivered_queue: names.queue("undelivered"),
            changes_dead_letters: names.dead_letter_queue("changes"),
            // Guards and audit entries change too, and give no rows.
            changes_pattern: json!({ "dynamodb": { "Keys": { "sk": { "S": [SK_CASE] } } } })
                .to_string(),
            ttl_attribute: TTL_ATTRIBUTE,
            rule_arns: arn("events", &format!("rule/{prefix}-*/*")),
            bus_arns: arn("events", &format!("event-bus/{prefix}-*")),
            topic_arns: arn("sns", &format!("{prefix}-*")),
            arns: arns(cell, names),
            pending_arn: sub(&format!("${{CaseTable.Arn}}/index/{INDEX_PENDING}")),
            functions,
            // One window a call: the model may take a minute for each, and those behind it in a batch
            // would be stale by then; one that ends the process would take the others with it.
            batches: json!({ "windows": 1, "incidents": 10, "evidence": 1, "changes": 100 }),
            concurrency: json!({
                "analyze": ANALYZE_CONCURRENCY,
                "respond": RESPOND_CONCURRENCY,
                "preserve": PRESERVE_CONCURRENCY,
            }),
            scheduler_role: names.scheduler_role(),
            sweep: sweep(names),
            scheduler_key_services: services(&["scheduler", "sqs"]),
            queue_key_service: service("sqs"),
            video_key_service: service("kinesisvideo"),
            evidence_key_service: service("s3"),
            hosted: match &cell.detector {
                Detector::Existing { .. } => None,
                Detector::Hosted(model) => Some(hosted(model)),
            },
            detector: detector_names(names),
            gateway: names.gateway(),
            // The variable is IoT's, not CloudFormation's: `!` leaves it in the policy.
            gateway_streams: arn("kinesisvideo", "stream/${!credentials-iot:ThingName}-*/*"),
            role_alias_arn: arn("iot", &format!("rolealias/{}", names.gateway())),
            database: names.database(),
            workgroup: names.workgroup(),
            columns: columns(&COLUMNS),
            partitions: columns(&PARTITIONS),
            row_location: location(PREFIX),
            row_template: location(&format!("{PREFIX}{partitions}")),
            rows_arn: sub(&format!("${{AnalyticsBucket.Arn}}/{PREFIX}*")),
            result_location: location("athena-results/"),
            scan_bytes_max: SCAN_BYTES_MAX,
            ops_topic: names.ops_topic(),
            ops_subscriptions: ops_subscriptions(cell),
            alarms: operations::alarms(names),
            dashboard_name: names.operations().to_owned(),
            dashboard_body: sub(&operations::dashboard(names, &endpoint(cell, names))),
        }
    }
}

/// The schedule that makes `sweep` run.
fn sweep(names: &CellNames) -> Value {
    let input = json!(SweepInput { version: contract::VERSION }).to_string();
    let rate = format!("rate({TICK_MINUTES} minutes)");
    json!({ "name": names.sweep_schedule(), "rate": rate, "input": input })
}

fn keys(names: &CellNames) -> Vec<Key> {
    let domains = [
        ("video", "Video in the streams of the cell's cameras"),
        ("evidence", "Evidence clips"),
        ("cases", "Cases, rows about them, and the messages and settings that lead to them"),
        ("logs", "Logs of the functions and of the detector"),
    ];
    let keys = domains.map(|(domain, description)| Key {
        logical_id: format!("{}Key", pascal_case(domain)),
        domain,
        alias: names.key_alias(domain),
        description,
    });
    keys.into()
}

fn buckets(names: &CellNames) -> BTreeMap<&'static str, Value> {
    let buckets =
        [("evidence", Bucket::Evidence), ("analytics", Bucket::Analytics), ("logs", Bucket::Logs)];
    buckets.into_iter().map(|(key, bucket)| (key, sub(&names.bucket_sub(bucket)))).collect()
}

/// What belongs to stores, and the endpoint.
fn arns(cell: &Cell, names: &CellNames) -> BTreeMap<&'static str, Value> {
    let prefix = names.prefix();
    // SageMaker writes names in ARNs in lower case, however they were given.
    let endpoint = endpoint(cell, names).to_lowercase();
    BTreeMap::from([
        ("streams", arn("kinesisvideo", &format!("stream/{prefix}-*-gw-*/*"))),
        ("endpoint", arn("sagemaker", &format!("endpoint/{endpoint}"))),
        ("buses", arn("events", &format!("event-bus/{prefix}-*"))),
        ("alerts_topics", arn("sns", &format!("{prefix}-*-alerts"))),
    ])
}

fn ops_subscriptions(cell: &Cell) -> Vec<OpsSubscription> {
    let subscriptions = cell.ops_email.iter().map(address).map(|endpoint| OpsSubscription {
        logical_id: anonymous_id("OpsEmail", &endpoint),
        endpoint,
    });
    subscriptions.collect()
}

fn columns(columns: &[(&str, &str)]) -> Value {
    columns.iter().map(|(name, kind)| json!({ "Name": name, "Type": kind })).collect()
}
