"""What `arm preflight` asks IAM about, against the official resource schemas that cfn-lint ships.

Usage: PYTHON tests/permissions.py ARM [--write]     (PYTHON is one that has cfn-lint)

Makes the table `generator/src/preflight/permissions.json`: for every resource type that we emit, its ARN
and what CloudFormation may do to it with the caller's credentials. It fails where the committed table
says otherwise; `--write` writes it instead. What stands here by hand must be in the schemas.
"""

import json
import re
import sys
from importlib.metadata import version

from resource_types import HOME, ROOT, emitted, expect, schema

TABLE = ROOT / "generator/src/preflight/permissions.json"

# How AWS names one, with names of properties in braces (Service Authorization Reference, "Resource types
# defined by ..."); `*` where AWS gives out the name. And what no resource of ours can be made without:
# the rest of a schema's permissions depends on its properties, or on what is changed.
KNOWN = {
    "AWS::ApplicationAutoScaling::ScalableTarget": (
        "application-autoscaling:{region}:{account}:scalable-target/*",
        ["application-autoscaling:RegisterScalableTarget"],
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "application-autoscaling:{region}:{account}:scalable-target/*",
        ["application-autoscaling:PutScalingPolicy"],
    ),
    "AWS::Athena::WorkGroup": ("athena:{region}:{account}:workgroup/{Name}", ["athena:CreateWorkGroup"]),
    "AWS::CloudWatch::Alarm": ("cloudwatch:{region}:{account}:alarm:{AlarmName}", ["cloudwatch:PutMetricAlarm"]),
    "AWS::CloudWatch::Dashboard": ("cloudwatch::{account}:dashboard/{DashboardName}", ["cloudwatch:PutDashboard"]),
    "AWS::DynamoDB::Table": (
        "dynamodb:{region}:{account}:table/{TableName}",
        ["dynamodb:CreateTable", "dynamodb:DescribeTable", "kms:CreateGrant", "kms:DescribeKey"],
    ),
    "AWS::Events::EventBus": ("events:{region}:{account}:event-bus/{Name}", ["events:CreateEventBus"]),
    "AWS::Events::Rule": (
        "events:{region}:{account}:rule/{EventBusName}/{Name}",
        ["events:PutRule", "events:PutTargets", "events:DescribeRule"],
    ),
    "AWS::Glue::Database": ("glue:{region}:{account}:database/{DatabaseInput.Name}", ["glue:CreateDatabase"]),
    "AWS::Glue::Table": ("glue:{region}:{account}:table/{DatabaseName}/{TableInput.Name}", ["glue:CreateTable"]),
    "AWS::IAM::Role": ("iam::{account}:role/{RoleName}", ["iam:CreateRole", "iam:PutRolePolicy", "iam:GetRole"]),
    "AWS::IoT::Policy": ("iot:{region}:{account}:policy/{PolicyName}", ["iot:CreatePolicy"]),
    "AWS::IoT::RoleAlias": ("iot:{region}:{account}:rolealias/{RoleAlias}", ["iot:CreateRoleAlias", "iam:PassRole"]),
    "AWS::IoT::Thing": ("iot:{region}:{account}:thing/{ThingName}", ["iot:CreateThing"]),
    "AWS::KMS::Alias": ("kms:{region}:{account}:{AliasName}", ["kms:CreateAlias"]),
    "AWS::KMS::Key": ("kms:{region}:{account}:key/*", ["kms:CreateKey", "kms:EnableKeyRotation", "kms:PutKeyPolicy"]),
    "AWS::KinesisVideo::Stream": (
        "kinesisvideo:{region}:{account}:stream/{Name}/*",
        ["kinesisvideo:CreateStream", "kinesisvideo:DescribeStream"],
    ),
    "AWS::Lambda::EventInvokeConfig": (
        "lambda:{region}:{account}:function:{FunctionName}",
        ["lambda:PutFunctionEventInvokeConfig"],
    ),
    "AWS::Lambda::EventSourceMapping": (
        "lambda:{region}:{account}:event-source-mapping:*",
        ["lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping"],
    ),
    "AWS::Lambda::Function": (
        "lambda:{region}:{account}:function:{FunctionName}",
        ["lambda:CreateFunction", "lambda:GetFunction", "iam:PassRole", "s3:GetObject"],
    ),
    "AWS::Logs::LogGroup": (
        "logs:{region}:{account}:log-group:{LogGroupName}:*",
        ["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DescribeLogGroups"],
    ),
    "AWS::S3::Bucket": (
        "s3:::{BucketName}",
        [
            "s3:CreateBucket",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutBucketOwnershipControls",
        ],
    ),
    "AWS::S3::BucketPolicy": ("s3:::{Bucket}", ["s3:PutBucketPolicy"]),
    "AWS::SNS::Subscription": ("sns:{region}:{account}:{TopicArn}", ["sns:Subscribe"]),
    "AWS::SNS::Topic": ("sns:{region}:{account}:{TopicName}", ["sns:CreateTopic", "sns:GetTopicAttributes"]),
    "AWS::SNS::TopicPolicy": ("sns:{region}:{account}:{Topics.0}", ["sns:SetTopicAttributes"]),
    "AWS::SQS::Queue": ("sqs:{region}:{account}:{QueueName}", ["sqs:CreateQueue", "sqs:GetQueueAttributes"]),
    "AWS::SQS::QueuePolicy": ("sqs:{region}:{account}:{Queues.0}", ["sqs:SetQueueAttributes"]),
    "AWS::SageMaker::Endpoint": (
        "sagemaker:{region}:{account}:endpoint/{EndpointName}",
        ["sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint"],
    ),
    "AWS::SageMaker::EndpointConfig": (
        "sagemaker:{region}:{account}:endpoint-config/*",
        ["sagemaker:CreateEndpointConfig"],
    ),
    "AWS::SageMaker::Model": ("sagemaker:{region}:{account}:model/*", ["sagemaker:CreateModel", "iam:PassRole"]),
    "AWS::Scheduler::Schedule": (
        "scheduler:{region}:{account}:schedule/default/{Name}",
        ["scheduler:CreateSchedule", "scheduler:GetSchedule", "iam:PassRole"],
    ),
}
# Permissions of the type's own service that only properties need which no blueprint sets.
UNUSED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": r"ScheduledAction",
    "AWS::DynamoDB::Table": r"Import|ContributorInsights|KinesisStreaming|ResourcePolicy|Replica|:Scan|:Query|Item$",
    "AWS::Events::EventBus": r"Permission",
    "AWS::Glue::Database": r"Connection",
    "AWS::Glue::Table": r"Connection|SchemaVersion|UpdateDatabase",
    "AWS::IAM::Role": r"(Attach|Detach)RolePolicy|PermissionsBoundary|Attached|RoleDescription",
    "AWS::Lambda::Function": r"CodeSigning|Layer|Recursion|Scaling|Capacity|RuntimeAlias|RuntimeManagement|FunctionConcurrency|PublishVersion",
    "AWS::Logs::LogGroup": r"DataProtection|LogDelivery|ResourcePolic|IndexPolic|BearerToken|DeletionProtection",
    "AWS::S3::Bucket": r"Abac|Analytics|C[Oo][Rr][Ss]|Inventory|Metrics|Notification|Replication|Website|Accelerate|Acl|Object$|Tiering|Metadata",
    "AWS::SNS::Topic": r"DataProtection|ubscri",
}
# What puts tags on one: every resource of ours that can be tagged is, when it is made.
TAGGING = r":(TagResource|TagRole|TagQueue|TagStream|PutBucketTagging|AddTags)$"
# What no blueprint tags, and S3's other way to tag, which its buckets do not take.
UNTAGGED = {"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::CloudWatch::Dashboard"}
OTHER_TAGGING = {"s3:TagResource"}


def service(action: str) -> str:
    return action.split(":")[0]


def row(name: str, handlers: dict) -> dict:
    arn, surely = KNOWN[name]
    said = {kind: handlers.get(kind, {}).get("permissions", []) for kind in ("create", "update", "delete")}
    expect(set(surely) <= set(said["create"]), f"{name}: the schema does not say {set(surely) - set(said['create'])}")
    own, unused = service(surely[0]), UNUSED.get(name)
    if name not in UNTAGGED:
        tagging = [it for it in said["create"] if re.search(TAGGING, it) and it not in OTHER_TAGGING]
        surely = surely + [it for it in tagging if service(it) == own]
    everything = [it for kind in said.values() for it in kind if service(it) == own]
    expect(not unused or any(re.search(unused, it) for it in everything), f"{name}: UNUSED fits nothing")
    expect(not unused or not any(re.search(unused, it) for it in surely), f"{name}: UNUSED fits what is surely used")
    used = lambda kind: sorted(
        {it for it in said[kind] if service(it) == own and it not in surely and not (unused and re.search(unused, it))}
    )
    whole = {"arn": f"arn:{{partition}}:{arn}", "create": surely, "perhaps": used("create")}
    return whole | {"update": used("update"), "delete": used("delete")}


def text(table: dict) -> str:
    """One line a type, so that a change of one is a line of a diff."""
    rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(it)}" for name, it in table["types"].items())
    return f'{{\n  "source": {json.dumps(table["source"])},\n  "types": {{\n{rows}\n  }}\n}}\n'


def main(arm: str, *options: str) -> int:
    ours = emitted(arm)
    expect(len(ours) > 20, f"only {len(ours)} types were found in what we emit")
    expect(ours == set(KNOWN), f"KNOWN has other types than we emit: {ours ^ set(KNOWN)}")
    types = {}
    for name in sorted(ours):
        found = schema(HOME, name)
        expect(found is not None and "handlers" in found, f"cfn-lint has no handlers of {name}")
        types[name] = row(name, found["handlers"])
        for pointer in re.findall(r"{([A-Z]\w*)", types[name]["arn"]):
            expect(pointer in found["properties"], f"{name} has no property {pointer}")
    source = f"CloudFormation registry resource schemas, as cfn-lint {version('cfn-lint')} ships them; tests/permissions.py"
    made = text({"source": source, "types": types})
    if options == ("--write",):
        TABLE.write_text(made, encoding="utf-8")
    committed = TABLE.read_text(encoding="utf-8")
    wrong = [ours for ours, theirs in zip(committed.splitlines(), made.splitlines()) if ours != theirs]
    expect(committed == made, "\n  ".join(["not as the schemas have it (--write makes it so):", *wrong]))
    surely = sum(len(it["create"]) for it in types.values())
    others = sum(len(it["perhaps"]) + len(it["update"]) + len(it["delete"]) for it in types.values())
    print(f"permissions of {len(types)} resource types as in the schemas: {surely} that a deploy needs, {others} that it may")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
