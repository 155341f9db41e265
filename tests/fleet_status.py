"""`arm status`, `arm drift` and `arm logs` on the local AWS, with stores that `arm deploy` put there.

What a person would see is checked, word for word where it matters: a store that is behind after its
YAML was edited, a subscriber who has not confirmed, cameras that ail, a stack that is in no file, a
resource that somebody changed by hand, and what a function wrote of a store.

MiniStack takes every e-mail address as confirmed, so here its list of subscriptions says of them what
SNS says until their owners answer.

Usage: fleet_status.py BOOTSTRAP [ARM] [SERVE]
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from faults.aws import CELL, ROOT, LocalAws, parse

STORE, OTHER = "tacoma-012", "seattle-001"
# An edit as a pull request makes it.
EDIT = ("id: counter-a, aisle: counter, retention: 72h", "id: counter-a, aisle: counter, retention: 48h")
# Time for the first look of who follows.
FOLLOW_SECONDS = 6

# Runs MiniStack's start-up script with another list of subscriptions.
PENDING = """
import re, runpy, sys
from ministack.services import sns

def member(found):
    arn = "<SubscriptionArn>PendingConfirmation</SubscriptionArn>"
    text = found.group(0)
    return re.sub("<SubscriptionArn>.*?</SubscriptionArn>", arn, text) if "<Protocol>email<" in text else text

def pending(params, listed=sns._list_subscriptions_by_topic):
    answer = list(listed(params))
    body = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
    answer[2] = re.sub("<member>.*?</member>", member, body, flags=re.S).encode()
    return tuple(answer)

sns._list_subscriptions_by_topic = pending
sys.argv = [sys.argv[1]]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Fleet(LocalAws):
    """The local AWS with two stores that `arm deploy` put there."""

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        if name == "ministack":
            command = [command[0], "-c", PENDING, command[1]]
        super().start(name, command, environment)

    def deploy(self) -> None:
        self.stores = self.work / "stores"
        shutil.copytree(ROOT / "stores", self.stores)
        for name in ("/arm/tacoma-012/loss-prevention/sms", "/arm/seattle-001/manager/sms"):
            self.client("ssm").put_parameter(Name=name, Value="+12065550111", Type="String")
        done = self.command("deploy", "--yes", "--no-preflight", "--no-bake", STORE, OTHER, "--bundle", str(self.bundle()))
        print(done.stderr[-2_000:])
        expect(done.returncode == 0, "two stores are deployed")

    def bundle(self) -> Path:
        """The function bundle; for the CPU that the binary is of."""
        folder = self.work / "bundle"
        command = [self.arm, "bundle", "--binary", self.bootstrap, "--out", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
        return folder

    def credentials(self) -> dict[str, str]:
        return os.environ | self.environment() | {"AWS_ENDPOINT_URL": self.gateway}

    def command(self, command: str, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command as a person runs it."""
        line = [self.arm, command, *args, "--stores", str(self.stores)]
        environment = self.credentials() | more
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=300)

    def json(self, command: str, *args: str) -> Any:
        return json.loads(self.command(command, *args, "--format", "json").stdout)

    def edit(self) -> None:
        path = self.stores / f"{STORE}.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(EDIT[0]) == 1
        path.write_text(text.replace(*EDIT), encoding="utf-8")


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        raise SystemExit(1)


def shown(done: subprocess.CompletedProcess[str], code: int, what: str) -> str:
    """A command's answer, which is printed for whoever judges it."""
    words = [it for it in done.args[1:] if not it.startswith("/")]
    print(f"\n$ arm {' '.join(words)}\n{done.stdout}", end="")
    if done.returncode != code:
        print(done.stderr)
    expect(done.returncode == code, f"{what}: {code}")
    expect(all(len(it) <= 100 for it in done.stdout.splitlines()), "in 100 columns")
    return done.stdout


def fresh(aws: Fleet) -> None:
    """What was just deployed, and what is in the files alone."""
    told = shown(aws.command("status"), 0, "a board of what was just deployed")
    expect("in step: 2 stores, and what they share" in told, "two stores are in step, and what they share")
    expect("next: arm deploy bellevue-100" in told, "and one is not deployed")
    asked = aws.json("status", "--cell", CELL)["cells"][0]["calls"]
    expect(asked == {"DescribeAlarms": 1, "DescribeStacks": 1, "GetCallerIdentity": 1}, f"calls of a cell: {asked}")
    expect(aws.command("status", "--exit-code").returncode == 10, "with --exit-code: 10")
    with_bundle = aws.json("status", "--bundle", str(aws.work / "bundle"))
    platform = next(it for it in with_bundle["cells"][0]["stacks"] if it["of"] == "platform")
    expect(with_bundle["bundle_compared"] and platform["in_step"], "with the bundle, the platform is in step, too")
    other = aws.command("status", AWS_ACCESS_KEY_ID="999999999999")
    expect(other.returncode == 1 and not other.stdout, "credentials of another account see nothing: 1")
    expect("account 999999999999" in other.stderr, "and are told so")


def troubled(aws: Fleet) -> None:
    """A store that was edited, cameras that ail, people who did not confirm, a stack that is in no file."""
    aws.edit()
    aws.client("cloudwatch").set_alarm_state(
        AlarmName=f"arm-{CELL}-{OTHER}-cameras-offline", StateValue="ALARM", StateReason="Threshold Crossed: 5 datapoints"
    )
    since = int(time.time() * 1_000) - 600_000
    ailment = {"camera": "aisle-1-a", "ailment": "offline", "since_ms": since, "seen_ms": since + 60_000, "is_late": False}
    item = {"pk": f"HEALTH#{OTHER}", "sk": "CAMERA#aisle-1-a#offline", "expires_at": since // 1_000 + 86_400} | ailment
    typed = {key: {"BOOL": it} if isinstance(it, bool) else {"N": str(it)} if isinstance(it, int) else {"S": it} for key, it in item.items()}
    aws.client("dynamodb").put_item(TableName=f"arm-{CELL}-cases", Item=typed)
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    tags = [{"Key": "arm:cell", "Value": CELL}, {"Key": "arm:store", "Value": "closed-001"}]
    aws.client("cloudformation").create_stack(StackName=f"arm-{CELL}-store-closed-001", TemplateBody=template, Tags=tags)
    told = shown(aws.command("status", "--subscribers"), 0, "a board of trouble")
    for words in (f"next: arm deploy {STORE}", f"next: arm status {OTHER}", "next: arm destroy closed-001 --cell us-west"):
        expect(words in told, words)
    expect("not confirmed" in told, "people who have not confirmed are named")
    order = [told.index(it) for it in ("with ailing cameras:", "not deployed:", "behind:", "in no file:")]
    expect(order == sorted(order), "the worst stands first")
    told = shown(aws.command("status", OTHER), 0, "a store that is named")
    expect("camera aisle-1-a: offline since" in told, "which camera ails, and since when")
    stack = next(it for it in aws.json("status", STORE)["cells"][0]["stacks"])
    why = {(it["channel"], it["why"]) for it in stack["unreached"]}
    expect(("email", "unconfirmed") in why and stack["faults"][0] == "behind", f"for programs: {stack['faults']} {why}")


def drift(aws: Fleet) -> None:
    """A rule that somebody deleted and a function that somebody changed, by hand."""
    bus = f"arm-{CELL}-{STORE}"
    rule = aws.client("events").list_rules(EventBusName=bus)["Rules"][0]["Name"]
    targets = aws.client("events").list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    aws.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=[it["Id"] for it in targets])
    aws.client("events").delete_rule(Name=rule, EventBusName=bus)
    aws.client("lambda").update_function_configuration(FunctionName=f"arm-{CELL}-sweep", MemorySize=3_008)
    told = shown(aws.command("drift", STORE, "--rate", "5/s"), 0, "the drift of a store")
    expect("(AWS::Events::Rule): gone" in told, "the rule is gone")
    expect("fleet.yaml:" in told and ": rules." in told, "and the lines of the file that asks for it are named")
    told = shown(aws.command("drift", "--rate", "5/s", "--fail"), 1, "the drift of all, with --fail")
    expect("/MemorySize: " in told and "-> 3008" in told, "what was, and what is")
    expect(f"arm-{CELL}-store-bellevue-100  not known:" in told, "a stack that is not there is not known")
    answer = aws.json("drift", STORE, "--rate", "5/s")
    expect(answer["drifted"] == 1 and answer["stacks"][0]["resources"][0]["lines"] != [], "the same for programs")
    board = aws.json("status")["cells"][0]["stacks"]
    found = {it["stack"]: it["drift"] for it in board}
    expect(found[f"arm-{CELL}-store-{STORE}"] == "drifted", "the board knows it from now on")
    expect(found[f"arm-{CELL}-store-{OTHER}"] == "none", "and of the other store that there is none")


def stopped(aws: Fleet) -> None:
    """Ctrl-C while drift is asked for: it ends in order, with what is known."""
    command = [aws.arm, "drift", "--rate", "1/m", "--stores", str(aws.stores)]
    asking = subprocess.Popen(command, env=aws.credentials(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in asking.stderr:
        if line.startswith("asking CloudFormation"):
            break
    time.sleep(2)
    asking.send_signal(signal.SIGINT)
    told, said = asking.communicate(timeout=30)
    expect(asking.returncode == 4 and "not asked or not told yet" in told, f"stopped: {told.strip()}")
    expect("help: run it again" in said, "which is said")


def logs(aws: Fleet) -> None:
    """Records as the functions write them (MiniStack keeps none of its own), one with a password in it."""
    now = int(time.time() * 1_000)
    error = {"level": "ERROR", "store": STORE, "camera": "counter-a", "window": "w-1", "message": "cannot handle the message"}
    other = error | {"store": "tacoma-0123"}
    records = [
        (now - 2_000, error | {"error": "cannot reach rtsp://viewer:tulip7@10.0.5.11/1"}),
        (now - 1_000, other),
        (now, error | {"level": "INFO", "message": "handled"}),
    ]
    write(aws, "analyze", records)
    count = {"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "CamerasAiling"}]}]}, "Store": STORE, "CamerasAiling": 2}
    write(aws, "dispatch", [(now - 1_500, count)])
    told = shown_long(aws.command("logs", STORE))
    expect("analyze  ERROR  cannot handle the message  camera counter-a  window w-1  error" in told, "a line for a record")
    expect("tulip7" not in told and "tacoma-0123" not in told, "without password, and of no other store")
    expect("dispatch METRIC CamerasAiling 2" in told, "with what is counted, of another function")
    times = [it[:24] for it in told.splitlines()]
    expect(times == sorted(times), "in the order of time")
    told = shown_long(aws.command("logs", STORE, "--errors", "--function", "analyze", "--camera", "counter-a"))
    expect(len(told.splitlines()) == 1, "errors of a camera and a function alone")
    answer = aws.command("logs", STORE, "--function", "analyze", "--format", "json").stdout
    told = [json.loads(it) for it in answer.splitlines()]
    expect([it["record"]["level"] for it in told] == ["ERROR", "INFO"] and "tulip7" not in answer, "NDJSON for programs")
    follow(aws)


def follow(aws: Fleet) -> None:
    """What is written while somebody follows is shown; Ctrl-C ends it."""
    command = [aws.arm, "logs", STORE, "--follow", "--function", "respond", "--stores", str(aws.stores)]
    following = subprocess.Popen(command, env=aws.credentials(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(FOLLOW_SECONDS)
    write(aws, "respond", [(int(time.time() * 1_000), {"level": "WARN", "store": STORE, "message": "late", "case": "C-1"})])
    line = following.stdout.readline()
    expect("respond  WARN   late  case C-1" in line, f"followed: {line.strip()}")
    following.send_signal(signal.SIGINT)
    expect(following.wait(timeout=30) == 0, "Ctrl-C ends it with 0")


def write(aws: Fleet, function: str, records: list[tuple[int, dict[str, Any]]]) -> None:
    """Records as a function writes them."""
    group, stream = f"/aws/lambda/arm-{CELL}-{function}", f"by-hand-{records[0][0]}"
    aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": at, "message": json.dumps(it)} for at, it in records]
    aws.client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def shown_long(done: subprocess.CompletedProcess[str]) -> str:
    print(f"\n$ arm {' '.join(it for it in done.args[1:] if not it.startswith('/'))}\n{done.stdout}{done.stderr}", end="")
    expect(done.returncode == 0, "logs are read: 0")
    return done.stdout


def main() -> None:
    args = parse(argparse.ArgumentParser(description=__doc__))
    Fleet.bootstrap = args.bootstrap
    with tempfile.TemporaryDirectory() as work, Fleet.started(Path(work), args.arm, args.serve) as aws:
        fresh(aws)
        troubled(aws)
        drift(aws)
        stopped(aws)
        logs(aws)


if __name__ == "__main__":
    main()
