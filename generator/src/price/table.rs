//! The table itself: one row per price, in the order in which an estimate shows them.
//!
//! "infracost" is what its tests, as of 2026-08-21, show of AWS's price list for us-east-1; "price
//! list" is that list as others quoted it in 2026-09. A row that says "not confirmed" is
//! in neither. Free tiers and discounts for quantity are left out. To change a number, change its source.

use super::{Price, Spread};

/// Bytes of a GB. Our choice: AWS counts 2^30 for most, which would be up to seven percent less.
const GB: u64 = 1_000_000_000;
const MILLION: u64 = 1_000_000;
/// Megabyte-seconds of a million GB-seconds; Lambda counts 1,024 MB for a GB.
const LAMBDA_MILLION: u64 = 1_024 * MILLION;

/// A unit, how many single things make it, and how amounts of it are told.
type Unit = (&'static str, u64, (&'static str, u64));

const GB_UNIT: Unit = ("GB", GB, ("GB", GB));
const GB_MONTH: Unit = ("GB-month", GB, ("GB-month", GB));
const GB_SECONDS: Unit = ("million GB-seconds", LAMBDA_MILLION, ("GB-second", 1_024));
const CALLS: Unit = ("million calls", MILLION, ("call", 1));
const REQUESTS: Unit = ("million requests", MILLION, ("request", 1));
const MESSAGES: Unit = ("million messages", MILLION, ("message", 1));
const UNITS: Unit = ("million units", MILLION, ("unit", 1));

const fn row(
    key: &'static str,
    title: &'static str,
    (unit, singles, shown): Unit,
    micros: u64,
    source: &'static str,
) -> Price {
    Price { key, title, unit, singles, shown, micros, spread: Spread::Scaled, source }
}

/// A price that is taken to be the same in every region.
const fn same(price: Price) -> Price {
    Price { spread: Spread::Same, ..price }
}

const VIDEO: &str = "Kinesis Video Streams pricing, examples for US East, read 2026-10-07";
const INFRACOST: &str = "infracost, 2026-08-21";
const BOTH: &str = "infracost, 2026-08-21; price list, 2026-09";

/// Everything that an estimate counts.
pub const PRICES: &[Price] = &[
    row("kinesis_video_ingest", "video sent to streams", GB_UNIT, 8_500, VIDEO),
    row(
        "kinesis_video_storage",
        "video kept by streams",
        GB_MONTH,
        23_000,
        "Kinesis Video Streams pricing, as quoted by others; not confirmed",
    ),
    row("kinesis_video_read", "video read from streams", GB_UNIT, 8_500, VIDEO),
    same(row(
        "sagemaker_data",
        "video given to the model",
        GB_UNIT,
        16_000,
        "a bill of eu-west-1, 2023-12: SageMaker, Endpoint Data IN",
    )),
    row(
        "sagemaker_instances",
        "instances of the model",
        ("hour", 1, ("hour", 1)),
        0,
        "by type, see below",
    ),
    same(row("lambda_requests", "calls of functions", CALLS, 200_000, BOTH)),
    same(row("lambda_compute_x86_64", "time of functions on x86_64", GB_SECONDS, 16_666_700, BOTH)),
    same(row(
        "lambda_compute_arm64",
        "time of functions on arm64",
        GB_SECONDS,
        13_333_400,
        INFRACOST,
    )),
    same(row("sqs_requests", "requests to queues", REQUESTS, 400_000, INFRACOST)),
    row(
        "scheduler_invocations",
        "ticks of schedules",
        ("million ticks", MILLION, ("tick", 1)),
        1_000_000,
        "price list, 2026-09; 1.25 in ap-northeast-1",
    ),
    same(row(
        "eventbridge_events",
        "detections put on buses",
        ("million events", MILLION, ("event", 1)),
        1_000_000,
        INFRACOST,
    )),
    same(row("sns_publishes", "alerts published", REQUESTS, 500_000, INFRACOST)),
    same(row(
        "sns_emails",
        "alerts by e-mail",
        ("100,000 messages", 100_000, ("message", 1)),
        2_000_000,
        INFRACOST,
    )),
    same(row("sns_https", "alerts by HTTPS", MESSAGES, 600_000, INFRACOST)),
    same(row("sns_push", "alerts to apps", MESSAGES, 500_000, INFRACOST)),
    same(row(
        "sns_sms",
        "alerts by text message",
        ("message", 1, ("message", 1)),
        9_000,
        "not confirmed: 0.00581 in the United States and about 0.003 of carriers' fees; Japan has 0.07451, read 2026-05-18",
    )),
    row("dynamodb_writes", "writes of cases and notes", UNITS, 625_000, INFRACOST),
    row("dynamodb_reads", "reads of cases and notes", UNITS, 125_000, INFRACOST),
    row("s3_storage", "evidence of the last 30 days", GB_MONTH, 23_000, BOTH),
    row(
        "s3_archive",
        "evidence older than 30 days",
        GB_MONTH,
        4_000,
        "S3 pricing, Glacier Instant Retrieval, as of long standing; not confirmed",
    ),
    row("s3_puts", "objects written", ("1,000 requests", 1_000, ("request", 1)), 5_000, INFRACOST),
    same(row("kms_keys", "keys", ("key-month", 1, ("key", 1)), 1_000_000, INFRACOST)),
    same(row(
        "kms_requests",
        "uses of keys",
        ("10,000 requests", 10_000, ("request", 1)),
        30_000,
        INFRACOST,
    )),
    same(row("cloudwatch_alarms", "alarms", ("alarm-month", 1, ("alarm", 1)), 100_000, BOTH)),
    same(row(
        "cloudwatch_metrics",
        "metrics",
        ("metric-month", 1, ("metric", 1)),
        300_000,
        "price list, 2026-09",
    )),
    row("logs_ingest", "logs written", GB_UNIT, 500_000, BOTH),
    row("logs_storage", "logs kept", GB_MONTH, 30_000, BOTH),
];
