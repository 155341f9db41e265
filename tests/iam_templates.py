"""The stacks that `arm generate` writes, as IAM would see them once they are deployed.

Resolves `Ref`, `Fn::GetAtt` and `Fn::Sub` to the names and ARNs of one example cell, and tells its
roles, its resource policies and which key encrypts what. What it does not know is an error, never
text that is left in a policy. To teach it a type of resource, add a line to `ARNS`.
"""

import json
import re
import uuid
from functools import cache
from pathlib import Path

PARTITION, URL_SUFFIX = "aws", "amazonaws.com"
# The property that names a resource, and its ARN after `arn:PARTITION:`; `{id}` is that name.
ARNS = {
    "AWS::KMS::Key": (None, "kms:{region}:{account}:key/{id}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{id}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{id}"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{id}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{id}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{id}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{id}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{id}:*"),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{id}"),
    "AWS::KinesisVideo::Stream": ("Name", "kinesisvideo:{region}:{account}:stream/{id}/1700000000000"),
    "AWS::SageMaker::Endpoint": ("EndpointName", "sagemaker:{region}:{account}:endpoint/{id}"),
    "AWS::IoT::RoleAlias": ("RoleAlias", "iot:{region}:{account}:rolealias/{id}"),
    "AWS::Scheduler::Schedule": ("Name", "scheduler:{region}:{account}:schedule/default/{id}"),
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{id}"),
}
# What `Ref` gives where it is not the name.
REFERS_BY_ARN = {"AWS::SNS::Topic"}
# The newest stream of a table, as its ARN ends.
STREAM = "/stream/2026-01-01T00:00:00.000"
# Where a type of resource says which key encrypts it.
KEYS = {
    "AWS::SQS::Queue": ["KmsMasterKeyId"],
    "AWS::SNS::Topic": ["KmsMasterKeyId"],
    "AWS::S3::Bucket": [
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        0,
        "ServerSideEncryptionByDefault",
        "KMSMasterKeyID",
    ],
    "AWS::DynamoDB::Table": ["SSESpecification", "KMSMasterKeyId"],
    "AWS::Lambda::Function": ["KmsKeyArn"],
    "AWS::Events::EventBus": ["KmsKeyIdentifier"],
    "AWS::KinesisVideo::Stream": ["KmsKeyId"],
    "AWS::Scheduler::Schedule": ["KmsKeyArn"],
    "AWS::Logs::LogGroup": ["KmsKeyId"],
}
# Policies that stand beside the resources they are about.
POLICIES = {"AWS::SQS::QueuePolicy": "Queues", "AWS::SNS::TopicPolicy": "Topics", "AWS::S3::BucketPolicy": "Bucket"}


class Cell:
    """One cell: its platform and all its stores."""

    def __init__(self, folder: Path, account: str, region: str) -> None:
        self.account, self.region = account, region
        self.stacks = {path.stem: json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))}
        self.prefix = f"arm-{folder.name}"
        self.aliases: dict[str, str] = {}
        for stack in self.stacks:
            for alias in self.resources(stack, "AWS::KMS::Alias"):
                self.aliases[alias["AliasName"]] = self.arn(stack, alias["TargetKeyId"].removeprefix("key:"))

    def all(self, kind: str) -> list[tuple[str, dict]]:
        """Every resource of a type: its ARN and its properties, resolved."""
        found = []
        for stack, template in self.stacks.items():
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    arn = self.arn(stack, logical_id) if kind in ARNS else logical_id
                    found.append((arn, self.resolve(stack, resource["Properties"])))
        return found

    def resources(self, stack: str, kind: str) -> list[dict]:
        known = self.stacks[stack]["Resources"].values()
        return [self.resolve(stack, it["Properties"]) for it in known if it["Type"] == kind]

    def roles(self) -> dict[str, list[dict]]:
        """Each role's policies by its name."""
        return {it["RoleName"]: [one["PolicyDocument"] for one in it["Policies"]] for _, it in self.all("AWS::IAM::Role")}

    def resource_policies(self) -> dict[str, dict]:
        """Policies of queues, topics, buckets and keys by the ARN that they are about."""
        found = {arn: it["KeyPolicy"] for arn, it in self.all("AWS::KMS::Key")}
        for kind, about in POLICIES.items():
            for _, policy in self.all(kind):
                subjects = policy[about] if isinstance(policy[about], list) else [policy[about]]
                for subject in subjects:
                    found[self.named(subject)] = policy["PolicyDocument"]
        return found

    def named(self, reference: str) -> str:
        """The ARN of what `Ref` gave: a bucket's name, a queue's URL, or the ARN itself."""
        if reference.startswith("https://sqs."):
            return f"arn:{PARTITION}:sqs:{self.region}:{self.account}:{reference.rsplit('/', 1)[1]}"
        return reference if reference.startswith("arn:") else f"arn:{PARTITION}:s3:::{reference}"

    @cache
    def known(self) -> set[str]:
        """The ARN of everything that the stacks make, as far as `ARNS` has it."""
        return {arn for kind in ARNS for arn, _ in self.all(kind)}

    @cache
    def keys(self) -> dict[str, str]:
        """The ARN of the key that encrypts a resource, by the resource's ARN."""
        found = {}
        for kind, path in KEYS.items():
            for arn, value in self.all(kind):
                for step in path:
                    value = value[step] if isinstance(step, int) or step in value else None
                    if value is None:
                        break
                if value is not None:
                    found[arn] = self.key(value)
        return found

    def key(self, reference: str) -> str:
        """The ARN of a key that is named by its ARN, its id or an alias."""
        if ":alias/" in reference or reference.startswith("alias/"):
            return self.aliases["alias/" + reference.split("alias/", 1)[1]]
        if reference.startswith("arn:"):
            return reference
        stack, logical_id = next(
            (stack, it)
            for stack, template in self.stacks.items()
            for it, resource in template["Resources"].items()
            if resource["Type"] == "AWS::KMS::Key" and reference == f"key:{it}"
        )
        return self.arn(stack, logical_id)

    def arn(self, stack: str, logical_id: str) -> str:
        resource = self.stacks[stack]["Resources"][logical_id]
        name, arn = ARNS[resource["Type"]]
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, logical_id)) if name is None else resource["Properties"][name]
        name = self.resolve(stack, name)
        if resource["Type"] == "AWS::SageMaker::Endpoint":
            name = name.lower()
        return f"arn:{PARTITION}:" + arn.format(id=name, region=self.region, account=self.account)

    def resolve(self, stack: str, value: object) -> object:
        if isinstance(value, list):
            return [self.resolve(stack, it) for it in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), *_ = value.items()
            if function == "Ref":
                return self.reference(stack, argument)
            if function == "Fn::GetAtt":
                return self.attribute(stack, *argument)
            if function == "Fn::Sub":
                return self.substitute(stack, argument)
            if function.startswith("Fn::"):
                raise SystemExit(f"{stack}: {function} is not known here")
        return {key: self.resolve(stack, it) for key, it in value.items()}

    def reference(self, stack: str, name: str) -> str:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": PARTITION,
            "AWS::URLSuffix": URL_SUFFIX,
        }
        template = self.stacks[stack]
        if name in pseudo:
            return pseudo[name]
        if name in template.get("Parameters", {}):
            return f"parameter:{name}"
        resource = template["Resources"][name]
        kind = resource["Type"]
        if kind == "AWS::SQS::Queue":
            queue = self.resolve(stack, resource["Properties"]["QueueName"])
            return f"https://sqs.{self.region}.{URL_SUFFIX}/{self.account}/{queue}"
        if kind == "AWS::KMS::Key":
            return f"key:{name}"
        if kind in REFERS_BY_ARN:
            return self.arn(stack, name)
        if kind in ARNS:
            return self.resolve(stack, resource["Properties"][ARNS[kind][0]])
        return f"resource:{name}"

    def attribute(self, stack: str, logical_id: str, attribute: str) -> str:
        kind = self.stacks[stack]["Resources"][logical_id]["Type"]
        if attribute in ("Arn", "RoleAliasArn") and kind in ARNS:
            return self.arn(stack, logical_id)
        if attribute == "StreamArn" and kind == "AWS::DynamoDB::Table":
            return self.arn(stack, logical_id) + STREAM
        if kind.startswith("AWS::SageMaker::"):
            return f"resource:{logical_id}.{attribute}"
        raise SystemExit(f"{stack}: {attribute} of {kind} is not known here")

    def substitute(self, stack: str, text: str) -> str:
        def one(match: re.Match) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if "." in name:
                return self.attribute(stack, *name.split(".", 1))
            return self.reference(stack, name)

        return re.sub(r"\$\{([^}]+)\}", one, text)
