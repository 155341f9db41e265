"""Starts MiniStack with the resource types and the recorder that a rehearsal needs.

MiniStack stands in for CloudFormation and every service but Kinesis Video and the SageMaker
runtime. It refuses resource types that it does not know, and it forgets what it would have sent to
people. This script teaches it both, and then runs it:

- video streams are made in our own service, so that footage can be played into them;
- other unknown types are written down: names, references, order and replacement behave as on AWS;
- every message that a topic fans out is recorded for each subscriber, as that subscriber gets it.

What it does not show: that AWS accepts the properties of these types (cfn-lint shows that), that
an endpoint takes minutes to start, or that a message arrives. No message leaves this machine.

Environment: AWS_ENDPOINT_URL_KINESIS_VIDEO (our own service; needed), GATEWAY_PORT, BIND_HOST
(127.0.0.1 when not given), and whatever else MiniStack reads. State is in memory; to begin anew,
start both services anew. The table of types is private to MiniStack, hence the exact version.
"""

import collections
import importlib.metadata
import inspect
import json
import os
import signal
import queue
import sys
import threading
import time
import urllib.error
import urllib.request

MINISTACK_VERSION = "1.5.33"
SERVICE_VARIABLE = "AWS_ENDPOINT_URL_KINESIS_VIDEO"
SERVICE_TIMEOUT_S = 10
# MiniStack looks for due schedules every 10 s; a rehearsal should not wait that long.
SCHEDULE_SWEEP_S = 1


def stop(message):
    sys.exit(f"start.py: {message}")


def load_ministack():
    """MiniStack's private parts that this script changes, or a clear end."""
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    # MiniStack's MQTT listener would be on every interface, and no rehearsal needs it.
    os.environ["IOT_MTLS_ENABLED"] = "0"
    try:
        version = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        stop("MiniStack is not installed; install requirements.txt")
    if version != MINISTACK_VERSION:
        stop(f"this script is for MiniStack {MINISTACK_VERSION}, and {version} is installed")
    try:
        from ministack import app
        from ministack.core import responses
        from ministack.services import eventbridge, s3, scheduler, sns
        from ministack.services.cloudformation import provisioners

        for module, names in (
            (app, ("main",)),
            (responses, ("get_account_id", "get_region")),
            (eventbridge, ("_invoke_target",)),
            (s3, ("_bucket_object_lock",)),
            (scheduler, ("_SCHEDULE_TICK_INTERVAL",)),
            (sns, ("_fanout", "_topic_by_arn_any_scope", "_resolve_message_for_protocol",
                   "_matches_filter_policy", "_build_envelope", "_http_post_sync")),
            (provisioners, ("_RESOURCE_HANDLERS", "_REPLACING_PROPERTIES", "_STACK_TAG_PROPERTY",
                            "_physical_name")),
        ):
            for name in names:
                getattr(module, name)
    except (ImportError, AttributeError) as error:
        stop(f"a private part of MiniStack has moved, adapt this script: {error}")
    return app, responses, eventbridge, s3, scheduler, sns, provisioners


# ---- Our own service -------------------------------------------------------------------------

SERVICE = os.environ.get(SERVICE_VARIABLE, "").rstrip("/")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy


def service(method, path, body=None):
    """Calls our own service; an error of AWS becomes the reason of the stack's event."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVICE + path, data=data, method=method,
                                     headers={"Content-Type": "application/json"})
    try:
        with OPENER.open(request, timeout=SERVICE_TIMEOUT_S) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        code = error.headers.get("x-amzn-errortype", str(error.code))
        message = json.loads(error.read() or b"{}").get("Message", "")
        raise ServiceError(code, f"{message} ({code})") from error
    except OSError as error:
        raise ServiceError("Unreachable", f"cannot reach {SERVICE}: {error}") from error


class ServiceError(ValueError):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# ---- AWS::KinesisVideo::Stream ---------------------------------------------------------------


def stream_tags(props):
    return {tag["Key"]: str(tag["Value"]) for tag in props.get("Tags") or []}


def stream_create(name_of):
    def create(logical_id, props, stack_name):
        name = props.get("Name") or name_of(stack_name, logical_id)
        body = {"StreamName": name, "Tags": stream_tags(props),
                "DataRetentionInHours": int(props.get("DataRetentionInHours") or 0)}
        body.update({key: props[key] for key in ("DeviceName", "MediaType", "KmsKeyId") if props.get(key)})
        return name, {"Arn": service("POST", "/createStream", body)["StreamARN"]}
    return create


def stream_update(physical_id, old_props, new_props, stack_name):
    stream = service("POST", "/describeStream", {"StreamName": physical_id})["StreamInfo"]
    change = int(new_props.get("DataRetentionInHours") or 0) - stream["DataRetentionInHours"]
    if change:
        service("POST", "/updateDataRetention", {
            "StreamName": physical_id,
            "CurrentVersion": stream["Version"],
            "Operation": "INCREASE_DATA_RETENTION" if change > 0 else "DECREASE_DATA_RETENTION",
            "DataRetentionChangeInHours": abs(change),
        })
    old, new = stream_tags(old_props), stream_tags(new_props)
    if new:
        service("POST", "/tagStream", {"StreamName": physical_id, "Tags": new})
    if gone := [key for key in old if key not in new]:
        service("POST", "/untagStream", {"StreamName": physical_id, "TagKeyList": gone})
    return physical_id, {"Arn": stream["StreamARN"]}


def stream_delete(physical_id, props):
    try:
        arn = service("POST", "/describeStream", {"StreamName": physical_id})["StreamInfo"]["StreamARN"]
        service("POST", "/deleteStream", {"StreamARN": arn})
    except ServiceError as error:
        if error.code != "ResourceNotFoundException":
            raise


# ---- Types that are only written down --------------------------------------------------------

# `name` is the property that names the resource; `ref` is what Ref gives. Templates may use {name},
# {arn}, {region}, {account}, {lower} (the name in lower case) and {p[Property]}.
Kind = collections.namedtuple("Kind", "name required create_only arn ref attributes", defaults=[{}])

SAGEMAKER = "arn:aws:sagemaker:{region}:{account}:"
QUICKSIGHT = "arn:aws:quicksight:{region}:{p[AwsAccountId]}:"
SCALING_KEY = ("ResourceId", "ScalableDimension", "ServiceNamespace")

KINDS = {
    "AWS::SageMaker::Model": Kind(
        "ModelName", ("ExecutionRoleArn",),
        ("ModelName", "PrimaryContainer", "Containers", "ExecutionRoleArn", "VpcConfig",
         "EnableNetworkIsolation", "InferenceExecutionConfig"),
        SAGEMAKER + "model/{lower}", "{arn}", {"ModelName": "{name}"}),
    "AWS::SageMaker::EndpointConfig": Kind(
        "EndpointConfigName", ("ProductionVariants",),
        ("EndpointConfigName", "ProductionVariants", "ShadowProductionVariants", "KmsKeyId",
         "DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "VpcConfig",
         "ExecutionRoleArn", "EnableNetworkIsolation"),
        SAGEMAKER + "endpoint-config/{lower}", "{arn}", {"EndpointConfigName": "{name}"}),
    "AWS::SageMaker::Endpoint": Kind(
        "EndpointName", ("EndpointConfigName",), ("EndpointName",),
        SAGEMAKER + "endpoint/{lower}", "{arn}", {"EndpointName": "{name}"}),
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind(
        None, (*SCALING_KEY, "MinCapacity", "MaxCapacity"), SCALING_KEY, "{ref}",
        "{p[ResourceId]}|{p[ScalableDimension]}|{p[ServiceNamespace]}", {"Id": "{ref}"}),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Kind(
        "PolicyName", ("PolicyName", "PolicyType"),
        ("PolicyName", "ScalingTargetId", *SCALING_KEY),
        "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:policyName/{name}", "{arn}",
        {"Arn": "{arn}"}),
    "AWS::QuickSight::DataSource": Kind(
        "DataSourceId", ("Name", "Type", "AwsAccountId", "DataSourceId"),
        ("AwsAccountId", "DataSourceId", "Type"), QUICKSIGHT + "datasource/{name}",
        "{p[AwsAccountId]}|{name}", {"Arn": "{arn}", "Status": "CREATION_SUCCESSFUL"}),
    "AWS::QuickSight::DataSet": Kind(
        "DataSetId", ("Name", "AwsAccountId", "DataSetId"), ("AwsAccountId", "DataSetId"),
        QUICKSIGHT + "dataset/{name}", "{p[AwsAccountId]}|{name}", {"Arn": "{arn}"}),
    "AWS::QuickSight::Dashboard": Kind(
        "DashboardId", ("Name", "AwsAccountId", "DashboardId"), ("AwsAccountId", "DashboardId"),
        QUICKSIGHT + "dashboard/{name}", "{p[AwsAccountId]}|{name}", {"Arn": "{arn}"}),
    "AWS::QuickSight::Analysis": Kind(
        "AnalysisId", ("Name", "AwsAccountId", "AnalysisId"), ("AwsAccountId", "AnalysisId"),
        QUICKSIGHT + "analysis/{name}", "{p[AwsAccountId]}|{name}", {"Arn": "{arn}"}),
    "AWS::QuickSight::RefreshSchedule": Kind(
        None, ("AwsAccountId", "DataSetId", "Schedule"), ("AwsAccountId", "DataSetId"),
        QUICKSIGHT + "dataset/{p[DataSetId]}/refresh-schedule/{p[Schedule][ScheduleId]}",
        "{p[AwsAccountId]}|{p[DataSetId]}|{p[Schedule][ScheduleId]}", {"Arn": "{arn}"}),
    "AWS::IoT::RoleAlias": Kind(
        "RoleAlias", ("RoleArn",), ("RoleAlias",),
        "arn:aws:iot:{region}:{account}:rolealias/{name}", "{name}", {"RoleAliasArn": "{arn}"}),
    "AWS::Events::Archive": Kind(
        "ArchiveName", ("SourceArn",), ("ArchiveName", "SourceArn"),
        "arn:aws:events:{region}:{account}:archive/{name}", "{name}", {"Arn": "{arn}"}),
    "AWS::Events::EventBusPolicy": Kind(
        None, ("StatementId",), ("EventBusName", "StatementId"), "{ref}",
        "{id}|{p[StatementId]}"),
    "AWS::Athena::NamedQuery": Kind(
        None, ("Database", "QueryString"),
        ("Database", "Description", "Name", "QueryString", "WorkGroup"), "{ref}", "{id}",
        {"NamedQueryId": "{ref}"}),
    "AWS::Logs::QueryDefinition": Kind(
        None, ("Name", "QueryString"), (), "{ref}", "{id}", {"QueryDefinitionId": "{ref}"}),
    "AWS::CloudWatch::CompositeAlarm": Kind(
        "AlarmName", ("AlarmRule",), ("AlarmName",),
        "arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "{name}", {"Arn": "{arn}"}),
}


class Ledger:
    """What was written down, by type and by what Ref gives."""

    def __init__(self, responses, physical_name):
        self.responses = responses
        self.physical_name = physical_name
        self.entries = {}

    def handlers(self, kind_name):
        return {
            "create": lambda logical_id, props, stack: self.create(kind_name, logical_id, props, stack),
            "update": lambda physical_id, old, new, stack: self.update(kind_name, physical_id, new),
            "delete": lambda physical_id, props: self.delete(kind_name, physical_id),
        }

    def create(self, kind_name, logical_id, props, stack_name):
        kind = KINDS[kind_name]
        self.check(kind_name, props)
        generated = self.physical_name(stack_name, logical_id, max_len=63)
        values = {"p": props, "id": generated, "account": self.responses.get_account_id(),
                  "region": self.responses.get_region()}
        values["name"] = (props.get(kind.name) if kind.name else None) or generated
        values["lower"] = values["name"].lower()
        if kind.arn != "{ref}":
            values["arn"] = kind.arn.format(**values)
        ref = values["ref"] = kind.ref.format(**values)
        if (kind_name, ref) in self.entries:
            raise ValueError(f"{kind_name} {values['name']} already exists")
        attributes = {key: value.format(**values) for key, value in kind.attributes.items()}
        self.entries[kind_name, ref] = {"name": values["name"], "attributes": attributes}
        if kind_name == "AWS::SageMaker::Endpoint":
            service("PUT", f"/_local/endpoints/{values['name']}")
        return ref, attributes

    def update(self, kind_name, physical_id, props):
        self.check(kind_name, props)
        if (kind_name, physical_id) not in self.entries:
            raise ValueError(f"{kind_name} {physical_id} does not exist")
        return physical_id, self.entries[kind_name, physical_id]["attributes"]

    def delete(self, kind_name, physical_id):
        entry = self.entries.pop((kind_name, physical_id), None)
        if entry and kind_name == "AWS::SageMaker::Endpoint":
            service("DELETE", f"/_local/endpoints/{entry['name']}")

    def names(self, kind_name):
        return {entry["name"] for (kind, _), entry in self.entries.items() if kind == kind_name}

    def check(self, kind_name, props):
        """What AWS refuses because something is missing: a property, or what it points at."""
        for needed in KINDS[kind_name].required:
            if props.get(needed) in (None, ""):
                raise ValueError(f"Properties validation failed: required key [{needed}] not found")
        if kind_name == "AWS::SageMaker::EndpointConfig":
            for variant in props["ProductionVariants"]:
                model = variant.get("ModelName")
                if model and model not in self.names("AWS::SageMaker::Model"):
                    raise ValueError(f'Could not find model "{model}".')
        if kind_name == "AWS::SageMaker::Endpoint":
            name = props["EndpointConfigName"]
            if name not in self.names("AWS::SageMaker::EndpointConfig"):
                raise ValueError(f'Could not find endpoint configuration "{name}".')
        if kind_name == "AWS::ApplicationAutoScaling::ScalableTarget" and props["ServiceNamespace"] == "sagemaker":
            endpoint = (props["ResourceId"].split("/") + [""])[1]
            if endpoint not in service("GET", "/_local/health")["endpoints"]:
                raise ValueError(f"Could not find endpoint of {props['ResourceId']}.")


def register_types(provisioners, responses):
    handlers, replacing = provisioners._RESOURCE_HANDLERS, provisioners._REPLACING_PROPERTIES
    ledger = Ledger(responses, provisioners._physical_name)
    for kind_name, kind in KINDS.items():
        if kind_name not in handlers:
            handlers[kind_name] = ledger.handlers(kind_name)
            replacing[kind_name] = kind.create_only
    stream = "AWS::KinesisVideo::Stream"
    handlers[stream] = {"create": stream_create(provisioners._physical_name),
                        "update": stream_update, "delete": stream_delete}
    replacing[stream] = ("Name",)
    for tagged in (stream, "AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig",
                   "AWS::SageMaker::Endpoint"):
        provisioners._STACK_TAG_PROPERTY.setdefault(tagged, ("Tags", "list"))
    # The inline policies are the older types with another list of whom they are for.
    inline = (
        ("AWS::SNS::TopicInlinePolicy", "AWS::SNS::TopicPolicy", "TopicArn", "Topics"),
        ("AWS::SQS::QueueInlinePolicy", "AWS::SQS::QueuePolicy", "Queue", "Queues"),
        ("AWS::IAM::RolePolicy", "AWS::IAM::Policy", "RoleName", "Roles"),
    )
    for new, old, one, many in inline:
        if new not in handlers:
            handlers[new] = inline_handlers(handlers[old], one, many)
            replacing[new] = (one,)


def inline_handlers(handlers, one, many):
    """Handlers that pass `{one: x}` on as `{many: [x]}`."""
    def widen(props):
        return {**{key: value for key, value in props.items() if key != one}, many: [props[one]]}

    def create(logical_id, props, stack_name):
        _, attributes = handlers["create"](logical_id, widen(props), stack_name)
        return props[one], attributes

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack: create(physical_id, new, stack),
        "delete": lambda physical_id, props: handlers["delete"](physical_id, widen(props)),
    }


# ---- What subscribers get --------------------------------------------------------------------

# Until the subscriber confirms, AWS sends nothing; MiniStack waits for nobody.
CONFIRMED_BY_PEOPLE = ("http", "https", "email", "email-json")
IN_AN_ENVELOPE = ("http", "https", "email-json", "sqs", "lambda")


def record_messages(sns):
    """Records each message of a topic for each subscriber whose filter policy matches."""
    messages = queue.Queue()
    fanout, signature = sns._fanout, inspect.signature(sns._fanout)

    def post():
        while True:
            batch = messages.get()
            try:
                service("POST", "/_local/messages", batch)
            except ServiceError as error:
                print(f"start.py: messages are not recorded: {error}", file=sys.stderr, flush=True)

    def recorded(*args, **kwargs):
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        if batch := subscribers_get(sns, call.arguments):
            messages.put(batch)
        return fanout(*args, **kwargs)

    threading.Thread(target=post, daemon=True, name="message-recorder").start()
    sns._fanout = recorded
    # Nothing leaves this machine.
    sns._http_post_sync = lambda endpoint, payload, kind: 200


def subscribers_get(sns, call):
    topic = sns._topic_by_arn_any_scope(call["topic_arn"]) or {"subscriptions": []}
    attributes = call["message_attributes"] or {}
    batch = []
    for subscription in topic["subscriptions"]:
        protocol = subscription.get("protocol", "")
        text = sns._resolve_message_for_protocol(call["message"], call["message_structure"], protocol)
        if not sns._matches_filter_policy(subscription, attributes, text):
            continue
        if protocol in IN_AN_ENVELOPE:
            raw = subscription.get("attributes", {}).get("RawMessageDelivery") == "true"
            text = sns._build_envelope(call["topic_arn"], call["msg_id"], text, call["subject"], attributes, raw)
        batch.append({
            "at_ms": int(time.time() * 1000),
            "topic": call["topic_arn"],
            "message_id": call["msg_id"],
            "protocol": protocol,
            "endpoint": subscription.get("endpoint", ""),
            "needs_confirmation": protocol in CONFIRMED_BY_PEOPLE,
            "subject": call["subject"] if protocol.startswith("email") else "",
            "text": text,
        })
    return batch


# ---- Object Lock -----------------------------------------------------------------------------


def lock_buckets(provisioners, s3):
    """MiniStack's CloudFormation leaves Object Lock out, and its S3 then refuses locked objects."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handlers["create"], handlers["update"]

    def lock(name, props):
        if props.get("ObjectLockEnabled") in (True, "true"):
            rule = (props.get("ObjectLockConfiguration") or {}).get("Rule") or {}
            retention = rule.get("DefaultRetention")
            if retention:
                retention = {**retention, "Days": int(retention.get("Days") or 0)}
            s3._bucket_object_lock[name] = {"enabled": True, "default_retention": retention}

    def created(logical_id, props, stack):
        name, attributes = create(logical_id, props, stack)
        lock(name, props)
        return name, attributes

    def updated(physical_id, old, new, stack):
        answer = update(physical_id, old, new, stack)
        lock(new.get("BucketName") or physical_id, new)
        return answer

    handlers["create"], handlers["update"] = created, updated


# ---- Schedules -------------------------------------------------------------------------------


def planned(call, event):
    """When a schedule was to fire: of cron, the whole minute; of a rate, the time at which it did."""
    schedules = (it for it in call.arguments.values() if isinstance(it, dict))
    expressions = (it.get("ScheduleExpression", "") for it in schedules)
    of_cron = any(it.startswith("cron(") for it in expressions)
    return event["Time"] - event["Time"] % 60 if of_cron else event["Time"]


def keep_schedules(eventbridge, scheduler):
    """Sweeps every second, and fills in the context attributes of EventBridge Scheduler."""
    scheduler._SCHEDULE_TICK_INTERVAL = SCHEDULE_SWEEP_S
    invoke, signature = eventbridge._invoke_target, inspect.signature(eventbridge._invoke_target)

    def filled(*args, **kwargs):
        call = signature.bind(*args, **kwargs)
        target, event = call.arguments["target"], call.arguments["event"]
        if event.get("Source") == "aws.scheduler" and isinstance(target.get("Input"), str):
            due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(planned(call, event)))
            text = target["Input"]
            for name, value in (("scheduled-time", due), ("schedule-arn", event["Resources"][0]),
                                ("execution-id", event["EventId"]), ("attempt-number", "1")):
                text = text.replace(f"<aws.scheduler.{name}>", value)
            call.arguments["target"] = {**target, "Input": text}
        return invoke(*call.args, **call.kwargs)

    eventbridge._invoke_target = filled


def end_with_parent():
    """Ends the whole group when whoever started it is gone, however it went."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    # Only a group of our own: started by hand, the group is the shell's.
    if os.getpgrp() == os.getpid():
        threading.Thread(target=watch, daemon=True).start()


def main():
    end_with_parent()
    if not SERVICE:
        stop(f"{SERVICE_VARIABLE} must name our own service, such as http://127.0.0.1:4600")
    app, responses, eventbridge, s3, scheduler, sns, provisioners = load_ministack()
    register_types(provisioners, responses)
    lock_buckets(provisioners, s3)
    record_messages(sns)
    keep_schedules(eventbridge, scheduler)
    app.main()


if __name__ == "__main__":
    main()
