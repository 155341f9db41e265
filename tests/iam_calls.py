"""What each API call of a function needs of IAM, and what AWS itself does with a function's role.

`NEEDS` maps a call to actions and resources; `BESIDE` adds what an encrypted resource implies. Both
are from AWS's documentation, and a call that is not in the map is an error, never left out. To add a
call, add a line to `NEEDS`; to add a kind of event source or destination, see `of_lambda`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from iam_templates import PARTITION, URL_SUFFIX, Cell

GUIDE = "https://docs.aws.amazon.com/"
# Service Authorization Reference: the actions of each service and the resources that they know.
REFERENCE = GUIDE + "service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
TRANSACTIONS = GUIDE + "amazondynamodb/latest/developerguide/transaction-apis-iam.html"
LOCKS = GUIDE + "AmazonS3/latest/userguide/object-lock-managing.html"
SQS_POLLER = GUIDE + "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-lambda-function-trigger.html"
STREAM_POLLER = GUIDE + "aws-managed-policy/latest/reference/AWSLambdaDynamoDBExecutionRole.html"
DESTINATION = GUIDE + "lambda/latest/dg/invocation-async-retain-records.html"
LAMBDA_LOGS = GUIDE + "lambda/latest/dg/lambda-intro-execution-role.html"
LAMBDA_KEY = GUIDE + "lambda/latest/dg/configuration-envvars-encryption.html"
SCHEDULER = GUIDE + "scheduler/latest/UserGuide/setting-up.html"
SCHEDULER_KEY = GUIDE + "scheduler/latest/UserGuide/encryption-rest.html"
SQS_KEY = GUIDE + "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"
SNS_KEY = GUIDE + "sns/latest/dg/sns-key-management.html"
S3_KEY = GUIDE + "AmazonS3/latest/userguide/bucket-key.html"
TABLE_KEY = GUIDE + "amazondynamodb/latest/developerguide/encryption.usagenotes.html"
LOGS_KEY = GUIDE + "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
VIDEO_KEY = GUIDE + "kinesisvideostreams/latest/dg/how-kms.html"
DETECTOR = GUIDE + "sagemaker/latest/dg/sagemaker-roles.html"
GATEWAY = GUIDE + "kinesisvideostreams/latest/dg/how-iot.html"

# What the caller needs of the key of an encrypted resource, by the action on the resource: the
# service that asks the key on the caller's behalf, and the actions. An event bus is not here: its
# key is used by EventBridge under its own name (eventbridge/latest/userguide/eb-encryption-key-policy.html).
BESIDE = {
    "sqs:SendMessage": ("sqs", ["kms:GenerateDataKey", "kms:Decrypt"], SQS_KEY),
    "sqs:ReceiveMessage": ("sqs", ["kms:Decrypt"], SQS_KEY),
    "sns:Publish": ("sns", ["kms:GenerateDataKey", "kms:Decrypt"], SNS_KEY),
    # With a bucket key, Decrypt proves the bucket key whole before it is used.
    "s3:PutObject": ("s3", ["kms:GenerateDataKey", "kms:Decrypt"], S3_KEY),
    "s3:GetObject": ("s3", ["kms:Decrypt"], S3_KEY),
    # The table's key is made with a grant of its own; who reads or writes items has it decrypted.
    "dynamodb:GetItem": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:PutItem": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:UpdateItem": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:DeleteItem": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:ConditionCheckItem": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:Query": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "dynamodb:GetRecords": ("dynamodb", ["kms:Decrypt"], TABLE_KEY),
    "kinesisvideo:GetClip": ("kinesisvideo", ["kms:Decrypt"], VIDEO_KEY),
    "kinesisvideo:GetMediaForFragmentList": ("kinesisvideo", ["kms:Decrypt"], VIDEO_KEY),
    "kinesisvideo:PutMedia": ("kinesisvideo", ["kms:GenerateDataKey"], VIDEO_KEY),
}


class UnknownCall(Exception):
    """A call that the map does not know, or a name that no stack has."""


@dataclass(frozen=True)
class Need:
    """One question to IAM: may this principal do this?"""

    principal: str
    action: str
    resource: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    source: str = field(default=REFERENCE, compare=False)
    # Its context has keys that the Service Authorization Reference does not list.
    unchecked: bool = field(default=False, compare=False)


def role(cell: Cell, name: str) -> str:
    """The principal that a function is, once it runs."""
    return f"arn:{PARTITION}:sts::{cell.account}:assumed-role/{name}/{name}"


def text(value: object) -> str:
    """An attribute of an item, which must be a text."""
    if not isinstance(value, dict) or "S" not in value:
        raise UnknownCall(f"a key that is no text: {json.dumps(value)}")
    return value["S"]


def table(cell: Cell, name: str) -> str:
    return known(cell, f"arn:{PARTITION}:dynamodb:{cell.region}:{cell.account}:table/{name.rsplit('/', 1)[-1]}")


def queue(cell: Cell, url: str) -> str:
    return known(cell, f"arn:{PARTITION}:sqs:{cell.region}:{cell.account}:{url.rsplit('/', 1)[-1]}")


def stream(cell: Cell, name: str) -> str:
    """A camera's stream; its camera may be gone from the templates, and then the key is the cell's."""
    prefix = f"arn:{PARTITION}:kinesisvideo:{cell.region}:{cell.account}:stream/{name}/"
    return next((arn for arn in cell.keys() if arn.startswith(prefix)), prefix + "1700000000000")


def known(cell: Cell, arn: str) -> str:
    if arn not in cell.known():
        raise UnknownCall(f"no stack of the cell has {arn}")
    return arn


def item(action: str, arn: str, key: object) -> tuple[str, str, dict]:
    return action, arn, {"dynamodb:LeadingKeys": (text(key),)}


def transaction(cell: Cell, call: dict) -> Iterator[tuple]:
    actions = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
    for entry in call["TransactItems"]:
        ((kind, write),) = entry.items()
        key = write["Item" if kind == "Put" else "Key"]["pk"]
        yield item(f"dynamodb:{actions[kind]}", table(cell, write["TableName"]), key)


def query(cell: Cell, call: dict) -> Iterator[tuple]:
    arn = table(cell, call["TableName"])
    values = call["ExpressionAttributeValues"]
    # The key's condition names the partition first: `pk = :value`.
    first = call["KeyConditionExpression"].replace("(", " ").replace("=", " ").split()[1]
    index = f"{arn}/index/{call['IndexName']}" if call.get("IndexName") else arn
    yield item("dynamodb:Query", index, values[first])


def put_object(_: Cell, call: dict) -> Iterator[tuple]:
    arn = f"arn:{PARTITION}:s3:::{call['Bucket']}/{call['Key']}"
    told = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
    context = {f"s3:{header}": call[header] for header in told if header in call}
    if mode := call.get("x-amz-object-lock-mode"):
        context["s3:object-lock-mode"] = mode
        yield "s3:PutObjectRetention", arn, {"s3:object-lock-mode": mode}
    yield "s3:PutObject", arn, context


def put_events(cell: Cell, call: dict) -> Iterator[tuple]:
    for name in sorted({it["EventBusName"] for it in call["Entries"]}):
        arn = name if name.startswith("arn:") else f"arn:{PARTITION}:events:{cell.region}:{cell.account}:event-bus/{name}"
        yield "events:PutEvents", known(cell, arn), {}


def on_stream(action: str):
    return lambda cell, call: [(f"kinesisvideo:{action}", stream(cell, call["StreamName"]), {})]


def on_item(action: str, where: str):
    return lambda cell, call: [item(f"dynamodb:{action}", table(cell, call["TableName"]), call[where]["pk"])]


def on_queue(action: str):
    return lambda cell, call: [(f"sqs:{action}", queue(cell, call["QueueUrl"]), {})]


# Each call that a function may make. Where AWS has no action of the call's own name, the source says so.
NEEDS = {
    ("dynamodb", "GetItem"): on_item("GetItem", "Key"),
    ("dynamodb", "PutItem"): on_item("PutItem", "Item"),
    ("dynamodb", "UpdateItem"): on_item("UpdateItem", "Key"),
    ("dynamodb", "DeleteItem"): on_item("DeleteItem", "Key"),
    ("dynamodb", "Query"): query,
    # "Permissions for Put, Update, Delete, and Get actions are governed by the permissions used for
    # the underlying operations": TRANSACTIONS.
    ("dynamodb", "TransactWriteItems"): transaction,
    ("sqs", "SendMessage"): on_queue("SendMessage"),
    # Batches have no actions of their own: SQS developer guide, "Amazon SQS API permissions".
    ("sqs", "SendMessageBatch"): on_queue("SendMessage"),
    ("sns", "Publish"): lambda cell, call: [("sns:Publish", known(cell, call["TopicArn"]), {})],
    ("events", "PutEvents"): put_events,
    # A lock needs s3:PutObjectRetention beside s3:PutObject: LOCKS.
    ("s3", "PutObject"): put_object,
    ("kinesisvideo", "GetDataEndpoint"): on_stream("GetDataEndpoint"),
    ("kinesisvideo", "ListFragments"): on_stream("ListFragments"),
    ("kinesisvideo", "GetClip"): on_stream("GetClip"),
    ("kinesisvideo", "GetMediaForFragmentList"): on_stream("GetMediaForFragmentList"),
    ("sagemaker", "InvokeEndpoint"): lambda cell, call: [
        (
            "sagemaker:InvokeEndpoint",
            f"arn:{PARTITION}:sagemaker:{cell.region}:{cell.account}:endpoint/{call['EndpointName'].lower()}",
            {},
        )
    ],
}


def of_call(cell: Cell, call: dict) -> list[Need]:
    """Everything that one recorded call needs."""
    needs = NEEDS.get((call["service"], call["operation"]))
    if needs is None:
        raise UnknownCall(f"{call['service']}:{call['operation']} is not in the map of tests/iam_calls.py")
    principal = role(cell, f"{cell.prefix}-{call['function']}")
    found = []
    for action, resource, context in needs(cell, call["input"]):
        found += with_key(cell, Need(principal, action, resource, tuple(sorted(context.items()))))
    return found


def with_key(cell: Cell, need: Need) -> list[Need]:
    """The need, and what it implies where the resource is encrypted with a key of the cell's."""
    service, actions, source = BESIDE.get(need.action, ("", [], ""))
    encrypted = need.resource
    if service == "s3":
        encrypted = need.resource.split("/", 1)[0]
    if service == "dynamodb":
        encrypted = "/".join(need.resource.split("/")[:2])
    key = cell.keys().get(encrypted)
    if service == "kinesisvideo" and key is None:
        key = cell.key(f"alias/{cell.prefix}-video")
    via = (("kms:ViaService", f"{service}.{cell.region}.{URL_SUFFIX}"),)
    keys = [Need(need.principal, action, key, via, source) for action in actions] if key else []
    return [need, *keys]


def of_lambda(cell: Cell) -> list[Need]:
    """What AWS does with the roles of functions and schedules, as the templates set it up."""
    functions = {it["FunctionName"]: (arn, it) for arn, it in cell.all("AWS::Lambda::Function")}
    needs = []
    for name, (arn, function) in functions.items():
        principal = role(cell, name)
        log = f"arn:{PARTITION}:logs:{cell.region}:{cell.account}:log-group:{function['LoggingConfig']['LogGroup']}"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            needs.append(Need(principal, action, f"{log}:log-stream:2026/01/01/x", (), LAMBDA_LOGS))
        via = (("kms:ViaService", f"lambda.{cell.region}.{URL_SUFFIX}"),)
        needs.append(Need(principal, "kms:Decrypt", cell.keys()[arn], via, LAMBDA_KEY))
    for _, mapping in cell.all("AWS::Lambda::EventSourceMapping"):
        principal, source = role(cell, mapping["FunctionName"]), mapping["EventSourceArn"]
        if ":sqs:" in source:
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                needs += with_key(cell, Need(principal, f"sqs:{action}", source, (), SQS_POLLER))
        elif ":dynamodb:" in source:
            for action in ("DescribeStream", "GetRecords", "GetShardIterator"):
                needs += with_key(cell, Need(principal, f"dynamodb:{action}", source, (), STREAM_POLLER))
            # It knows no resources: the Reference, and the managed policy, which gives it on `*`.
            needs.append(Need(principal, "dynamodb:ListStreams", "*", (), STREAM_POLLER))
        else:
            raise UnknownCall(f"an event source that is not known here: {source}")
        needs += to_destination(cell, principal, mapping)
    for _, config in cell.all("AWS::Lambda::EventInvokeConfig"):
        needs += to_destination(cell, role(cell, config["FunctionName"]), config)
    for arn, schedule in cell.all("AWS::Scheduler::Schedule"):
        target = schedule["Target"]
        principal = role(cell, target["RoleArn"].rsplit("/", 1)[1])
        needs.append(Need(principal, "lambda:InvokeFunction", known(cell, target["Arn"]), (), SCHEDULER))
        needs += with_key(cell, Need(principal, "sqs:SendMessage", known(cell, target["DeadLetterConfig"]["Arn"]), (), SCHEDULER))
        via = (("kms:ViaService", f"scheduler.{cell.region}.{URL_SUFFIX}"),)
        if arn in cell.keys():
            needs.append(Need(principal, "kms:Decrypt", cell.keys()[arn], via, SCHEDULER_KEY))
    return needs


def to_destination(cell: Cell, principal: str, config: dict) -> list[Need]:
    failure = config.get("DestinationConfig", {}).get("OnFailure")
    if failure is None:
        return []
    arn = known(cell, failure["Destination"])
    if ":sqs:" not in arn:
        raise UnknownCall(f"a destination that is not known here: {arn}")
    return with_key(cell, Need(principal, "sqs:SendMessage", arn, (), DESTINATION))


def of_gateways(cell: Cell) -> list[Need]:
    """What kvssink does with the role of the gateways, for each camera, as its own store's thing."""
    needs = []
    for arn, camera in cell.all("AWS::KinesisVideo::Stream"):
        thing = camera["Name"].split("-gw-")[0] + "-gw"
        context = (("credentials-iot:ThingName", thing),)
        for action in ("DescribeStream", "GetDataEndpoint", "PutMedia"):
            need = Need(role(cell, f"{cell.prefix}-gateway"), f"kinesisvideo:{action}", arn, context, GATEWAY, True)
            needs += with_key(cell, need)
    return needs


def of_detector(cell: Cell) -> list[Need]:
    """What SageMaker does with the role of a model that the cell hosts."""
    needs = []
    logs = {it["LogGroupName"]: arn.removesuffix(":*") for arn, it in cell.all("AWS::Logs::LogGroup")}
    endpoints = [it["EndpointName"] for _, it in cell.all("AWS::SageMaker::Endpoint")]
    for _, model in cell.all("AWS::SageMaker::Model"):
        name = model["ExecutionRoleArn"].rsplit("/", 1)[1]
        add = lambda action, resource, context=(), name=name: needs.append(
            Need(role(cell, name), action, resource, context, DETECTOR)
        )
        container = model["PrimaryContainer"]
        account, _, _, region, *_ = container["Image"].split(".")
        repository = container["Image"].split("/", 1)[1].split(":")[0].split("@")[0]
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
            add(f"ecr:{action}", f"arn:{PARTITION}:ecr:{region}:{account}:repository/{repository}")
        add("ecr:GetAuthorizationToken", "*")
        if data := container.get("ModelDataUrl"):
            add("s3:GetObject", f"arn:{PARTITION}:s3:::" + data.removeprefix("s3://"))
        for endpoint in endpoints:
            for action in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
                # A group alone is asked about with an empty stream: "use the second version, with the
                # trailing :*" (AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
                stream_name = "" if action.startswith("Describe") else "main/x"
                group = logs[f"/aws/sagemaker/Endpoints/{endpoint}"]
                add(f"logs:{action}", f"{group}:log-stream:{stream_name}")
        for namespace in ("/aws/sagemaker/Endpoints", "AWS/SageMaker"):
            add("cloudwatch:PutMetricData", "*", (("cloudwatch:namespace", namespace),))
    return needs


def of_services(cell: Cell) -> list[Need]:
    """What AWS's services do under their own names: rules, topics, alarms, log groups, access logs."""
    here = ("aws:SourceAccount", cell.account)
    source = lambda arn: (("aws:SecureTransport", "true"), here, ("aws:SourceArn", arn))
    needs = []

    def sends(service: str, arn: str, sender: str) -> None:
        needs.append(Need(service, "sqs:SendMessage", known(cell, arn), source(sender)))
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            needs.append(Need(service, action, cell.keys()[arn], (here, ("aws:SourceArn", sender)), SQS_KEY))

    for arn, bus in cell.all("AWS::Events::EventBus"):
        sends("events.amazonaws.com", bus["DeadLetterConfig"]["Arn"], arn)
        for action in ("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"):
            needs.append(Need("events.amazonaws.com", action, cell.keys()[arn], (here, ("aws:SourceArn", arn))))
    for _, rule in cell.all("AWS::Events::Rule"):
        arn = f"arn:{PARTITION}:events:{cell.region}:{cell.account}:rule/{rule['EventBusName']}/{rule['Name']}"
        for target in rule["Targets"]:
            sends("events.amazonaws.com", target["Arn"], arn)
            sends("events.amazonaws.com", target["DeadLetterConfig"]["Arn"], arn)
    for _, subscription in cell.all("AWS::SNS::Subscription"):
        if "RedrivePolicy" in subscription:
            sends("sns.amazonaws.com", subscription["RedrivePolicy"]["deadLetterTargetArn"], subscription["TopicArn"])
    for arn, alarm in cell.all("AWS::CloudWatch::Alarm"):
        for topic in {*alarm["AlarmActions"], *alarm.get("OKActions", [])}:
            needs.append(Need("cloudwatch.amazonaws.com", "sns:Publish", known(cell, topic), source(arn), SNS_KEY))
            for action in ("kms:GenerateDataKey", "kms:Decrypt"):
                needs.append(Need("cloudwatch.amazonaws.com", action, cell.keys()[topic], (here,), SNS_KEY))
    for arn, group in cell.all("AWS::Logs::LogGroup"):
        context = (("kms:EncryptionContext:aws:logs:arn", arn.removesuffix(":*")),)
        for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"):
            service = f"logs.{cell.region}.{URL_SUFFIX}"
            needs.append(Need(service, action, cell.key(group["KmsKeyId"]), context, LOGS_KEY))
    for arn, bucket in cell.all("AWS::S3::Bucket"):
        if logging := bucket.get("LoggingConfiguration"):
            log = f"arn:{PARTITION}:s3:::{logging['DestinationBucketName']}/{logging['LogFilePrefix']}x"
            needs.append(Need("logging.s3.amazonaws.com", "s3:PutObject", log, source(arn)))
    return needs
