"""Deploys to a local AWS that a rehearsal leaves up: twice, and the second time nothing happens.

The environment for `arm deploy` is what the rehearsal says on its stderr, as a person would use it.

Usage: deploy_twice.py ARM
"""

import os
import re
import signal
import subprocess
import sys
import time

import boto3

STORES = ["tacoma-012", "bellevue-100"]
STACKS = ["arm-us-west-artifacts", "arm-us-west-platform"]
STACKS += [f"arm-us-west-store-{store}" for store in STORES]
UP_SECONDS = 600


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
