"""Uses the local AWS that a rehearsal leaves up, with the store that it deployed.

What `arm explain` says of an event is what happens when the event is put on the store's bus: the
rule, the case, and every subscriber's text, also where a field is a list and several rules match.
Then it deploys other stores: twice, and the second time nothing happens. What `arm diff --live` says of
them is nothing; of an edited folder the same as `--base`, also when AWS throttles; and it leaves no
change set. The environment is what the rehearsal says on its stderr, as a person would use it.

Usage: local_aws.py ARM
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3

from faults.proxy import Fault, Proxy

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
# An edit of a store that has stood since the deploy, as a pull request makes it: what it is to be.
EDITED = "tacoma-012"
EDITS = [
    ("id: counter-a, aisle: counter, retention: 72h", "id: counter-a, aisle: counter, retention: 48h"),
    ("id: cooler-a", "id: cooler-b"),
    ("audience: loss-prevention, email: lp-tacoma@", "audience: loss-prevention, email: security-tacoma@"),
]
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


def diff(arm: str, environment: dict[str, str], *args: str) -> tuple[dict, str]:
    """What `arm diff` says as JSON, and what it said on stderr."""
    command = [arm, "diff", *args, "--format", "json"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    if told.returncode != 0:
        print(told.stderr)
    expect(told.returncode == 0, f"`arm {' '.join(command[1:])}` exits with 0")
    return json.loads(told.stdout), told.stderr


def judged(review: dict) -> dict:
    """What both kinds of base can say: causes and costs only git knows, of change sets only AWS."""
    findings = [
        (it["class"], it["weight"], it["text"], json.dumps(it["subjects"]))
        for it in review["findings"]
        if it["class"] not in ("cost", "quota") and "CloudFormation" not in it["text"]
    ]
    changes = [json.dumps({key: value for key, value in it.items() if key != "causes"}) for it in review["changes"]]
    return {"stacks": review["stacks"], "findings": sorted(findings), "changes": sorted(changes)}


def edited(folder: str) -> None:
    """A git repository with the stores as they are deployed, and an edit that is not committed."""
    shutil.copytree("stores", folder)
    git = ["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for step in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "deployed"]):
        subprocess.run([*git, *step], check=True)
    path = os.path.join(folder, f"{EDITED}.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for old, new in EDITS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def standing(environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """The stacks that there are with their states, and the change sets that were not carried out."""
    stacks = client(environment, "cloudformation")
    found = stacks.describe_stacks()["Stacks"]
    sets = [one for it in found for one in stacks.list_change_sets(StackName=it["StackName"])["Summaries"]]
    left = [it["ChangeSetName"] for it in sets if it["ChangeSetName"].startswith("arm-diff-")]
    return sorted(f"{it['StackName']} {it['StackStatus']}" for it in found), left


async def through_proxy(arm: str, local: dict[str, str], number: int, *args: str) -> tuple[dict, Proxy]:
    """What `arm diff` says through a proxy, which throttles the first attempt of one call."""
    proxy = Proxy("arm", local["AWS_ENDPOINT_URL"], local["AWS_ENDPOINT_URL"])
    through = os.environ | local | {"AWS_ENDPOINT_URL": await proxy.start()}
    proxy.begin(Fault(number, "throttle") if number else None)
    told, _ = await asyncio.to_thread(diff, arm, through, *args)
    proxy.stop()
    return told, proxy


def throttled(arm: str, local: dict[str, str], operation: str, *args: str) -> dict:
    """What `arm diff` says when AWS refuses an operation once as asked too often."""
    _, whole = asyncio.run(through_proxy(arm, local, 0, *args))
    number = next(it.number for it in whole.calls if it.operation == operation)
    told, broken = asyncio.run(through_proxy(arm, local, number, *args))
    attempts = [it.fault for it in broken.calls if it.number == number]
    expect(attempts == ["throttle", ""], f"{operation} is throttled, and asked again")
    return told


def refused(arm: str, local: dict[str, str]) -> None:
    """What cannot be meant is wrong usage; credentials of another account read nothing."""

    def told(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
        command = [arm, "diff", *args]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    environment = os.environ | local
    for args in (["--live", "--base", "HEAD"], ["--live", "--against", "stores"], ["--change-sets"]):
        expect(told(environment, *args).returncode == 2, f"{' '.join(args)}: wrong usage")
    other = told(environment | {"AWS_ACCESS_KEY_ID": "999999999999"}, "--live")
    expect(other.returncode == 1 and "account 999999999999" in other.stderr, "credentials of another account: 1")
    expect("reading" not in other.stderr and not other.stdout, "and nothing is read")
    nowhere = told(environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "--live")
    expect(nowhere.returncode == 3 and not nowhere.stdout, "AWS cannot be reached: 3")


def abandoned(arm: str, local: dict[str, str], *args: str) -> None:
    """Ctrl-C twice, while AWS does not answer: the change set is named that is left."""

    async def run(number: int) -> tuple[int, str]:
        proxy = Proxy("arm", local["AWS_ENDPOINT_URL"], local["AWS_ENDPOINT_URL"])
        through = os.environ | local | {"AWS_ENDPOINT_URL": await proxy.start()}
        proxy.begin(Fault(number, "hang-before"))
        command = [arm, "diff", *args, "--format", "json"]
        process = await asyncio.create_subprocess_exec(
            *command, env=through, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while not any(it.fault for it in proxy.calls):
            await asyncio.sleep(0.1)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.5)
        _, told = await asyncio.wait_for(process.communicate(), 30)
        proxy.stop()
        return process.returncode, told.decode()

    _, whole = asyncio.run(through_proxy(arm, local, 0, *args))
    number = next(it.number for it in whole.calls if it.operation == "DescribeChangeSet")
    code, told = asyncio.run(run(number))
    left = standing(local)[1]
    expect(code == 4 and len(left) == 1, f"Ctrl-C twice exits with 4, and leaves {left}")
    command = f"delete-change-set --stack-name arm-us-west-store-{EDITED} --change-set-name {left[0]}"
    expect(command in told, "which it says how to delete")
    diff(arm, os.environ | local, *args)
    expect(standing(local)[1] == [], "the next run deletes it first")


def reviewed(arm: str, local: dict[str, str], folder: str) -> None:
    """What is deployed beside the folder, as it is and with an edit."""
    environment = os.environ | local
    before = standing(local)
    refused(arm, local)
    same, progress = diff(arm, environment, "--live", "--change-sets")
    expect(same["headline"].startswith("no change"), f"of what was deployed it says: {same['headline']}")
    expect("reading 0 of 5 stacks of us-west; 5 in step" in progress, "and reads no template for that")
    edited(folder)
    committed, _ = diff(arm, os.environ.copy(), "--base", "HEAD", "--stores", folder)
    live, progress = diff(arm, environment, "--live", "--stores", folder)
    expect(live["stacks"]["changed"] == 1 and len(live["changes"]) > 3, f"of an edit it says: {live['headline']}")
    expect("reading 1 of 5 stacks" in progress, "and reads one template")
    expect(judged(live) == judged(committed), "which is what `--base` says of it")
    asked, progress = diff(arm, environment, "--live", "--change-sets", EDITED, "--stores", folder)
    expect(f"asking CloudFormation about arm-us-west-store-{EDITED}" in progress, "CloudFormation is asked about it")
    opinions = [it for it in asked["findings"] if "CloudFormation" in it["text"]]
    print("\n".join(f"  {it['weight']}: {it['text']}" for it in opinions))
    expect(opinions != [] and all(it["weight"] == "quiet" for it in opinions), "and replaces or deletes nothing unsaid")
    expect(asked["changes"] == live["changes"], "the rest is the same")
    args = ["--live", "--change-sets", EDITED, "--stores", folder]
    for operation in ("DescribeStacks", "GetTemplate", "CreateChangeSet", "DescribeChangeSet", "DeleteChangeSet"):
        expect(throttled(arm, local, operation, *args)["findings"] == asked["findings"], "with the same outcome")
    abandoned(arm, local, *args)
    os.remove(os.path.join(folder, "bellevue-100.yaml"))
    gone, _ = diff(arm, environment, "--live", "bellevue-100", "--stores", folder)
    leaves = [it["text"] for it in gone["findings"] if "`arm deploy` leaves its stack as it is" in it["text"]]
    expect(gone["stacks"]["removed"] == 1 and len(leaves) == 1, f"of a store that is in no file: {leaves}")
    expect(standing(local) == before, f"{len(before[0])} stacks as before, and no change set of a diff: {before[1]}")


def main(arm: str) -> None:
    command = [arm, "rehearse", "--keep", "--binary", os.path.join(os.path.dirname(arm), "bootstrap")]
    rehearsal = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        local = wait_until_up(rehearsal)
        explained(arm, local)
        keep_addresses(local)
        environment = os.environ | local
        deploy = lambda: subprocess.run(
            [arm, "deploy", "--yes", "--no-preflight", "--no-bake", *STORES], env=environment, capture_output=True, text=True, check=False
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
        with tempfile.TemporaryDirectory() as folder:
            reviewed(arm, local, os.path.join(folder, "stores"))
    finally:
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.stderr.close()
        expect(rehearsal.wait(timeout=60) == 0, "the rehearsal ends at Ctrl-C with 0")


if __name__ == "__main__":
    main(*sys.argv[1:])
