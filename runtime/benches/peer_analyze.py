"""The same function as `analyze`, in Python: a window's video goes to the model, what it sees to the store's bus.

Written as AWS's own samples are: boto3, clients made once outside the handler, the endpoint of a
stream asked for once. It makes the calls that ours makes, in that order, and leaves out what only
ours does when something goes wrong.
"""

import json
import os
import time
from datetime import datetime, timezone

import boto3

kinesis_video = boto3.client("kinesisvideo")
sagemaker = boto3.client("sagemaker-runtime")
events = boto3.client("events")
ENDPOINT = os.environ["ARM_ENDPOINT_NAME"]
ERROR_TAG = b"AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE"
media_clients = {}


def media_client(stream: str, api: str):
    """The client of the endpoint that serves an operation on a stream."""
    if (stream, api) not in media_clients:
        answer = kinesis_video.get_data_endpoint(StreamName=stream, APIName=api)
        endpoint = answer["DataEndpoint"]
        media_clients[stream, api] = boto3.client("kinesis-video-archived-media", endpoint_url=endpoint)
    return media_clients[stream, api]


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, timezone.utc)


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


def analyze(window: dict) -> int:
    if time.time() * 1000 > window["expires_ms"]:
        return 0
    stream = window["stream"]
    fragments = list_fragments(stream, moment(window["start_ms"]), moment(window["end_ms"]))
    numbers = [fragment["FragmentNumber"] for fragment in fragments]
    answer = media_client(stream, "GET_MEDIA_FOR_FRAGMENT_LIST").get_media_for_fragment_list(
        StreamName=stream, Fragments=numbers
    )
    video = answer["Payload"].read()
    if ERROR_TAG in video:
        raise RuntimeError("the video breaks off")
    answer = sagemaker.invoke_endpoint(
        EndpointName=ENDPOINT,
        ContentType="video/x-matroska",
        Accept="application/json",
        CustomAttributes=f"v=1;store={window['store']['id']};camera={window['camera']};start={window['start_ms']};end={window['end_ms']}",
        InferenceId=window["id"],
        Body=video,
    )
    seen = json.loads(answer["Body"].read())["detections"]
    for first in range(0, len(seen), 10):
        entries = [
            {
                "Source": "arm.detector",
                "DetailType": "BehaviourDetected",
                "EventBusName": window["bus"],
                "Detail": json.dumps({**detection, "store": window["store"]["id"], "camera": window["camera"]}),
            }
            for detection in seen[first : first + 10]
        ]
        events.put_events(Entries=entries)
    return len(seen)


def handler(event: dict, context: object) -> dict:
    failures = []
    for record in event["Records"]:
        try:
            window = json.loads(record["body"])
            seen = analyze(window)
            print(json.dumps({"level": "INFO", "message_id": record["messageId"], "window": window["id"], "seen": seen}))
        except Exception as error:
            print(json.dumps({"level": "ERROR", "message_id": record["messageId"], "error": str(error)}))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
