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


def change_sets(environment: dict[str, str]) -> int:
    """How many change sets the stacks have had, which are not deleted."""
    client = boto3.client(
        "cloudformation",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    return sum(len(client.list_change_sets(StackName=it)["Summaries"]) for it in STACKS)


def events(environment: dict[str, str]) -> int:
    client = boto3.client(
        "cloudformation",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("describe_stack_events")
    return sum(len(page["StackEvents"]) for it in STACKS for page in pages.paginate(StackName=it))


def main(arm: str) -> None:
    command = [arm, "rehearse", "--keep", "--binary", os.path.join(os.path.dirname(arm), "bootstrap")]
    rehearsal = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        local = wait_until_up(rehearsal)
        environment = os.environ | local
        deploy = lambda: subprocess.run(
            [arm, "deploy", *STORES], env=environment, capture_output=True, text=True, check=False
        )
        first = deploy()
        print(first.stderr + first.stdout)
        expect(first.returncode == 0, "the first deploy exits with 0")
        expect("2 stacks deployed, 2 unchanged" in first.stdout, "it deploys the two new stores alone")
        before = change_sets(local), events(local)
        second = deploy()
        print(second.stderr + second.stdout)
        expect(second.returncode == 0, "the second deploy exits with 0")
        expect("0 stacks deployed, 4 unchanged" in second.stdout, "it finds nothing to do")
        expect((change_sets(local), events(local)) == before, f"no change set, no event: {before}")
    finally:
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.stderr.close()
        expect(rehearsal.wait(timeout=60) is not None, "the rehearsal ends at Ctrl-C")


if __name__ == "__main__":
    main(*sys.argv[1:])
