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
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from faults.aws import ACCOUNT, CELL, ROOT, LocalAws, parse

STORE, OTHER = "tacoma-012", "seattle-001"
# An edit as a pull request makes it, and the address whose owner has answered.
EDIT = ("id: counter-a, aisle: counter, retention: 72h", "id: counter-a, aisle: counter, retention: 48h")
TOPIC = f"arn:aws:sns:us-west-2:{ACCOUNT}:arm-{CELL}-{STORE}-alerts"

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
        done = self.run("deploy", STORE, OTHER, "--bundle", str(self.bundle()))
        print(done.stderr[-2_000:])
        expect(done.returncode == 0, "two stores are deployed")

    def bundle(self) -> Path:
        """The function bundle; for the CPU that the binary is of."""
        folder = self.work / "bundle"
        command = [self.arm, "bundle", "--binary", self.bootstrap, "--out", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
        return folder

    def run(self, command: str, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command as a person runs it."""
        environment = os.environ | self.environment() | {"AWS_ENDPOINT_URL": self.gateway} | more
        line = [self.arm, command, *args, "--stores", str(self.stores)]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=300)

    def json(self, command: str, *args: str) -> Any:
        return json.loads(self.run(command, *args, "--format", "json").stdout)

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
    print(f"  $ {' '.join(map(str, done.args[1:4]))}\n" + done.stdout.replace("\n", "\n  "))
    if done.returncode != code:
        print(done.stderr)
    expect(done.returncode == code, what)
    return done.stdout


def status(aws: Fleet) -> None:
    told = shown(aws.run("status"), 0, "the board of a fresh deploy")
    print(told)


def main() -> None:
    args = parse(argparse.ArgumentParser(description=__doc__))
    Fleet.bootstrap = args.bootstrap
    with tempfile.TemporaryDirectory() as work, Fleet.started(Path(work), args.arm, args.serve) as aws:
        status(aws)


if __name__ == "__main__":
    main()
