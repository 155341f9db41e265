"""Brings stacks of the local AWS into states in which they cannot be deployed, and recovers them.

The stacks are made here, by hand, under names of stores whose files are gone: a bucket that is taken,
a wait that nobody ends, a stream that AWS does not let go. `arm recover` must say which state it is and
why, change nothing in a dry run or when nobody said yes, and leave a stack that can be deployed.
`arm destroy` must want the store's id, and keep footage unless told otherwise.

Usage: recover.py ARM SERVE
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from faults.aws import ACCOUNT, CELL, MINISTACK, REGION, ROOT, free_port, ministack_python, wait_for_port

# Longest time for a stack to come into a state, in seconds.
STATE_SECONDS = 60
TAKEN = "arm-recover-taken"
Template = dict[str, Any]


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


class Local:
    """MiniStack and our own video service."""

    def __init__(self, arm: str, serve: str, work: Path) -> None:
        video_port, port = free_port(), free_port()
        self.arm, self.work = arm, work
        self.video, self.gateway = f"http://127.0.0.1:{video_port}", f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self.gateway,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": self.video,
        }
        self.servers: list[subprocess.Popen[bytes]] = []
        self.start("video", [serve, f"127.0.0.1:{video_port}"], {})
        (work / "files").mkdir()
        gateway = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "TMPDIR": str(work / "files")}
        gateway |= {"MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION}
        self.start("ministack", [str(ministack_python()), str(MINISTACK / "start.py")], gateway)
        wait_for_port(video_port)
        wait_for_port(port)
        self.stacks = self.client("cloudformation")

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = (self.work / f"{name}.log").open("wb")
        environment = os.environ | self.environment | environment
        # A group of its own: MiniStack's script ends its group when we are gone.
        server = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        self.servers.append(server)

    def stop(self) -> None:
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.gateway,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def run(self, *args: str) -> tuple[int, str, str]:
        command = [self.arm, *args, "--cell", CELL, "--stores", str(ROOT / "stores")]
        told = subprocess.run(
            command,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return told.returncode, told.stdout, told.stderr

    def recover(self, store: str, *args: str) -> tuple[int, dict[str, Any], str]:
        code, out, err = self.run("recover", store, "--format", "json", *args)
        return code, json.loads(out) if out else {}, err

    def video_call(self, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        request = urllib.request.Request(
            self.video + path, data=json.dumps(body).encode(), method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def fault(self, operation: str) -> None:
        self.video_call("/_local/faults", {"operation": operation, "error": "ClientLimitExceededException"})

    def no_faults(self) -> None:
        self.video_call("/_local/faults", {}, "DELETE")

    def status(self, store: str) -> str:
        with contextlib.suppress(self.stacks.exceptions.ClientError):
            return self.stacks.describe_stacks(StackName=stack(store))["Stacks"][0]["StackStatus"]
        return "none"

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STATE_SECONDS
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.2)
        raise SystemExit(f"not within {STATE_SECONDS} s: {what}")

    def wait_for(self, store: str, status: str) -> None:
        self.wait(f"{store} in {status}", lambda: self.status(store) == status)

    def wait_for_stream(self, store: str, status: str) -> None:
        def holds() -> bool:
            events = self.stacks.describe_stack_events(StackName=stack(store))["StackEvents"]
            return any(it["LogicalResourceId"] == "Camera" and it["ResourceStatus"] == status for it in events)

        self.wait(f"the stream of {store} in {status}", holds)


def stack(store: str) -> str:
    return f"arm-{CELL}-store-{store}"


def template(store: str, hours: int = 24, more: Template | None = None, policy: str = "RetainExceptOnCreate") -> str:
    """A stack with a stream and a topic, as stores have them, and what is wrong with it."""
    tags = [{"Key": "arm:cell", "Value": CELL}, {"Key": "arm:store", "Value": store}]
    camera = {"Name": f"arm-{CELL}-{store}-gw-aisle", "DataRetentionInHours": hours, "Tags": tags}
    resources: Template = {
        "Camera": {"Type": "AWS::KinesisVideo::Stream", "DeletionPolicy": policy, "Properties": camera},
        "Alerts": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"arm-{CELL}-{store}-alerts"}},
    }
    # By this parameter `arm` knows a stack for its own.
    parameters = {"ReleaseDigest": {"Type": "String", "Default": "none"}}
    return json.dumps({"Parameters": parameters, "Resources": resources | (more or {})})


def bucket(name: str) -> Template:
    return {"Bucket": {"Type": "AWS::S3::Bucket", "DependsOn": "Camera", "Properties": {"BucketName": name}}}


def endless(seconds: int = 4) -> Template:
    """A wait that nobody ends."""
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": "Camera"}
    wait = {"Handle": {"Ref": "Handle"}, "Timeout": str(seconds), "Count": 1}
    return {"Handle": handle, "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": wait}}


def nothing_to_do(local: Local) -> None:
    code, told, _ = local.recover("never-made")
    expect(code == 0 and told["found"] is None, "of a stack that is not there, it says so")
    local.stacks.create_stack(StackName=stack("settled"), TemplateBody=template("settled"))
    local.wait_for("settled", "CREATE_COMPLETE")
    code, told, _ = local.recover("settled")
    expect(code == 0 and told["ended"]["is_good"], f"of one that stands, too: {told['found']['remedy']}")


def shells(local: Local) -> None:
    local.stacks.create_change_set(
        StackName=stack("shell"), ChangeSetName="never", ChangeSetType="CREATE", TemplateBody=template("shell")
    )
    local.wait_for("shell", "REVIEW_IN_PROGRESS")
    code, told, _ = local.recover("shell", "--dry-run")
    expect(code == 0 and told["ended"] is None, "a dry run says what would be done")
    code, _, err = local.recover("shell")
    expect(code == 1 and "nobody said yes" in err, "without a yes, nothing is done")
    expect(local.status("shell") == "REVIEW_IN_PROGRESS", "and the shell is still there")
    recovered(local, "shell", "REVIEW_IN_PROGRESS", "none", "")


def recovered(local: Local, store: str, before: str, after: str, cause: str) -> dict[str, Any]:
    """Recovers a store in a state; it ends in another, and the cause was told."""
    expect(local.status(store) == before, f"{store} is in {before}")
    code, told, err = local.recover(store, "--yes")
    said = (told.get("found", {}).get("cause") or {}).get("reason", "")
    expect(told.get("found", {}).get("status") == before and cause in said, f"which it says, and why: {said or 'no failure'}")
    expect(code == 0 and local.status(store) in (after, "DELETE_COMPLETE" if after == "none" else after), f"{before} -> {after} {err if code else ''}")
    return told


def creations(local: Local) -> None:
    local.client("s3").create_bucket(Bucket=TAKEN, CreateBucketConfiguration={"LocationConstraint": REGION})
    more = bucket(TAKEN)
    local.stacks.create_stack(StackName=stack("rolled"), TemplateBody=template("rolled", more=more))
    local.wait_for("rolled", "ROLLBACK_COMPLETE")
    recovered(local, "rolled", "ROLLBACK_COMPLETE", "none", TAKEN)
    body = template("half", more=endless())
    local.stacks.create_stack(StackName=stack("half"), TemplateBody=body, OnFailure="DO_NOTHING")
    local.wait_for("half", "CREATE_FAILED")
    told = recovered(local, "half", "CREATE_FAILED", "none", "")
    kept = [it["name"] for it in told["found"]["retained"]]
    expect(kept == [f"arm-{CELL}-half-gw-aisle"], f"what stays is listed beforehand: {kept}")
    local.stacks.create_stack(StackName=stack("stuck"), TemplateBody=template("stuck", more=endless()))
    local.wait_for_stream("stuck", "CREATE_COMPLETE")
    local.fault("DeleteStream")
    local.wait_for("stuck", "ROLLBACK_FAILED")
    local.no_faults()
    recovered(local, "stuck", "ROLLBACK_FAILED", "none", "")


def updates(local: Local) -> None:
    for store in ("failed", "rollback"):
        local.stacks.create_stack(StackName=stack(store), TemplateBody=template(store))
        local.wait_for(store, "CREATE_COMPLETE")
    body = template("failed", more=bucket(TAKEN))
    local.stacks.update_stack(StackName=stack("failed"), TemplateBody=body, DisableRollback=True)
    local.wait_for("failed", "UPDATE_FAILED")
    recovered(local, "failed", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", TAKEN)

    def break_rollback() -> None:
        body = template("rollback", hours=48, more=endless())
        local.stacks.update_stack(StackName=stack("rollback"), TemplateBody=body)
        local.wait_for_stream("rollback", "UPDATE_COMPLETE")
        local.fault("UpdateDataRetention")
        local.wait_for("rollback", "UPDATE_ROLLBACK_FAILED")

    break_rollback()
    local.no_faults()
    told = recovered(local, "rollback", "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "")
    culprits = [it["logical_id"] for it in told["found"]["failed"]]
    expect(culprits == ["Camera"] and told["ended"]["skipped"] == [], f"the culprit is named {culprits}, and nothing was skipped")
    break_rollback()
    told = recovered(local, "rollback", "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "")
    expect(told["ended"]["skipped"] == ["Camera"], "what fails again is skipped, and nothing else")
    local.no_faults()


def deletions(local: Local) -> None:
    local.stacks.create_stack(StackName=stack("full"), TemplateBody=template("full", policy="Delete"))
    local.wait_for("full", "CREATE_COMPLETE")
    local.fault("DeleteStream")
    local.stacks.delete_stack(StackName=stack("full"))
    local.wait_for("full", "DELETE_FAILED")
    told = recovered(local, "full", "DELETE_FAILED", "none", "")
    left = [it["name"] for it in told["ended"]["left"]]
    local.no_faults()
    expect(left == [f"arm-{CELL}-full-gw-aisle"], f"only what could not be deleted is left: {left}")


def attached(local: Local) -> None:
    local.stacks.create_stack(StackName=stack("moving"), TemplateBody=template("moving", more=endless(8)))
    local.wait_for("moving", "CREATE_IN_PROGRESS")
    code, told, err = local.recover("moving")
    expect(told["found"]["status"] == "CREATE_IN_PROGRESS", "an operation that is under way is followed without a yes")
    cause = told["ended"]["cause"] or {}
    expect(code == 3 and told["ended"]["status"] == "ROLLBACK_COMPLETE", f"to its end: {told['ended']['status']}")
    expect(cause.get("logical_id") == "Wait" and "arm recover" in err, f"with the cause: {cause}")


def destroyed(local: Local) -> None:
    store = "doomed"
    subscription = {"Protocol": "email", "Endpoint": "lp@example.com", "TopicArn": {"Ref": "Alerts"}}
    more = {"Told": {"Type": "AWS::SNS::Subscription", "Properties": subscription}}
    local.stacks.create_stack(StackName=stack(store), TemplateBody=template(store, more=more))
    local.wait_for(store, "CREATE_COMPLETE")
    local.stacks.update_termination_protection(StackName=stack(store), EnableTerminationProtection=True)
    for args in ([], ["--confirm", "settled"]):
        code, _, err = local.run("destroy", store, *args)
        expect(code == 1 and "was not destroyed" in err, f"destroy {args} is refused: {err.splitlines()[-2]}")
    expect(local.status(store) == "CREATE_COMPLETE", "and the stack stands")
    code, out, err = local.run("destroy", store, "--confirm", store)
    expect(code == 0 and local.status(store) in ("none", "DELETE_COMPLETE"), f"with its id, it goes {err if code else ''}")
    expect("1 stream with up to 24 hours of video: kept" in out and "email to lp@example.com" in out, f"said beforehand:\n{out}")
    streams = {"StreamNameCondition": {"ComparisonValue": f"arm-{CELL}-{store}-gw-"}}
    expect(len(local.video_call("/listStreams", streams)["StreamInfoList"]) == 1, "its footage is kept")
    code, out, _ = local.run("destroy", store, "--confirm", store, "--delete-footage")
    expect(code == 0 and "DELETED FOR GOOD" in out, "unless that is asked for by name")
    expect(local.video_call("/listStreams", streams)["StreamInfoList"] == [], "and then it is gone")


def careless(local: Local) -> None:
    store = "careless"
    local.stacks.create_stack(StackName=stack(store), TemplateBody=template(store, policy="Delete"))
    local.wait_for(store, "CREATE_COMPLETE")
    code, _, err = local.run("destroy", store, "--confirm", store)
    expect(code == 1 and "does not retain" in err, "footage that would go with the stack is not lost in silence")
    expect(local.status(store) == "CREATE_COMPLETE", "and the stack stands")


def main(arm: str, serve: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as work:
        local = Local(arm, serve, Path(work))
        try:
            for part in (nothing_to_do, shells, creations, updates, deletions, attached, destroyed, careless):
                part(local)
        finally:
            local.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
