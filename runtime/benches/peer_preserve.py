"""The same function as `preserve`, in Python: a case's clip is cut from the stream and locked in the bucket.

Written as AWS's own samples are: boto3, clients made once outside the handler, the endpoint of a
stream asked for once. It makes the calls that ours makes, in that order, and leaves out what only
ours does when something goes wrong.
"""

import base64
import hashlib
import json
import os
from datetime import datetime, timedelta, timezone

import boto3

table = boto3.resource("dynamodb").Table(os.environ["ARM_CASE_TABLE"])
kinesis_video = boto3.client("kinesisvideo")
s3 = boto3.client("s3")
BUCKET = os.environ["ARM_EVIDENCE_BUCKET"]
media_clients = {}


def rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc)


def media_client(stream: str, api: str):
    """The client of the endpoint that serves an operation on a stream."""
    if (stream, api) not in media_clients:
        answer = kinesis_video.get_data_endpoint(StreamName=stream, APIName=api)
        endpoint = answer["DataEndpoint"]
        media_clients[stream, api] = boto3.client("kinesis-video-archived-media", endpoint_url=endpoint)
    return media_clients[stream, api]


def get_case(case_id: str) -> dict:
    key = {"pk": f"CASE#{case_id}", "sk": "META"}
    return table.get_item(Key=key, ConsistentRead=True)["Item"]


def list_fragments(stream: str, start: datetime, end: datetime) -> list[dict]:
    pages = media_client(stream, "LIST_FRAGMENTS").get_paginator("list_fragments").paginate(
        StreamName=stream,
        MaxResults=1000,
        FragmentSelector={
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end},
        },
    )
    fragments = [fragment for page in pages for fragment in page["Fragments"]]
    return sorted(fragments, key=lambda fragment: fragment["ProducerTimestamp"])


def get_clip(stream: str, start: datetime, end: datetime) -> bytes:
    answer = media_client(stream, "GET_CLIP").get_clip(
        StreamName=stream,
        ClipFragmentSelector={
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end},
        },
    )
    return answer["Payload"].read()


def preserve(message: dict) -> str:
    case = get_case(message["case_id"])
    if case["evidence"]["status"] != "PENDING":
        return "Already"
    stream, key = message["stream"], case["evidence"]["key"]
    start, end = moment(message["start_ms"]), moment(message["end_ms"])
    fragments = list_fragments(stream, start - timedelta(seconds=20), end)
    lengths = [timedelta(milliseconds=fragment["FragmentLengthInMilliseconds"]) for fragment in fragments]
    shown = [
        (fragment["ProducerTimestamp"], fragment["ProducerTimestamp"] + length)
        for fragment, length in zip(fragments, lengths)
        if fragment["ProducerTimestamp"] + length > start
    ]
    clip = get_clip(stream, shown[0][0], shown[-1][0])
    digest = hashlib.sha256(clip)
    retain_until = datetime.now(timezone.utc) + timedelta(days=message["keep_days"])
    answer = s3.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=clip,
        ContentType="video/mp4",
        ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
        ObjectLockMode=message["lock"].upper(),
        ObjectLockRetainUntilDate=retain_until,
        Metadata={
            "case-id": message["case_id"],
            "store": message["store"],
            "camera": message["camera"],
            "sha256": digest.hexdigest(),
        },
    )
    evidence = {
        "status": "STORED",
        "sha256": digest.hexdigest(),
        "bytes": len(clip),
        "version_id": answer["VersionId"],
        "clip_start": rfc3339(shown[0][0]),
        "clip_end": rfc3339(shown[-1][1]),
        "media_type": "video/mp4",
        "retain_until": rfc3339(retain_until),
    }
    note(message["case_id"], evidence)
    return "Stored"


def note(case_id: str, evidence: dict) -> None:
    """Notes how the request ended, with the next entry of the case's audit trail."""
    case, now = get_case(case_id), rfc3339(datetime.now(timezone.utc))
    count = case["audit_count"] + 1
    entry = {
        "pk": case["pk"],
        "sk": f"EVENT#{int(count):06}",
        "case_id": case_id,
        "at": now,
        "actor": "preserve",
        "action": "evidence-stored",
        "facts": {**case["evidence"], **evidence},
        "previous_hash": case["audit_hash"],
    }
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), default=str)
    entry["hash"] = hashlib.sha256(text.encode()).hexdigest()
    update = {
        "TableName": table.name,
        "Key": {"pk": case["pk"], "sk": case["sk"]},
        "UpdateExpression": "SET evidence = :evidence, audit_hash = :hash, audit_count = :count, #v = :next, updated_at = :now",
        "ConditionExpression": "#v = :before",
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {
            ":evidence": {**case["evidence"], **evidence},
            ":hash": entry["hash"],
            ":count": count,
            ":next": case["version"] + 1,
            ":before": case["version"],
            ":now": now,
        },
    }
    put = {"TableName": table.name, "Item": entry, "ConditionExpression": "attribute_not_exists(pk)"}
    table.meta.client.transact_write_items(TransactItems=[{"Update": update}, {"Put": put}])


def handler(event: dict, context: object) -> dict:
    failures = []
    for record in event["Records"]:
        try:
            message = json.loads(record["body"])
            outcome = preserve(message)
            print(json.dumps({"level": "INFO", "message_id": record["messageId"], "case": message["case_id"], "outcome": outcome}))
        except Exception as error:
            print(json.dumps({"level": "ERROR", "message_id": record["messageId"], "error": str(error)}))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
