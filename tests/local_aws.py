"""Uses the local AWS that a rehearsal leaves up, with the store that it deployed.

What `arm explain` says of an event is what happens when the event is put on the store's bus: the
rule, the case, and every subscriber's text, also where a field is a list and several rules match.
Then it deploys other stores: twice, and the second time nothing happens. The environment is what the
rehearsal says on its stderr, as a person would use it.

Usage: local_aws.py ARM
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3

STORES = ["tacoma-012", "bellevue-100"]
STACKS = ["arm-us-west-artifacts", "arm-us-west-platform"]
STACKS += [f"arm-us-west-store-{store}" for store in STORES]
UP_SECONDS = 600

REHEARSED = "seattle-001"
# Sightings as `arm explain` takes them, each by a camera of its own: one case each.
SIGHTINGS = [
    ["--event-type", "shelf_sweep", "--camera", "aisle-1-a", "--confidence", "0.93"],
    ["--event-type", "concealment", "--camera", "pharmacy-a", "--confidence", "0.6"],
    ["--event-type", "concealment", "--camera", "aisle-2-a", "--confidence", "0.59"],
    ["--event-type", "loitering", "--camera", "aisle-3-a"],
]
# Events with lists: several rules match, and still there is one case and one alert.
LISTS = [
    {
        "event_type": ["shelf_sweep", "concealment"],
        "camera": ["aisle-9-a", "aisle-9-b"],
        "aisle_kind": "high-value",
        "confidence": [0.9, 0.4],
        "period": "closed",
    },
    {"event_type": ["loitering", "shelf_sweep"], "camera": "aisle-12-a", "aisle": ["aisle-12"], "zone": []},
]
# Who is told of cameras: all but one send nothing here, which is told whenever it has lasted.
OPS = "cameras-seattle@example.com"
# How long a case and its texts may take, and how long none more may come.
CASE_SECONDS = 60
QUIET_SECONDS = 15


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


def wait_until_up(rehearsal: subprocess.Popen) -> dict[str, str]:
    """Reads the rehearsal's stderr until it says how to reach the local AWS."""
    found: dict[str, str] = {}
    deadline = time.monotonic() + UP_SECONDS
    for line in rehearsal.stderr:
        sys.stderr.write("  | " + line)
        if line.strip().startswith("export "):
            found |= dict(re.findall(r"(\w+)=(\S+)", line))
        if "AWS_SECRET_ACCESS_KEY" in found or time.monotonic() > deadline:
            return found
    raise SystemExit("the rehearsal ended before the local AWS was up")


def client(environment: dict[str, str], service: str):
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def keep_addresses(environment: dict[str, str]) -> None:
    """The addresses that the stores keep outside git."""
    for name in ("/arm/tacoma-012/loss-prevention/sms", "/arm/bellevue-100/manager/sms"):
        client(environment, "ssm").put_parameter(Name=name, Value="+12065550111", Type="String")
    secret = "arm-bellevue-lp-phone"
    client(environment, "secretsmanager").create_secret(Name=secret, SecretString="+12065550112")


def explain(arm: str, *args: str, event: dict | None = None) -> dict:
    """What `arm explain` says; the event by options, or as JSON on stdin."""
    told = subprocess.run(
        [arm, "explain", REHEARSED, *(["-"] if event else []), *args, "--format", "json"],
        input=json.dumps(event) if event else None,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(told.stdout)


def messages(environment: dict[str, str]) -> list[dict]:
    """Every text about a case that the local SNS handed to a subscriber."""
    with urllib.request.urlopen(environment["AWS_ENDPOINT_URL_KINESIS_VIDEO"] + "/_local/messages?after=0") as answer:
        return [it for it in json.load(answer) if it["protocol"] != "sqs" and it["endpoint"] != OPS]


def plain(protocol: str, text: str) -> str:
    """The words themselves: what HTTPS gets is SNS's envelope."""
    return json.loads(text)["Message"] if protocol in ("http", "https") else text


def cases(environment: dict[str, str]) -> list[dict]:
    answer = client(environment, "dynamodb").scan(TableName="arm-us-west-cases")
    return [it for it in answer["Items"] if it["sk"]["S"] == "META"]


def explained(arm: str, environment: dict[str, str]) -> None:
    """Puts what `arm explain` explains on the store's bus, and compares."""
    known, heard = {it["pk"]["S"] for it in cases(environment)}, len(messages(environment))
    at = (datetime.now(timezone.utc) - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    said = [explain(arm, *sighting, "--at", at) for sighting in SIGHTINGS]
    start_ms = int(datetime.fromisoformat(at).timestamp() * 1_000)
    said += [explain(arm, event=event | {"start_ms": start_ms}) for event in LISTS]
    expect(all(len(it["matched"]) == 1 for it in said[: len(SIGHTINGS)]), "one rule matches each sighting")
    several = [[rule["rule"] for rule in it["matched"]] for it in said[len(SIGHTINGS) :]]
    expect(all(len(it) > 1 for it in several), f"several rules match each event with lists: {several}")
    entries = [
        {
            "EventBusName": f"arm-us-west-{REHEARSED}",
            "Source": it["event"]["source"],
            "DetailType": it["event"]["detail-type"],
            "Detail": json.dumps(it["event"]["detail"]),
        }
        for it in said
    ]
    put = client(environment, "events").put_events(Entries=entries)
    expect(put["FailedEntryCount"] == 0, f"{len(entries)} events are on the bus")
    wanted = sorted(
        (told["channel"], told["endpoint"], told["text"])
        for it in said
        for alert in it["alerts"]
        for told in alert["told"]
    )
    deadline = time.monotonic() + CASE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)
        if len(cases(environment)) >= len(known) + len(said) and len(messages(environment)) >= heard + len(wanted):
            break
    time.sleep(QUIET_SECONDS)
    made = {it["case_id"]["S"]: it for it in cases(environment) if it["pk"]["S"] not in known}
    expect(sorted(made) == sorted(it["case"]["case_id"] for it in said), f"one case for each event: {sorted(made)}")
    for it in said:
        case, foreseen = made[it["case"]["case_id"]], it["case"]
        found = [case["rule"]["S"], case["priority"]["S"], case["detections"]["N"]]
        expect(
            found == [foreseen["rule"], foreseen["priority"], "1"],
            f"{foreseen['case_id']} is as explained: {foreseen['event_type']}, {' '.join(found)}",
        )
    got = sorted((it["protocol"], it["endpoint"], plain(it["protocol"], it["text"])) for it in messages(environment)[heard:])
    expect(got == wanted, f"{len(got)} texts, each as explained, none more: {[text for _, _, text in got if len(text) < 160]}")


def history(environment: dict[str, str]) -> tuple[int, int]:
    """How many change sets and events the stacks have had."""
    stacks = client(environment, "cloudformation")
    sets = sum(len(stacks.list_change_sets(StackName=it)["Summaries"]) for it in STACKS)
    pages = stacks.get_paginator("describe_stack_events")
    events = sum(len(page["StackEvents"]) for it in STACKS for page in pages.paginate(StackName=it))
    return sets, events


def main(arm: str) -> None:
    command = [arm, "rehearse", "--keep", "--binary", os.path.join(os.path.dirname(arm), "bootstrap")]
    rehearsal = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        local = wait_until_up(rehearsal)
        explained(arm, local)
        keep_addresses(local)
        environment = os.environ | local
        deploy = lambda: subprocess.run(
            [arm, "deploy", *STORES], env=environment, capture_output=True, text=True, check=False
        )
        first = deploy()
        print(first.stderr + first.stdout)
        expect(first.returncode == 0, "the first deploy exits with 0")
        expect("2 stacks deployed, 2 unchanged" in first.stdout, "it deploys the two new stores alone")
        before = history(local)
        second = deploy()
        print(second.stderr + second.stdout)
        expect(second.returncode == 0, "the second deploy exits with 0")
        expect("0 stacks deployed, 4 unchanged" in second.stdout, "it finds nothing to do")
        expect(history(local) == before, f"no change set, no event: {before}")
    finally:
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.stderr.close()
        expect(rehearsal.wait(timeout=60) == 0, "the rehearsal ends at Ctrl-C with 0")


if __name__ == "__main__":
    main(*sys.argv[1:])
