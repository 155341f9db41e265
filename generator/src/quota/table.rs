//! The table itself: one row per quota, in the order in which `arm quotas` shows them.
//!
//! "Service Quotas, X" is AWS's own list of default values of service X, read for us-east-1. A new
//! account may have less than a default, for Lambda and SageMaker it often has; `arm` cannot see
//! that, so people state what they were granted. To change a number, change its source as well.

use super::{Quota, Raise, Rate, Scope};

const MOVE_STORES: &str = "move stores to a cell in another account or region";

/// A row that AWS raises on request and all cells of an account and region share.
const fn shared(key: &'static str, title: &'static str, default: u64) -> Quota {
    Quota {
        key,
        title,
        default,
        raise: Raise::OnRequest,
        scope: Scope::Region,
        service: "",
        name: "",
        estimate: false,
        relief: MOVE_STORES,
        source: "",
    }
}

/// Every quota that a fleet can come near, or that people ask for.
pub const QUOTAS: &[Quota] = &[
    Quota {
        service: "kinesisvideo",
        name: "Number of video streams",
        source: "Kinesis Video Streams developer guide, service quotas; older editions gave 5,000 outside us-east-1 and us-west-2",
        ..shared("kinesis_video_streams", "video streams", 10_000)
    },
    Quota {
        raise: Raise::BuiltIn,
        estimate: true,
        relief: "use longer windows, or move stores to a cell in another account or region",
        source: "Kinesis Video Streams developer guide, service quotas: GetDataEndpoint, never raised; needed while functions start cold, two calls a window",
        ..shared("kinesis_video_endpoint_calls", "GetDataEndpoint calls a second", 300)
    },
    Quota {
        service: "lambda",
        name: "Concurrent executions",
        estimate: true,
        source: "Lambda developer guide, Lambda quotas; a new account may have less",
        relief: "use longer windows, or move stores to a cell in another account or region",
        ..shared("lambda_concurrency", "Lambda executions at once", 1_000)
    },
    Quota {
        raise: Raise::BuiltIn,
        scope: Scope::Each("cell"),
        estimate: true,
        relief: "use longer windows, or move stores to another cell",
        source: "arm's own bound on the function `analyze`, so that alerts always find capacity",
        ..shared("windows_at_once", "windows read at once", 600)
    },
    Quota {
        scope: Scope::InstanceType,
        service: "sagemaker",
        name: "TYPE for endpoint usage",
        relief: "lower `instances` of the model",
        source: "Service Quotas, SageMaker: 0 for 227 of 230 instance types; some accounts are given 1 or 2",
        ..shared("sagemaker_instances", "instances for endpoints", 0)
    },
    Quota {
        service: "sagemaker",
        name: "Number of instances across active endpoints",
        relief: "lower `instances` of the model",
        source: "Service Quotas, SageMaker; it differs from account to account",
        ..shared("sagemaker_endpoint_instances", "instances of all endpoints", 4)
    },
    Quota {
        scope: Scope::Each("endpoint"),
        service: "sagemaker",
        name: "Maximum number of instances per endpoint",
        relief: "lower `instances` of the model",
        source: "Service Quotas, SageMaker; it differs from account to account",
        ..shared("sagemaker_instances_per_endpoint", "instances", 4)
    },
    Quota {
        service: "cloudformation",
        name: "Stack count",
        source: "CloudFormation user guide, Understand CloudFormation quotas",
        ..shared("cloudformation_stacks", "stacks", 2_000)
    },
    Quota {
        raise: Raise::Never,
        scope: Scope::Each("stack"),
        service: "cloudformation",
        name: "Resource count in CloudFormation template",
        relief: "split the store, or use fewer cameras, rules or subscribers",
        source: "CloudFormation user guide, Understand CloudFormation quotas",
        ..shared("cloudformation_resources_per_stack", "resources", 500)
    },
    Quota {
        service: "events",
        name: "Event buses",
        source: "EventBridge user guide, Amazon EventBridge quotas",
        ..shared("eventbridge_buses", "event buses", 100)
    },
    Quota {
        raise: Raise::Never,
        scope: Scope::Each("bus"),
        service: "events",
        name: "Number of rules",
        relief: "name fewer cameras, aisles or zones in the store's rules, or group aisles by `aisle_kind`",
        source: "EventBridge user guide, Amazon EventBridge quotas; AWS raises it, and arm compiles no more",
        ..shared("eventbridge_rules_per_bus", "rules", 300)
    },
    Quota {
        service: "scheduler",
        name: "Number of schedules",
        source: "Service Quotas, EventBridge Scheduler",
        ..shared("scheduler_schedules", "schedules", 1_000_000)
    },
    Quota {
        service: "sns",
        name: "Topics per Account",
        source: "AWS General Reference, Amazon SNS endpoints and quotas",
        ..shared("sns_topics", "topics", 100_000)
    },
    Quota {
        service: "sns",
        name: "Filter Policies per Account",
        relief: "give stores fewer subscribers, such as one mailing list instead of its members",
        source: "AWS General Reference, Amazon SNS endpoints and quotas",
        ..shared("sns_filter_policies", "subscriptions with a filter", 10_000)
    },
    Quota {
        scope: Scope::Each("topic"),
        service: "sns",
        name: "Filter Policies per Topic",
        relief: "give the store fewer subscribers, such as one mailing list instead of its members",
        source: "AWS General Reference, Amazon SNS endpoints and quotas",
        ..shared("sns_filter_policies_per_topic", "subscriptions with a filter", 200)
    },
    Quota {
        service: "sns",
        name: "Pending Subscriptions per Account",
        relief: "deploy in parts, and let people confirm in between",
        source: "AWS General Reference, Amazon SNS endpoints and quotas",
        ..shared("sns_subscriptions_pending", "subscriptions that somebody must confirm", 5_000)
    },
    Quota {
        service: "monitoring",
        name: "",
        source: "CloudWatch user guide, CloudWatch service quotas, older editions; newer ones give no limit",
        ..shared("cloudwatch_alarms", "alarms", 5_000)
    },
    Quota {
        service: "logs",
        name: "Log groups",
        source: "Service Quotas, CloudWatch Logs",
        ..shared("cloudwatch_log_groups", "log groups", 1_000_000)
    },
    Quota {
        scope: Scope::Account,
        service: "iam",
        name: "Roles per account",
        relief: "move cells to another account",
        source: "IAM user guide, IAM and AWS STS quotas; AWS raises it to 5,000 at most",
        ..shared("iam_roles", "roles", 1_000)
    },
    Quota {
        scope: Scope::Account,
        service: "s3",
        name: "General purpose buckets",
        relief: "move cells to another account",
        source: "S3 user guide, General purpose bucket quotas, limitations, and restrictions; 100 before 2024",
        ..shared("s3_buckets", "buckets", 10_000)
    },
    Quota {
        service: "dynamodb",
        name: "Maximum number of tables",
        source: "Service Quotas, DynamoDB",
        ..shared("dynamodb_tables", "tables", 2_500)
    },
    Quota {
        service: "kms",
        name: "Customer Master Keys (CMKs)",
        source: "KMS developer guide, Resource quotas",
        ..shared("kms_keys", "keys", 100_000)
    },
];

/// The rates that decide how long a first deploy, or a cold start, takes.
pub const RATES: &[Rate] = &[
    Rate {
        call: "CreateStream",
        per_second: 50,
        of: "video streams",
        when: "at the first deploy",
        source: "Kinesis Video Streams developer guide, service quotas",
    },
    Rate {
        call: "Subscribe",
        per_second: 100,
        of: "subscriptions",
        when: "at the first deploy",
        source: "SNS API reference, Subscribe",
    },
    Rate {
        call: "GetDataEndpoint",
        per_second: 300,
        of: "calls of `analyze` for endpoints",
        when: "when every function starts cold",
        source: "Kinesis Video Streams developer guide, service quotas; never raised",
    },
];
