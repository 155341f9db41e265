"""The same function as `respond`, in Python: a detection becomes a case, people are told, the clip is asked for.

Written as AWS's own samples are: boto3, clients made once outside the handler, one transaction for
each change. It makes the calls that ours makes, in that order, and leaves out what only ours does
when something goes wrong.
"""

import hashlib
import json
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["ARM_CASE_TABLE"])
sns = boto3.client("sns")
sqs = boto3.client("sqs")
QUEUE_URL = os.environ["ARM_EVIDENCE_QUEUE_URL"]
BUCKET = os.environ["ARM_EVIDENCE_BUCKET"]
RANKS = {"low": 1, "medium": 2, "high": 3, "critical": 4}


def rfc3339(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def now_ms() -> int:
    return int(datetime.now(timezone.utc).timestamp() * 1000)


def get_item(pk: str, sk: str) -> dict | None:
    return table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")


def put_new(item: dict) -> dict:
    put = {"TableName": table.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    return {"Put": put}


def write(*items: dict) -> bool:
    """Writes items in one transaction; false when somebody else was faster."""
    try:
        table.meta.client.transact_write_items(TransactItems=list(items))
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return False


def update(case: dict, changes: dict) -> dict:
    """An update of a case, if its version is still the one that was read."""
    changes = {**changes, "version": case["version"] + 1, "updated_at": rfc3339(now_ms())}
    names = {f"#a{index}": name for index, name in enumerate(changes)}
    values = {f":a{index}": value for index, value in enumerate(changes.values())}
    return {
        "Update": {
            "TableName": table.name,
            "Key": {"pk": case["pk"], "sk": case["sk"]},
            "UpdateExpression": "SET " + ", ".join(f"#a{index} = :a{index}" for index in range(len(changes))),
            "ConditionExpression": "#version = :before",
            "ExpressionAttributeNames": {**names, "#version": "version"},
            "ExpressionAttributeValues": {**values, ":before": case["version"]},
        }
    }


def audit_entry(case: dict, action: str, facts: dict) -> dict:
    """The next entry of the audit trail, bound to the one before by its hash."""
    entry = {
        "pk": case["pk"],
        "sk": f"EVENT#{int(case['audit_count']) + 1:06}",
        "case_id": case["case_id"],
        "at": rfc3339(now_ms()),
        "actor": "respond",
        "action": action,
        "facts": facts,
        "previous_hash": case["audit_hash"],
    }
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), default=str)
    return {**entry, "hash": hashlib.sha256(text.encode()).hexdigest()}


def new_case(incident: dict, case_id: str) -> dict:
    detail, store, evidence = incident["detail"], incident["store"], incident["evidence"]
    start_ms, end_ms = int(detail["start_ms"]), int(detail["end_ms"])
    opened_at, now = rfc3339(start_ms), rfc3339(now_ms())
    return {
        "pk": f"CASE#{case_id}",
        "sk": "META",
        "case_id": case_id,
        "schema_version": 1,
        "version": 1,
        "status": "OPEN",
        "priority": incident["priority"],
        "priority_rank": RANKS[incident["priority"]],
        "store": store["id"],
        "store_name": store["name"],
        "cell": store["cell"],
        "timezone": store["timezone"],
        "camera": detail["camera"],
        "aisle": detail["aisle"],
        "aisle_name": detail["aisle_name"],
        "aisle_kind": detail["aisle_kind"],
        "period": detail["period"],
        "event_type": detail["event_type"],
        "confidence": detail["confidence"],
        "rule": incident["rule"],
        "notify": incident["notify"],
        "shadow": incident["shadow"],
        "opened_at": opened_at,
        "last_seen_at": rfc3339(end_ms),
        "created_at": now,
        "updated_at": now,
        "detections": 1,
        "evidence": {
            "status": "PENDING",
            "bucket": BUCKET,
            "key": f"evidence/{store['id']}/{opened_at[:10].replace('-', '/')}/{case_id}.mp4",
            "start": rfc3339(start_ms - int(evidence["before_s"]) * 1000),
            "end": rfc3339(end_ms + int(evidence["after_s"]) * 1000),
        },
        "alert": {"status": "PENDING", "wanted_rank": RANKS[incident["priority"]]},
        "audit_hash": "0" * 64,
        "audit_count": 0,
        "store_pk": f"STORE#{store['id']}",
        "status_pk": f"OPEN#{store['id']}",
    }


def open_case(incident: dict) -> str:
    """Writes the case of a detection once, however often it comes."""
    detail, store = incident["detail"], incident["store"]["id"]
    identity = f"{store}|{detail['camera']}|{detail['event_type']}|{detail['start_ms']}"
    detection_id = hashlib.sha256(identity.encode()).hexdigest()[:32]
    case_id = hashlib.sha256(f"case|{identity}".encode()).hexdigest()[:26].upper()
    if seen := get_item(f"SEEN#{detection_id}", "SEEN"):
        return seen["case_id"]
    guard_pk = f"GUARD#{store}#{detail['camera']}#{detail['event_type']}"
    guard = get_item(guard_pk, "GUARD")
    if get_item(f"CASE#{case_id}", "META"):
        return case_id
    case = new_case(incident, case_id)
    facts = {key: detail[key] for key in ("event_type", "camera", "aisle", "start_ms", "end_ms")}
    entry = audit_entry(case, "opened", {**facts, "rule": incident["rule"], "event_id": incident["event_id"]})
    case.update(audit_hash=entry["hash"], audit_count=1)
    expires_at = int((datetime.now(timezone.utc) + timedelta(days=30)).timestamp())
    opened = {"case_id": case_id, "first_ms": detail["start_ms"], "last_ms": detail["end_ms"]}
    write(
        put_new(case),
        put_new(entry),
        put_new({"pk": f"SEEN#{detection_id}", "sk": "SEEN", "case_id": case_id, "expires_at": expires_at}),
        put_new({
            "pk": guard_pk, "sk": "GUARD", "version": 1, "expires_at": expires_at,
            "incidents": [*(guard or {}).get("incidents", []), opened],
        }),
    )  # fmt: skip
    return case_id


def texts(case: dict) -> dict:
    event = case["event_type"].replace("_", " ").title()
    headline = f"{case['priority'].title()}-Priority Alert: {event} at {case['aisle_name']}"
    facts = {key: case[key] for key in ("case_id", "store", "camera", "aisle", "priority", "event_type", "opened_at")}
    body = "\n".join([headline, "", *(f"{name}: {value}" for name, value in facts.items())])
    push = {"alert": {"title": headline, "body": case["store_name"]}, "sound": "default"}
    return {
        "default": headline,
        "sms": f"{headline}, {case['store_name']}. Case {case['case_id']}"[:160],
        "email": body,
        "http": json.dumps({"text": headline, **facts}),
        "https": json.dumps({"text": headline, **facts}),
        "APNS": json.dumps({"aps": push}),
        "GCM": json.dumps({"notification": {"title": headline, "body": case["store_name"]}}),
    }


def alert(incident: dict, case_id: str) -> None:
    """Tells people: claimed before and noted after, so that of many attempts one publishes."""
    case = get_item(f"CASE#{case_id}", "META")
    if case["alert"]["status"] != "PENDING":
        return
    claim = {**case["alert"], "claimed_until": rfc3339(now_ms() + 60_000), "claimed_by": incident["event_id"]}
    if not write(update(case, {"alert": claim})):
        return
    case = {**case, "alert": claim, "version": case["version"] + 1}
    messages = texts(case)
    attributes = {name: {"DataType": "String", "StringValue": case[name]} for name in ("priority", "event_type", "store", "aisle")}
    attributes["audience"] = {"DataType": "String.Array", "StringValue": json.dumps(case["notify"])}
    answer = sns.publish(
        TopicArn=incident["topic"],
        Subject=messages["default"][:100],
        Message=json.dumps(messages),
        MessageStructure="json",
        MessageAttributes=attributes,
    )
    sent = {"status": "SENT", "message_id": answer["MessageId"], "sent_at": rfc3339(now_ms()), "headline": messages["default"]}
    entry = audit_entry(case, "alerted", {"audiences": case["notify"], "message_id": answer["MessageId"], "texts": messages})
    count = case["audit_count"] + 1
    write(update(case, {"alert": sent, "audit_hash": entry["hash"], "audit_count": count}), put_new(entry))


def ask_for_clip(incident: dict, case_id: str) -> None:
    case = get_item(f"CASE#{case_id}", "META")
    detail, policy = incident["detail"], incident["evidence"]
    start_ms = int(detail["start_ms"]) - int(policy["before_s"]) * 1000
    end_ms = int(detail["end_ms"]) + int(policy["after_s"]) * 1000
    message = {
        "version": 1,
        "case_id": case_id,
        "store": case["store"],
        "camera": case["camera"],
        "stream": incident["stream_prefix"] + case["camera"],
        "start_ms": start_ms,
        "end_ms": end_ms,
        "key": case["evidence"]["key"],
        "keep_days": int(policy["keep_days"]),
        "lock": policy["lock"],
        "deadline_ms": end_ms + 300_000,
        "retained_until_ms": start_ms + int(policy["retention_hours"]) * 3_600_000,
    }
    delay = max(0, min(900, (end_ms + 10_000 - now_ms()) // 1000))
    sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=json.dumps(message), DelaySeconds=delay)
    case = get_item(f"CASE#{case_id}", "META")
    write(update(case, {"evidence": {**case["evidence"], "requested_at": rfc3339(now_ms())}}))


def handler(event: dict, context: object) -> dict:
    failures = []
    for record in event["Records"]:
        try:
            incident = json.loads(record["body"], parse_float=Decimal)
            case_id = open_case(incident)
            alert(incident, case_id)
            ask_for_clip(incident, case_id)
            print(json.dumps({"level": "INFO", "message_id": record["messageId"], "case": case_id, "outcome": "Opened"}))
        except Exception as error:
            print(json.dumps({"level": "ERROR", "message_id": record["messageId"], "error": str(error)}))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
